package internal_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestModules_goLines: CI installs the Go that the root module's go line names, with
// its patch, and uses no other. A module that wants a newer one would fail there, and
// on no other machine.
func TestModules_goLines(t *testing.T) {
	root := goLines(t, "../go.mod")
	if !regexp.MustCompile(`^go 1\.\d+\.\d+$`).MatchString(root[0]) || root[1] != "" {
		t.Fatalf("../go.mod has the lines %q: it needs a go line with all three numbers, and no toolchain", root)
	}
	for _, dir := range modules(t) {
		if lines := goLines(t, filepath.Join("..", dir, "go.mod")); lines != root {
			t.Errorf("go.mod of %q has the lines %q, and the root module's %q", dir, lines, root)
		}
	}
}

// TestModules_dependabot: dependabot looks only at the modules that it is told of.
func TestModules_dependabot(t *testing.T) {
	text, err := os.ReadFile("../.github/dependabot.yml")
	if err != nil {
		t.Fatal(err)
	}
	names := func(dir string) func(pattern string) bool {
		return func(pattern string) bool {
			matches, err := path.Match(pattern, "/"+dir)
			return err == nil && matches
		}
	}
	for _, dir := range modules(t) {
		if !slices.ContainsFunc(strings.Fields(string(text)), names(dir)) {
			t.Errorf(".github/dependabot.yml does not name /%s", dir)
		}
	}
}

// modules are the directories of all modules of the repository, as paths from its root.
func modules(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "bin" || entry.Name() == "dist") {
			return fs.SkipDir
		}
		if entry.Name() == "go.mod" {
			dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "..")
			dirs = append(dirs, strings.TrimPrefix(dir, "/"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 2 || !slices.Contains(dirs, "") {
		t.Fatalf("the modules of the repository are %q", dirs)
	}
	return dirs
}

// goLines returns the lines of a go.mod that begin with "go" and "toolchain".
func goLines(t *testing.T, file string) (lines [2]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch word, _, _ := strings.Cut(line, " "); word {
		case "go":
			lines[0] = line
		case "toolchain":
			lines[1] = line
		}
	}
	return lines
}
