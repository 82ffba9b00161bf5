package gitops

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// sshServer lets one key in and runs Git's services on the fixture's repository.
type sshServer struct {
	f           *fixture
	address     string
	host        ssh.Signer
	connections atomic.Int32
	services    atomic.Int32
	// plain is a key that it has besides; nil: none.
	plain ssh.Signer
	// path that the repository has there.
	path string
	// refuse is what the server says in place of running a service; nil or empty: it runs it.
	refuse func(service string) string
}

// encrypted takes a while by design; one test of it will do.
func encrypted(t *testing.T, key, passphrase string) string {
	t.Helper()
	raw, err := ssh.ParseRawPrivateKey([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(raw, "", []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func (f *fixture) ssh(allowed ssh.PublicKey, choices ...func(*sshServer)) *sshServer {
	f.t.Helper()
	_, host := forge.SSHKey()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	s := &sshServer{f: f, address: listener.Addr().String(), host: host, path: "/it's/gitops.git"}
	for _, choose := range choices {
		choose(s)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(allowed.Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(s.host)
	if s.plain != nil {
		config.AddHostKey(s.plain)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			s.connections.Add(1)
			running.Go(func() { s.serve(conn, config) })
		}
	})
	f.t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return s
}

func (s *sshServer) serve(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		_ = conn.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	var running sync.WaitGroup
	defer running.Wait()
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		running.Go(func() {
			for request := range requests {
				if request.Type != "exec" {
					_ = request.Reply(false, nil)
					continue
				}
				_ = request.Reply(true, nil)
				status := s.run(string(request.Payload[4:]), channel)
				_, _ = channel.SendRequest("exit-status", false, []byte{0, 0, 0, status})
				_ = channel.Close()
			}
		})
	}
}

func (s *sshServer) run(command string, channel ssh.Channel) byte {
	s.services.Add(1)
	service, path, _ := strings.Cut(command, " ")
	if s.refuse != nil {
		if text := s.refuse(service); text != "" {
			_, _ = io.WriteString(channel.Stderr(), text)
			_, _ = io.WriteString(channel, "\n") // as Gitea does
			return 1
		}
	}
	if path != "'"+strings.ReplaceAll(s.path, "'", `'\''`)+"'" {
		_, _ = io.WriteString(channel.Stderr(), "ERROR: Repository not found.\n")
		return 1
	}
	cmd := exec.Command("git", strings.TrimPrefix(service, "git-"), s.f.RepositoryDir(repository))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	stdin, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return 1
	}
	go func() {
		_, _ = io.Copy(stdin, channel)
		_ = stdin.Close()
	}()
	if cmd.Wait() != nil {
		return 1
	}
	return 0
}

func (s *sshServer) engine(key string, changes ...func(*Config)) *Engine {
	return s.f.engine(append([]func(*Config){func(c *Config) {
		c.URL = "ssh://git@" + s.address + "/it's/gitops.git"
		c.HTTP = HTTPAuth{}
		c.SSH = SSHAuth{PrivateKey: key, KnownHosts: knownhosts.Line([]string{s.address}, s.host.PublicKey())}
	}}, changes...)...)
}

func TestSSH(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{
		"any object by its id": {"uploadpack.allowFilter=true", "uploadpack.allowAnySHA1InWant=true"},
		"filter alone":         {"uploadpack.allowFilter=true"},
		"as Git comes":         nil,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withConfig(settings...))
			files := packages(10)
			first := f.seed(files)
			key, signer := forge.SSHKey()
			server := f.ssh(signer.PublicKey())
			e := server.engine(key)
			read := func(path, want string) {
				t.Helper()
				file, err := e.Read(patient(t), path)
				if err != nil || string(file.Data) != want {
					t.Errorf("read %s: %q, %v; want %q", path, file.Data, err, want)
				}
			}
			want := mustHash(t, f.git("rev-parse", "main:package-3/prod"))
			if got, err := treeAt(t, e, first, "package-3/prod"); err != nil || got != want {
				t.Errorf("tree %s, %v; want %s", got, err, want)
			}
			read("package-3/prod/params.yaml", "replicas: 1\n")
			apply(t, e, "Write", write("package-3/prod/params.yaml", "ours"))
			f.seed(map[string]string{"package-4/prod/params.yaml": "theirs"})
			apply(t, e, "Write", write("package-5/prod/params.yaml", "ours"), write("new/prod/params.yaml", "ours"))
			read("package-4/prod/params.yaml", "theirs")
			f.check(with(files, map[string]string{
				"package-3/prod/params.yaml": "ours", "package-4/prod/params.yaml": "theirs",
				"package-5/prod/params.yaml": "ours", "new/prod/params.yaml": "ours",
			}))
			t.Logf("%d connections, %d services", server.connections.Load(), server.services.Load())
		})
	}
}

