package binaries

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// TidyTerraform does what go mod tidy cannot do for the module that pins a
// version, as it looks for the packages that no module has.
func TidyTerraform(ctx context.Context, name string) error {
	t, err := findTerraform(ctx, name)
	if err != nil {
		return err
	}
	downloaded, err := goOutput(ctx, os.TempDir(), "mod", "download", "-json", t.module+"@"+t.version)
	if err != nil {
		return err
	}
	var of struct{ Dir string }
	if err := json.Unmarshal([]byte(downloaded), &of); err != nil {
		return err
	}
	work, err := t.copy(ctx, of.Dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := removeTests(filepath.Join(work, "source")); err != nil {
		return err
	}
	modfile := filepath.Join(work, "go.mod")
	if _, err := goOutput(ctx, t.dir, "mod", "tidy", "-modfile", modfile); err != nil {
		return err
	}
	if _, err := goOutput(ctx, t.dir, "mod", "edit", "-dropreplace", t.module, modfile); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(work, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(t.dir, name), data, 0o644); err != nil {
			return err
		}
	}
	// The sums have nothing of a module that was a directory.
	_, err = goOutput(ctx, t.dir, "mod", "download", t.module)
	return err
}

// removeTests removes what is not compiled and has requirements of its own.
func removeTests(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") && entry.Type().IsRegular() {
			err = os.Remove(path)
		}
		return err
	})
}
