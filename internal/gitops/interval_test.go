package gitops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestPushInterval: pushes keep their distance, changes that come meanwhile share a commit, and reads do not wait.
func TestPushInterval(t *testing.T) {
	t.Parallel()
	const interval = 1500 * time.Millisecond
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	var mu sync.Mutex
	var times []time.Time
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if pushes(r) {
				mu.Lock()
				times = append(times, time.Now())
				mu.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	})
	e := f.engine(func(c *Config) { c.PushInterval = interval })
	apply := func(ctx context.Context, path string) error {
		_, err := e.Apply(ctx, Change{Summary: "x", Edits: []Edit{write(path, "x")}})
		return err
	}
	if err := apply(patient(t), "b"); err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for i := range 20 {
		callers.Go(func() {
			if err := apply(patient(t), fmt.Sprintf("c/%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	early, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := apply(early, "d"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a change whose time is up before the next push: %v", err)
	}
	e.Invalidate()
	if _, err := e.Read(patient(t), "a"); err != nil {
		t.Error(err)
	}
	mu.Lock()
	before := len(times)
	mu.Unlock()
	callers.Wait()
	if before != 1 {
		t.Errorf("%d pushes before a read was answered, want 1", before)
	}
	if len(times) != 2 {
		t.Errorf("%d pushes, want 2", len(times))
	}
	for i := 1; i < len(times); i++ {
		// The server sees a push later than it was begun, by the time that a request takes.
		if d := times[i].Sub(times[i-1]); d < interval/2 {
			t.Errorf("push %d came %s after the one before", i+1, d)
		}
	}
	if files := f.git("ls-tree", "-r", "--name-only", "refs/heads/main"); strings.Contains(files, "d\n") || strings.Count(files, "c/") != 20 {
		t.Errorf("on the branch: %s", files)
	}
}

// TestPushInterval_contention: also a push after somebody else's keeps its distance.
func TestPushInterval_contention(t *testing.T) {
	t.Parallel()
	const interval = 500 * time.Millisecond
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine(func(c *Config) { c.PushInterval = interval })
	if _, err := e.Read(patient(t), "a"); err != nil {
		t.Fatal(err)
	}
	var times []time.Time
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if pushes(r) {
				if times = append(times, time.Now()); len(times) == 1 {
					f.seed(map[string]string{"other": "1"})
				}
			}
			next.ServeHTTP(w, r)
		})
	})
	if _, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("b", "x")}}); err != nil {
		t.Fatal(err)
	}
	if len(times) != 2 || times[1].Sub(times[0]) < interval/2 {
		t.Errorf("pushes at %v", times)
	}
	f.check(map[string]string{"a": "1", "b": "x", "other": "1"})
}
