package owner

import (
	"io/fs"
	"maps"
	"testing"
)

// TestName: a configuration has the same name wherever it is run from, and no
// other one has it.
func TestName(t *testing.T) {
	const s3 = `{"version":3,"backend":{"type":"s3","config":{"bucket":"b","key":"k","access_key":"one","region":null},"hash":1}}`
	const rotated = `{"version":3,"backend":{"type":"s3","config":{"bucket":"b","key":"k","access_key":"two"},"hash":2}}`
	const other = `{"version":3,"backend":{"type":"s3","config":{"bucket":"b","key":"k2","access_key":"one"},"hash":1}}`
	type at struct {
		configured, host, directory string
		env, files                  map[string]string
	}
	state := func(text string) map[string]string { return map[string]string{"/a/.terraform/terraform.tfstate": text} }
	with := func(files map[string]string, path, text string) map[string]string {
		files = maps.Clone(files)
		files[path] = text
		return files
	}
	name := func(a at) string {
		if a.directory == "" {
			a.directory = "/a"
		}
		return Name(a.configured, Surroundings{
			Env:       func(v string) string { return a.env[v] },
			Hostname:  func() (string, error) { return a.host, nil },
			Directory: func() (string, error) { return a.directory, nil },
			ReadFile: func(path string) ([]byte, error) {
				if text, ok := a.files[path]; ok {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			},
		})
	}
	for text, c := range map[string]at{
		"mine":   {configured: "mine", env: map[string]string{Variable: "env"}},
		"env":    {env: map[string]string{Variable: "env", "TFC_WORKSPACE_SLUG": "acme/prod"}},
		"acme/x": {env: map[string]string{"TFC_WORKSPACE_SLUG": "acme/x"}, files: state(s3)},
	} {
		t.Run(text, func(t *testing.T) {
			if got := name(c); got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		})
	}
	here := at{host: "h", files: state(s3)}
	for what, c := range map[string]struct {
		a, b at
		same bool
	}{
		"another host, the same backend":   {here, at{host: "i", files: state(s3)}, true},
		"another directory":                {here, at{directory: "/b", files: map[string]string{"/b/.terraform/terraform.tfstate": s3}}, true},
		"another credential":               {here, at{files: state(rotated)}, true},
		"another key":                      {here, at{files: state(other)}, false},
		"another data directory":           {here, at{env: map[string]string{"TF_DATA_DIR": "/d"}, files: map[string]string{"/d/terraform.tfstate": s3}}, true},
		"another workspace":                {here, at{env: map[string]string{"TF_WORKSPACE": "w"}, files: state(s3)}, false},
		"the default workspace, by name":   {here, at{files: with(state(s3), "/a/.terraform/environment", "default\n")}, true},
		"a selected workspace":             {here, at{files: with(state(s3), "/a/.terraform/environment", "w")}, false},
		"both ways to say a workspace":     {at{env: map[string]string{"TF_WORKSPACE": "w"}}, at{files: map[string]string{"/a/.terraform/environment": "w"}}, true},
		"a local state, the same":          {at{host: "h"}, at{host: "h"}, true},
		"a local state, another host":      {at{host: "h"}, at{host: "i"}, false},
		"a local state, another directory": {at{directory: "/a"}, at{directory: "/b"}, false},
		"a backend that tells no place":    {at{host: "h"}, at{host: "h", files: state(`{"backend":{"type":"pg","config":{"conn_str":"secret"}}}`)}, true},
		"two local states in a directory":  {at{host: "h"}, at{host: "h", files: state(`{"backend":{"type":"local","config":{"path":"b.tfstate"}}}`)}, false},
		"what is not Terraform's":          {at{host: "h"}, at{host: "h", files: state("not json")}, true},
	} {
		t.Run(what, func(t *testing.T) {
			if a, b := name(c.a), name(c.b); (a == b) != c.same {
				t.Errorf("%s: %q and %q", what, a, b)
			}
		})
	}
}
