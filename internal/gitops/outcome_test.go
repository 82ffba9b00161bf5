package gitops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

// cutAfter lets the server answer the first n requests that match, and cuts the connection in place of handing the answer on.
func cutAfter(n int, match func(*http.Request) bool, then func()) func(http.Handler) http.Handler {
	var seen atomic.Int32
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !match(r) || int(seen.Add(1)) > n {
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(httptest.NewRecorder(), r)
			if then != nil {
				then()
			}
			panic(http.ErrAbortHandler)
		})
	}
}

func TestApply_lostAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	f.faulty(cutAfter(1, pushes, nil))
	none := Hash{}
	commit := apply(t, e, "Write b", Edit{Path: "b", Data: []byte("2"), IfBlob: &none})
	if !commit.Changed || commit.Hash != f.tip() {
		t.Errorf("got %+v, the tip is %s", commit, f.tip())
	}
	if _, pushes := f.requests(); pushes != 1 || f.commits() != "2" {
		t.Errorf("%d pushes, %s commits; want 1 and 2", pushes, f.commits())
	}
	f.check(map[string]string{"a": "1", "b": "2"})
}

func TestApply_lostAnswerAndSomebodyOnTop(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	f.faulty(cutAfter(1, pushes, func() { f.seed(map[string]string{"c": "theirs"}) }))
	none := Hash{}
	commit := apply(t, e, "Write b", Edit{Path: "b", Data: []byte("2"), IfBlob: &none})
	if !commit.Changed || commit.Hash.String() != f.git("rev-parse", "main^") {
		t.Errorf("got %+v, which is not below the tip", commit)
	}
	if f.commits() != "3" {
		t.Errorf("%s commits, want 3", f.commits())
	}
	apply(t, e, "Write d", write("d", "4"))
	f.check(map[string]string{"a": "1", "b": "2", "c": "theirs", "d": "4"})
}

func TestApply_lostAnswerAndNobodyToAsk(t *testing.T) {
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
				panic(http.ErrAbortHandler)
			default:
				next.ServeHTTP(w, r)
			}
		})
	})
	_, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("b", "2")}})
	if !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, ErrRepositoryNotFound) {
		t.Errorf("got %v, want ErrOutcomeUnknown and its reason", err)
	}
}

func TestApply_connectionCutBeforeTheServerSawIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	var cuts atomic.Int32
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if cuts.Add(1)%3 == 1 {
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
	})
	apply(t, e, "Write b", write("b", "2"))
	f.faulty(nil)
	if f.commits() != "2" {
		t.Errorf("%s commits, want 2", f.commits())
	}
	f.check(map[string]string{"a": "1", "b": "2"})
}

func TestApply_packCutInTheMiddle(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	var seen atomic.Int32
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && seen.Add(1) <= 2 {
				recorder := httptest.NewRecorder()
				next.ServeHTTP(recorder, r)
				w.Header().Set("Content-Type", recorder.Header().Get("Content-Type"))
				_, _ = w.Write(recorder.Body.Bytes()[:recorder.Body.Len()*2/3])
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
	})
	apply(t, e, "Write b", write("b", "2"))
	f.check(map[string]string{"a": "1", "b": "2"})
}

// TestApply_callerLeaves: callers who give up do not take those with them who came later.
func TestApply_callerLeaves(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	reached, release := make(chan struct{}), make(chan struct{})
	var first sync.Once
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			first.Do(func() { close(reached); <-release })
			next.ServeHTTP(w, r)
		})
	})
	ctx, leave := context.WithCancel(patient(t))
	var callers sync.WaitGroup
	callers.Go(func() {
		if _, err := e.Apply(ctx, Change{Summary: "x", Edits: []Edit{write("left", "x")}}); !errors.Is(err, context.Canceled) {
			t.Errorf("the caller who left: %v", err)
		}
	})
	callers.Go(func() {
		if _, err := e.Read(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("the reader who left: %v", err)
		}
	})
	<-reached
	callers.Go(func() { apply(t, e, "Write", write("stayed", "x")) })
	callers.Go(func() {
		if _, err := e.Read(patient(t), "a"); err != nil {
			t.Errorf("the reader who stayed: %v", err)
		}
	})
	leave()
	close(release)
	callers.Wait()
	waitIdle(t, e)
	if files, _ := f.Files(repository, "main"); files["stayed"] == "" {
		t.Errorf("the branch holds %v", files)
	}
}

func TestApply_branchKeepsMoving(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	var n atomic.Int32
	ctx, cancel := context.WithCancel(patient(t))
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if pushes(r) {
				f.seed(map[string]string{"theirs": fmt.Sprint(n.Add(1))})
				if n.Load() == 4 {
					defer cancel()
				}
			}
			next.ServeHTTP(w, r)
		})
	})
	_, err := e.Apply(ctx, Change{Summary: "x", Edits: []Edit{write("b", "2")}})
	if !errors.Is(err, ErrBranchMoved) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrBranchMoved and the context's error", err)
	}
	if files, _ := f.Files(repository, "main"); files["b"] != "" || files["theirs"] == "" {
		t.Errorf("the branch holds %v", files)
	}
}

func TestApply_branchForcePushed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.seed(map[string]string{"a/b": "1"})
	f.seed(map[string]string{"a/c": "2"})
	e := f.engine()
	apply(t, e, "Write", write("a/d", "3"))
	f.git("update-ref", "refs/heads/main", first.String())
	f.git("reflog", "expire", "--expire=now", "--all")
	f.git("prune", "--expire=now")
	apply(t, e, "Write", write("a/e", "4"))
	f.check(map[string]string{"a/b": "1", "a/e": "4"})
}

func TestApply_lockedBranch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	lock := filepath.Join(f.RepositoryDir(repository), "refs", "heads", "main.lock")
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e := f.engine()
	_, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}})
	var rejected *RejectedError
	if !errors.As(err, &rejected) || rejected.Reason == "" {
		t.Errorf("got %v, want *RejectedError with the server's reason", err)
	}
	if _, pushes := f.requests(); pushes != refusalAttempts {
		t.Errorf("%d pushes, want %d", pushes, refusalAttempts)
	}
	var seen atomic.Int32
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if pushes(r) && seen.Add(1) == 2 {
				_ = os.Remove(lock)
			}
			next.ServeHTTP(w, r)
		})
	})
	apply(t, e, "Write", write("a", "2"))
	f.check(map[string]string{"a": "2"})
}

// TestApply_thinPackRefused: a server that cannot complete a thin pack gets a whole one.
func TestApply_thinPackRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files := packages(40)
	f.seed(files)
	e := f.engine()
	var seen atomic.Int32
	var sizes [2]int64
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !pushes(r) {
				next.ServeHTTP(w, r)
				return
			}
			n := seen.Add(1)
			sizes[min(n, 2)-1] = r.ContentLength
			if n > 1 {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
			status := forge.Line("unpack index-pack abnormal exit\n") + forge.Line("ng refs/heads/main unpacker error\n") + "0000"
			_, _ = io.WriteString(w, forge.Line("%s", "\x01"+status)+"0000")
		})
	})
	apply(t, e, "Write", write("package-1/prod/params.yaml", "2"))
	if sizes[0] == 0 || sizes[1] < 2*sizes[0] {
		t.Errorf("pushed %d bytes, then %d; want a thin pack, then a whole one", sizes[0], sizes[1])
	}
	f.check(with(files, map[string]string{"package-1/prod/params.yaml": "2"}))
}
