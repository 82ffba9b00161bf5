package carvel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUseGitSecret(t *testing.T) {
	git := func(url string) Fetch { return Fetch{Git: &GitFetch{URL: url}} }
	own := Fetch{Git: &GitFetch{URL: "https://git.example.com/own.git", SecretRef: &LocalRef{Name: "own"}}}
	fetch := []Fetch{{Inline: &Inline{}}, own, git("https://git.example.com/a.git"), git("https://github.com/x/y"), git("https://git.example.com/b.git")}
	UseGitSecret(fetch, "made")
	var got []string
	for _, f := range fetch {
		name := ""
		if f.Git != nil && f.Git.SecretRef != nil {
			name = f.Git.SecretRef.Name
		}
		got = append(got, name)
	}
	if diff := cmp.Diff([]string{"", "own", "made", "", "made"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestCheckGitCredential(t *testing.T) {
	for _, c := range []struct {
		url           string
		password, key bool
		ok            bool
	}{
		{"https://h/r", true, false, true},
		{"https://h/r", false, true, false},
		{"http://h/r", true, false, false},
		{"ssh://git@h/r", false, true, true},
		{"git@h:r", false, true, true},
		{"git@h:r", true, false, false},
	} {
		t.Run(c.url, func(t *testing.T) {
			if err := CheckGitCredential(c.url, c.password, c.key); (err == nil) != c.ok {
				t.Errorf("%+v: %v", c, err)
			}
		})
	}
}

// TestValidateSecrets: what is wrong with a secret is told without it.
func TestValidateSecrets(t *testing.T) {
	const canary = "canary"
	for name, err := range map[string]error{"age key": ValidateAgeKey(canary), "private key": ValidatePrivateKey(canary)} {
		t.Run(name, func(t *testing.T) {
			if err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	if err := ValidateAgeKey("# created: x\nAGE-SECRET-KEY-1QQQ\n"); err != nil {
		t.Error(err)
	}
	if err := ValidatePrivateKey("-----BEGIN OPENSSH PRIVATE KEY-----\n"); err != nil {
		t.Error(err)
	}
	if err := ValidateSourceURL("https://u:" + canary + "@h/r"); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("URL with a password: %v", err)
	}
}

func TestCredentialSecret(t *testing.T) {
	obj := CredentialSecret("dev", "a-git", map[string][]byte{GitUsernameKey: []byte("u"), GitPasswordKey: []byte("p")})
	assertYAML(t, `
apiVersion: v1
kind: Secret
metadata: {name: a-git, namespace: dev, labels: {app.kubernetes.io/managed-by: terraform-provider-carvel}}
type: Opaque
data: {username: dQ==, password: cA==}
`, obj.Object)
	if keys := SecretKeys(obj); len(keys) != 2 {
		t.Errorf("keys %v", keys)
	}
}

func TestCleanSubPath(t *testing.T) {
	for in, want := range map[string]string{"": "", ".": "", "/": "", "a": "a", "a/": "a", "/a": "a", "./a/b": "a/b"} {
		t.Run(in, func(t *testing.T) {
			if got := CleanSubPath(in); got != want {
				t.Errorf("%q: got %q, want %q", in, got, want)
			}
		})
	}
}

func TestValidateAppFields(t *testing.T) {
	for name, c := range map[string]struct {
		check     func(string) error
		good, bad []string
	}{
		"file path":         {ValidateFilePath, []string{"a", "a/b.yaml", "..a"}, []string{"", ".", "/a", "../a", "a/../../b"}},
		"template path":     {ValidateTemplatePath, []string{"-", "a"}, []string{"/a", ""}},
		"source URL":        {ValidateSourceURL, []string{"https://h/r", "git@h:r", "ssh://git@h/r", "oci://h/r:1", "https://h/a@b"}, []string{"", "https://u:p@h/r", "https://u@h/r", "ssh://git:p@h/r"}},
		"Git URL":           {ValidateGitURL, []string{"https://h/a%20b", "ssh://git@h/a b#c", "git@h:a%b"}, []string{"", "https://u@h/r", "https://h/a b", "https://h/a#b", "https://h/a%", "git@h:a\n", "/a"}},
		"field path":        {ValidateFieldPath, []string{"metadata.name", "metadata.labels['a']", "namespace"}, []string{"spec.paused", "metadata.names", ""}},
		"file mark":         {ValidateFileMark, []string{"a/**/*:type=data"}, []string{"a", ":type=data", "a:data"}},
		"namespace mapping": {ValidateNamespaceMapping, []string{"a=b"}, []string{"a", "a=", "A=b"}},
		"delete option":     {ValidateDeleteOption, []string{"--apply-ignored=true", "--wait=false"}, []string{"--labels=a", "--tree=true", "--wait"}},
		"inspect option":    {ValidateInspectOption, []string{"--tree=true", "--filter-kind=App"}, []string{"--wait=false"}},
		"checksum":          {ValidateSHA256, []string{strings.Repeat("a1", 32)}, []string{"", strings.Repeat("A1", 32), "abc"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, text := range c.good {
				if err := c.check(text); err != nil {
					t.Errorf("%s %q: %v", name, text, err)
				}
			}
			for _, text := range c.bad {
				if c.check(text) == nil {
					t.Errorf("%s %q was accepted", name, text)
				}
			}
		})
	}
	for image, want := range map[string]bool{"r.example.com:5000/a": false, "r/a:1": true, "r/a@sha256:1": true, "a": false} {
		t.Run(image, func(t *testing.T) {
			if HasTag(image) != want {
				t.Errorf("HasTag(%q) is not %t", image, want)
			}
		})
	}
}
