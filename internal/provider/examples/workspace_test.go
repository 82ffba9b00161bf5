// Package examples_test runs the examples that have no page of their own in the
// documentation, with the terraform program and the provider as a practitioner
// installs it.
package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

const repositoryRoot = "../../.."

// workspace is a copy of the examples in which terraform runs.
type workspace struct {
	t   *testing.T
	dir string
	env []string
}

// newWorkspace copies the examples and builds the provider into a filesystem
// mirror. The variables are those of every example for the lab.
func newWorkspace(t *testing.T, e *acctest.Env, variables ...string) *workspace {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join(repositoryRoot, "examples"))); err != nil {
		t.Fatal(err)
	}
	const version = "0.0.1"
	binary := filepath.Join(dir, "mirror", acctest.Registry(), "carvel-gitops", "carvel", version,
		runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-carvel_v"+version)
	build := exec.Command("go", "build", "-o", binary, repositoryRoot)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	settings := filepath.Join(dir, "terraform.rc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.Join(dir, "mirror"))
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &workspace{t: t, dir: filepath.Join(dir, "examples")}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TF_") {
			w.env = append(w.env, variable)
		}
	}
	w.env = append(w.env, "TF_CLI_CONFIG_FILE="+settings, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"TF_VAR_name="+e.Name, "TF_VAR_package="+e.Package())
	if e.Lab != nil {
		w.env = append(w.env, "TF_VAR_staging_kubeconfig="+e.Lab.Staging.Kubeconfig, "TF_VAR_prod_kubeconfig="+e.Lab.Prod.Kubeconfig)
		if ca := e.Lab.Git.CAFile; ca != "" {
			data, err := os.ReadFile(ca)
			if err != nil {
				t.Fatal(err)
			}
			w.env = append(w.env, "TF_VAR_git_ca="+string(data))
		}
	}
	w.env = append(w.env, variables...)
	return w
}

// run runs terraform in a directory of the examples.
func (w *workspace) run(dir string, args ...string) (string, error) {
	w.t.Helper()
	cmd := exec.Command(acctest.Terraform(), append(args, "-no-color")...)
	cmd.Dir, cmd.Env = filepath.Join(w.dir, filepath.FromSlash(dir)), w.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func (w *workspace) succeeds(dir string, args ...string) string {
	w.t.Helper()
	out, err := w.run(dir, args...)
	if err != nil {
		w.t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// variables writes the variables of an example. They go into a file, as arguments can be seen by everyone on the machine.
func (w *workspace) variables(dir string, variables map[string]any) {
	w.t.Helper()
	data, err := json.Marshal(variables)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, dir, "terraform.tfvars.json"), data, 0o600); err != nil {
		w.t.Fatal(err)
	}
}
