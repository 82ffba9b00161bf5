package standin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/sops"
)

// fetched is a directory with files.
func fetched(t *testing.T, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "0")
	if err := os.MkdirAll(root, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, content := range files {
		if err := writeBelow(root, path, content); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestYttFiles: which files ytt gets, by which names and in which order, and the errors of
// paths, as they were recorded of kapp-controller and of ytt itself:
//
//	$ ytt -f b/staging -f a/packages -f a/staging   # both with a packageinstall.yaml, and
//	kind: b                                         # a/packages with .gitkeep alone
//	---
//	kind: a
//	$ ytt -f nosuch
//	ytt: Error: Checking file 'nosuch': lstat nosuch: no such file or directory
func TestYttFiles(t *testing.T) {
	stdin := &file{"stdin.yml", "in"}
	for name, c := range map[string]struct {
		paths []string
		input *file
		want  string // names and contents
		err   string // ROOT stands for the root
		plain bool   // ytt was not run
	}{
		"everything":          {nil, nil, "a/staging/packageinstall.yaml=a a/staging/z.yml=z b/staging/packageinstall.yaml=b", "", false},
		"the input":           {nil, stdin, "stdin.yml=in", "", false},
		"in the order given":  {[]string{"b/staging", "a/packages", "a/staging/"}, nil, "packageinstall.yaml=b packageinstall.yaml=a z.yml=z", "", false},
		"only .gitkeep":       {[]string{"a/packages"}, nil, "", "", false},
		"a directory above":   {[]string{"./a"}, nil, "staging/packageinstall.yaml=a staging/z.yml=z", "", false},
		"a file":              {[]string{"a/staging/z.yml", "b/staging/packageinstall.yaml"}, nil, "z.yml=z packageinstall.yaml=b", "", false},
		"the same twice":      {[]string{"a/staging/z.yml", "a/staging/z.yml"}, nil, "z.yml=z z.yml=z", "", false},
		"input among them":    {[]string{"b/staging", "-"}, stdin, "packageinstall.yaml=b stdin.yml=in", "", false},
		"no input":            {[]string{"-"}, nil, "", "Expected stdin to be available when using it as path, but was not", true},
		"input is not read":   {[]string{"b/staging"}, stdin, "packageinstall.yaml=b", "", false},
		"missing":             {[]string{"b/staging", "nosuch/packages"}, nil, "", "ytt: Error: Checking file 'ROOT/nosuch/packages': lstat ROOT/nosuch/packages: no such file or directory", false},
		"leaves":              {[]string{"nosuch", "../x"}, nil, "", "Checking path: Invalid path: ../x", true},
		"leaves to one alike": {[]string{"../0-more"}, nil, "", "Checking path: Invalid path: ../0-more", true},
		"leaves and is back":  {[]string{"../0/b/staging"}, nil, "packageinstall.yaml=b", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			root := fetched(t, map[string]string{
				"a/packages/.gitkeep": "", "a/staging/packageinstall.yaml": "a", "a/staging/z.yml": "z", "a/staging/notes.md": "x",
				"b/staging/packageinstall.yaml": "b", ".git/config.yaml": "x",
			})
			files, res := yttFiles(root, c.paths, c.input)
			var got []string
			for _, f := range files {
				got = append(got, f.name+"="+f.content)
			}
			text := res.stderr
			if c.plain {
				text = res.err
			}
			if strings.Join(got, " ") != c.want || text != strings.ReplaceAll(c.err, "ROOT", root) || (res.err != "") != (c.err != "") {
				t.Errorf("got %q, %+v", got, res)
			}
		})
	}
}

// TestDecryptBelow: what a sops step decrypts, and the errors of its paths.
func TestDecryptBelow(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := sops.Encrypt([]byte("a: b\n"), []string{identity.Recipient().String()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		paths []string
		want  string // the files that are there then
		err   string
	}{
		"everything":    {nil, "p/staging/params.yaml p/staging/x.yaml q/params.yml", ""},
		"a directory":   {[]string{"p/staging"}, "p/staging/params.yaml p/staging/x.yaml q/params.sops.yml", ""},
		"a file":        {[]string{"q/params.sops.yml"}, "p/staging/params.sops.yaml p/staging/x.yaml q/params.yml", ""},
		"a plain file":  {[]string{"p/staging/x.yaml"}, "p/staging/params.sops.yaml p/staging/x.yaml q/params.sops.yml", ""},
		"file and all":  {[]string{"q/params.sops.yml", "."}, "p/staging/params.yaml p/staging/x.yaml q/params.yml", ""},
		"missing":       {[]string{"p/staging", "nosuch"}, "p/staging/params.sops.yaml p/staging/x.yaml q/params.sops.yml", "Decrypting dir: stat ROOT/nosuch: no such file or directory"},
		"leaves":        {[]string{"../x"}, "p/staging/params.sops.yaml p/staging/x.yaml q/params.sops.yml", "Decrypting dir: Checking path: Invalid path: ../x"},
		"is not input":  {[]string{"-"}, "p/staging/params.sops.yaml p/staging/x.yaml q/params.sops.yml", "Decrypting dir: stat ROOT/-: no such file or directory"},
		"all the paths": {[]string{"p", "q"}, "p/staging/params.yaml p/staging/x.yaml q/params.yml", ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := fetched(t, map[string]string{"p/staging/params.sops.yaml": string(encrypted), "p/staging/x.yaml": "x: y\n", "q/params.sops.yml": string(encrypted)})
			res := decryptBelow(root, c.paths, identity.String())
			files, err := filesBelow(root)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range files {
				names = append(names, f.name)
				if strings.Contains(f.name, "params") && !strings.Contains(f.name, ".sops") && f.content != "a: b\n" {
					t.Errorf("%s holds %q", f.name, f.content)
				}
			}
			if got := strings.Join(names, " "); got != c.want || res.err != strings.ReplaceAll(c.err, "ROOT", root) {
				t.Errorf("got %q, %+v", got, res)
			}
		})
	}
	root := fetched(t, map[string]string{"p/params.sops.yaml": string(encrypted)})
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if res := decryptBelow(root, []string{"p"}, other.String()); !strings.Contains(res.stderr, "sops: file 'p/params.sops.yaml'") {
		t.Errorf("%+v", res)
	}
}
