package secrets_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// buildProvider builds the provider as a program, and returns the path of a
// Terraform CLI configuration that takes it from there.
func buildProvider(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "terraform-provider-carvel"), "github.com/carvel-gitops/terraform-provider-carvel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rc := filepath.Join(dir, "terraform.rc")
	write(t, rc, fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", acctest.Registry()+"/carvel-gitops/carvel", dir))
	return rc
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// workspace is a directory in which the terraform program is run.
type workspace struct {
	t        *testing.T
	dir, cli string
	canaries canaries
	said     []said
}

// said is what terraform has said or logged.
type said struct{ where, text string }

// search looks through all that was said, since a secret that is made by a run
// is only known after it.
func (w *workspace) search() {
	w.t.Helper()
	for _, s := range w.said {
		w.canaries.absent(w.t, s.where, s.text)
	}
}

func newWorkspace(t *testing.T, cli, fixture string, c canaries) *workspace {
	t.Helper()
	w := &workspace{t: t, dir: t.TempDir(), cli: cli, canaries: c}
	write(t, filepath.Join(w.dir, "main.tf"), read(t, filepath.Join("testdata", fixture, "main.tf")))
	return w
}

// variables are given in a file, as arguments can be seen by everyone on the
// machine.
func (w *workspace) variables(v map[string]any) {
	w.t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	write(w.t, filepath.Join(w.dir, "terraform.tfvars.json"), string(data))
}

// run runs terraform and keeps what it says and logs for search.
func (w *workspace) run(args ...string) (output string, err error) {
	w.t.Helper()
	log := filepath.Join(w.dir, "trace.log")
	cmd := exec.Command(acctest.Terraform(), append(args, "-no-color")...)
	cmd.Dir = w.dir
	for _, variable := range os.Environ() {
		// What the provider reads from the environment is not what is tested.
		if !strings.HasPrefix(variable, "KUBE_") && !strings.HasPrefix(variable, "CARVEL_") && !strings.HasPrefix(variable, "TF_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+w.cli, "TF_LOG=TRACE", "TF_LOG_PATH="+log, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	what := "terraform " + args[0]
	if args[0] != "show" { // its output is a document, which is searched in parts
		w.said = append(w.said, said{"the output of " + what, out.String()})
	}
	text := read(w.t, log)
	if !strings.Contains(text, "terraform-provider-carvel") {
		w.t.Errorf("the log of %s has nothing of the provider", what)
	}
	w.said = append(w.said, said{"the log of " + what, withoutDynamic(text)})
	if removeErr := os.Remove(log); removeErr != nil {
		w.t.Error(removeErr)
	}
	return out.String(), err
}

// withoutDynamic is a log without the lines in which Terraform itself, not the
// provider, writes down what a dynamic attribute holds, as it does each time
// that it reads a state.
func withoutDynamic(log string) string {
	var kept []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "UpgradeResourceState: ignoring dynamic block") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func (w *workspace) succeeds(args ...string) string {
	w.t.Helper()
	out, err := w.run(args...)
	if err != nil {
		w.t.Fatalf("terraform %v: %v\n%s", args, err, out)
	}
	return out
}
