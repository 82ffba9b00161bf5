package examples_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// tested are the files of the examples with conditions: validations, preconditions and
// checks. Each has a test of Terraform's own, in which nothing is asked of a cluster, and
// which every condition fails once; "" is for those that only a cluster can make fail.
var tested = map[string]string{
	"promotion/main.tf":                                   "promotion/tests/promotion.tftest.hcl",
	"modules/delivery/variables.tf":                       "modules/delivery/tests/variables.tftest.hcl",
	"data-sources/carvel_app/data-source.tf":              "carvel_app.tftest.hcl",
	"functions/version_matches/function.tf":               "version_matches.tftest.hcl",
	"data-sources/carvel_package_installs/data-source.tf": "",
	"data-sources/carvel_packages/data-source.tf":         "",
}

var condition = regexp.MustCompile(`(?m)^\s*condition\s*=\s*`)

// conditions are where the expressions of the conditions in a file begin and end.
func conditions(text []byte) [][2]int {
	var all [][2]int
	for _, at := range condition.FindAllIndex(text, -1) {
		depth, end := 0, at[1]
		for ; end < len(text) && (text[end] != '\n' || depth > 0); end++ {
			depth += bytes.Count([]byte("([{"), text[end:end+1]) - bytes.Count([]byte(")]}"), text[end:end+1])
		}
		all = append(all, [2]int{at[1], end})
	}
	return all
}

// TestConditions: every file with a condition is listed, so that none is without a test.
func TestConditions(t *testing.T) {
	var found []string
	root := os.DirFS(filepath.Join(repositoryRoot, "examples"))
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".tf" {
			return err
		}
		text, err := fs.ReadFile(root, path)
		if len(conditions(text)) > 0 {
			found = append(found, path)
			if _, is := tested[path]; !is {
				t.Errorf("the conditions in %s have no test", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range tested {
		if !slices.Contains(found, path) {
			t.Errorf("%s has no condition", path)
		}
	}
}

// TestAccExamples_conditions: the tests of the examples pass, and fail if any one of the
// conditions cannot be false.
func TestAccExamples_conditions(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, acctest.Alone(t))
	for path, test := range tested {
		if test == "" {
			continue
		}
		dir := filepath.Dir(path)
		if !strings.Contains(test, "/") { // one of a page of the documentation
			dir = w.page(path, test)
		}
		t.Run(path, func(t *testing.T) {
			w := w.in(t)
			file := filepath.Join(w.dir, dir, filepath.Base(path))
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w.succeeds(dir, "init")
			args := []string{"test", "-filter=tests/" + filepath.Base(test)}
			w.succeeds(dir, args...)
			for i, at := range conditions(text) {
				expression := text[at[0]:at[1]]
				changed := slices.Concat(text[:at[0]], fmt.Appendf(nil, "(%s) || true", expression), text[at[1]:])
				if err := os.WriteFile(file, changed, 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := w.run(dir, args...)
				if err == nil || !strings.Contains(out, "Missing expected failure") {
					t.Errorf("condition %d, %s: no test notices that it cannot be false (%v)\n%s", i, expression, err, out)
				}
			}
		})
	}
}

// page makes an example of the documentation a configuration of its own, with its test.
func (w *workspace) page(path, test string) (dir string) {
	w.t.Helper()
	dir = filepath.Join("pages", strings.TrimSuffix(test, ".tftest.hcl"))
	w.must(os.MkdirAll(filepath.Join(w.dir, dir, "tests"), 0o700))
	for from, to := range map[string]string{
		filepath.Join(w.dir, path):                           filepath.Base(path),
		filepath.Join(w.dir, "modules/delivery/versions.tf"): "versions.tf",
		filepath.Join("testdata/conditions", test):           filepath.Join("tests", test),
	} {
		data, err := os.ReadFile(from)
		w.must(err)
		w.must(os.WriteFile(filepath.Join(w.dir, dir, to), data, 0o600))
	}
	return dir
}

// in is the workspace in a test that is part of another.
func (w *workspace) in(t *testing.T) *workspace {
	part := *w
	part.t = t
	return &part
}

func (w *workspace) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestAccExamples_dataSources: a namespace with a PackageInstall of which no version is
// there, and in which no package has arrived, fails the conditions of the pages of
// carvel_package_installs and carvel_packages.
func TestAccExamples_dataSources(t *testing.T) {
	e, _ := prepared(t)
	e.Create(e.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
	install, err := carvel.PackageInstall(carvel.PackageInstallSpec{
		Name: "billing", Namespace: e.Name, ServiceAccountName: "none", PackageRef: carvel.PackageRef{RefName: "billing.default.tap"},
	})
	if err != nil {
		t.Fatal(err)
	}
	installs := e.Staging(carvel.PackageInstalls, e.Name)
	e.Create(installs, install)
	t.Cleanup(func() { e.Delete(installs, "billing") })
	w := newWorkspace(t, e)
	for page, want := range map[string][]string{
		"carvel_package_installs": {"Resource precondition failed", "billing has not been healthy on staging for a day: ", "Check block assertion failed", "Not healthy: billing"},
		"carvel_packages":         {"Check block assertion failed", "Some packages of the repository are not in the namespace"},
	} {
		t.Run(page, func(t *testing.T) {
			w := w.in(t)
			const file = "data-source.tf"
			dir := filepath.Join("data-sources", page)
			text, err := os.ReadFile(filepath.Join(w.dir, dir, file))
			w.must(err)
			text = bytes.ReplaceAll(text, []byte(`"apps"`), fmt.Appendf(nil, "%q", e.Name))
			w.must(os.WriteFile(filepath.Join(w.dir, dir, file), text, 0o600))
			versions, err := os.ReadFile(filepath.Join(w.dir, "modules/delivery/versions.tf"))
			w.must(err)
			provider := fmt.Sprintf("variable \"git_ca\" { default = null }\nprovider \"carvel\" {\n  git = { http = { certificate_authority = var.git_ca } }\n"+
				"  run_clusters = {\n    staging = { config_path = %q }\n    prod = {}\n  }\n}\n", e.Lab.Staging.Kubeconfig)
			w.must(os.WriteFile(filepath.Join(w.dir, dir, "versions.tf"), append(versions, provider...), 0o600))
			w.succeeds(dir, "init")
			out, _ := w.run(dir, "plan", "-input=false")
			out = strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " ")
			for _, want := range want {
				if !strings.Contains(out, want) {
					t.Errorf("want %q in:\n%s", want, out)
				}
			}
		})
	}
}
