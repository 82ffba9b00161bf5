package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// onPush puts a fault in place of the first n pushes.
func onPush(n int, fault func(next http.Handler, w http.ResponseWriter, r *http.Request)) func(http.Handler) http.Handler {
	var seen atomic.Int32
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !pushes(r) || int(seen.Add(1)) > n {
				next.ServeHTTP(w, r)
				return
			}
			fault(next, w, r)
		})
	}
}

// reportOn answers a push: the pack was taken, and the commands' outcomes are as given.
func reportOn(w http.ResponseWriter, commands ...string) {
	line := func(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }
	status := line("unpack ok\n")
	for _, command := range commands {
		status += line(command + "\n")
	}
	w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
	_, _ = io.WriteString(w, line("\x01"+status+"0000")+"0000")
}

// TestApply_faults: whatever happens to a push on its way, each change is on the branch once in the end.
func TestApply_faults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		times int
		fault func(next http.Handler, w http.ResponseWriter, r *http.Request)
		hook  string // pre-receive
	}{
		"the pack ends in the middle": {times: 2, fault: func(next http.Handler, _ http.ResponseWriter, r *http.Request) {
			r.ContentLength = r.ContentLength * 3 / 4
			r.Body = io.NopCloser(io.LimitReader(r.Body, r.ContentLength))
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}},
		"the server is killed behind the pack": {hook: "#!/bin/sh\nif mkdir killed 2>/dev/null; then kill -9 $PPID; fi\n"},
		"a gateway gives up before the server": {times: 1, fault: func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			http.Error(w, "upstream timed out", http.StatusGatewayTimeout)
		}},
		"a burst of 5xx": {times: 3, fault: func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "busy", http.StatusServiceUnavailable)
		}},
		"a 300 MB error page": {times: 1, fault: func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			page := bytes.Repeat([]byte("x"), 1<<20)
			for range 300 {
				if _, err := w.Write(page); err != nil {
					return
				}
			}
		}},
		"an answer of nothing": {times: 1, fault: func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
		}},
		"a report on another branch, and the push is taken": {times: 1, fault: func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			reportOn(w, "ok refs/heads/other")
		}},
		"a report on another branch, and the push is not taken": {times: 1, fault: func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
			reportOn(w, "ok refs/heads/other")
		}},
		"60 MB of hook output before the push is taken": {hook: "#!/bin/sh\nhead -c 60000000 /dev/zero | tr '\\0' x >&2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.seed(map[string]string{"a/b": "1"})
			if test.hook != "" {
				if err := f.SetHook(repository, "pre-receive", test.hook); err != nil {
					t.Fatal(err)
				}
			}
			e := f.engine()
			if test.fault != nil {
				f.faulty(onPush(test.times, test.fault))
			}
			none, one := Hash{}, BlobHash([]byte("1"))
			commit := apply(t, e, "Write", Edit{Path: "a/c", Data: []byte("2"), IfBlob: &none}, Edit{Path: "a/b", Delete: true, IfBlob: &one})
			if !commit.Changed || commit.Hash != f.tip() || f.commits() != "2" {
				t.Errorf("got %+v, the tip is %s after %s commits; want 2", commit, f.tip(), f.commits())
			}
			f.check(map[string]string{"a/c": "2"})
		})
	}
}

// TestRead_serverHangsInMidPack: an answer that stops coming ends with the caller's context.
func TestRead_serverHangsInMidPack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(20))
	ctx, cancel := context.WithCancel(patient(t))
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				next.ServeHTTP(w, r)
				return
			}
			recorder := httptest.NewRecorder()
			next.ServeHTTP(recorder, r)
			w.Header().Set("Content-Type", recorder.Header().Get("Content-Type"))
			_, _ = w.Write(recorder.Body.Bytes()[:recorder.Body.Len()/2])
			_ = http.NewResponseController(w).Flush()
			cancel()
			<-r.Context().Done()
		})
	})
	e := f.engine()
	if _, err := e.Read(ctx, "package-1/prod/params.yaml"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	waitIdle(t, e)
	f.faulty(nil)
	if file, err := e.Read(patient(t), "package-1/prod/params.yaml"); err != nil || string(file.Data) != "replicas: 1\n" {
		t.Errorf("afterwards, read %q, %v", file.Data, err)
	}
}

// TestApply_branchDeleted: the change is turned down, and is on the branch once when somebody has brought the branch back.
func TestApply_branchDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tip := f.seed(map[string]string{"a": "1"})
	e := f.engine()
	if _, err := e.Tip(patient(t)); err != nil {
		t.Fatal(err)
	}
	f.git("branch", "other", "main")
	f.git("update-ref", "-d", "refs/heads/main")
	_, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("b", "2")}})
	if !errors.Is(err, ErrBranchNotFound) || errors.Is(err, ErrOutcomeUnknown) || !strings.Contains(err.Error(), "branch main") {
		t.Errorf("got %v, want ErrBranchNotFound with the branch's name", err)
	}
	f.git("update-ref", "refs/heads/main", tip.String())
	apply(t, e, "Write", write("b", "2"))
	if f.commits() != "2" {
		t.Errorf("%s commits, want 2", f.commits())
	}
	f.check(map[string]string{"a": "1", "b": "2"})
}

// TestApply_refusedBesideAnotherBranch: the refusal of the branch counts, whatever the report says about others.
func TestApply_refusedBesideAnotherBranch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	f.faulty(onPush(1, func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		reportOn(w, "ok refs/heads/other", "ng refs/heads/main protected branch", "ok refs/heads/another")
	}))
	_, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("b", "2")}})
	var declined *HookDeclinedError
	if !errors.As(err, &declined) || declined.Reason != "protected branch" {
		t.Errorf("got %v, want *HookDeclinedError with the server's reason", err)
	}
	f.check(map[string]string{"a": "1"})
	f.faulty(onPush(1, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		reportOn(w, "ng refs/heads/other protected branch", "ok refs/heads/main")
	}))
	if commit := apply(t, e, "Write", write("b", "2")); !commit.Changed || commit.Hash != f.tip() {
		t.Errorf("got %+v, the tip is %s", commit, f.tip())
	}
	f.check(map[string]string{"a": "1", "b": "2"})
}
