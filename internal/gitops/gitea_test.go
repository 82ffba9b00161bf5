package gitops_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitea"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
)

// forge is a real Gitea with a repository, and a user that may push to it.
type forge struct {
	*testing.T
	server  *gitea.Server
	traffic *labtest.Traffic
	repo    *gitea.Repository
	user    gitea.User
	engines int
}

func newForge(t *testing.T, settings map[string][]string) *forge {
	f := &forge{T: t}
	f.server, f.traffic = labtest.ObservedForge(t, settings)
	var err error
	f.repo, err = f.server.CreateRepository(t.Context(), map[string]string{"a.example.com/prod/packageinstall.yaml": "a\n"})
	f.must(err)
	f.user, err = f.server.CreateUser(t.Context(), "robot")
	f.must(err)
	f.must(f.repo.Collaborate(t.Context(), f.user, "write"))
	return f
}

func (f *forge) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// engine is a new one, as another process would have it.
func (f *forge) engine(change func(*gitops.Config)) *gitops.Engine {
	f.Helper()
	f.engines++
	c := gitops.Config{
		URL: f.repo.URL(), UserAgent: fmt.Sprintf("test-%s-%d", f.Name(), f.engines),
		HTTP: gitops.HTTPAuth{Username: f.user.Name, Password: f.user.Password, CertificateAuthority: f.server.CertificateAuthority()},
	}
	if change != nil {
		change(&c)
	}
	e, err := gitops.Open(c)
	f.must(err)
	return e
}

// each applies so many changes, ten at a time as Terraform does, and returns their errors.
func each(t *testing.T, e *gitops.Engine, n int) []error {
	errs := make([]error, n)
	var wait sync.WaitGroup
	turns := make(chan struct{}, 10)
	for i := range n {
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			dir := fmt.Sprintf("package-%d.example.com/prod/", i)
			_, errs[i] = e.Apply(t.Context(), gitops.Change{Summary: fmt.Sprintf("Add %d", i), Edits: []gitops.Edit{
				{Path: dir + "packageinstall.yaml", Data: fmt.Appendf(nil, "install: %d\n", i)}, {Path: dir + "params.yaml", Data: fmt.Appendf(nil, "params: %d\n", i)},
			}})
		})
	}
	wait.Wait()
	return errs
}

// counted are the requests since the last call, and what they took.
func (f *forge) counted() (requests, pushes int, up, down int64) {
	for _, e := range f.traffic.Take() {
		requests++
		if e.Push() {
			pushes++
		}
		up, down = up+e.BytesIn, down+e.BytesOut
	}
	return requests, pushes, up, down
}

func TestAccGitea_hundred(t *testing.T) {
	t.Parallel()
	f := newForge(t, nil)
	f.counted()
	for i, err := range each(t, f.engine(nil), 100) {
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	requests, pushes, _, _ := f.counted()
	t.Logf("100 changes: %d pushes of %d requests", pushes, requests)
	if pushes > 12 {
		t.Errorf("%d pushes, want at most 12", pushes)
	}
}

// TestAccGitea_protected: a branch that takes no pushes costs three of them, whatever is to be pushed.
func TestAccGitea_protected(t *testing.T) {
	t.Parallel()
	rules := map[string]map[string]any{
		"no pushes":  {"enable_push": false},
		"signatures": {"enable_push": true, "require_signed_commits": true},
		"files":      {"enable_push": true, "protected_file_patterns": "**.yaml"},
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newForge(t, nil)
			f.must(f.repo.Protect(t.Context(), "main", rule))
			f.counted()
			for i, err := range each(t, f.engine(nil), 100) {
				var declined *gitops.HookDeclinedError
				if !errors.As(err, &declined) {
					t.Fatalf("%d: %v, want that the push was declined", i, err)
				}
				if i == 0 {
					t.Log(declined)
				}
			}
			if requests, pushes, _, _ := f.counted(); pushes > 3 {
				t.Errorf("%d pushes of %d requests, want at most 3", pushes, requests)
			}
		})
	}
}

