// Package gitea runs a real Gitea for the lab and for tests: a forge with an API, protected branches and an SSH server. It listens on
// 127.0.0.1, on ports of the kernel's choice, ends with its process, and keeps everything in one directory.
package gitea

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

// Options of a server.
type Options struct {
	// Dir is a directory of its own.
	Dir string
	// Forge is what to run.
	Forge binaries.Forge
	// Settings are lines of app.ini beside the server's own, by section.
	Settings map[string][]string
	// Observe is told of every request after it was answered, one call at a time.
	Observe func(gitserver.Exchange)
	// Intercept wraps the handler, so that a test can put faults between client and server.
	Intercept func(next http.Handler) http.Handler
}

// Server is a running Gitea. Its HTTPS is a proxy in this process, in front of a socket.
type Server struct {
	// Admin may do everything.
	Admin User
	// SSH is the host and port of its SSH server.
	SSH string

	options  Options
	listener net.Listener
	http     *http.Server
	process  *process.Process
	ca       string
	served   sync.WaitGroup
}

// User is an account, with its password.
type User struct{ Name, Password string }

// Limits of a start and a stop.
const (
	startLimit = time.Minute
	grace      = 3 * time.Second
)

// Start returns when the API answers.
func Start(ctx context.Context, options Options) (*Server, error) {
	s := &Server{options: options, Admin: User{Name: "boss", Password: secret()}}
	err := s.start(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("gitea: %w", err), s.Close())
	}
	return s, err
}

func (s *Server) start(ctx context.Context) error {
	certificate, err := gitserver.NewCertificate()
	if err != nil {
		return err
	}
	s.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	if err := s.configure(); err != nil {
		return err
	}
	// The commands make the database; the web server would ask for it.
	for _, args := range [][]string{{"migrate"}, {
		"admin", "user", "create", "--admin", "--username", s.Admin.Name, "--password", s.Admin.Password,
		"--email", s.Admin.Name + "@example.com", "--must-change-password=false",
	}} {
		if err := s.run(ctx, args...); err != nil {
			return err
		}
	}
	s.process, err = process.Start("gitea", filepath.Join(s.options.Dir, "gitea.log"), s.environment(), s.options.Forge.Binary, "web", "--config", s.path("app.ini"))
	if err != nil {
		return err
	}
	s.serve(certificate)
	return s.ready(ctx)
}

// serve puts the proxy in front.
func (s *Server) serve(certificate *tls.Certificate) {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "gitea"})
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", s.path("socket"))
			},
			DisableCompression: true,
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	var handler http.Handler = proxy
	if s.options.Intercept != nil {
		handler = s.options.Intercept(handler)
	}
	if s.options.Observe != nil {
		handler = gitserver.Observed(handler, s.options.Observe)
	}
	s.http = &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: startLimit}
	listener := tls.NewListener(s.listener, &tls.Config{
		Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	})
	s.served.Go(func() { _ = s.http.Serve(listener) })
}

// ready waits for the API.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		if s.Do(ctx, s.Admin, http.MethodGet, "/version", nil, nil) == nil {
			return nil
		}
		select {
		case <-s.process.Done():
			return s.process.Err()
		case <-ctx.Done():
			return fmt.Errorf("no start within %s; the last lines of its log:\n%s", startLimit, s.process.Tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// configure writes app.ini: https://docs.gitea.com/administration/config-cheat-sheet
func (s *Server) configure() error {
	me, err := user.Current()
	if err != nil {
		return err
	}
	ssh, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.SSH = ssh.Addr().String()
	if err := ssh.Close(); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(s.SSH)
	sections := []struct {
		name  string
		lines []string
	}{
		{"", []string{
			"RUN_MODE = prod", "RUN_USER = " + me.Username, "WORK_PATH = " + s.path("work"),
			// Nothing but what it makes is in its reach.
			"I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true",
		}},
		{"server", []string{
			"PROTOCOL = http+unix", "HTTP_ADDR = " + s.path("socket"), "ROOT_URL = " + s.URL() + "/", "STATIC_ROOT_PATH = " + s.options.Forge.Static,
			"OFFLINE_MODE = true", "LFS_START_SERVER = false", "START_SSH_SERVER = true", "BUILTIN_SSH_SERVER_USER = git",
			"SSH_DOMAIN = 127.0.0.1", "SSH_LISTEN_HOST = 127.0.0.1", "SSH_LISTEN_PORT = " + port, "SSH_PORT = " + port,
			"SSH_SERVER_HOST_KEYS = " + s.path("work", "host.rsa"),
		}},
		{"database", []string{"DB_TYPE = sqlite3", "PATH = " + s.path("gitea.db"), "LOG_SQL = false"}},
		{"security", []string{"INSTALL_LOCK = true", "SECRET_KEY = " + secret(), "PASSWORD_HASH_ALGO = pbkdf2_v1"}},
		{"service", []string{"DISABLE_REGISTRATION = true"}},
		{"log", []string{"MODE = console", "LEVEL = warn"}},
		{"actions", []string{"ENABLED = false"}},
		{"packages", []string{"ENABLED = false"}},
		{"cron", []string{"ENABLED = false"}},
	}
	var text strings.Builder
	for _, section := range sections {
		if section.name != "" {
			fmt.Fprintf(&text, "[%s]\n", section.name)
		}
		for _, line := range append(section.lines, s.options.Settings[section.name]...) {
			text.WriteString(line + "\n")
		}
	}
	for name, lines := range s.options.Settings {
		if !strings.Contains(text.String(), "["+name+"]") && name != "" {
			fmt.Fprintf(&text, "[%s]\n%s\n", name, strings.Join(lines, "\n"))
		}
	}
	if err := os.MkdirAll(s.path("work"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(s.path("app.ini"), []byte(text.String()), 0o600)
}

func (s *Server) path(elements ...string) string {
	return filepath.Join(append([]string{s.options.Dir}, elements...)...)
}

// environment has nothing of the caller's Git configuration.
func (s *Server) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.path("work"), "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GITEA_WORK_DIR=" + s.path("work"), "USER=" + os.Getenv("USER"),
	}
}

func (s *Server) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, s.options.Forge.Binary, append(args, "--config", s.path("app.ini"))...)
	cmd.Env, cmd.Dir = s.environment(), s.options.Dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args[:1], " "), err, said)
	}
	return nil
}

// URL of the server, without a slash at its end.
func (s *Server) URL() string { return "https://" + s.listener.Addr().String() }

// CertificateAuthority is the PEM certificate that clients must trust.
func (s *Server) CertificateAuthority() string { return s.ca }

// Close ends it. Its directory stays.
func (s *Server) Close() error {
	var errs []error
	if s.http != nil {
		errs = append(errs, s.http.Close())
	} else if s.listener != nil {
		errs = append(errs, s.listener.Close())
	}
	s.served.Wait()
	if s.process != nil {
		errs = append(errs, s.process.Stop(grace))
	}
	return errors.Join(errs...)
}

func secret() string {
	data := make([]byte, 16)
	_, _ = rand.Read(data) // it does not fail, see crypto/rand
	return hex.EncodeToString(data)
}

var names struct {
	sync.Mutex
	n int
}

// unique makes a name that no other call has made.
func unique(prefix string) string {
	names.Lock()
	defer names.Unlock()
	names.n++
	return prefix + "-" + strconv.Itoa(names.n)
}
