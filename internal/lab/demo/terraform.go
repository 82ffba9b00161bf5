package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

const (
	module = "github.com/carvel-gitops/terraform-provider-carvel"
	// version is what the build calls itself. A mirror holds releases only.
	version = "0.0.1"
)

// terraform runs terraform on a copy of the quickstart, with a provider of its
// own and without the user's settings.
type terraform struct {
	story     *story
	dir       string   // everything is in it
	config    string   // the copy of the quickstart
	variables []string // KEY=VALUE, what terraform needs besides the environment
}

func newTerraform(dir string, s *story) *terraform {
	return &terraform{story: s, dir: dir, config: filepath.Join(dir, "quickstart")}
}

// prepare copies the quickstart, builds the provider into a filesystem mirror
// and writes the settings that name the mirror.
func (t *terraform) prepare(ctx context.Context) error {
	source, err := execute(ctx, nil, io.Discard, "go", "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return err
	}
	source = strings.TrimSpace(source)
	if err := os.CopyFS(t.config, os.DirFS(filepath.Join(source, "examples", "quickstart"))); err != nil {
		return err
	}
	mirror := filepath.Join(t.dir, "mirror")
	name := "terraform-provider-carvel_v" + version
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	binary := filepath.Join(mirror, "registry.terraform.io", "carvel-gitops", "carvel", version, runtime.GOOS+"_"+runtime.GOARCH, name)
	build := []string{"build", "-C", source, "-ldflags=-s -w -X main.version=" + version, "-o", binary, "."}
	if _, err := execute(ctx, []string{"CGO_ENABLED=0"}, io.Discard, "go", build...); err != nil {
		return err
	}
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	t.story.line(fmt.Sprintf("%s, %.1f MB", name, float64(info.Size())/1e6))
	settings := filepath.Join(t.dir, "terraform.rc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	t.variables = []string{
		"TF_CLI_CONFIG_FILE=" + settings,
		"TF_DATA_DIR=" + filepath.Join(t.dir, "data"),
		"CHECKPOINT_DISABLE=1",
	}
	return os.WriteFile(settings, []byte(text), 0o600)
}

// use adds what the quickstart is told of a lab.
func (t *terraform) use(l *lab.Lab) {
	t.variables = append(t.variables,
		"CARVEL_GIT_URL="+l.Git.URL,
		"CARVEL_GIT_USERNAME="+l.Git.Username,
		"CARVEL_GIT_PASSWORD="+l.Git.Password,
		"KUBE_CONFIG_PATH="+l.Build.Kubeconfig,
		"TF_VAR_staging_kubeconfig="+l.Staging.Kubeconfig,
		"TF_VAR_prod_kubeconfig="+l.Prod.Kubeconfig,
		"TF_VAR_git_ca_file="+l.Git.CAFile,
	)
}

// run shows the lines of terraform's output that say what was done.
func (t *terraform) run(ctx context.Context, command string, args ...string) error {
	args = append([]string{"-chdir=" + t.config, command, "-input=false", "-no-color"}, args...)
	shown := &lines{each: func(line string) {
		if worthShowing(line) {
			t.story.line(strings.TrimSpace(line))
		}
	}}
	_, err := execute(ctx, t.variables, shown, "terraform", args...)
	return err
}

func worthShowing(line string) bool {
	for _, part := range []string{" complete after ", "Plan: ", "Apply complete!", "Destroy complete!", "No changes.", "- Installed "} {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}
