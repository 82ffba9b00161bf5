package gitops

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

// TestURL: what a URL writes with a percent sign reaches an HTTP server so, in the discovery, in what follows it, and behind a redirect.
func TestURL(t *testing.T) {
	t.Parallel()
	for written, name := range map[string]string{
		"a%20b": "a b", "a%23b": "a#b", "100%25": "100%", "a%2523b": "a%23b", "a%2520b": "a%20b", "a%3Fb": "a?b", "a+b": "a+b", "a%2Bb": "a+b", "~u": "~u",
		"%7Eu": "~u", "%C3%A4": "ä", "ä": "ä", "a%26b;c": "a&b;c", "a%5Bb%5D": "a[b]", "a%27b": "a'b", "team%20one/a%23b": "team one/a#b",
	} {
		t.Run(written, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			if err := f.CreateRepository(name); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Seed(name, "first", map[string]string{"a": "1"}); err != nil {
				t.Fatal(err)
			}
			base := strings.TrimSuffix(f.URL(repository), repository+".git")
			e := f.engine(func(c *Config) { c.URL = base + written + ".git" })
			works := func(e *Engine, was, is string) {
				t.Helper()
				if file, err := e.Read(patient(t), "a"); err != nil || string(file.Data) != was {
					t.Fatalf("read %q, %v", file.Data, err)
				}
				apply(t, e, "Write", write("a", is))
				if got, err := f.Git(name, nil, "show", "main:a"); err != nil || got != is {
					t.Fatalf("the repository has %q, %v", got, err)
				}
			}
			works(e, "1", "2")
			f.faulty(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if rest, old := strings.CutPrefix(r.RequestURI, "/old.git/"); old {
						http.Redirect(w, r, "/"+written+".git/"+rest, http.StatusMovedPermanently)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
			e = f.engine(func(c *Config) { c.URL = base + "old.git" })
			works(e, "2", "3")
			if written != "ä" && e.Moved() != base+written+".git" { // a Location has it with a percent sign
				t.Errorf("moved to %s", e.Moved())
			}
		})
	}
}

// TestURL_ssh: an SSH server is asked for the path that git asks it for, as whom and where git does.
func TestURL_ssh(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "ssh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$LOG\"\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	key, signer := forge.SSHKey()
	for _, url := range []string{
		"ssh://git@h/a b.git", "ssh://git@h/a%20b.git", "ssh://git@h/a%23b%25.git", "ssh://git@h/a#b.git", "ssh://git@h/a?b.git", "ssh://git@h/100%.git",
		"ssh://git@h/a%2Fb", "ssh://git@h/a%zz%2", "ssh://git@h/a%00b", "ssh://git@h:2222/x.git", "ssh://git@[::1]:2222/x", "ssh://us%40er@h/x", "ssh://git@h/~u/x", "ssh://git@h:/x",
		"git+ssh://git@h/a%20b", "git@h:a%20b.git", "git@h:a b#c?d.git", "git@h:/a%23b", "git@h:~u/x", "git@h:/~u/x", "git@[h]:x", "[git@h:2222]:x.git", "git@[::1]:x", "git@[h:2222]:x",
		"git@h:ä",
	} {
		t.Run(url, func(t *testing.T) {
			log := filepath.Join(dir, strings.NewReplacer("/", "_").Replace(url))
			cmd := exec.CommandContext(patient(t), "git", "ls-remote", url)
			cmd.Env = append(os.Environ(), "GIT_SSH="+script, "GIT_SSH_VARIANT=ssh", "LOG="+log)
			_ = cmd.Run()
			said, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			target, err := Config{URL: url, SSH: SSHAuth{PrivateKey: key, KnownHosts: "* " + publicLine(signer)}}.normalize()
			if err != nil {
				t.Fatal(err)
			}
			port := ""
			if target.ssh.Port != "22" {
				port = "-p\n" + target.ssh.Port + "\n"
			}
			want := port + target.ssh.User + "@" + target.ssh.Host + "\ngit-upload-pack '" + target.ssh.Path + "'\n"
			if !strings.HasSuffix(string(said), want) {
				t.Errorf("git asks %q, and this %q", said, want)
			}
		})
	}
}

// TestURL_sshServer: the path gets there through a shell's quotes.
func TestURL_sshServer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	key, signer := forge.SSHKey()
	for url, path := range map[string]string{"ssh://git@HOST/a%20b/100%25%23.git": "/a b/100%#.git", "[git@HOST]:a%20b's.git": "a%20b's.git"} {
		t.Run(url, func(t *testing.T) {
			server := f.ssh(signer.PublicKey(), func(s *sshServer) { s.path = path })
			e := server.engine(key, func(c *Config) { c.URL = strings.Replace(url, "HOST", server.address, 1) })
			if _, err := e.Read(patient(t), "a"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestURL_refused: what git could not use either is one error, which says how to write it.
func TestURL_refused(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://h/a b.git": "%20", "https://h/100%.git": "%25", "https://h/%zz": "%25", "https://h/a#b": "%23", "https://h/a?b": "%3F", "https://h/a?": "%3F",
		"https://h/a.git\n": "line break", " https://h/a": "white space", "git@h:a\n": "line break", "ssh://git@h/a ": "white space", "https://h/a\tb": "cannot be printed",
		"h": "git@host:path", "/srv/git": "git@host:path", "git@h:": "git@host:path", "ssh://h?a": "repository", "ssh://h": "repository", "https://h:port/x": "is not a URL",
	} {
		t.Run(url, func(t *testing.T) {
			err := Config{URL: url}.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), "url ") || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		})
	}
}
