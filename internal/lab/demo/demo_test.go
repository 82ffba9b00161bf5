package demo_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/demo"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// inEmptyDirectory fails the test if something is left in the directory for
// temporary files in the end.
func inEmptyDirectory(t *testing.T) {
	t.Helper()
	suite.Acceptance(t, "starts a lab")
	parent := t.TempDir()
	t.Setenv("TMPDIR", parent)
	t.Cleanup(func() {
		if left, _ := filepath.Glob(filepath.Join(parent, "carvel-*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

func TestAccDemo(t *testing.T) {
	inEmptyDirectory(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out bytes.Buffer
	var got []string
	keep := func(dir string, variables []string) {
		if _, err := os.Stat(filepath.Join(dir, "main.tf")); err != nil {
			t.Error(err)
		}
		got = variables
		stop()
	}
	if err := demo.Run(ctx, demo.Options{Out: &out, Keep: keep}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	const stages = 11
	if n := len(regexp.MustCompile(`(?m)^   \d+\.\d s$`).FindAllString(out.String(), -1)); n != stages {
		t.Errorf("%d stages, want %d:\n%s", n, stages, out.String())
	}
	for _, name := range []string{"LAB_GIT_URL", "TF_CLI_CONFIG_FILE", "CARVEL_GIT_URL", "KUBE_CONFIG_PATH", "TF_VAR_staging_kubeconfig"} {
		if !strings.Contains("\n"+strings.Join(got, "\n"), "\n"+name+"=") {
			t.Errorf("%s is not among the variables %q", name, got)
		}
	}
}

// interrupter ends a context as soon as a text was written to it.
type interrupter struct {
	bytes.Buffer
	at   string
	stop context.CancelFunc
}

func (i *interrupter) Write(p []byte) (int, error) {
	n, err := i.Buffer.Write(p)
	if strings.Contains(i.String(), i.at) {
		i.stop()
	}
	return n, err
}

func TestAccDemo_interrupted(t *testing.T) {
	inEmptyDirectory(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &interrupter{at: "carvel_run_namespace.app", stop: stop}
	if err := demo.Run(ctx, demo.Options{Out: out}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the interrupt\n%s", err, out.String())
	}
}
