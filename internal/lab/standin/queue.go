package standin

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// queue hands out keys. A key is never with two workers at once; one that is added
// while it is worked on comes again afterwards.
type queue struct {
	workqueue.TypedDelayingInterface[key]
	mu       sync.Mutex
	failures map[key]int
}

func newQueue() *queue {
	return &queue{
		TypedDelayingInterface: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[key]{}),
		failures:               map[key]int{},
	}
}

func (q *queue) stop() { q.ShutDown() }

// work runs reconcile on one key after the other until the queue stops. reconcile
// returns after how long the key is due again, 0 for not before something changes.
// An error brings it back after a growing pause of 100 ms to 30 s.
func (q *queue) work(ctx context.Context, reconcile func(context.Context, key) (time.Duration, error), logf func(string, ...any)) error {
	for {
		k, stopped := q.Get()
		if stopped {
			return nil
		}
		again, err := guarded(ctx, k, reconcile)
		if again = q.settle(k, again, err); again > 0 {
			q.AddAfter(k, again)
		}
		q.Done(k)
		if err != nil && ctx.Err() == nil {
			logf("%s: %v; again in %s", k, err, again.Round(time.Millisecond))
		}
	}
}

func (q *queue) settle(k key, again time.Duration, err error) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		delete(q.failures, k)
		return again
	}
	n := min(q.failures[k], 10)
	q.failures[k]++
	return min(100*time.Millisecond<<n, 30*time.Second)
}

// guarded turns a panic into an error, so that one object cannot end the others.
func guarded(ctx context.Context, k key, reconcile func(context.Context, key) (time.Duration, error)) (again time.Duration, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return reconcile(ctx, k)
}

// refTracker knows which Apps read which Secrets and ConfigMaps in fetch and template.
type refTracker struct {
	mu     sync.Mutex
	byApp  map[key]map[ref]bool
	forced map[key]bool
}

// ref is a Secret or a ConfigMap.
type ref struct {
	resource string
	key
}

func newRefTracker() *refTracker {
	return &refTracker{byApp: map[key]map[ref]bool{}, forced: map[key]bool{}}
}

func (t *refTracker) set(app key, refs map[ref]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(refs) == 0 {
		delete(t.byApp, app)
		return
	}
	t.byApp[app] = refs
}

// changed marks the Apps that read r to run regardless of their period, and returns them.
func (t *refTracker) changed(r ref) []key {
	t.mu.Lock()
	defer t.mu.Unlock()
	var apps []key
	for app, refs := range t.byApp {
		if refs[r] {
			t.forced[app] = true
			apps = append(apps, app)
		}
	}
	return apps
}

// takeForced reports whether the App was marked, and clears the mark.
func (t *refTracker) takeForced(app key) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.forced[app]
	delete(t.forced, app)
	return was
}

// runningSet holds how to stop the deploys that are under way.
type runningSet struct {
	mu      sync.Mutex
	cancels map[key]context.CancelFunc
}

func newRunningSet() *runningSet { return &runningSet{cancels: map[key]context.CancelFunc{}} }

func (s *runningSet) begin(ctx context.Context, k key) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancels[k] = cancel
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.cancels, k)
	}
}

func (s *runningSet) cancel(k key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.cancels[k]; cancel != nil {
		cancel()
	}
}
