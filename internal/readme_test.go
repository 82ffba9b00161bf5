package internal_test

import (
	"os"
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
