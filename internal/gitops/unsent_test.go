package gitops

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