// TestAccGitea_large: one and two installs among 31,000 files.
func TestAccGitea_large(t *testing.T) {
	t.Parallel()
	f := newForge(t, nil)
	const packages, clusters = 310, 33
	f.push(func(w io.Writer) {
		for p := range packages {
			for c := range clusters {
				for _, name := range []string{"packageinstall.yaml", "params.yaml", ".terraform-provider-carvel"} {
					text := fmt.Sprintf("%s of package %d on cluster %d, with some text that makes it as long as such files are: %x\n", name, p, c, gitops.BlobHash(fmt.Append(nil, p, c, name)))
					fmt.Fprintf(w, "M 100644 inline package-%d.example.com/cluster-%d/%s\ndata %d\n%s\n", p, c, name, len(text), text)
				}
			}
		}
	})
	for installs := 1; installs <= 2; installs++ {
		e := f.engine(nil)
		f.counted()
		for i := range installs {
			dir := fmt.Sprintf("package-%d.example.com/cluster-%d/", 100*i+7, 3*i+1)
			f.must(e.Prefetch(t.Context(), dir+"packageinstall.yaml", dir+"params.yaml", dir+".terraform-provider-carvel", dir+"params.sops.yaml"))
			for _, name := range []string{"packageinstall.yaml", "params.yaml"} {
				_, err := e.Read(t.Context(), dir+name)
				f.must(err)
			}
			_, err := e.Apply(t.Context(), gitops.Change{Summary: "Change", Edits: []gitops.Edit{{Path: dir + "params.yaml", Data: fmt.Appendf(nil, "%d of %d\n", i, installs)}}})
			f.must(err)
		}
		requests, pushes, up, down := f.counted()
		t.Logf("%d installs: %d requests, %d pushes, %d bytes up, %d down", installs, requests, pushes, up, down)
		if up > 30_000 || down > 300_000 {
			t.Errorf("%d installs took %d bytes up and %d down, want at most 30,000 and 300,000", installs, up, down)
		}
	}
}

// push gives main a commit with what is written for git fast-import.
func (f *forge) push(write func(w io.Writer)) {
	f.Helper()
	dir := f.TempDir()
	ca := dir + "/ca.pem"
	f.must(os.WriteFile(ca, []byte(f.server.CertificateAuthority()), 0o600))
	git := func(stdin io.Reader, args ...string) {
		f.Helper()
		cmd := exec.CommandContext(f.Context(), "git", append([]string{"-C", dir, "-c", "http.sslCAInfo=" + ca}, args...)...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0"}
		cmd.Stdin = stdin
		if out, err := cmd.CombinedOutput(); err != nil {
			f.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
	}
	git(nil, "init", "-q", "--bare", "r")
	dir += "/r"
	r, w := io.Pipe()
	go func() {
		fmt.Fprint(w, "commit refs/heads/main\ncommitter A <a@example.com> now\ndata 1\nx\n")
		write(w)
		_ = w.Close()
	}()
	git(r, "fast-import", "--quiet", "--date-format=now")
	url := strings.Replace(f.repo.URL(), "https://", "https://"+f.server.Admin.Name+":"+f.server.Admin.Password+"@", 1)
	git(nil, "push", "-q", "--force", url, "main")
}

// TestAccGitea_logins: whatever is wrong with a login is found out with two of them at most, for any number of callers.
func TestAccGitea_logins(t *testing.T) {
	t.Parallel()
	f := newForge(t, nil)
	mine, theirs := f.key(), f.key()
	f.must(f.repo.Do(t.Context(), http.MethodPost, "/keys", map[string]any{"title": "read", "key": mine.public, "read_only": true}, nil))
	outsider, err := f.server.CreateUser(t.Context(), "outsider")
	f.must(err)
	weak, err := f.server.Token(t.Context(), f.user, "read:repository")
	f.must(err)
	archived, err := f.server.CreateRepository(t.Context(), map[string]string{"a": "1\n"})
	f.must(err)
	f.must(archived.Collaborate(t.Context(), f.user, "write"))
	f.must(archived.Do(t.Context(), http.MethodPatch, "", map[string]any{"archived": true}, nil))
	tests := map[string]struct {
		change func(c *gitops.Config)
		as     error
	}{
		"a wrong password": {func(c *gitops.Config) { c.HTTP.Password = "wrong-password" }, gitops.ErrAuth},
		"a wrong token": {func(c *gitops.Config) {
			c.HTTP.Username, c.HTTP.Password = "git", "0123456789012345678901234567890123456789"
		}, gitops.ErrAuth},
		"no login":                  {func(c *gitops.Config) { c.HTTP.Username, c.HTTP.Password = "", "" }, gitops.ErrAuth},
		"a token that may read":     {func(c *gitops.Config) { c.HTTP.Password = weak }, gitops.ErrAuth},
		"a user without rights":     {func(c *gitops.Config) { c.HTTP.Username, c.HTTP.Password = outsider.Name, outsider.Password }, gitops.ErrRepositoryNotFound},
		"no such repository":        {func(c *gitops.Config) { c.URL = strings.Replace(c.URL, "/gitops", "/other", 1) }, gitops.ErrRepositoryNotFound},
		"an archived one":           {func(c *gitops.Config) { c.URL = archived.URL() }, nil},
		"an SSH key of nobody":      {theirs.login(f, f.repo.SSHURL()), gitops.ErrAuth},
		"an SSH key that may read":  {mine.login(f, f.repo.SSHURL()), gitops.ErrAuth},
		"no such repository by SSH": {mine.login(f, strings.Replace(f.repo.SSHURL(), "/gitops", "/other", 1)), gitops.ErrRepositoryNotFound},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := f.engine(test.change)
			f.counted()
			sshLogins.Store(0)
			for i, err := range each(t, e, 20) {
				if err == nil || test.as != nil && !errors.Is(err, test.as) {
					t.Fatalf("%d: %v, want %v", i, err, test.as)
				}
				if i == 0 {
					t.Log(err)
				}
				if strings.Contains(err.Error(), "pkt-len") {
					t.Errorf("%v tells of the protocol", err)
				}
			}
			refused := 0
			for _, e := range f.traffic.Take() {
				if e.Status >= 400 {
					refused++
				}
			}
			if n := int(sshLogins.Load()); refused > 2 || n > 2 && name != "an SSH key that may read" || n > 3 {
				t.Errorf("%d requests were refused, %d logins by SSH; want at most 2", refused, n)
			}
		})
	}
}

