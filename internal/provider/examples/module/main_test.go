package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../../../.."

// TestReadme: `make generate` would not change the module's README.
func TestReadme(t *testing.T) {
	dir := filepath.Join(root, moduleDir)
	readme := text(t, dir, "README.md")
	reference, err := reference(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := replaceGenerated(readme, reference); err != nil || want != readme {
		t.Errorf("README.md of %s is not up to date: run make generate (%v)", moduleDir, err)
	}
}

// TestRepository: the tree is a module of a registry, and refers to nothing outside of
// itself.
func TestRepository(t *testing.T) {
	target := filepath.Join(t.TempDir(), "terraform-carvel-delivery")
	if err := run(root, []string{target}); err != nil {
		t.Fatal(err)
	}
	files := filesIn(t, target)
	for _, want := range []string{
		".gitignore", "LICENSE", "README.md", "examples/two-clusters/main.tf", "main.tf", "outputs.tf", "tests/delivery.tftest.hcl", "tests/fixture/main.tf", "variables.tf", "versions.tf",
	} {
		if !slices.Contains(files, want) {
			t.Errorf("no %s in %v", want, files)
		}
	}
	readme := text(t, target, "README.md")
	if !strings.Contains(readme, "source = "+registrySource) || strings.Contains(readme, localSource) {
		t.Error("the README does not call the module by its name in a registry")
	}
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(filepath.Join(target, link[1])); err != nil {
			t.Errorf("the README links to %s, which is not in the repository", link[1])
		}
	}
	for _, file := range files {
		for _, source := range regexp.MustCompile(`source\s*=\s*"(\.[^"]*)"`).FindAllStringSubmatch(text(t, target, file), -1) {
			from := filepath.Dir(filepath.Join(target, file))
			if strings.HasSuffix(file, ".tftest.hcl") {
				from = target
			}
			if _, err := os.Stat(filepath.Join(from, source[1])); err != nil || !strings.HasPrefix(filepath.Join(from, source[1]), target) {
				t.Errorf("%s calls %s, which is not in the repository", file, source[1])
			}
		}
	}
	if err := run(root, []string{target}); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("a second run: %v, want that the directory exists", err)
	}
}

// TestCopySources: what Terraform leaves beside a module stays there.
func TestCopySources(t *testing.T) {
	from, target := t.TempDir(), t.TempDir()
	for _, name := range []string{"main.tf", "tests/a.tftest.hcl", "terraform.tfstate", "a.auto.tfvars", ".terraform.lock.hcl", ".terraform/modules/x.tf"} {
		if err := os.MkdirAll(filepath.Join(from, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := copySources(target, from); err != nil {
		t.Fatal(err)
	}
	if files := filesIn(t, target); !slices.Equal(files, []string{"main.tf", "tests/a.tftest.hcl"}) {
		t.Errorf("copied %v", files)
	}
}

func TestReference(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("variables.tf", `
variable "b" {
  description = "With a default."
  type        = string
  default     = "x"
}
variable "a" {
  description = <<-EOT
    In two
    lines.
  EOT
  type = object({
    c = string
  })
}
`)
	write("outputs.tf", "output \"o\" {\n  description = \"Out.\"\n  value = var.a\n}\n")
	want := "## Inputs\n\n### a\n\nIn two lines.\n\nRequired. Type:\n\n```terraform\nobject({\n  c = string\n})\n```\n" +
		"\n### b\n\nWith a default.\n\nType: `string`. Default: `\"x\"`.\n\n## Outputs\n\n- `o`: Out.\n"
	if got, err := reference(dir); err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	write("outputs.tf", "output \"o\" {\n  value = var.a\n}\n")
	if _, err := reference(dir); err == nil || !strings.Contains(err.Error(), `output "o": no description`) {
		t.Errorf("an output without a description: %v", err)
	}
}

func text(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// filesIn lists the files of a tree, in order.
func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(dir, path)
			files = append(files, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
