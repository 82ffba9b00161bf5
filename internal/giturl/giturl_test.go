package giturl

import (
	"net/url"
	"testing"
)

func TestGitHost(t *testing.T) {
	for url, want := range map[string]string{
		"https://git.example.com/a/b": "git.example.com", "https://user@git.example.com:8443/a": "git.example.com:8443",
		"ssh://git@git.example.com:22/a": "git.example.com:22", "git@git.example.com:a/b.git": "git.example.com", "git.example.com:a": "git.example.com",
		"git@[git.example.com:2222]:a": "git.example.com:2222", "[git@git.example.com:2222]:a": "git.example.com:2222", "git@[::1]:a": "[::1]", "ssh://git@h/a#b?c": "h",
	} {
		t.Run(url, func(t *testing.T) {
			if got := Host(url); got != want {
				t.Errorf("%s: got %q, want %q", url, got, want)
			}
		})
	}
}

func TestPublicURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://git.example.com/a/b.git":            "https://git.example.com/a/b.git",
		"https://s3cret@git.example.com/a%20b/":      "https://git.example.com/a%20b/",
		"https://u:s3cret@git.example.com:8443/a":    "https://git.example.com:8443/a",
		"https://u:s3@cret@git.example.com":          "https://git.example.com",
		"https://s3cret@git.example.com?a=b@c":       "https://git.example.com?a=b@c",
		"https://git.example.com/a@b":                "https://git.example.com/a@b",
		"ssh://git@git.example.com/a":                "ssh://git@git.example.com/a",
		"git+ssh://git:s3cret@git.example.com/a":     "git+ssh://git@git.example.com/a",
		"git@git.example.com:a/b.git":                "git@git.example.com:a/b.git",
		"https://org@dev.azure.com/org/project/_git": "https://dev.azure.com/org/project/_git",
		"": "",
	} {
		t.Run(url, func(t *testing.T) {
			if got := Public(url); got != want {
				t.Errorf("%s: %q, want %q", url, got, want)
			}
		})
	}
}

func TestNamesOrganization(t *testing.T) {
	for text, want := range map[string]bool{
		"https://org@dev.azure.com/org/project/_git/r":     true,
		"https://Org@Dev.Azure.com/org/project/_git/r":     true,
		"https://s3cret@dev.azure.com/org/project/_git/r":  false,
		"https://org:pat@dev.azure.com/org/project/_git/r": false,
		"https://@dev.azure.com/org/project/_git/r":        false,
		"https://@dev.azure.com//project/_git/r":           false,
		"https://dev.azure.com/org/project/_git/r":         false,
		"https://org@git.example.com/org/project":          false,
		"https://org@dev.azure.com.evil.example/org/p":     false,
	} {
		t.Run(text, func(t *testing.T) {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := NamesOrganization(u); got != want {
				t.Errorf("%s: %v, want %v", text, got, want)
			}
		})
	}
}

func TestNormal(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"https://h/a%20b", "https://H/%61%20b", true},
		{"HTTPS://h/~u", "https://h/%7Eu", true},
		{"https://h/%c3%a4", "https://h/ä", true},
		{"https://h/a%2Fb", "https://h/a/b", false},
		{"https://h/a%2523", "https://h/a%23", false},
		{"ssh://git@h/a b", "ssh://git@h/a%20b", true},
		{"git@h:a b", "git@h:a%20b", false},
		{"git@h:a", "git@h:/a", false},
		{"git@h:a", "ssh://git@h/a", false},
		{"https://h/a b", "https://h/a%20b", false},
	} {
		t.Run(c.a+" "+c.b, func(t *testing.T) {
			if same := Normal(c.a) == Normal(c.b); same != c.same {
				t.Errorf("%s and %s", Normal(c.a), Normal(c.b))
			}
		})
	}
}
