// Command mutants makes mistakes, one after the other, and looks whether the tests that
// need no lab find them. The tree is not touched: each mistake is an overlay of go test.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run tries the mutants whose descriptions have one of the words, or all.
func run(words []string) error {
	var lived []string
	for _, m := range mutants {
		if len(words) > 0 && !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(m.what, word) }) {
			continue
		}
		found, err := m.isFound()
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		if fmt.Printf("%-5t %s\n", found, m.what); !found {
			lived = append(lived, m.what)
		}
	}
	if len(lived) > 0 {
		return fmt.Errorf("no test finds: %s", strings.Join(lived, "; "))
	}
	return nil
}

// mutated is the file with the mistake.
func (m mutant) mutated(root string) (file, text string, err error) {
	file = filepath.Join(root, "internal", filepath.FromSlash(m.file))
	data, err := os.ReadFile(file)
	if err != nil {
		return "", "", err
	}
	if n := strings.Count(string(data), m.old); n != 1 {
		return "", "", fmt.Errorf("%s has %d places like %q, not one", m.file, n, m.old)
	}
	return file, strings.Replace(string(data), m.old, m.new, 1), nil
}

func (m mutant) isFound() (bool, error) {
	root, err := os.Getwd()
	if err != nil {
		return false, err
	}
	file, text, err := m.mutated(root)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: filepath.Join(dir, "mutant.go")}})
	if err != nil {
		return false, err
	}
	for name, data := range map[string][]byte{"mutant.go": []byte(text), "overlay.json": overlay} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return false, err
		}
	}
	args := []string{"test", "-overlay", filepath.Join(dir, "overlay.json"), "-failfast"}
	for _, p := range m.packages {
		args = append(args, "./internal/"+p)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "TF_ACC=") // no lab
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil:
		return false, nil
	case !errors.As(err, &failed):
		return false, err
	case strings.Contains(string(out), "[build failed]") || !strings.Contains(string(out), "--- FAIL"):
		return false, fmt.Errorf("the mistake is none that compiles:\n%s", out)
	}
	return true, nil
}
