package wire

import (
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

// TestKnownHosts: the lines for a server are those that ssh-keygen and ssh find.
func TestKnownHosts(t *testing.T) {
	_, one := forge.SSHKey()
	_, two := forge.SSHKey()
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(one.PublicKey())))
	other := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(two.PublicKey())))
	line := func(pattern string) string { return pattern + " " + key + "\n" }
	const host = "git.example.com"
	for name, test := range map[string]struct {
		text, host, port string
		trusted          int
		authorities      int
		revoked          int
	}{
		"name":                              {line(host), host, "22", 1, 0, 0},
		"case of the host":                  {line(host), "Git.Example.com", "22", 1, 0, 0},
		"case of the name":                  {line("GIT.example.COM"), host, "22", 1, 0, 0},
		"without port for another port":     {line(host), host, "2222", 1, 0, 0},
		"the port's own line goes first":    {line("[git.example.com]:2222") + host + " " + other, host, "2222", 1, 0, 0},
		"port":                              {line("[git.example.com]:2222"), host, "2222", 1, 0, 0},
		"another port":                      {line("[git.example.com]:22222"), host, "2222", 0, 0, 0},
		"port for none":                     {line("[git.example.com]:2222"), host, "22", 0, 0, 0},
		"port 22 in brackets":               {line("[git.example.com]:22"), host, "22", 0, 0, 0},
		"several names":                     {line("a,git.example.com,b"), host, "22", 1, 0, 0},
		"several names, one with port":      {line("git.example.com,[git.example.com]:2222"), host, "2222", 1, 0, 0},
		"wildcard":                          {line("*.example.com"), host, "22", 1, 0, 0},
		"wildcard of one character":         {line("gi?.example.com"), host, "22", 1, 0, 0},
		"wildcard with port":                {line("[*.example.com]:22*"), host, "2222", 1, 0, 0},
		"wildcard without port":             {line("*.example.com"), host, "2222", 1, 0, 0},
		"wildcard of all":                   {line("*"), host, "2222", 1, 0, 0},
		"wildcard of others":                {line("*.example.org"), host, "22", 0, 0, 0},
		"no class of characters":            {line("[g]it.example.com"), host, "22", 0, 0, 0},
		"negation":                          {line("*.example.com,!git.example.com"), host, "22", 0, 0, 0},
		"negation first":                    {line("!git.example.com,*.example.com"), host, "22", 0, 0, 0},
		"negation alone":                    {line("!git.example.com"), host, "22", 0, 0, 0},
		"negation of another":               {line("*.example.com,!www.example.com"), host, "22", 1, 0, 0},
		"hashed":                            {line(knownhosts.HashHostname(host)), host, "22", 1, 0, 0},
		"hashed with port":                  {line(knownhosts.HashHostname("[git.example.com]:2222")), host, "2222", 1, 0, 0},
		"hashed without port":               {line(knownhosts.HashHostname(host)), host, "2222", 1, 0, 0},
		"hashed other":                      {line(knownhosts.HashHostname(host)), "other.example.com", "22", 0, 0, 0},
		"comments and blank lines":          {"# git.example.com\n\n  \n\t# more\n" + line("other") + line(host), host, "22", 1, 0, 0},
		"comment behind":                    {host + " " + key + " jane@laptop and more # words\n", host, "22", 1, 0, 0},
		"blanks and tabs":                   {"  git.example.com \t " + strings.Replace(key, " ", "\t", 1) + "\r\n", host, "22", 1, 0, 0},
		"no line break at the end":          {host + " " + key, host, "22", 1, 0, 0},
		"two keys":                          {line(host) + host + " " + other, host, "22", 2, 0, 0},
		"authority":                         {"@cert-authority " + line("*.example.com"), host, "22", 0, 1, 0},
		"authority for another port":        {"@cert-authority " + line("*.example.com"), host, "2222", 0, 1, 0},
		"authority of others":               {"@cert-authority " + line("*.example.org"), host, "22", 0, 0, 0},
		"revoked":                           {"@revoked " + line("*"), host, "22", 0, 0, 1},
		"revoked at the port":               {"@revoked " + line("[git.example.com]:2222") + line(host), host, "2222", 1, 0, 1},
		"kind that is not known, elsewhere": {"other " + strange + "\n" + line(host), host, "22", 1, 0, 0},
		"kind that is not known, beside":    {host + " " + strange + "\n" + line(host), host, "22", 1, 0, 0},
		"IPv6":                              {line("2001:db8::1"), "2001:db8::1", "22", 1, 0, 0},
		"IPv6 with port":                    {line("[2001:db8::1]:2222"), "2001:db8::1", "2222", 1, 0, 0},
		"a host that is named as a kind":    {line("ssh-server"), "ssh-server", "22", 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := ParseKnownHosts(test.text, test.host, test.port)
			if err != nil || len(keys.trusted) != test.trusted || len(keys.authorities) != test.authorities || len(keys.revoked) != test.revoked {
				t.Errorf("%d, %d, %d, %v; want %d, %d, %d", len(keys.trusted), len(keys.authorities), len(keys.revoked), err, test.trusted, test.authorities, test.revoked)
			}
			if _, err := exec.LookPath("ssh-keygen"); err != nil || test.port != "22" || test.authorities > 0 || strings.Contains(name, "kind that") {
				return
			}
			file := filepath.Join(t.TempDir(), "known_hosts")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			found := exec.CommandContext(t.Context(), "ssh-keygen", "-F", strings.ToLower(test.host), "-f", file).Run() == nil
			if found != (test.trusted+test.revoked > 0) {
				t.Errorf("ssh-keygen finds a line: %v", found)
			}
		})
	}
}

