package guides_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

const (
	root = "../../../"
	docs = root + "docs"
)

// TestDocs_terraform: every block of Terraform in a page of the documentation is a configuration that the
// provider takes, once what the guide has elsewhere is there.
func TestDocs_terraform(t *testing.T) {
	program := terraform(t)
	fragments := allFragments(t, nil)
	w := newConfiguration(t, program, fragments, nil)
	w.run(t, "get")
	out := w.run(t, "validate", "-json", "-no-tests")
	var answer struct {
		Diagnostics []struct {
			Severity, Summary, Detail string
			Range                     *struct{ Filename string }
			Snippet                   *struct{ Context, Code string }
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("terraform validate: %v\n%s", err, out)
	}
	for _, d := range answer.Diagnostics {
		if d.Severity != "error" {
			continue
		}
		where, code := "the test's own configuration", ""
		if d.Range != nil {
			if f, ok := w.fragments[filepath.Dir(d.Range.Filename)]; ok {
				where = f.String()
			}
		}
		if d.Snippet != nil {
			code = strings.TrimSpace(d.Snippet.Code)
		}
		t.Errorf("%s: %s: %s\n%s", where, d.Summary, d.Detail, code)
	}
}

// terraform is the program that is installed.
func terraform(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds the provider")
	}
	program, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed")
	}
	return program
}

// allFragments are those of all pages, changed as f.complete does, but for what older versions of Terraform do not
// know and what is not allowed in a module.
func allFragments(t *testing.T, change func(text string, locals map[string]string) string) []fragment {
	t.Helper()
	pages, err := filepath.Glob(docs + "/*/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no page was found: %v", err)
	}
	var all []fragment
	for _, page := range append(pages, docs+"/index.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fragmentsOf(strings.TrimPrefix(filepath.ToSlash(page), docs+"/"), string(text)) {
			if isOfLaterTerraform(f.text) {
				continue
			}
			f.text = elided.Replace(withoutImports(f.text))
			if err := f.complete(change); err != nil {
				t.Errorf("%s: %v", f, err)
				continue
			}
			all = append(all, f)
		}
	}
	return all
}

// elided is what guides cut short, with the whole in its place.
var elided = strings.NewReplacer(
	`"age1..."`, `"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"`,
	"resource \"carvel_app\" \"app\" {\n  # ...\n", `resource "carvel_app" "app" {
  namespace   = "dev"
  name        = "app"
  run_cluster = "staging"
  packages    = ["app.default.tap"]
  cluster     = { namespace = "apps", kubeconfig_secret_ref = { name = "staging-kubeconfig" } }
`, "resource \"carvel_app\" \"prod\" {\n  # ...\n", `resource "carvel_app" "prod" {
  namespace   = "dev"
  name        = "prod"
  run_cluster = "prod"
  packages    = ["app.default.tap"]
`)

// isOfLaterTerraform reports whether a text has lists or actions, which older versions
// than 1.14 do not know.
func isOfLaterTerraform(text string) bool {
	return strings.HasPrefix(text, "list \"") || strings.Contains(text, "\nlist \"") || strings.HasPrefix(text, "action \"") ||
		strings.Contains(text, "\naction \"") || strings.Contains(text, "action_trigger")
}

// withoutImports leaves out import blocks, which only a root module may have.
func withoutImports(text string) string {
	return blockOf.ReplaceAllStringFunc(text, func(block string) string {
		if blockOf.FindStringSubmatch(block)[1] == "import" {
			return ""
		}
		return block
	})
}

// configuration has a module for each fragment.
type configuration struct {
	program, dir string
	env          []string
	fragments    map[string]fragment // by the module's directory
}

// newConfiguration gives the modules' variables their values: those that are known, and
// what no one knows before the apply.
func newConfiguration(t *testing.T, program string, fragments []fragment, known map[string]string) *configuration {
	t.Helper()
	w := &configuration{program: program, dir: t.TempDir(), fragments: map[string]fragment{}}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(w.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var main strings.Builder
	// Of no type, and not known before the apply.
	main.WriteString("resource \"terraform_data\" \"unknown\" {}\n\nlocals {\n  unknown = jsondecode(terraform_data.unknown.id)\n}\n")
	for i, f := range fragments {
		name := fmt.Sprintf("f%d", i)
		w.fragments[name] = f
		write(filepath.Join(name, "main.tf"), f.whole)
		for _, source := range sourceOf.FindAllStringSubmatch(f.text, -1) {
			from := filepath.Join(exampleOf(t, f), source[1])
			if err := os.CopyFS(filepath.Join(w.dir, name, source[1]), os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range fileOf.FindAllStringSubmatch(f.whole, -1) {
			write(file[1], "")
		}
		fmt.Fprintf(&main, "module %q {\n  source = \"./%s\"\n", name, name)
		for _, variable := range f.variables {
			value := known[variable]
			if value == "" {
				value = "local.unknown"
			}
			fmt.Fprintf(&main, "  %s = %s\n", variable, value)
		}
		main.WriteString("}\n")
	}
	write("main.tf", main.String())
	bin := t.TempDir()
	extension := ""
	if runtime.GOOS == "windows" {
		extension = ".exe"
	}
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "terraform-provider-carvel"+extension), root)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	settings := filepath.Join(bin, "terraform.rc")
	text := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"carvel-gitops/carvel\" = %q\n  }\n}\n", bin)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TF_") {
			w.env = append(w.env, variable)
		}
	}
	w.env = append(w.env, "TF_CLI_ARGS_get=-no-color", "TF_CLI_CONFIG_FILE="+settings, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	return w
}

// sourceOf is a module beside an example.
var sourceOf = regexp.MustCompile(`(?m)^  source += "(\./[^"]+)"`)

// exampleOf is the directory of the example that a guide shows.
func exampleOf(t *testing.T, f fragment) (dir string) {
	t.Helper()
	err := filepath.WalkDir(root+"examples", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".tf" {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.TrimSpace(string(text)) == strings.TrimSpace(f.text) {
			dir = filepath.Dir(path)
		}
		return err
	})
	if err != nil || dir == "" {
		t.Fatalf("%s is no example: %v", f, err)
	}
	return dir
}

// run runs terraform. That validate finds something is no failure of it.
func (w *configuration) run(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), w.program, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.Output()
	if err != nil && args[0] != "validate" && args[0] != "plan" {
		said := out
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			said = append(said, ended.Stderr...)
		}
		t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return out
}
