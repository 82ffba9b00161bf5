//go:build unix

package protocoltest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
)

// Terraform is a real one whose provider is in the test's own process, on clusters in
// memory: for what Terraform itself makes of it, such as its output.
type Terraform struct {
	t       testing.TB
	program string
	dir     string
	env     []string
	mu      sync.Mutex
	out     bytes.Buffer // of the command that runs, or ran last
}

// Write is for the command's output.
func (f *Terraform) Write(text []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(text)
}

// Said is what the command that runs, or ran last, has said so far, in one line.
func (f *Terraform) Said() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(strings.FieldsFunc(f.out.String(), func(r rune) bool { return strings.ContainsRune(" \n│╷╵", r) }), " ")
}

// served is how long the provider may take until it can be attached to.
const served = 10 * time.Second

// Run makes a directory with a configuration, and a provider with actions for it.
func Run(t testing.TB, program, configuration string, data func() *providerdata.Data, actions ...func() action.Action) *Terraform {
	t.Helper()
	f := &Terraform{t: t, program: program, dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(f.dir, "main.tf"), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	attach := filepath.Join(t.TempDir(), "attach")
	done := make(chan error, 1)
	go func() {
		done <- tf6server.Serve("registry.terraform.io/hashicorp/carvel",
			func() tfprotov6.ProviderServer { return redacted.Server(&configured{data: data(), actions: actions})() },
			tf6server.WithManagedDebug(), tf6server.WithManagedDebugEnvFilePath(attach), tf6server.WithManagedDebugStopSignals([]os.Signal{syscall.SIGUSR2}))
	}()
	variable, err := eventually(attach, done)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGUSR2); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	f.env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TF_") }), variable, "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	f.Succeeds("init")
	return f
}

// eventually is what is written into a file.
func eventually(file string, done <-chan error) (string, error) {
	for deadline := time.Now().Add(served); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-done:
			return "", errors.Join(errors.New("the provider has ended"), err)
		default:
		}
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if name, value, found := strings.Cut(strings.TrimSpace(string(text)), "="); found {
			return name + "=" + strings.Trim(value, "'"), nil
		}
	}
	return "", errors.New("the provider is not there in time")
}

// Command runs terraform, and returns what it has said, in one line.
func (f *Terraform) Command(args ...string) (string, error) {
	f.t.Helper()
	cmd := exec.CommandContext(f.t.Context(), f.program, append(args, "-no-color")...)
	cmd.Dir, cmd.Env = f.dir, f.env
	cmd.Stdout, cmd.Stderr = f, f
	f.mu.Lock()
	f.out.Reset()
	f.mu.Unlock()
	err := cmd.Run()
	return f.Said(), err
}

// Succeeds is Command that must succeed.
func (f *Terraform) Succeeds(args ...string) string {
	f.t.Helper()
	out, err := f.Command(args...)
	if err != nil {
		f.t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Fails is Command that must fail.
func (f *Terraform) Fails(args ...string) string {
	f.t.Helper()
	out, err := f.Command(args...)
	if err == nil {
		f.t.Fatalf("terraform %s has not failed:\n%s", strings.Join(args, " "), out)
	}
	return out
}