// TestAccGitea_renamed: Git follows the redirect, and the engine tells where to.
func TestAccGitea_renamed(t *testing.T) {
	t.Parallel()
	f := newForge(t, nil)
	e := f.engine(nil)
	f.must(f.repo.Do(t.Context(), http.MethodPatch, "", map[string]any{"name": "moved"}, nil))
	for i, err := range each(t, e, 3) {
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if !strings.HasSuffix(strings.TrimSuffix(e.Moved(), ".git"), "/moved") {
		t.Errorf("moved to %q", e.Moved())
	}
}

// TestAccGitea_whole: a server without partial clones, over HTTP and over SSH, with and without a branch that is to be merged.
func TestAccGitea_whole(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string][]string{"partial": nil, "whole": {"git": {"DISABLE_PARTIAL_CLONE = true"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newForge(t, settings)
			key := f.key()
			f.must(f.repo.Do(t.Context(), http.MethodPost, "/keys", map[string]any{"title": "write", "key": key.public, "read_only": false}, nil))
			for way, login := range map[string]func(*gitops.Config){"https": func(*gitops.Config) {}, "ssh": key.login(f, f.repo.SSHURL())} {
				for _, base := range []string{"", "main"} {
					e := f.engine(func(c *gitops.Config) {
						if login(c); base != "" {
							c.Branch, c.Base = "proposed-"+way, base
						}
					})
					file, err := e.Read(t.Context(), "a.example.com/prod/packageinstall.yaml")
					if err != nil || !strings.HasPrefix(string(file.Data), "a") {
						t.Fatalf("%s %s: %q, %v", way, base, file.Data, err)
					}
					write := func(text string) {
						t.Helper()
						_, err := e.Apply(t.Context(), gitops.Change{Summary: "Change", Edits: []gitops.Edit{{Path: "b/" + way + base, Data: []byte(text)}}})
						if err != nil {
							t.Fatalf("%s %s: %v", way, base, err)
						}
					}
					write("1\n")
					f.must(f.repo.Commit(t.Context(), "main", map[string]string{"theirs/" + way + base: "1\n"}))
					e.Invalidate()
					write("2\n")
				}
			}
		})
	}
}

// sshKey is one of a client.
type sshKey struct{ private, public string }

func (f *forge) key() sshKey {
	f.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	f.must(err)
	encoded, err := ssh.MarshalPrivateKey(private, "")
	f.must(err)
	authorized, err := ssh.NewPublicKey(public)
	f.must(err)
	return sshKey{string(pem.EncodeToMemory(encoded)), string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(authorized)))}
}

// sshLogins counts connections to SSH servers; the tests that look at it do not run beside each other.
var sshLogins atomic.Int64

// login is with the key, through a port that counts.
func (k sshKey) login(f *forge, url string) func(*gitops.Config) {
	f.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	f.must(err)
	f.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			sshLogins.Add(1)
			server, err := net.Dial("tcp", f.server.SSH)
			if err != nil {
				_ = client.Close()
				continue
			}
			pipe := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				_ = to.Close()
			}
			go pipe(server, client)
			go pipe(client, server)
		}
	}()
	var host ssh.PublicKey
	_, err = ssh.Dial("tcp", f.server.SSH, &ssh.ClientConfig{User: "git", HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
		host = key
		return nil
	}})
	if host == nil {
		f.Fatalf("no host key: %v", err)
	}
	address := listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	return func(c *gitops.Config) {
		c.URL = strings.Replace(url, f.server.SSH, address, 1)
		c.HTTP = gitops.HTTPAuth{}
		c.SSH = gitops.SSHAuth{PrivateKey: k.private, KnownHosts: "[127.0.0.1]:" + port + " " + string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(host)))}
	}
}