// strange is a key of a kind that is not known.
var strange = "ssh-strange " + base64.StdEncoding.EncodeToString(ssh.Marshal(struct{ Kind, Rest string }{"ssh-strange", "key"}))

// TestKnownHosts_malformed: what is no line of known_hosts is told with its number, also where it is for another host.
func TestKnownHosts_malformed(t *testing.T) {
	_, one := forge.SSHKey()
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(one.PublicKey())))
	kind, blob, _ := strings.Cut(key, " ")
	for line, want := range map[string]string{
		"git.example.com":                     "has a host's name alone",
		key:                                   "begins with a key",
		"h " + blob:                           "lacks the kind of the key",
		"h " + kind:                           "has the kind of a key and no key",
		"h " + key[:len(key)-9]:               "cut off",
		"h " + kind + " not-base64":           "cut off",
		"h ssh-rsa " + blob:                   "says that its key is \"ssh-rsa\", and it is " + kind,
		"h SHA256:abcdef":                     "fingerprint",
		"h 1024 35 12345":                     "version 1",
		"@cert-authority":                     "marker alone",
		"@revoked h":                          "name alone",
		"@trusted h " + key:                   "marker that is neither",
		"@cert-authority @revoked h " + key:   "cut off",
		"|1|abc h " + key:                     "cut off",
		"|2|abc|def " + key:                   "hashed name",
		"|1|abc|def " + key:                   "hashed name",
		"\ufeffh " + key:                      "byte order mark",
		"<<EOT":                               "name alone",
		"-----BEGIN OPENSSH PRIVATE KEY-----": "is no line of known_hosts",
		"h," + " " + "nonsense":               "has no key",
		knownhosts.HashHostname("h") + ",h " + key: "cut off",
	} {
		t.Run(line, func(t *testing.T) {
			_, err := ParseKnownHosts("# comment\n\nother "+key+"\n"+line+"\nother "+key+"\n", "git.example.com", "22")
			var wrong *KnownHostsError
			if !errors.As(err, &wrong) || wrong.Line != 4 || !strings.Contains(wrong.Reason, want) || strings.Contains(err.Error(), blob) {
				t.Errorf("got %v, want line 4 and %q", err, want)
			}
		})
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
			keys, err := BuiltinHostKeys(host, "22")
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
