package gitops

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/outage"
)

// TestOutage: of many calls to a server that does not answer, those that follow the first
// ask nothing, whatever the server does in place of an answer; and a call that has more time
// than the others asks.
func TestOutage(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"hangs":     func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"fails":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusInternalServerError) },
		"throttles": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "later", http.StatusTooManyRequests) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				answer(w, r)
			}))
			t.Cleanup(server.Close)
			t.Cleanup(server.CloseClientConnections)
			e, err := Open(Config{URL: server.URL + "/r.git", HTTP: HTTPAuth{AllowInsecure: true}})
			if err != nil {
				t.Fatal(err)
			}
			read := func(limit time.Duration) error {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				_, err := e.Read(ctx, "file")
				return err
			}
			const short = 400 * time.Millisecond
			if err := read(short); !errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*outage.SilentError)) {
				t.Fatalf("the first call: %v", err)
			}
			first := requests.Load()
			for range 20 {
				err := read(short)
				if !errors.As(err, new(*outage.SilentError)) || !errors.Is(err, context.DeadlineExceeded) || strings.Count(err.Error(), server.URL) != 1 {
					t.Fatalf("a further call: %v", err)
				}
			}
			if n := requests.Load(); n > first+1 { // one that was under way
				t.Errorf("%d requests of the first call, %d of the others", first, n-first)
			}
			before := requests.Load()
			if err := read(10 * time.Second); errors.As(err, new(*outage.SilentError)) || requests.Load() == before {
				t.Errorf("a call with more time: %v", err)
			}
			e.Invalidate()
			if err := read(short); errors.As(err, new(*outage.SilentError)) {
				t.Errorf("after Invalidate: %v", err)
			}
		})
	}
}
