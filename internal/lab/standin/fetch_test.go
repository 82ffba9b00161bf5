package standin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExtractSubPath(t *testing.T) {
	for subPath, want := range map[string]string{
		"a":        "file.yaml",
		"a/":       "file.yaml",
		"/a":       "file.yaml",
		"./a":      "file.yaml",
		"a/b":      "below.yaml",
		"":         "a",
		"nosuch":   "! Expected directory 'nosuch' (subpath) to exist (found other directories: a, c)",
		"../x":     "! Invalid path: ../x",
		"a/../..":  "! Invalid path: a/../..",
		"top.yaml": "= top",
	} {
		t.Run(subPath, func(t *testing.T) {
			dir := t.TempDir()
			repo := filepath.Join(dir, "repo")
			for path, content := range map[string]string{"a/file.yaml": "x", "a/b/below.yaml": "x", "c/x": "x", "top.yaml": "top", ".git/config": ""} {
				if err := writeBelow(repo, path, content); err != nil {
					t.Fatal(err)
				}
			}
			to := filepath.Join(dir, "to", "0")
			err := extractSubPath(repo, subPath, to)
			switch {
			case strings.HasPrefix(want, "! "):
				if err == nil || err.Error() != want[2:] {
					t.Errorf("%q: got %v", subPath, err)
				}
			case strings.HasPrefix(want, "= "):
				// A file lands without its name, and so without an extension.
				if content, err := os.ReadFile(to); err != nil || string(content) != want[2:] {
					t.Errorf("%q: got %q, %v", subPath, content, err)
				}
			default:
				if _, statErr := os.Stat(filepath.Join(to, want)); err != nil || statErr != nil {
					t.Errorf("%q: got %v, %v", subPath, err, statErr)
				}
			}
		})
	}
}

func TestWriteBelow_staysBelow(t *testing.T) {
	for _, path := range []string{"../x", "/x", "a/../../x"} {
		if err := writeBelow(t.TempDir(), path, ""); err == nil {
			t.Errorf("%s was written", path)
		}
	}
}

func TestLockConfig(t *testing.T) {
	var lock lockConfig
	lock.add("0", locked{"git": map[string]any{"sha": "abc", "commitTitle": "First", "tags": []string{"v1"}}})
	lock.add("1", locked{"inline": map[string]any{}})
	got, err := lock.yaml()
	if err != nil {
		t.Fatal(err)
	}
	want := `apiVersion: vendir.k14s.io/v1alpha1
directories:
- contents:
  - git:
      commitTitle: First
      sha: abc
      tags:
      - v1
    path: .
  path: "0"
- contents:
  - inline: {}
    path: .
  path: "1"
kind: LockConfig
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGitAuthFrom(t *testing.T) {
	auth, err := gitAuthFrom("s", map[string]string{"username": "u", "password": "p", "ssh-privatekey": "k", "ssh-knownhosts": "h"})
	if err != nil || auth != (gitAuth{"u", "p", "k", "h"}) {
		t.Errorf("got %v, %v", auth, err)
	}
	_, err = gitAuthFrom("c", map[string]string{"identity": "secret", "username": "u"})
	if err == nil || err.Error() != "Unknown secret field 'identity' in secret 'c'" {
		t.Errorf("got %v", err)
	}
}

func TestFilesBelow(t *testing.T) {
	dir := t.TempDir()
	for path, content := range map[string]string{
		"1/b.yml": "b", "0/a.yaml": "a", "0/.gitkeep": "", "0/README.md": "#@ (@", "0/x.json": "{", "0/note.txt": "fine", ".git/c.yaml": "c",
	} {
		t.Run(path, func(t *testing.T) {
			if err := writeBelow(dir, path, content); err != nil {
				t.Fatal(err)
			}
		})
	}
	files, err := filesBelow(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]file{{"0/a.yaml", "a"}, {"1/b.yml", "b"}}, files, cmp.AllowUnexported(file{})); diff != "" {
		t.Error(diff)
	}
	if err := writeBelow(dir, "0/broken.txt", "(@"); err != nil {
		t.Fatal(err)
	}
	if _, err := filesBelow(dir); err == nil {
		t.Error("a text template was accepted")
	}
}
