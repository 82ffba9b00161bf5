package interrupted_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// events are what happens to a world, one after the other: a commit, or a change
// of an object.
type events struct {
	mu      sync.Mutex
	seen    []string
	errs    []string
	waiting map[int]chan struct{}
}

// add adds an event and reports whether something has waited for it.
func (e *events) add(what string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, what)
	reached, awaited := e.waiting[len(e.seen)]
	if awaited {
		close(reached)
	}
	return awaited
}

func (e *events) failed(what string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.errs = append(e.errs, fmt.Sprintf("watch %s: %v", what, err))
}

func (e *events) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.seen)
}

// last is the last event.
func (e *events) last() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.seen) == 0 {
		return "nothing yet"
	}
	return e.seen[len(e.seen)-1]
}

// after is closed when n events have been seen.
func (e *events) after(n int) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	reached := make(chan struct{})
	if len(e.seen) >= n {
		close(reached)
	} else {
		e.waiting[n] = reached
	}
	return reached
}

// watch watches the world until stop is called.
func (w *world) watch() (e *events, stop func()) {
	w.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e = &events{waiting: map[int]chan struct{}{}}
	if !w.deliveries {
		cancel()
		return e, w.git.watch(e)
	}
	var watchers sync.WaitGroup
	before, err := w.commits.Commits(w.paths())
	if err != nil {
		w.T.Fatal(err)
	}
	watchers.Go(func() { w.watchCommits(ctx, e, len(before)) })
	for _, k := range w.kinds() {
		list, err := k.client.List(ctx, metav1.ListOptions{})
		if err != nil {
			w.T.Fatal(err)
		}
		changes, err := k.client.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
		if err != nil {
			w.T.Fatal(err)
		}
		watchers.Go(func() { w.watchObjects(ctx, k, e, changes) })
		watchers.Go(func() {
			<-ctx.Done()
			changes.Stop()
		})
	}
	return e, func() {
		cancel()
		watchers.Wait()
		for _, err := range e.errs {
			w.T.Log(err)
		}
	}
}

func (w *world) watchCommits(ctx context.Context, e *events, before int) {
	for ctx.Err() == nil {
		commits, err := w.commits.Commits(w.paths())
		if err != nil && ctx.Err() == nil {
			e.failed("commits", err)
			return
		}
		for i := len(commits) - before - 1; i >= 0; i-- {
			e.add("commit " + commits[i])
		}
		before = max(before, len(commits))
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (w *world) watchObjects(ctx context.Context, k kind, e *events, changes watch.Interface) {
	for change := range changes.ResultChan() {
		obj, ok := change.Object.(*unstructured.Unstructured)
		if ctx.Err() != nil {
			return
		}
		if !ok || change.Type == watch.Error {
			e.failed(k.cluster+" "+k.Resource, fmt.Errorf("%v", change.Object))
			return
		}
		if w.has(k, obj) {
			e.add(fmt.Sprintf("%s %s %s %s/%s", strings.ToLower(string(change.Type)), k.cluster, obj.GetKind(), obj.GetNamespace(), obj.GetName()))
		}
	}
}

func TestEvents(t *testing.T) {
	e := &events{waiting: map[int]chan struct{}{}}
	second, first := e.after(2), e.after(1)
	e.add("one")
	<-first
	select {
	case <-second:
		t.Error("it does not wait for the second")
	default:
	}
	e.add("two")
	<-second
	<-e.after(1)
	if e.count() != 2 || e.last() != "two" {
		t.Errorf("%d events, the last is %q", e.count(), e.last())
	}
}
