package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

type outcome struct {
	commit Commit
	err    error
}

// start calls Apply in a goroutine of its own.
func start(ctx context.Context, e *Engine, edits ...Edit) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		commit, err := e.Apply(ctx, Change{Summary: "Write " + edits[0].Path, Edits: edits})
		done <- outcome{commit, err}
	}()
	return done
}

// landed checks that a caller was told of a commit on the branch.
func (f *fixture) landed(got outcome) {
	f.t.Helper()
	if got.err != nil || !got.commit.Changed || got.commit.Hash != f.tip() {
		f.t.Errorf("got %+v, %v; the tip is %s", got.commit, got.err, f.tip())
	}
}

// stopped checks that a caller was told of an interrupt, and that nothing was written.
func (f *fixture) stopped(got outcome) {
	f.t.Helper()
	if !errors.Is(got.err, context.Canceled) || errors.Is(got.err, ErrOutcomeUnknown) {
		f.t.Errorf("got %+v, %v; want the context's error alone", got.commit, got.err)
	}
}

// together makes the engine commit changes as one batch: they are queued while it asks for the tip. All that the changes need but the
// push has been fetched then, and the connection is closed.
func (f *fixture) together(e *Engine, changes ...func() <-chan outcome) (outcomes []<-chan outcome) {
	f.t.Helper()
	if err := e.Prefetch(patient(f.t), ""); err != nil {
		f.t.Fatal(err)
	}
	reached, release := make(chan struct{}), make(chan struct{})
	f.mu.Lock()
	before := f.intercept
	f.mu.Unlock()
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(reached)
			<-release
			w.Header().Set("Connection", "close")
			next.ServeHTTP(w, r)
		})
	})
	e.Invalidate()
	read := make(chan error, 1)
	go func() {
		_, err := e.Tip(patient(f.t))
		read <- err
	}()
	<-reached
	f.faulty(before)
	for _, change := range changes {
		outcomes = append(outcomes, change())
	}
	waitFor(f.t, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.writes) == len(changes)
	})
	close(release)
	if err := <-read; err != nil {
		f.t.Fatal(err)
	}
	return outcomes
}

// blockPushes makes the server hold every push in a hook, until release; reached waits for one.
func (f *fixture) blockPushes(then string) (reached, release func()) {
	f.t.Helper()
	dir := f.t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	script := fmt.Sprintf("#!/bin/sh\ntouch %s\nwhile [ ! -e %s ]; do sleep 0.02; done\n%s\n", in, out, then)
	if err := f.SetHook(repository, "pre-receive", script); err != nil {
		f.t.Fatal(err)
	}
	exists := func() bool { _, err := os.Stat(in); return err == nil }
	return func() { waitFor(f.t, exists) }, func() {
		if err := os.WriteFile(out, nil, 0o600); err != nil {
			f.t.Error(err)
		}
	}
}

// held takes a request in. The server gets it when the function is called, whatever has become of the connection by then.
func held(next http.Handler, r *http.Request) func() {
	body, _ := io.ReadAll(r.Body)
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	return func() { next.ServeHTTP(httptest.NewRecorder(), again) }
}

// TestApply_interruptedWhileSent: the server's answer counts, also when all callers have been interrupted before it came.
func TestApply_interruptedWhileSent(t *testing.T) {
	t.Parallel()
	overHTTP := func(f *fixture, ctx context.Context) []<-chan outcome {
		e := f.engine()
		return f.together(e,
			func() <-chan outcome { return start(ctx, e, write("b", "2")) },
			func() <-chan outcome { return start(ctx, e, write("c", "3")) })
	}
	overSSH := func(f *fixture, ctx context.Context) []<-chan outcome {
		key, signer := forge.SSHKey()
		return []<-chan outcome{start(ctx, f.ssh(signer.PublicKey()).engine(key), write("b", "2"), write("c", "3"))}
	}
	for name, test := range map[string]struct {
		begin func(*fixture, context.Context) []<-chan outcome
		cause error
		then  string
	}{
		"taken":                    {begin: overHTTP},
		"taken over SSH":           {begin: overSSH},
		"taken after the deadline": {begin: overHTTP, cause: context.DeadlineExceeded},
		"declined":                 {begin: overHTTP, then: "echo 'ticket number missing' >&2; exit 1"},
		"declined over SSH":        {begin: overSSH, then: "echo 'ticket number missing' >&2; exit 1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.seed(map[string]string{"a": "1"})
			reached, release := f.blockPushes(test.then)
			ctx, interrupt := context.WithCancelCause(patient(t))
			callers := test.begin(f, ctx)
			reached()
			interrupt(test.cause)
			gone := map[int]bool{}
			for i, caller := range callers {
				select {
				case got := <-caller:
					t.Errorf("a caller left before the server answered, with %+v, %v", got.commit, got.err)
					gone[i] = true
				case <-time.After(50 * time.Millisecond):
				}
			}
			release()
			want := map[string]string{"a": "1"}
			for i, caller := range callers {
				if gone[i] {
					continue
				}
				if got := <-caller; test.then == "" {
					f.landed(got)
				} else if f.stopped(got); !errors.As(got.err, new(*HookDeclinedError)) {
					t.Errorf("got %v, want the server's words as well", got.err)
				}
			}
			if test.then == "" {
				want = with(want, map[string]string{"b": "2", "c": "3"})
			}
			f.check(want)
		})
	}
}