func TestSSH_errors(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key, signer := forge.SSHKey()
	locked := encrypted(t, key, "open sesame")
	server := f.ssh(signer.PublicKey())
	read := func(e *Engine) error {
		_, err := e.Read(patient(t), "a")
		return err
	}
	if err := read(server.engine(key)); !errors.Is(err, ErrEmptyRepository) {
		t.Errorf("an empty repository: %v", err)
	}
	f.seed(map[string]string{"a": "1"})
	if err := read(server.engine(locked, func(c *Config) { c.SSH.Password = "open sesame" })); err != nil {
		t.Errorf("an encrypted key: %v", err)
	}
	if err := read(server.engine(key, func(c *Config) { c.Branch = "release" })); !errors.Is(err, ErrBranchNotFound) {
		t.Errorf("a missing branch: %v", err)
	}
	if err := read(server.engine(key, func(c *Config) { c.URL += "-of-nobody" })); !errors.Is(err, ErrRepositoryNotFound) {
		t.Errorf("a missing repository: %v", err)
	}
	stranger, strangersKey := forge.SSHKey()
	before := server.connections.Load()
	e := server.engine(stranger)
	for range 3 {
		if err := read(e); !errors.Is(err, ErrAuth) {
			t.Errorf("a stranger: %v, want ErrAuth", err)
		}
	}
	if logins := server.connections.Load() - before; logins != 1 {
		t.Errorf("%d logins of a stranger, want 1", logins)
	}
	var unknown *UnknownHostKeyError
	err := read(server.engine(key, func(c *Config) {
		c.SSH.KnownHosts = knownhosts.Line([]string{server.address}, strangersKey.PublicKey())
	}))
	if !errors.As(err, &unknown) || !unknown.Mismatch || unknown.Fingerprint != ssh.FingerprintSHA256(server.host.PublicKey()) {
		t.Errorf("another host key: %v, want *UnknownHostKeyError", err)
	}
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ssh.NewPublicKey(elliptic.Public())
	if err != nil {
		t.Fatal(err)
	}
	err = read(server.engine(key, func(c *Config) { c.SSH.KnownHosts = knownhosts.Line([]string{server.address}, other) }))
	if !errors.As(err, &unknown) {
		t.Errorf("a host key of another kind: %v, want *UnknownHostKeyError", err)
	}
	for field, change := range map[string]func(*Config){
		"ssh.known_hosts": func(*Config) {},
		"ssh.password":    func(c *Config) { c.SSH.PrivateKey = locked },
	} {
		t.Run(field, func(t *testing.T) {
			config := Config{URL: "ssh://git@" + server.address + "/x", SSH: SSHAuth{PrivateKey: key}}
			change(&config)
			var wrong *ConfigError
			if err := config.Validate(); !errors.As(err, &wrong) || wrong.Field != field {
				t.Errorf("got %v, want an error about %s", err, field)
			}
		})
	}
}

