package acctest

import (
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

// Forward passes connections on to a cluster's API server, byte by byte, until it
// is closed: then they are refused, as where nothing runs any more.
type Forward struct {
	// Kubeconfig is the path of the cluster's, by way of here.
	Kubeconfig string

	env    *Env
	target string
	mu     sync.Mutex
	at     string
	open   net.Listener
	conns  []net.Conn
}

// Forward begins to pass on. It ends with the test.
func (e *Env) Forward(c lab.Cluster) *Forward {
	e.T.Helper()
	server, err := url.Parse(c.Server)
	if err != nil {
		e.T.Fatal(err)
	}
	f := &Forward{env: e, target: server.Host, at: "127.0.0.1:0"}
	f.Open()
	e.T.Cleanup(f.Close)
	kubeconfig, err := os.ReadFile(c.Kubeconfig)
	if err != nil {
		e.T.Fatal(err)
	}
	f.Kubeconfig = e.T.TempDir() + "/kubeconfig.yaml"
	if err := os.WriteFile(f.Kubeconfig, []byte(strings.ReplaceAll(string(kubeconfig), server.Host, f.at)), 0o600); err != nil {
		e.T.Fatal(err)
	}
	return f
}

// Open takes connections, at the same address as before.
func (f *Forward) Open() {
	f.env.T.Helper()
	listener, err := net.Listen("tcp", f.at)
	if err != nil {
		f.env.T.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open, f.at = listener, listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go f.pass(conn)
		}
	}()
}

func (f *Forward) pass(conn net.Conn) {
	defer conn.Close()
	server, err := net.Dial("tcp", f.target)
	if err != nil {
		return
	}
	defer server.Close()
	f.mu.Lock()
	f.conns = append(f.conns, conn, server)
	f.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, conn) // until one of them ends
		server.Close()
	}()
	_, _ = io.Copy(conn, server)
}

// Close ends all connections and refuses others.
func (f *Forward) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open.Close()
	for _, conn := range f.conns {
		conn.Close()
	}
	f.conns = nil
}
