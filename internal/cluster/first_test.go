package cluster

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestFirst: requests at the same time share one connection.
func TestFirst(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { found(w) }))
	server.EnableHTTP2 = true
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	c := New("x", "test", Config{Host: server.URL, CACertificate: string(ca)})
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if _, err := c.Get(t.Context(), configMap); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// TestFirst_hangs: a first request without an answer holds no other for longer
// than the other's own time.
func TestFirst_hangs(t *testing.T) {
	release := make(chan struct{})
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		found(w)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	c := New("x", "test", Config{Host: server.URL})
	hanging, stop := context.WithCancel(t.Context())
	var one sync.WaitGroup
	one.Go(func() { _, _ = c.Get(hanging, configMap) })
	for requests.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Get(short, configMap); err == nil {
		t.Error("a request whose time is up was answered")
	}
	stop()
	one.Wait()
	if _, err := c.Get(t.Context(), configMap); err != nil {
		t.Error(err)
	}
}
