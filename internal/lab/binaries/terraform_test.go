package binaries

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestTerraforms(t *testing.T) {
	t.Setenv(EnvCache, t.TempDir())
	all, err := Terraforms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	platform := "-" + runtime.GOOS + "-" + runtime.GOARCH
	for _, pinned := range all {
		directory, program := "terraform-"+pinned.version, "terraform"
		if pinned.IsOpenTofu() {
			directory, program = "opentofu-"+pinned.version, "tofu"
		}
		if want := filepath.Join(os.Getenv(EnvCache), directory+platform, program); pinned.Binary != want {
			t.Errorf("%s is kept as %s, want %s", pinned.Name, pinned.Binary, want)
		}
		// A directory says which line of versions it pins.
		line := strings.TrimPrefix(filepath.Base(pinned.dir), openTofu)
		if !strings.HasPrefix(pinned.version, "v"+line+".") {
			t.Errorf("%s pins %s", pinned.dir, pinned.version)
		}
	}
	if len(all) < 2 {
		t.Errorf("got %d versions", len(all))
	}
}

// TestTerraformVersions keeps what names the versions equal to what is pinned.
func TestTerraformVersions(t *testing.T) {
	const root = "../../.."
	all, err := Terraforms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[string]bool{"installed": true}
	for _, p := range all {
		pinned[p.Name] = true
	}
	for file, named := range map[string][]string{
		"GNUmakefile":     words(t, root+"/GNUmakefile", "VERSIONS ?= ", "\n"),
		"CONTRIBUTING.md": rows(t, root+"/CONTRIBUTING.md"),
	} {
		found := map[string]bool{}
		for _, name := range named {
			found[name] = true
			if !pinned[name] {
				t.Errorf("%s names %s, which no module of internal/tools/terraform pins", file, name)
			}
		}
		for name := range pinned {
			if !found[name] {
				t.Errorf("%s does not name %s", file, name)
			}
		}
	}
	for _, name := range words(t, root+"/.ci/run", "make test-matrix VERSIONS='", "'") {
		if !pinned[name] {
			t.Errorf(".ci/run names %s, which no module of internal/tools/terraform pins", name)
		}
	}
}

// words are those between two texts of a file.
func words(t *testing.T, file, before, after string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), before)
	between, _, found := strings.Cut(rest, after)
	if !found || between == "" {
		t.Fatalf("%s has nothing between %q and %q", file, before, after)
	}
	return strings.Fields(between)
}

// rows are the first cells, in backquotes, of the table of versions.
func rows(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(data), "| `VERSIONS` |")
	table, _, _ = strings.Cut(table, "\n\n")
	var names []string
	for line := range strings.Lines(table) {
		if rest, is := strings.CutPrefix(line, "| `"); is {
			name, _, _ := strings.Cut(rest, "`")
			names = append(names, name)
		}
	}
	return names
}

func TestEnsureTerraform_ofAVersionThatIsNotPinned(t *testing.T) {
	t.Setenv(EnvCache, t.TempDir())
	_, err := EnsureTerraform(t.Context(), &bytes.Buffer{}, "0.0.1")
	if err == nil || !strings.Contains(err.Error(), `"0.0.1"`) || !strings.Contains(err.Error(), "opentofu-") {
		t.Errorf("got %v", err)
	}
}

func TestEnsureTerraform_leavesNothingOfABuildThatFails(t *testing.T) {
	for what, c := range map[string]struct{ build, want string }{
		"cannot be built":  {`echo no space left >&2; exit 1`, "no space left"},
		"of other version": {`printf '#!/bin/sh\necho Terraform v0.0.1\n' >"$output"; chmod +x "$output"`, "Terraform v0.0.1"},
	} {
		t.Run(what, func(t *testing.T) {
			cache := t.TempDir()
			pinned := Terraform{
				Name: "9.9.9", Binary: filepath.Join(cache, "terraform-v9.9.9", "terraform"),
				dir: t.TempDir(), module: "example.com/terraform", command: "example.com/terraform", version: "v9.9.9",
			}
			for _, name := range []string{"go.mod", "go.sum"} {
				if err := os.WriteFile(filepath.Join(pinned.dir, name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			files := t.TempDir()
			table := filepath.Join(files, "internal", "backend", "init", "init.go")
			if err := os.MkdirAll(filepath.Dir(table), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(table, []byte(backendTable), 0o600); err != nil {
				t.Fatal(err)
			}
			tools := t.TempDir()
			writeScript(t, filepath.Join(tools, "go"), `case "$1" in
list) echo "v9.9.9 `+files+`" ;;
build) for argument; do [ "$last" = -o ] && output=$argument; last=$argument; done
`+c.build+` ;;
esac`)
			t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
			err := pinned.ensure(t.Context(), &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			left, _ := filepath.Glob(filepath.Join(cache, "*", "terraform*"))
			if len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
