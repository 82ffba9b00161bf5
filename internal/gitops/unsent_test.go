package gitops

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// line is a TCP proxy before the fixture's server. accepted is asked for every new connection, and false closes it.
func (f *fixture) line(accepted func() bool) (address string) {
	f.t.Helper()
	server := strings.TrimPrefix(f.URL(""), "https://")
	server, _, _ = strings.Cut(server, "/")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				if !accepted() {
					return
				}
				far, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer far.Close()
				go func() {
					_, _ = io.Copy(far, near)
					_ = far.Close()
				}()
				_, _ = io.Copy(near, far)
			}()
		}
	}()
	return strings.Replace(f.URL(repository), server, listener.Addr().String(), 1)
}

// TestApply_leavesBeforeItIsSent: a caller who leaves while the connection is being made does so at once, and the commit is made without
// that change.
func TestApply_leavesBeforeItIsSent(t *testing.T) {
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	var e *Engine
	ctx, leave := context.WithCancel(patient(t))
	defer leave()
	var armed atomic.Bool
	left := make(chan outcome, 1)
	var outcomes []<-chan outcome
	ready := make(chan struct{})
	url := f.line(func() bool {
		if armed.CompareAndSwap(true, false) {
			<-ready
			leave()
			select {
			case got := <-outcomes[0]:
				left <- got
			case <-time.After(patience):
				left <- outcome{}
			}
		}
		return true
	})
	e = f.engine(func(c *Config) { c.URL = url })
	outcomes = f.together(e,
		func() <-chan outcome { return start(ctx, e, write("left", "x")) },
		func() <-chan outcome {
			armed.Store(true)
			return start(patient(t), e, write("stayed", "x"))
		})
	close(ready)
	f.stopped(<-left)
	f.landed(<-outcomes[1])
	f.check(map[string]string{"a": "1", "stayed": "x"})
}

// TestApply_neverSent: a push that found no connection has not been sent, whatever becomes of the caller.
func TestApply_neverSent(t *testing.T) {
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	ctx, interrupt := context.WithCancel(patient(t))
	defer interrupt()
	var down atomic.Bool
	var refused atomic.Int32
	url := f.line(func() bool {
		if down.Load() && refused.Add(1) == 3 {
			interrupt()
		}
		return !down.Load()
	})
	e := f.engine(func(c *Config) { c.URL = url })
	outcomes := f.together(e, func() <-chan outcome {
		down.Store(true)
		return start(ctx, e, write("b", "2"))
	})
	f.stopped(<-outcomes[0])
	f.check(map[string]string{"a": "1"})
}

// TestApply_turnedAway: a status that says that the push was not acted upon leaves nothing open, also when the branch cannot be read.
func TestApply_turnedAway(t *testing.T) {
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	var gone atomic.Bool
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case gone.Load():
				http.NotFound(w, r)
			case pushes(r):
				gone.Store(true)
				http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			default:
				next.ServeHTTP(w, r)
			}
		})
	})
	got := <-start(patient(t), e, write("b", "2"))
	if !errors.Is(got.err, ErrRepositoryNotFound) || errors.Is(got.err, ErrOutcomeUnknown) {
		t.Errorf("got %v, want ErrRepositoryNotFound alone", got.err)
	}
}

// TestApply_oneLeavesAndAnswerLost: the change of the caller who has left is not sent again, and the next commit tells what has become of it.
func TestApply_oneLeavesAndAnswerLost(t *testing.T) {
	for name, late := range map[string]bool{"the first push is lost": false, "the first push gets there before the second": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.seed(map[string]string{"a": "1"})
			e := f.engine()
			ctx, leave := context.WithCancel(patient(t))
			defer leave()
			var pushed atomic.Int32
			var take func()
			f.faulty(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case !pushes(r):
					case pushed.Add(1) == 1:
						take = held(next, r)
						leave()
						panic(http.ErrAbortHandler)
					case late:
						take()
					}
					next.ServeHTTP(w, r)
				})
			})
			none := Hash{}
			outcomes := f.together(e,
				func() <-chan outcome { return start(ctx, e, Edit{Path: "left", Data: []byte("x"), IfBlob: &none}) },
				func() <-chan outcome {
					return start(patient(t), e, Edit{Path: "stayed", Data: []byte("x"), IfBlob: &none})
				})
			f.landed(<-outcomes[1])
			want := map[string]string{"a": "1", "stayed": "x"}
			if late {
				want["left"] = "x"
				f.landed(<-outcomes[0])
			} else {
				f.stopped(<-outcomes[0])
			}
			f.check(want)
			if pushed.Load() != 2 || f.commits() != "2" {
				t.Errorf("%d pushes, %s commits; want 2 and 2", pushed.Load(), f.commits())
			}
		})
	}
}

// TestRoundTripper_sending: nothing of a body that must not be sent reaches the server, over either version of HTTP.
func TestRoundTripper_sending(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			bodies := make(chan string, 2)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies <- r.Proto + " " + string(body)
			}))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			base := server.Client().Transport.(*http.Transport)
			client := &http.Client{Transport: &roundTripper{base: func() *http.Transport { return base }}}
			post := func(sending func() error) error {
				ctx, x := newExchange(patient(t), bound{most: 1000})
				defer x.finish()
				x.sending = sending
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("pack"))
				if err != nil {
					t.Fatal(err)
				}
				response, err := client.Do(request)
				if err == nil {
					_ = response.Body.Close()
				}
				return err
			}
			if err := post(func() error { return errLeft }); !errors.Is(err, errLeft) {
				t.Errorf("got %v, want the error that held it back", err)
			}
			if err := post(func() error { return nil }); err != nil {
				t.Error(err)
			}
			for range 2 {
				if got := <-bodies; strings.HasSuffix(got, "pack") {
					if !strings.HasPrefix(got, name) {
						t.Errorf("sent over %s", got)
					}
					return
				} else if strings.Contains(got, "p") {
					t.Errorf("the server got %q", got)
				}
			}
			t.Error("the second body did not arrive")
		})
	}
}
