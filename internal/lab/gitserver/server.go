// Package gitserver is a real Git server for the lab and for tests: smart HTTP with basic auth, answered by `git http-backend`.
// It listens on 127.0.0.1 if it is told no other address, on a port of the kernel's choice, and needs the git command.
package gitserver

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Options of a server.
type Options struct {
	// Dir holds the bare repositories and the home directory of the git processes. It is made if it is missing.
	Dir string
	// Address to listen on. Nil: 127.0.0.1.
	Address net.IP
	// Username and Password are asked of every request. Both empty: no authentication.
	Username, Password string
	// Certificate for HTTPS. Nil: a certificate for Address, 127.0.0.1 and localhost is made.
	Certificate *tls.Certificate
	// Insecure serves plain HTTP.
	Insecure bool
	// Observe is told of every request after it was answered, and before the client has seen the answer's end. One call at a time.
	Observe func(Exchange)
	// Intercept wraps the handler, outside the authentication, so that a test can put faults between client and server.
	Intercept func(next http.Handler) http.Handler
}

// Exchange is one request with its answer.
type Exchange struct {
	Method string
	// Path of the URL without the query, for example /gitops.git/info/refs.
	Path string
	// Service is git-upload-pack or git-receive-pack, or empty.
	Service string
	// BytesIn and BytesOut count the bodies.
	BytesIn, BytesOut int64
	// Status of the answer. 0: the connection was cut before any.
	Status int
}

// Push reports whether the exchange carried a pack to the server.
func (e Exchange) Push() bool {
	return e.Method == http.MethodPost && e.Service == "git-receive-pack"
}

// Server is a running Git server.
type Server struct {
	options  Options
	git      string
	listener net.Listener
	http     *http.Server
	ca       string
	stop     context.CancelFunc
	ctx      context.Context
	starting sync.Mutex // held while a child is counted, so that none starts behind Close's back
	children sync.WaitGroup
}

// Start listens and serves until Close.
func Start(options Options) (*Server, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("the lab's Git server needs the git command: %w", err)
	}
	if options.Dir, err = filepath.Abs(options.Dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(options.Dir, homeName), 0o700); err != nil {
		return nil, err
	}
	if options.Address == nil {
		options.Address = net.IPv4(127, 0, 0, 1)
	}
	s := &Server{options: options, git: git}
	if !options.Insecure && options.Certificate == nil {
		if s.options.Certificate, err = NewCertificate(options.Address); err != nil {
			return nil, err
		}
	}
	if s.listener, err = net.Listen("tcp", net.JoinHostPort(options.Address.String(), "0")); err != nil {
		return nil, err
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.http = &http.Server{Handler: s.handler(), ErrorLog: log.New(io.Discard, "", 0)}
	listener := s.listener
	if !options.Insecure {
		certificate := s.options.Certificate
		for _, der := range certificate.Certificate {
			s.ca += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		}
		listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{*certificate},
			MinVersion:   tls.VersionTLS12,
			NextProtos:   []string{"http/1.1"},
		})
	}
	s.children.Go(func() { _ = s.http.Serve(listener) })
	return s, nil
}

// URL of a repository.
func (s *Server) URL(name string) string {
	scheme := "https"
	if s.options.Insecure {
		scheme = "http"
	}
	return scheme + "://" + s.listener.Addr().String() + "/" + directory(name)
}

// CertificateAuthority is the PEM certificate chain that clients must trust. Empty for plain HTTP.
func (s *Server) CertificateAuthority() string { return s.ca }

// Close cuts every connection, ends running git processes and waits for them.
func (s *Server) Close() error {
	s.starting.Lock()
	s.stop()
	s.starting.Unlock()
	err := s.http.Close()
	s.children.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Server) enter() bool {
	s.starting.Lock()
	defer s.starting.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.children.Add(1)
	return true
}

func (s *Server) handler() http.Handler {
	handler := s.authenticated(http.HandlerFunc(s.backend))
	if s.options.Intercept != nil {
		handler = s.options.Intercept(handler)
	}
	if s.options.Observe != nil {
		handler = Observed(handler, s.options.Observe)
	}
	return handler
}

func (s *Server) authenticated(next http.Handler) http.Handler {
	if s.options.Username == "" && s.options.Password == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		username, password, _ := r.BasicAuth()
		match := subtle.ConstantTimeCompare([]byte(username), []byte(s.options.Username)) &
			subtle.ConstantTimeCompare([]byte(password), []byte(s.options.Password))
		if match != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "authentication required", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func directory(name string) string { return strings.TrimSuffix(name, ".git") + ".git" }
