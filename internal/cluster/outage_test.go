package cluster

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/outage"
)

// TestOutage: of many requests to a server that does not answer, those that follow
// the first are not sent, whatever the server does in place of an answer; and a
// request that has more time than the others is.
func TestOutage(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"hangs":     func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"fails":     func(w http.ResponseWriter, _ *http.Request) { status(500, "InternalError", "")(w) },
		"throttles": func(w http.ResponseWriter, _ *http.Request) { status(429, "TooManyRequests", "")(w) },
		"drips": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			var up atomic.Bool
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				if up.Load() {
					found(w)
					return
				}
				answer(w, r)
			}))
			t.Cleanup(server.Close)
			t.Cleanup(server.CloseClientConnections)
			c := New("build_cluster", "test", Config{Host: server.URL})
			get := func(limit time.Duration) error {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				_, err := c.Get(ctx, configMap)
				return err
			}
			const short = 400 * time.Millisecond
			if err := get(short); !errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*outage.SilentError)) {
				t.Fatalf("the first request: %v", err)
			}
			before := requests.Load()
			for range 20 {
				err := get(short)
				if !errors.As(err, new(*outage.SilentError)) || strings.Count(err.Error(), "build_cluster") == 0 {
					t.Fatalf("a further request: %v", err)
				}
			}
			if n := requests.Load(); n != before {
				t.Errorf("%d requests more", n-before)
			}
			up.Store(true)
			if err := get(time.Minute); err != nil {
				t.Errorf("a request with more time, once the server answers: %v", err)
			}
			if err := get(short); err != nil {
				t.Errorf("after an answer: %v", err)
			}
		})
	}
}

// TestOutage_refused: a port that has refused connections for as long as a server
// takes to restart is not tried by each request anew.
func TestOutage_refused(t *testing.T) {
	patience := portPatience
	portPatience = time.Millisecond
	t.Cleanup(func() { portPatience = patience })
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // only its address is wanted
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	c := New("build_cluster", "test", Config{Host: "http://" + listener.Addr().String()})
	_, first := c.Get(t.Context(), configMap)
	if !errors.As(first, new(*RefusedError)) {
		t.Fatalf("got %v", first)
	}
	for range 20 {
		if _, err := c.Get(t.Context(), configMap); !errors.Is(err, first) {
			t.Errorf("a further request: %v", err)
		}
	}
}
