package standin

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// watcher follows all objects of one resource and calls changed for each change it
// learns of: also for objects that it finds changed or gone after a lost connection.
type watcher struct {
	resource schema.GroupVersionResource
	// changed gets the object as last seen.
	changed func(u *unstructured.Unstructured, e event)
	seen    map[key]*unstructured.Unstructured
	started bool
}

// event is how the watcher came to know of an object.
type event int

const (
	found   event = iota // by the first list
	altered              // created or changed since
	removed
)

func (c *controller) watches() []*watcher {
	refChanged := func(resource string) func(*unstructured.Unstructured, event) {
		return func(u *unstructured.Unstructured, e event) {
			if e == found {
				return
			}
			for _, app := range c.refs.changed(ref{resource, keyOf(u)}) {
				c.apps.Add(app)
			}
		}
	}
	return []*watcher{
		{resource: appsGVR, changed: c.appChanged},
		{resource: installsGVR, changed: c.installChanged},
		{resource: packagesGVR, changed: c.packageChanged},
		{resource: secretsGVR, changed: refChanged(secretsGVR.Resource)},
		{resource: configMapsGVR, changed: refChanged(configMapsGVR.Resource)},
	}
}

// installLag is how long a PackageInstall takes to notice that its App has changed. Until
// then its condition is of before, as has been seen with the real controller.
const installLag = 150 * time.Millisecond

// appChanged queues the App and the PackageInstall of the same name, whose App it may
// be. An App that is deleted or canceled stops the deploy that is under way.
func (c *controller) appChanged(u *unstructured.Unstructured, _ event) {
	canceled, _, _ := unstructured.NestedBool(u.Object, "spec", "canceled")
	if canceled || u.GetDeletionTimestamp() != nil {
		c.running.cancel(keyOf(u))
	}
	c.apps.Add(keyOf(u))
	for _, owner := range u.GetOwnerReferences() {
		if owner.Kind == "PackageInstall" {
			c.installs.AddAfter(key{u.GetNamespace(), owner.Name}, installLag)
		}
	}
}

// run lists and watches until ctx ends. A resource that the API server does not have
// yet is tried again.
func (w *watcher) run(ctx context.Context, c *controller) error {
	w.seen = map[key]*unstructured.Unstructured{}
	for {
		err := w.once(ctx, c)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && w.started {
			c.logf("watch %s: %v", w.resource.Resource, err)
		}
		if sleep(ctx, 500*time.Millisecond) != nil {
			return nil
		}
	}
}

// once lists, reports what differs from before, then watches until the stream ends.
func (w *watcher) once(ctx context.Context, c *controller) error {
	list, err := c.home.dynamic.Resource(w.resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	present := map[key]bool{}
	for i := range list.Items {
		present[keyOf(&list.Items[i])] = true
		w.report(&list.Items[i])
	}
	for k, last := range w.seen {
		if !present[k] {
			w.remove(last)
		}
	}
	w.started = true
	stream, err := c.home.dynamic.Resource(w.resource).Watch(ctx, metav1.ListOptions{
		ResourceVersion: list.GetResourceVersion(), AllowWatchBookmarks: true,
	})
	if err != nil {
		return err
	}
	defer stream.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case next, open := <-stream.ResultChan():
			if !open {
				return nil
			}
			u, _ := next.Object.(*unstructured.Unstructured)
			switch next.Type {
			case watch.Error:
				return errors.New("the watch ended; listing again")
			case watch.Deleted:
				w.remove(u)
			case watch.Added, watch.Modified:
				w.report(u)
			}
		}
	}
}

func (w *watcher) report(u *unstructured.Unstructured) {
	last := w.seen[keyOf(u)]
	if last != nil && last.GetResourceVersion() == u.GetResourceVersion() {
		return
	}
	w.seen[keyOf(u)] = u
	if w.started {
		w.changed(u, altered)
	} else {
		w.changed(u, found)
	}
}

func (w *watcher) remove(u *unstructured.Unstructured) {
	delete(w.seen, keyOf(u))
	w.changed(u, removed)
}

// sleep waits for d or for ctx to end, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
