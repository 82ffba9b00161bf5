package gitops

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

// speech is what a server says, which may never end: the error is the listener's, who has gone.
type speech func(w io.Writer) error

func say(texts ...string) speech {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(texts, ""))
		return err
	}
}

func sayBytes(texts ...[]byte) speech { return say(string(bytes.Join(texts, nil))) }

// endless says the same until nobody listens.
func endless(text string) speech {
	block := strings.Repeat(text, 1+(32<<10)/len(text))
	return func(w io.Writer) error {
		for {
			if _, err := io.WriteString(w, block); err != nil {
				return err
			}
		}
	}
}

func then(parts ...speech) speech {
	return func(w io.Writer) error {
		for _, part := range parts {
			if err := part(w); err != nil {
				return err
			}
		}
		return nil
	}
}

// hostile is a server that need not be one of Git.
type hostile struct {
	advert speech // the references, and nothing ahead of them
	fetch  speech // the answer to every fetch
	push   speech // and to every push
	words  string // over SSH, on the standard error
	// http takes the place of all that.
	http http.HandlerFunc
	// hang has the server wait, behind what it says, until the client has gone; reached is closed when the first does.
	hang    bool
	reached chan struct{}
	once    sync.Once
}

func (h *hostile) wait(gone <-chan struct{}) {
	if h.hang {
		h.once.Do(func() { close(h.reached) })
		<-gone
	}
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.http != nil {
		h.http(w, r)
		h.wait(r.Context().Done())
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	answer, service := h.fetch, "git-upload-pack"
	switch {
	case r.Method == http.MethodGet:
		answer = then(say(forge.Line("# service=git-upload-pack\n"), "0000"), h.advert)
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
	case pushes(r):
		answer, service = h.push, "git-receive-pack"
		fallthrough
	default:
		w.Header().Set("Content-Type", "application/x-"+service+"-result")
	}
	if answer(w) == nil && (r.Method == http.MethodPost || h.fetch == nil) {
		_ = http.NewResponseController(w).Flush()
		h.wait(r.Context().Done())
	}
}

// overHTTP serves a repository and returns the configuration for it.
func (h *hostile) overHTTP(t *testing.T) Config {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return Config{URL: server.URL + "/gitops.git", HTTP: HTTPAuth{Username: username, Password: password, AllowInsecure: true}}
}

var sshKeys = sync.OnceValues(forge.SSHKey)

func (h *hostile) overSSH(t *testing.T) Config {
	key, signer := sshKeys()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
	})
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil }}
	config.AddHostKey(signer)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			go h.serveSSH(conn, config)
		}
	}()
	address := listener.Addr().String()
	return Config{
		URL: "ssh://git@" + address + "/gitops.git",
		SSH: SSHAuth{PrivateKey: key, KnownHosts: knownhosts.Line([]string{address}, signer.PublicKey())},
	}
}

func (h *hostile) serveSSH(conn net.Conn, config *ssh.ServerConfig) {
	defer func() { _ = conn.Close() }()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		go func() {
			for request := range requests {
				_ = request.Reply(true, nil)
				if request.Type == "exec" {
					go h.converse(channel, string(request.Payload[4:]))
				}
			}
		}()
	}
}

func (h *hostile) converse(channel ssh.Channel, command string) {
	gone := make(chan struct{})
	if h.words != "" {
		_, _ = io.WriteString(channel.Stderr(), h.words)
	}
	if h.advert(channel) == nil {
		answer, asked := h.fetch, true
		if strings.HasPrefix(command, "git-receive-pack") {
			answer = h.push
			_, _ = io.Copy(io.Discard, channel)
		} else {
			asked = h.fetch != nil && heard(channel)
		}
		if asked && answer != nil {
			_ = answer(channel)
		}
		if asked || h.fetch == nil {
			go func() {
				_, _ = io.Copy(io.Discard, channel)
				close(gone)
			}()
			h.wait(gone)
		}
	}
	_, _ = channel.SendRequest("exit-status", false, []byte{0, 0, 0, 1})
	_ = channel.Close()
}

// heard reads a request for a pack to its end; false: there was none.
func heard(r io.Reader) bool {
	in := bufio.NewReader(r)
	for {
		text, err := in.ReadString('\n')
		if strings.HasSuffix(text, "done\n") {
			return true
		}
		if err != nil {
			return false
		}
	}
}
