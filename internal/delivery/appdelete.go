package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// DeleteError: the App is still there. Message is what its controller last
// reported.
type DeleteError struct {
	Ref     cluster.Ref
	Message string
	Failed  bool // the controller tried and failed; else the time was up
	// Finalizers are those that keep the App, where the time was up.
	Finalizers []string
	Err        error
}

func (e *DeleteError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("delete %s: %s: %v", e.Ref, e.Message, e.Err)
	}
	return fmt.Sprintf("delete %s: %s", e.Ref, e.Message)
}
func (e *DeleteError) Unwrap() error { return e.Err }

// Delete deletes the App, and with it what it deployed, unless that is to
// stay, and waits until it is gone; then its own Secrets, which the controller
// may need until then. If the controller has tried and failed it ends with a
// *DeleteError, since it would go on trying for ever, unless nothing was ever
// deployed. A requested token that is near its end is replaced first, so that the
// controller can. It returns what it has left, and why.
func (as *Apps) Delete(ctx context.Context, a App, uid types.UID) ([]Left, error) {
	build, err := as.build()
	if err != nil {
		return nil, err
	}
	live, err := find(ctx, build, a.ref())
	if err != nil {
		return nil, err
	}
	var expired error
	again := 1
	if live != nil && !a.Orphan && as.leaves(a.resource(), carvel.MarkOf(live), a.Hold) == "" {
		var renewed bool
		if renewed, expired = as.renewToken(ctx, build, a, live); renewed {
			again = 2 // the next may have begun with the token before
		}
	}
	left, err := as.delete(ctx, build, a, uid, again)
	if err != nil {
		err = errors.Join(err, expired)
	}
	var failed *DeleteError
	if errors.As(err, &failed) && failed.Failed && as.deployedNothing(ctx, build, a) {
		a.Orphan = true
		left, err = as.delete(ctx, build, a, uid, 1)
	}
	if err != nil || len(left) > 0 {
		return left, err
	}
	return as.deleteSecrets(ctx, build, a, App{}.dropped(a))
}

// delete gives up once the controller has failed, and so many times again.
func (as *Apps) delete(ctx context.Context, build Cluster, a App, uid types.UID, again int) ([]Left, error) {
	var live *unstructured.Unstructured
	for err := cluster.ErrChanged; errors.Is(err, cluster.ErrChanged); {
		if live, err = find(ctx, build, a.ref()); err != nil || live == nil || uid != "" && live.GetUID() != uid {
			return nil, err // gone, or another one has taken its place
		}
		theirs := carvel.MarkOf(live)
		if reason := as.leaves(a.resource(), theirs, a.Hold); reason != "" {
			return []Left{as.left(build.Name(), a.ref().String(), reason, theirs)}, nil
		}
		if a.Orphan && !isNoop(live) || !a.Orphan && slices.Contains(a.momentary(live), noopField) {
			if err := a.leave(ctx, build, live); err != nil && !errors.Is(err, cluster.ErrNotFound) {
				return nil, err
			}
			if live, err = find(ctx, build, a.ref()); err != nil || live == nil {
				return nil, err
			}
		}
		if err = build.Delete(ctx, a.ref(), live); err != nil && !errors.Is(err, cluster.ErrChanged) {
			return nil, err
		}
	}
	if err := a.resume(ctx, build, live); err != nil {
		return nil, err
	}
	w := deleteWatch{ref: a.ref(), last: "nothing yet", again: again}
	err := build.WaitGone(ctx, a.ref(), live.GetUID(), w.observe)
	if errors.Is(err, context.DeadlineExceeded) {
		err = &DeleteError{Ref: a.ref(), Message: w.last, Finalizers: w.finalizers, Err: err}
	}
	return nil, err
}

// lookTimeout bounds a look at a run cluster that may be down.
const lookTimeout = 10 * time.Second

// deployedNothing reports whether kapp has no record of the App on the run
// cluster, which it writes before it deploys anything: as where the App never
// had the rights to. What the provider cannot see is taken to be there.
func (as *Apps) deployedNothing(ctx context.Context, build Cluster, a App) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	run := as.Run[a.RunCluster]
	live, err := find(ctx, build, a.ref())
	if run == nil || err != nil || live == nil {
		return false
	}
	spec, err := carvel.ReadApp(live)
	if err != nil || spec.Cluster == nil || spec.Cluster.Namespace == "" {
		return false
	}
	for _, name := range carvel.RecordNames(a.Name) {
		_, err := run.Get(ctx, cluster.Ref{Resource: carvel.ConfigMaps, Namespace: spec.Cluster.Namespace, Name: name})
		if !errors.Is(err, cluster.ErrNotFound) {
			return false
		}
	}
	return true
}

func isNoop(live *unstructured.Unstructured) bool {
	leaves, _, err := unstructured.NestedBool(live.Object, "spec", "noopDelete")
	return err == nil && leaves
}

// leave has the controller leave what the App deployed, or delete it if an
// orphaning delete was cut short, and waits until it has seen that.
func (a App) leave(ctx context.Context, build Cluster, live *unstructured.Unstructured) error {
	var patched *unstructured.Unstructured
	var err error
	if a.Orphan {
		patched, err = a.setMomentarily(ctx, build, live, noopField)
	} else {
		patched, err = a.takeBack(ctx, build, live)
	}
	if err != nil {
		return err
	}
	last := "the controller has not reported anything"
	err = build.Wait(ctx, a.ref(), func(obj *unstructured.Unstructured) (bool, error) {
		if obj == nil || obj.GetUID() != live.GetUID() {
			return true, nil // one that was being deleted already
		}
		status, err := carvel.ReadAppStatus(obj)
		if err != nil {
			return false, err
		}
		last = status.Message()
		return status.ObservedGeneration >= patched.GetGeneration(), nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return &DeleteError{Ref: a.ref(), Message: "the controller has not seen yet what it is to do with what the App deployed; " + last, Err: err}
	}
	return err
}

// resume lets the controller delete a paused App, which it would not look at.
// The App is being deleted now, so that nothing is reconciled.
func (a App) resume(ctx context.Context, build Cluster, live *unstructured.Unstructured) error {
	for _, field := range []string{"paused", "canceled"} {
		if set, _, err := unstructured.NestedBool(live.Object, "spec", field); err != nil || !set {
			continue
		}
		_, err := build.Edit(ctx, a.ref(), live, []cluster.FieldEdit{{Path: []string{"spec", field}}}, a.Manager)
		if err != nil && !errors.Is(err, cluster.ErrNotFound) {
			return err
		}
	}
	return nil
}

// deleteWatch looks at an App on its way. A failure counts once the controller
// has tried again: the first may be of before the cause was put right.
type deleteWatch struct {
	ref      cluster.Ref
	last     string
	again    int // how many attempts more have to fail
	failures health.Failures
	// finalizers are those that are left.
	finalizers []string
}

func (w *deleteWatch) observe(obj *unstructured.Unstructured) error {
	status, err := carvel.ReadAppStatus(obj)
	if err != nil {
		return err
	}
	if message := status.Message(); message != "" {
		w.last = message
	}
	w.finalizers = obj.GetFinalizers()
	if status.Condition() != carvel.DeleteFailed {
		w.failures.Forget()
		return nil
	}
	if w.failures.Add(status.Attempt(), "") < w.again {
		return nil
	}
	return &DeleteError{Ref: w.ref, Message: w.last, Failed: true}
}
