package gitops

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// TestThrottled_waits: as long as the host says, for reading and for a push, and not past the context.
func TestThrottled_waits(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	throttling := func(times int32, match func(*http.Request) bool, after string) (*atomic.Int32, func(http.Handler) http.Handler) {
		var seen atomic.Int32
		return &seen, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !match(r) || seen.Add(1) > times {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Retry-After", after)
				http.Error(w, "slow down", http.StatusForbidden)
			})
		}
	}
	e := f.engine()
	_, fault := throttling(2, every, "0")
	f.faulty(fault)
	if _, err := e.Read(patient(t), "a"); err != nil {
		t.Errorf("reading: %v", err)
	}
	_, fault = throttling(2, pushes, "0")
	f.faulty(fault)
	apply(t, e, "Write", write("b", "2"))
	f.check(map[string]string{"a": "1", "b": "2"})
	for name, do := range map[string]func(*Engine) error{
		"read": func(e *Engine) error { _, err := e.Read(patient(t), "a"); return err },
		"apply": func(e *Engine) error {
			_, err := e.Apply(patient(t), Change{Edits: []Edit{write("c", "3")}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			match := every
			if name == "apply" {
				match = pushes
			}
			seen, fault := throttling(1<<30, match, "3600")
			f.faulty(fault)
			var throttled *ThrottledError
			err := do(f.engine())
			if !errors.As(err, &throttled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrAuth) || throttled.Until.IsZero() {
				t.Errorf("%s: %v, want *ThrottledError at once", name, err)
			}
			if seen.Load() != 1 {
				t.Errorf("%s: %d requests, want 1", name, seen.Load())
			}
		})
	}
}

// TestGroup_deadline is the last of the callers', if all have one.
func TestGroup_deadline(t *testing.T) {
	t.Parallel()
	g := newGroup(func(error) {})
	defer g.release()
	first, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	second, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	defer cancel()
	want, _ := second.Deadline()
	g.join(second, first)
	derived, cancel := context.WithCancel(g.Context)
	defer cancel()
	if got, limited := derived.Deadline(); !limited || !got.Equal(want) {
		t.Errorf("%s, %t; want %s", got, limited, want)
	}
	endless, cancel := context.WithCancel(context.Background())
	defer cancel()
	g.join(endless)
	if _, limited := g.Deadline(); limited {
		t.Error("a deadline beside a caller without one")
	}
}

// TestErrors_lasting: what does not pass by itself is no failure that is tried until the time is up.
func TestErrors_lasting(t *testing.T) {
	t.Parallel()
	demanding := httptest.NewUnstartedServer(http.NotFoundHandler())
	demanding.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	demanding.StartTLS()
	t.Cleanup(demanding.Close)
	open := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(open.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, config := range map[string]Config{
		"a client certificate is demanded": {URL: demanding.URL + "/x.git", HTTP: HTTPAuth{CertificateAuthority: string(pemOf(demanding.Certificate().Raw))}},
		"HTTPS at a port of HTTP":          {URL: strings.Replace(open.URL, "http:", "https:", 1) + "/x.git"},
		"HTTP at a port of HTTPS":          {URL: strings.Replace(demanding.URL, "https:", "http:", 1) + "/x.git", HTTP: HTTPAuth{AllowInsecure: true}},
		"an unknown host":                  {URL: "https://nowhere.invalid/x.git"},
		"a refused port":                   {URL: closed.URL + "/x.git", HTTP: HTTPAuth{AllowInsecure: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, err := config.normalize()
			if err != nil {
				t.Fatal(err)
			}
			e := newEngine(target)
			_, err = e.Read(patient(t), "a")
			if err == nil || errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*wire.TransientError)) {
				t.Errorf("got %v", err)
			}
			t.Log(err)
		})
	}
}
