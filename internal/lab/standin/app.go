package standin

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// appRun is one pass over one App.
type appRun struct {
	c      *controller
	key    key
	app    *unstructured.Unstructured
	spec   appSpec
	status appStatus
	period time.Duration
	// observed is the generation that the status showed before this run. While it is
	// the present one, a status is held back until flush or the end of the run.
	observed int64
	flush    bool
	pending  bool
}

func (c *controller) reconcileApp(ctx context.Context, k key) (time.Duration, error) {
	u, err := c.home.dynamic.Resource(appsGVR).Namespace(k.namespace).Get(ctx, k.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		c.refs.set(k, nil)
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	r := &appRun{c: c, key: k, app: u}
	if r.period, err = parseSyncPeriod(u); err != nil {
		// The real controller's informer fails here, for every App of the cluster.
		c.logf("failed to list *v1alpha1.App: %v (App %s gets no status)", err, k)
		return 0, nil
	}
	if err := convert(u.Object["spec"], &r.spec); err != nil {
		return 0, fmt.Errorf("read spec: %w", err)
	}
	if status, ok := u.Object["status"]; ok {
		if err := convert(status, &r.status); err != nil {
			return 0, fmt.Errorf("read status: %w", err)
		}
	}
	r.observed = r.status.ObservedGeneration
	if u.GetDeletionTimestamp() != nil {
		c.refs.set(k, nil)
	} else {
		c.refs.set(k, r.references())
	}
	return r.reconcile(ctx, c.refs.takeForced(k))
}

func (r *appRun) reconcile(ctx context.Context, forced bool) (time.Duration, error) {
	var err error
	due := r.c.timing.due(r.app.GetGeneration(), r.period, &r.status, time.Now())
	switch {
	case r.spec.Paused || r.spec.Canceled:
		r.status.ObservedGeneration = r.app.GetGeneration()
		r.status.FriendlyDescription = "Canceled/paused"
		err = r.publish(ctx)
		r.pending = r.pending || err != nil
		if err = r.publishPending(ctx); err != nil {
			return 0, err
		}
		return 0, nil
	case r.app.GetDeletionTimestamp() != nil:
		return r.delete(ctx)
	case !forced && due > 0:
		return due, nil
	}
	r.c.logf("App %s: started deploy", r.key)
	err = r.deployAll(ctx)
	if flushErr := r.publishPending(ctx); err == nil {
		err = flushErr
	}
	r.c.logf("App %s: completed deploy: %s", r.key, r.status.FriendlyDescription)
	if err != nil {
		return 0, err
	}
	wait := r.c.timing.wait(r.period, &r.status)
	if !r.status.is(reconcileFailed) {
		wait += r.c.timing.jitter(wait)
	}
	return wait, nil
}

func (r *appRun) deployAll(ctx context.Context) error {
	r.status.ObservedGeneration = r.app.GetGeneration()
	r.status.set(reconciling, "")
	if err := r.publish(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(r.c.dir, "app-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	work, end := r.c.running.begin(ctx, r.key)
	defer end()
	outcome, err := r.stages(work, ctx, dir)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err() // the stand-in stops: the App did not fail
	}
	r.status.completed(outcome)
	return r.publish(ctx)
}

// stages fetches, templates and deploys, under work; the status goes out under ctx. The
// error is of the status alone: how the stages ended is in the result.
func (r *appRun) stages(work, ctx context.Context, dir string) (result, error) {
	startedAt := now()
	root, fetched := r.fetch(work, dir)
	if ctx.Err() != nil {
		return fetched, ctx.Err()
	}
	r.status.Fetch = fetched.stage(startedAt)
	if err := r.publish(ctx); err != nil || fetched.err != "" {
		return fetched, err
	}
	docs, templated := r.template(work, root)
	r.status.Template = templated.stage(nil)
	if err := r.publish(ctx); err != nil || templated.err != "" {
		return templated, err
	}
	deployed := r.deploy(work, ctx, docs)
	if ctx.Err() != nil {
		return deployed, ctx.Err()
	}
	return deployed, r.publish(ctx)
}

// publish writes the status, or holds it back while the spec has not changed since the
// last run: a quiet periodic run shows only how it ended.
func (r *appRun) publish(ctx context.Context) error {
	r.pending = true
	if !r.flush && r.app.GetGeneration() == r.observed {
		return nil
	}
	r.pending = false
	return r.writeStatus(ctx)
}

func (r *appRun) publishPending(ctx context.Context) error {
	if !r.pending {
		return nil
	}
	r.pending = false
	return r.writeStatus(ctx)
}

func (r *appRun) writeStatus(ctx context.Context) error {
	return r.c.writeStatus(ctx, appsGVR, r.key, r.status)
}

// update writes a fresh copy of the App, with a normalized spec, again after a conflict.
func (r *appRun) update(ctx context.Context, change func(*unstructured.Unstructured) error) error {
	client := r.c.home.dynamic.Resource(appsGVR).Namespace(r.key.namespace)
	return onConflict(func() error {
		fresh, err := client.Get(ctx, r.key.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := normalizeSpec(fresh); err != nil {
			return err
		}
		if err := change(fresh); err != nil {
			return err
		}
		_, err = client.Update(ctx, fresh, metav1.UpdateOptions{FieldManager: managerController})
		return err
	})
}

// blockDeletion adds the finalizer with a full update, which rewrites the spec as
// normalizeSpec says.
func (r *appRun) blockDeletion(ctx context.Context) error {
	if slices.Contains(r.app.GetFinalizers(), appFinalizer) {
		return nil
	}
	return r.update(ctx, func(u *unstructured.Unstructured) error {
		if !slices.Contains(u.GetFinalizers(), appFinalizer) {
			u.SetFinalizers(append(u.GetFinalizers(), appFinalizer))
		}
		return nil
	})
}

func (r *appRun) unblockDeletion(ctx context.Context) error {
	err := r.update(ctx, func(u *unstructured.Unstructured) error {
		u.SetFinalizers(without(u.GetFinalizers(), appFinalizer))
		return nil
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func without(list []string, drop string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == drop })
}

// writeStatus replaces the status of a fresh copy of the object if it differs.
func (c *controller) writeStatus(ctx context.Context, gvr schema.GroupVersionResource, k key, status any) error {
	var wanted map[string]any
	if err := convert(status, &wanted); err != nil {
		return err
	}
	client := c.home.dynamic.Resource(gvr).Namespace(k.namespace)
	return onConflict(func() error {
		fresh, err := client.Get(ctx, k.name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if equality.Semantic.DeepEqual(fresh.Object["status"], wanted) {
			return nil
		}
		fresh.Object["status"] = wanted
		_, err = client.UpdateStatus(ctx, fresh, metav1.UpdateOptions{FieldManager: managerController})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}

// onConflict tries five times; another writer was quicker each time before.
func onConflict(try func() error) error {
	var err error
	for range 5 {
		if err = try(); !apierrors.IsConflict(err) {
			return err
		}
	}
	return err
}
