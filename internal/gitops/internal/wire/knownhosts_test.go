package wire

import (
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

func TestKnownHosts(t *testing.T) {
	_, one := forge.SSHKey()
	line := func(pattern string) string { return pattern + " " + string(ssh.MarshalAuthorizedKey(one.PublicKey())) }
	for _, test := range []struct {
		text, host, port string
		trusted          int
	}{
		{line("git.example.com"), "git.example.com", "22", 1},
		{line("git.example.com"), "Git.Example.com", "22", 1},
		{line("git.example.com"), "git.example.com", "2222", 0},
		{line("[git.example.com]:2222"), "git.example.com", "2222", 1},
		{line("a,git.example.com,b"), "git.example.com", "22", 1},
		{line("*.example.com"), "git.example.com", "22", 1},
		{line("*.example.com,!git.example.com"), "git.example.com", "22", 0},
		{line(knownhosts.HashHostname("git.example.com")), "git.example.com", "22", 1},
		{line(knownhosts.HashHostname("git.example.com")), "other.example.com", "22", 0},
		{"# a comment\n\n" + line("other") + line("git.example.com"), "git.example.com", "22", 1},
		{"@cert-authority " + line("*"), "git.example.com", "22", 0},
		{"@revoked " + line("*"), "git.example.com", "22", 0},
	} {
		t.Run(test.text, func(t *testing.T) {
			keys, err := ParseKnownHosts(test.text, test.host, test.port)
			if err != nil || len(keys.trusted) != test.trusted {
				t.Errorf("%s for %s port %s: %d keys, %v; want %d", strings.Fields(test.text)[0], test.host, test.port, len(keys.trusted), err, test.trusted)
			}
		})
	}
	keys, err := ParseKnownHosts(line("h")+"@revoked "+line("h"), "h", "22")
	if err != nil || keys.check("h", nil, one.PublicKey()) == nil {
		t.Errorf("a revoked key was trusted (%v)", err)
	}
}

// TestKnownHosts_builtin compares the built-in keys with the fingerprints that their owners publish.
func TestKnownHosts_builtin(t *testing.T) {
	for host, want := range map[string]string{
		"github.com":        "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
		"gitlab.com":        "SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8",
		"bitbucket.org":     "SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM",
		"ssh.dev.azure.com": "SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og",
	} {
		t.Run(host, func(t *testing.T) {
			keys, err := ParseKnownHosts(BuiltinKnownHosts, host, "22")
			if err != nil || len(keys.trusted) != 1 {
				t.Errorf("%s: %d keys, %v", host, len(keys.trusted), err)
				return
			}
			if got := ssh.FingerprintSHA256(keys.trusted[0]); got != want {
				t.Errorf("%s: %s, published is %s", host, got, want)
			}
		})
	}
}
