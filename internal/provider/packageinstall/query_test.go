package packageinstall_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles/handwritten"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// seedHandWritten fills the repository with package installs as people write them, each shape on so many run
// clusters, and tells how many can be taken over.
func (s *scale) seedHandWritten(runClusters int) (able int) {
	s.Helper()
	files := map[string]string{"README.md": "theirs\n"}
	for i, shape := range handwritten.Shapes() {
		name := fmt.Sprintf("app%02d.default.tap", i)
		for _, version := range []string{"1.0.0", "1.1.0"} {
			files[name+"/packages/"+version+".yaml"] = fmt.Sprintf(
				"apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\nmetadata: {name: %[1]s.%[2]s}\nspec: {refName: %[1]s, version: %[2]s}\n", name, version)
		}
		for n := range runClusters {
			for file, text := range shape.At(name) {
				files[fmt.Sprintf("%s/cluster-%02d/%s", name, n, file)] = text
			}
			if shape.Problem == "" {
				able++
			}
		}
	}
	if _, err := s.server.Seed(scaleRepository, "By hand", files); err != nil {
		s.Fatal(err)
	}
	return able
}

// adopted applies what was generated: everything is imported, and nothing is pushed, then or after.
func (s *scale) adopted(resources int) {
	s.Helper()
	before := s.files()
	out, err := s.run(`exec "$TERRAFORM" "$@"`, "apply", "-auto-approve", "-no-color")
	if want := fmt.Sprintf("%d imported, 0 added,", resources); err != nil || !strings.Contains(out, want) || !strings.Contains(out, "0 destroyed") {
		s.Fatalf("%v: want %q:\n%s", err, want, tail(out))
	}
	if out, err := s.run(`exec "$TERRAFORM" "$@"`, "plan", "-detailed-exitcode", "-no-color"); err != nil {
		s.Errorf("the plan after it is not empty: %v\n%s", err, tail(out))
	}
	for path, text := range s.files() {
		if text != before[path] {
			s.Errorf("%s was %q and is %q", path, before[path], text)
		}
	}
	if commits, err := s.server.Git(scaleRepository, nil, "rev-list", "--count", "main"); err != nil || strings.TrimSpace(commits) != "1" {
		s.Errorf("%s commits, want that by hand alone (%v)", commits, err)
	}
}

func tail(text string) string { return text[max(0, len(text)-6000):] }

const listed = "list %q \"found\" {\n  provider         = carvel\n  limit            = 1000\n  include_resource = true\n\n  config {}\n}\n"

// TestAccPackageInstall_query: a repository that was written by hand is taken over by one command, and nothing is
// committed.
func TestAccPackageInstall_query(t *testing.T) {
	for name, test := range map[string]struct {
		resource string
		rows     func(able int) int
	}{
		"each":          {"carvel_package_install", func(able int) int { return able }},
		"by runcluster": {"carvel_package_installs", func(int) int { return 25 }},
	} {
		t.Run(name, func(t *testing.T) {
			acctest.Alone(t).Needs(acctest.ListQueries)
			s := newScale(t, "query", 0)
			rows := test.rows(s.seedHandWritten(25))
			s.write(filepath.Join(s.dir, "found.tfquery.hcl"), fmt.Sprintf(listed, test.resource))
			requests, pushes, _ := s.terraform("query", "-no-color", "-generate-config-out=generated.tf")
			t.Logf("query: %d requests, %d pushes", requests, pushes)
			if requests > 8 || pushes > 0 {
				t.Errorf("a query takes %d requests and %d pushes, want 8 and none at most", requests, pushes)
			}
			generated, err := os.ReadFile(filepath.Join(s.dir, "generated.tf"))
			if err != nil {
				t.Fatal(err)
			}
			if found := strings.Count(string(generated), "resource \""+test.resource+"\""); found != rows {
				t.Errorf("%d resources were generated, want %d", found, rows)
			}
			s.adopted(rows)
		})
	}
}

// TestAccPackageInstall_queryWarning tells which package installs are not in the list, and why.
func TestAccPackageInstall_queryWarning(t *testing.T) {
	acctest.Alone(t).Needs(acctest.ListQueries)
	s := newScale(t, "query", 0)
	s.seedHandWritten(2)
	s.write(filepath.Join(s.dir, "found.tfquery.hcl"), "list \"carvel_package_install\" \"found\" {\n  provider = carvel\n\n  config {\n    glob = \"*.tap/cluster-01\"\n  }\n}\n")
	out, err := s.run(`exec "$TERRAFORM" "$@"`, "query", "-no-color")
	if err != nil {
		t.Fatal(err, tail(out))
	}
	flat := strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " ")
	for i, shape := range handwritten.Shapes() {
		at := fmt.Sprintf("app%02d.default.tap/cluster-01", i)
		if told := strings.Contains(flat, "- "+at+": "); told != (shape.Problem != "") || !strings.Contains(flat, at) {
			t.Errorf("%s: a problem is told: %t:\n%s", shape.Name, told, tail(out))
		}
	}
	if strings.Contains(flat, "cluster-00") {
		t.Error("what the pattern does not match is there")
	}
}

// TestAccPackageInstall_generated: with import blocks alone, every version of Terraform generates a configuration whose
// plan is empty once it is applied.
func TestAccPackageInstall_generated(t *testing.T) {
	for name, test := range map[string]struct {
		resource string
		ids      func(s *scale) []string
	}{
		"each": {"carvel_package_install", func(*scale) (ids []string) {
			for i, shape := range handwritten.Shapes() {
				if shape.Problem == "" {
					ids = append(ids, fmt.Sprintf("app%02d.default.tap/cluster-00/values", i))
				}
			}
			return ids
		}},
		"a set": {"carvel_package_installs", func(*scale) []string {
			var names []string
			for i, shape := range handwritten.Shapes() {
				if shape.Problem == "" {
					names = append(names, fmt.Sprintf("app%02d.default.tap", i))
				}
			}
			return []string{"cluster-00/" + strings.Join(names, ",") + "/values"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScale(t, "query", 0)
			s.seedHandWritten(1)
			ids := test.ids(s)
			var blocks strings.Builder
			for i, id := range ids {
				fmt.Fprintf(&blocks, "import {\n  to = %s.found_%d\n  id = %q\n}\n\n", test.resource, i, id)
			}
			s.write(filepath.Join(s.dir, "imports.tf"), blocks.String())
			s.terraform("plan", "-no-color", "-generate-config-out=generated.tf")
			s.adopted(len(ids))
		})
	}
}
