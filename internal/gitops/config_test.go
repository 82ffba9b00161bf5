package gitops

import (
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestConfig_Validate(t *testing.T) {
	t.Parallel()
	const url = "https://git.example.com/platform/gitops.git"
	for _, test := range []struct {
		name   string
		config Config
		field  string // empty: valid
	}{
		{"no URL", Config{}, "url"},
		{"https", Config{URL: url}, ""},
		{"basic", Config{URL: url, HTTP: HTTPAuth{Username: "u", Password: "p"}}, ""},
		{"password alone", Config{URL: url, HTTP: HTTPAuth{Password: "p"}}, ""},
		{"user in the URL", Config{URL: "https://org@dev.azure.com/org/p/_git/r", HTTP: HTTPAuth{Password: "p"}}, ""},
		{"user in the URL and in http", Config{URL: "https://org@dev.azure.com/org/p/_git/r", HTTP: HTTPAuth{Username: "u", Password: "p"}}, ""},
		{"token in the URL", Config{URL: "https://s3cret@git.example.com/x"}, "url"},
		{"user in the URL beside a bearer token", Config{URL: "https://s3cret@git.example.com/x", HTTP: HTTPAuth{BearerToken: "t"}}, ""},
		{"organization in the URL of Azure", Config{URL: "https://org@dev.azure.com/org/p/_git/r"}, ""},
		{"token in the URL of Azure", Config{URL: "https://s3cret@dev.azure.com/org/p/_git/r"}, "url"},
		{"bearer", Config{URL: url, HTTP: HTTPAuth{BearerToken: "t"}}, ""},
		{"not a URL", Config{URL: "https://user:s3cret@host:port:x/%zz"}, "url"},
		{"password in the URL", Config{URL: "https://u:s3cret@git.example.com/x"}, "url"},
		{"no repository", Config{URL: "https://git.example.com/"}, "url"},
		{"query", Config{URL: url + "?a=b"}, "url"},
		{"file", Config{URL: "/srv/git/x.git"}, "url"},
		{"git protocol", Config{URL: "git://git.example.com/x"}, "url"},
		{"http", Config{URL: "http://git.example.com/x"}, "url"},
		{"http allowed", Config{URL: "http://git.example.com/x", HTTP: HTTPAuth{AllowInsecure: true}}, ""},
		{"two credentials", Config{URL: url, HTTP: HTTPAuth{Username: "u", Password: "p", BearerToken: "t"}}, "http.bearer_token"},
		{"user without password", Config{URL: url, HTTP: HTTPAuth{Username: "u"}}, "http.password"},
		{"colon in user", Config{URL: url, HTTP: HTTPAuth{Username: "u:v", Password: "p"}}, "http.username"},
		{"two lines of token", Config{URL: url, HTTP: HTTPAuth{BearerToken: "a\nb"}}, "http.bearer_token"},
		{"not PEM", Config{URL: url, HTTP: HTTPAuth{CertificateAuthority: "nonsense"}}, "http.certificate_authority"},
		{"ssh credentials for https", Config{URL: url, SSH: SSHAuth{PrivateKey: "k"}}, "ssh"},
		{"ssh without a key", Config{URL: "git@github.com:a/b.git"}, "ssh.private_key"},
		{"ssh with a bad key", Config{URL: "ssh://git@github.com/a/b.git", SSH: SSHAuth{PrivateKey: "s3cret"}}, "ssh.private_key"},
		{"https credentials for ssh", Config{URL: "git@github.com:a/b.git", HTTP: HTTPAuth{Password: "p"}}, "http"},
		{"password in an ssh URL", Config{URL: "ssh://git:s3cret@github.com/a/b.git"}, "url"},
		{"branch", Config{URL: url, Branch: "release/1.x"}, ""},
		{"full ref", Config{URL: url, Branch: "refs/heads/main"}, "branch"},
		{"bad branch", Config{URL: url, Branch: "a..b"}, "branch"},
		{"branch with a space", Config{URL: url, Branch: "a b"}, "branch"},
		{"author", Config{URL: url, AuthorName: "A <b>"}, "author_name"},
		{"email", Config{URL: url, AuthorEmail: "a\nb"}, "author_email"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.config.Validate()
			var wrong *ConfigError
			switch {
			case test.field == "" && err != nil:
				t.Errorf("got %v", err)
			case test.field != "" && (!errors.As(err, &wrong) || wrong.Field != test.field):
				t.Errorf("got %v, want an error about %s", err, test.field)
			case err != nil && strings.Contains(err.Error(), "s3cret"):
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

// TestConfig_ssh: the hosts whose keys are built in need no known hosts, in either form of URL.
func TestConfig_ssh(t *testing.T) {
	t.Parallel()
	key, _ := forge.SSHKey()
	for _, url := range []string{"git@github.com:a/b.git", "ssh://git@ssh.github.com:443/a/b.git", "git@ssh.dev.azure.com:v3/org/project/repo"} {
		if err := (Config{URL: url, SSH: SSHAuth{PrivateKey: key}}).Validate(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	target, err := Config{URL: "git@gitlab.com:group/sub/repo.git", SSH: SSHAuth{PrivateKey: key}}.normalize()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%s %s %s %s", target.ssh.User, target.ssh.Host, target.ssh.Port, target.ssh.Path); got != "git gitlab.com 22 group/sub/repo.git" {
		t.Errorf("parsed %s", got)
	}
}

// TestConfig_knownHosts: where known_hosts lacks the host, the error has what a line for it begins with, and the lines that seem to be meant.
func TestConfig_knownHosts(t *testing.T) {
	t.Parallel()
	key, signer := forge.SSHKey()
	public := publicLine(signer)
	const begins = "holds no key for [git.example.com]:2222; a host is never trusted without. A line for it begins with [git.example.com]:2222"
	for _, test := range []struct{ name, known, want string }{
		{"another host", "other.example.com " + public, begins},
		{"another port", "# ports\n[git.example.com]:22222 " + public, begins + "; line 2 is for [git.example.com]:22222"},
		{"a port without brackets", "git.example.com:2222 " + public, begins + "; line 1 has the name git.example.com:2222, which is [git.example.com]:2222 in known_hosts"},
		{"brackets without a port", "[git.example.com] " + public, begins + "; line 1 has the name [git.example.com], which is [git.example.com]:2222 in known_hosts"},
		{"negation", "*,![git.example.com]:2222,!git.example.com " + public, begins + "; line 1 excludes it with ![git.example.com]:2222"},
		{"revoked alone", "@revoked * " + public, begins},
		{"malformed", "other " + public + "\nother.example.com\n", "cannot be read: line 2 has a host's name alone; its key follows that"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := Config{URL: "ssh://git@git.example.com:2222/a/b.git", SSH: SSHAuth{PrivateKey: key, KnownHosts: test.known}}
			var wrong *ConfigError
			if err := config.Validate(); !errors.As(err, &wrong) || wrong.Field != "ssh.known_hosts" || wrong.Reason != test.want {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			for _, line := range []string{"[git.example.com]:2222", "git.example.com", "*.example.com"} {
				config.SSH.KnownHosts = line + " " + public
				if err := config.Validate(); err != nil {
					t.Errorf("with %s: %v", line, err)
				}
			}
		})
	}
}

// publicLine is a key as known_hosts has it behind the names.
func publicLine(signer ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}