// TestApply_interruptedAndAnswerLost: the branch tells the outcome then, and nothing is sent again.
func TestApply_interruptedAndAnswerLost(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		push    func(f *fixture, take func()) // before the answer is lost
		look    func(f *fixture, take func()) // before the second look at the tip
		check   func(f *fixture, got outcome)
		commits string
	}{
		"on the branch": {
			push:    func(_ *fixture, take func()) { take() },
			check:   (*fixture).landed,
			commits: "2",
		},
		"on the branch, and somebody on top": {
			push: func(f *fixture, take func()) {
				take()
				f.seed(map[string]string{"c": "theirs"})
			},
			check: func(f *fixture, got outcome) {
				if got.err != nil || got.commit.Hash.String() != f.git("rev-parse", "main^") {
					f.t.Errorf("got %+v, %v", got.commit, got.err)
				}
			},
			commits: "3",
		},
		"on the branch a while later": {
			look:    func(_ *fixture, take func()) { take() },
			check:   (*fixture).landed,
			commits: "2",
		},
		"overtaken": {
			push: func(f *fixture, _ func()) { f.seed(map[string]string{"c": "theirs"}) },
			check: func(f *fixture, got outcome) {
				if f.stopped(got); !errors.Is(got.err, ErrBranchMoved) {
					f.t.Errorf("got %v, want ErrBranchMoved as well", got.err)
				}
			},
			commits: "2",
		},
		"overtaken a while later": {
			look:    func(f *fixture, _ func()) { f.seed(map[string]string{"c": "theirs"}) },
			check:   (*fixture).stopped,
			commits: "2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.seed(map[string]string{"a": "1"})
			e := f.engine()
			if err := e.Prefetch(patient(t), ""); err != nil {
				t.Fatal(err)
			}
			ctx, interrupt := context.WithCancel(patient(t))
			defer interrupt()
			var pushed, looks atomic.Int32
			var take func()
			f.faulty(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !pushes(r) {
						if pushed.Load() > 0 && looks.Add(1) == 2 && test.look != nil {
							test.look(f, take)
						}
						next.ServeHTTP(w, r)
						return
					}
					pushed.Add(1)
					take = held(next, r)
					interrupt()
					if test.push != nil {
						test.push(f, take)
					}
					panic(http.ErrAbortHandler)
				})
			})
			test.check(f, <-start(ctx, e, write("b", "2")))
			if pushed.Load() != 1 || f.commits() != test.commits {
				t.Errorf("%d pushes, %s commits; want 1 and %s", pushed.Load(), f.commits(), test.commits)
			}
		})
	}
}

// TestApply_interruptedAndNobodyAnswers: the wait for an outcome is bounded.
func TestApply_interruptedAndNobodyAnswers(t *testing.T) {
	t.Parallel()
	if e := newFixture(t).engine(); e.grace != 10*time.Second {
		t.Errorf("an outcome is waited for %s", e.grace)
	}
	for name, lose := range map[string]func(*http.Request){
		"the push hangs":              func(r *http.Request) { <-r.Context().Done() },
		"the branch tells no outcome": func(*http.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.seed(map[string]string{"a": "1"})
			e := f.engine()
			e.grace = 50 * time.Millisecond
			ctx, interrupt := context.WithCancel(patient(t))
			defer interrupt()
			f.faulty(onPush(1, func(_ http.Handler, _ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				interrupt()
				lose(r)
				panic(http.ErrAbortHandler)
			}))
			got := <-start(ctx, e, write("b", "2"))
			if !errors.Is(got.err, ErrOutcomeUnknown) || !errors.Is(got.err, context.Canceled) {
				t.Errorf("got %v, want ErrOutcomeUnknown and the context's error", got.err)
			}
			waitIdle(t, e)
			apply(t, e, "Write", write("c", "3"))
			f.check(map[string]string{"a": "1", "c": "3"})
		})
	}
}
