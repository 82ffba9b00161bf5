package binaries

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

// Terraform is a version of Terraform or OpenTofu that a module below
// internal/tools/terraform pins.
type Terraform struct {
	// Name is its version, which for OpenTofu begins with "opentofu-".
	Name string
	// Binary is where it is in the cache once it has been built.
	Binary string

	dir             string // of the module that pins it
	module, command string // import paths
	version         string // such as v1.16.4
}

// openTofu is what the names of OpenTofu's versions begin with.
const openTofu = "opentofu-"

// IsOpenTofu tells the two programs apart.
func (t Terraform) IsOpenTofu() bool { return strings.HasPrefix(t.Name, openTofu) }

// Terraforms are all versions that are pinned, in the order of their directories.
func Terraforms(ctx context.Context) ([]Terraform, error) {
	pins, err := below(ctx, "tools/terraform")
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(pins, "*", "go.mod"))
	if err != nil {
		return nil, err
	}
	base, err := CacheDir()
	if err != nil {
		return nil, err
	}
	var all []Terraform
	for _, file := range files {
		t, err := pinned(ctx, filepath.Dir(file), base)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// pinned reads the module in dir: the tool that it names, and the version that
// it requires of the module which has it.
func pinned(ctx context.Context, dir, base string) (Terraform, error) {
	listed, err := goOutput(ctx, dir, "mod", "edit", "-json")
	if err != nil {
		return Terraform{}, err
	}
	var file struct {
		Tool    []struct{ Path string }
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal([]byte(listed), &file); err != nil {
		return Terraform{}, err
	}
	t := Terraform{dir: dir}
	if len(file.Tool) == 1 {
		t.command = file.Tool[0].Path
	}
	for _, required := range file.Require {
		if strings.HasPrefix(t.command+"/", required.Path+"/") {
			t.module, t.version = required.Path, required.Version
		}
	}
	if t.module == "" {
		return Terraform{}, fmt.Errorf("%s does not pin one tool", dir)
	}
	t.Name = strings.TrimPrefix(t.version, "v")
	program := filepath.Base(t.command)
	directory := program
	if program == "tofu" {
		t.Name, directory = openTofu+t.Name, "opentofu"
	}
	t.Binary = filepath.Join(base, fmt.Sprintf("%s-%s-%s-%s", directory, t.version, runtime.GOOS, runtime.GOARCH), program)
	return t, nil
}

// EnsureTerraform returns a version that is pinned, by its name, and builds it if
// it is not in the cache. Its backends for remote states are left out but for the
// small ones: they are most of what there is to compile, and those of Terraform
// are not in its module.
func EnsureTerraform(ctx context.Context, log io.Writer, name string) (Terraform, error) {
	t, err := findTerraform(ctx, name)
	if err != nil {
		return Terraform{}, err
	}
	return t, t.ensure(ctx, log)
}

func findTerraform(ctx context.Context, name string) (Terraform, error) {
	all, err := Terraforms(ctx)
	if err != nil {
		return Terraform{}, err
	}
	var names []string
	for _, t := range all {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return Terraform{}, fmt.Errorf("no module of internal/tools/terraform pins %q; there are %s", name, strings.Join(names, ", "))
}

func (t Terraform) ensure(ctx context.Context, log io.Writer) error {
	if executable(t.Binary) {
		return nil
	}
	dir := filepath.Dir(t.Binary)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := process.Lock(ctx, filepath.Join(dir, "lock"), func() { fmt.Fprintf(log, "waiting for another process that builds %s\n", t.title()) })
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	if executable(t.Binary) {
		return nil
	}
	unfinished := t.Binary + ".unfinished"
	defer os.Remove(unfinished)
	if err := t.build(ctx, log, unfinished); err != nil {
		return err
	}
	if err := t.verify(ctx, unfinished); err != nil {
		return err
	}
	return os.Rename(unfinished, t.Binary)
}

// title is the version as the program itself says it.
func (t Terraform) title() string {
	if t.IsOpenTofu() {
		return "OpenTofu " + t.version
	}
	return "Terraform " + t.version
}

func (t Terraform) build(ctx context.Context, log io.Writer, output string) error {
	_, files, err := sources(ctx, t.dir, t.module)
	if err != nil {
		return err
	}
	work, err := t.copy(ctx, files)
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	// With -trimpath, what has been compiled does not depend on where the copy is.
	cmd := exec.Command("go", "build", "-trimpath", "-modfile", filepath.Join(work, "go.mod"),
		"-ldflags", "-s -w -X "+t.module+"/version.dev=no", "-o", output, t.command)
	cmd.Dir, cmd.Env = t.dir, buildEnv()
	return run(ctx, log, t.title(), cmd)
}

// copy makes a directory with the files of the module without the backends, and
// with the go.mod and the sums of the pin, which takes them from there. A copy it
// is because go takes no overlay for a file of the module cache.
func (t Terraform) copy(ctx context.Context, files string) (work string, err error) {
	work, err = os.MkdirTemp("", "lab-terraform-")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(work)
		}
	}()
	source := filepath.Join(work, "source")
	if err := os.CopyFS(source, os.DirFS(files)); err != nil {
		return "", err
	}
	if err := cutBackends(filepath.Join(source, "internal", "backend", "init", "init.go")); err != nil {
		return "", err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(t.dir, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(work, name), data, 0o600); err != nil {
			return "", err
		}
	}
	_, err = goOutput(ctx, t.dir, "mod", "edit", "-replace", t.module+"="+source, filepath.Join(work, "go.mod"))
	return work, err
}

// verify runs the binary, which also shows that this machine can.
func (t Terraform) verify(ctx context.Context, path string) error {
	said, err := exec.CommandContext(ctx, path, "version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s version: %w\n%s", path, err, bytes.TrimSpace(said))
	}
	if !slices.Contains(strings.Split(string(said), "\n"), t.title()) {
		return fmt.Errorf("%s was built and says %q", t.title(), bytes.TrimSpace(said))
	}
	return nil
}
