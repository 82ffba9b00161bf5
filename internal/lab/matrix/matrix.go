// Package matrix runs the acceptance tests with one version of Terraform after the
// other, and sums up what each of them has come to.
package matrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

// Installed names the terraform that PATH has.
const Installed = "installed"

// ErrFailed: a version had a test that failed, or none that ran. The summary has
// said it.
var ErrFailed = errors.New("not every version has passed")

// Run runs go test with the arguments and each of the versions, as
// binaries.EnsureTerraform names them. Tests that fail are shown as they end, and
// the summary comes last.
func Run(ctx context.Context, out, log io.Writer, versions, arguments []string) error {
	var programs []program
	for _, version := range versions { // all are built before the first test runs
		p, err := find(ctx, log, version)
		if err != nil {
			return err
		}
		programs = append(programs, p)
	}
	var results []*result
	for _, p := range programs {
		fmt.Fprintf(out, "==> %s\n", p.title)
		r, err := test(ctx, out, p, arguments)
		results = append(results, r)
		if err != nil {
			return errors.Join(err, summarize(out, results))
		}
	}
	return summarize(out, results)
}

// program is a terraform that tests are run with.
type program struct {
	title, path string
	env         []string
}

func find(ctx context.Context, log io.Writer, version string) (program, error) {
	if version == Installed {
		path, err := exec.LookPath("terraform")
		if err != nil {
			return program{}, err
		}
		return titled(ctx, path)
	}
	t, err := binaries.EnsureTerraform(ctx, log, version)
	if err != nil {
		return program{}, err
	}
	p, err := titled(ctx, t.Binary)
	if t.IsOpenTofu() { // it looks for providers in a registry of its own
		p.env = append(p.env, "TF_ACC_PROVIDER_HOST=registry.opentofu.org", "TF_ACC_PROVIDER_NAMESPACE=hashicorp")
	}
	return p, err
}

// titled is a program with the first line of what it says about itself.
func titled(ctx context.Context, path string) (program, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return program{}, err
	}
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1")
	said, err := cmd.Output()
	if err != nil {
		return program{}, fmt.Errorf("%s version: %w", path, err)
	}
	title, _, _ := strings.Cut(string(said), "\n")
	return program{title: title, path: path, env: []string{"TF_ACC_TERRAFORM_PATH=" + path}}, nil
}

func test(ctx context.Context, out io.Writer, p program, arguments []string) (*result, error) {
	began := time.Now()
	cmd := exec.Command("go", append([]string{"test", "-json"}, arguments...)...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stderr = out
	r := newResult(p.title)
	events, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := process.SpawnForeground(cmd); err != nil {
		return r, err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(os.Interrupt) })
	defer stop()
	readErr := r.read(out, events)
	r.err = cmd.Wait() // that tests failed is in the result as well
	r.took = time.Since(began)
	return r, errors.Join(ctx.Err(), readErr)
}