// TestSSH_refusals: what a server says in place of the Git protocol is shown as it is, and costs two logins however many callers there are.
func TestSSH_refusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		service, text string
		want          error
	}{
		"no such repository":  {"git-upload-pack", "Gitea: Cannot find repository: org/nosuch\n", ErrRepositoryNotFound},
		"no right to read":    {"git-upload-pack", "Gitea: User: 3:reader with Key: 7:laptop is not authorized to read org/gitops.\n", ErrAuth},
		"no right to write":   {"git-receive-pack", "Gitea: Deploy Key: 9:robot is not authorized to write to org/gitops.\n", ErrAuth},
		"archived":            {"git-receive-pack", "Gitea: Repo: org/gitops is archived.\x1b[2J\n", ErrAuth},
		"of more than a line": {"git-receive-pack", "\n  Push not possible.\n  Ask the platform team.\n", ErrAuth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.seed(map[string]string{"a": "1"})
			key, signer := forge.SSHKey()
			var over atomic.Bool
			server := f.ssh(signer.PublicKey(), func(s *sshServer) {
				s.refuse = func(service string) string {
					if service == test.service && !over.Load() {
						return test.text
					}
					return ""
				}
			})
			e := server.engine(key)
			said := strings.TrimSpace(strings.ReplaceAll(test.text, "\x1b", `\x1b`))
			check := func(what string, err error) {
				t.Helper()
				if !errors.Is(err, test.want) || !strings.Contains(err.Error(), said) || strings.Contains(err.Error(), "pkt") {
					t.Errorf("%s: %v, want %v with the server's words", what, err, test.want)
				}
			}
			var callers sync.WaitGroup
			for i := range 20 {
				callers.Go(func() {
					_, err := e.Read(patient(t), "a")
					if test.service == "git-upload-pack" {
						check("read", err)
					} else if err != nil {
						t.Error(err)
					}
					_, err = e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write(fmt.Sprint("b/", i), "x")}})
					check("apply", err)
				})
			}
			callers.Wait()
			logins := server.connections.Load()
			t.Logf("%d logins, %d services", logins, server.services.Load())
			if logins > 2 {
				t.Errorf("%d logins, want at most 2", logins)
			}
			over.Store(true)
			e.Invalidate()
			apply(t, e, "The next run", write("a", "2"))
		})
	}
}

func TestSSH_hook(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	if err := f.SetHook(repository, "pre-receive", "#!/bin/sh\necho 'ticket number missing' >&2\nexit 1\n"); err != nil {
		t.Fatal(err)
	}
	key, signer := forge.SSHKey()
	_, err := f.ssh(signer.PublicKey()).engine(key).Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}})
	var declined *HookDeclinedError
	if !errors.As(err, &declined) || declined.Text != "ticket number missing" {
		t.Errorf("got %v, want *HookDeclinedError with the hook's words", err)
	}
}

func TestSSH_hungServer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ctx, cancel := context.WithCancel(patient(t))
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		cancel()
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}()
	key, signer := forge.SSHKey()
	e := f.ssh(signer.PublicKey()).engine(key, func(c *Config) {
		c.URL = "ssh://" + listener.Addr().String() + "/x"
		c.SSH.KnownHosts = knownhosts.Line([]string{listener.Addr().String()}, signer.PublicKey())
	})
	if _, err := e.Read(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	waitIdle(t, e)
}

func TestSSH_leavesNothingBehind(t *testing.T) {
	suite.Acceptance(t, "waits for connections to close, alone")
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	key, signer := forge.SSHKey()
	server := f.ssh(signer.PublicKey())
	e := server.engine(key)
	apply(t, e, "Write", write("b", "2"))
	waitFor(t, func() bool {
		stacks := make([]byte, 1<<20)
		dump := string(stacks[:runtime.Stack(stacks, true)])
		return !strings.Contains(dump, "ssh.(*mux)") && !strings.Contains(dump, "gitops.(*Engine)")
	})
	apply(t, e, "Write", write("b", "3"))
	if logins := server.connections.Load(); logins != 2 {
		t.Errorf("%d logins, want 2", logins)
	}
}
