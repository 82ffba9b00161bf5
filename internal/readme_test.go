package internal_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
)

// TestReadme_quickstart keeps the README's configuration equal to the example
// that `make demo` applies.
func TestReadme_quickstart(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../examples/quickstart/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "```terraform\n")
	block, _, closed := strings.Cut(rest, "```\n")
	if !found || !closed {
		t.Fatal("README.md has no block of terraform")
	}
	if block != string(example) {
		t.Error("the first block of terraform in README.md is not examples/quickstart/main.tf: copy the file there")
	}
}

// TestReadme_pages: every page of docs/ is linked from the README, and once.
func TestReadme_pages(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]int{}
	for _, link := range regexp.MustCompile(`\]\((docs/[^)#]+)`).FindAllStringSubmatch(string(readme), -1) {
		links[link[1]]++
	}
	for _, kind := range []string{"data-sources", "ephemeral-resources", "functions", "guides", "resources"} {
		pages, err := os.ReadDir("../docs/" + kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			if name := "docs/" + kind + "/" + page.Name(); links[name] != 1 {
				t.Errorf("README.md links to %s %d times, want once", name, links[name])
			}
		}
	}
}

// TestReadme_badValue: the plan that the README shows says of the lab's package what the
// provider says.
func TestReadme_badValue(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("lab/seed/package.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Spec struct {
			ValuesSchema struct {
				OpenAPIv3 json.RawMessage `json:"openAPIv3"`
			} `json:"valuesSchema"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	schema, err := valuesschema.New(file.Spec.ValuesSchema.OpenAPIv3)
	if err != nil {
		t.Fatal(err)
	}
	findings := schema.Check(map[string]any{"workload_name": "app", "replicas": "two", "hostname": "app.staging.example.com"}, false)
	if len(findings) != 1 {
		t.Fatalf("findings %v, want one", findings)
	}
	if !strings.Contains(strings.Join(strings.Fields(string(readme)), " "), findings[0].Message) {
		t.Errorf("README.md does not show %q", findings[0].Message)
	}
}
