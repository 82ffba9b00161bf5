package internal_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
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
