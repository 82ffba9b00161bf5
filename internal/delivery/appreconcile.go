package delivery

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// AppliedPauseError: somebody has applied spec.paused = true, and would again.
type AppliedPauseError struct {
	Ref     cluster.Ref
	Manager string // the field manager
}

func (e *AppliedPauseError) Error() string {
	return fmt.Sprintf("spec.paused of %s is applied by field manager %q", e.Ref, e.Manager)
}

// Reconcile makes an App run that is on the build cluster, whoever made it, and waits as
// an update of it would. Of a, what names the App and how it is waited for counts; its
// spec is what the build cluster has. ErrNotFound if there is none; one that is paused
// or canceled is a *StoppedError, and left as it is.
func (as *Apps) Reconcile(ctx context.Context, a App) (AppReceipt, error) {
	build, err := as.build()
	if err == nil && a.RunCluster != "" {
		_, err = as.run(a.RunCluster)
	}
	if err != nil {
		return AppReceipt{}, err
	}
	live, err := find(ctx, build, a.ref())
	if err != nil {
		return AppReceipt{}, err
	}
	return as.rerun(ctx, build, a, live)
}

// rerun makes an App run as it is, and waits for it.
func (as *Apps) rerun(ctx context.Context, build Cluster, a App, live *unstructured.Unstructured) (AppReceipt, error) {
	if err := a.runnable(live); err != nil {
		return AppReceipt{}, err
	}
	a, err := a.asFound(live)
	if err != nil {
		return AppReceipt{}, err
	}
	shape, err := carvel.App(a.AppSpec)
	if err != nil {
		return AppReceipt{}, err
	}
	kicked, err := a.kick(ctx, build, live)
	if err != nil {
		return AppReceipt{UID: live.GetUID()}, err
	}
	a.Wait = true
	return as.wait(ctx, build, a, kicked, shape, true)
}

// runnable tells why the controller does not run an App, nil if it does.
func (a App) runnable(live *unstructured.Unstructured) error {
	if live == nil {
		return ErrNotFound
	}
	if live.GetDeletionTimestamp() != nil {
		status, err := carvel.ReadAppStatus(live)
		if err != nil {
			return err
		}
		return &GoneError{Ref: a.ref(), Message: status.Message()}
	}
	return a.stopped(live)
}

// asFound is the App with the spec that the build cluster has, without what is set for a
// moment.
func (a App) asFound(live *unstructured.Unstructured) (App, error) {
	momentary := App{}.momentary(live)
	var err error
	if a.AppSpec, err = carvel.ReadApp(live); err != nil {
		return a, err
	}
	a.Paused = a.Paused && !slices.Contains(momentary, pausedField)
	a.NoopDelete = a.NoopDelete && !slices.Contains(momentary, noopField)
	return a, nil
}

// Pause sets spec.paused of an App, whoever made it. changed reports whether it was not
// paused before, for good.
func (as *Apps) Pause(ctx context.Context, a App) (changed bool, err error) {
	build, live, err := as.toStop(ctx, a)
	if err != nil {
		return false, err
	}
	momentary := a.momentary(live)
	paused, _, err := unstructured.NestedBool(live.Object, "spec", pausedField)
	if err != nil || paused && !slices.Contains(momentary, pausedField) {
		return false, err
	}
	edits := []cluster.FieldEdit{{Path: []string{"spec", pausedField}, Value: true}}
	_, err = a.edit(ctx, build, live, append(edits, forgetPause(momentary)...))
	return err == nil, err
}

// Resume takes spec.paused of an App back. changed reports whether it was paused. If
// somebody applies it, as a carvel_app does, it is an *AppliedPauseError.
func (as *Apps) Resume(ctx context.Context, a App) (changed bool, err error) {
	build, live, err := as.toStop(ctx, a)
	if err != nil {
		return false, err
	}
	if paused, _, err := unstructured.NestedBool(live.Object, "spec", pausedField); err != nil || !paused {
		return false, err
	}
	if manager := cluster.AppliedBy(live, "spec", pausedField); manager != "" {
		return false, &AppliedPauseError{Ref: a.ref(), Manager: manager}
	}
	edits := []cluster.FieldEdit{{Path: []string{"spec", pausedField}}}
	_, err = a.edit(ctx, build, live, append(edits, forgetPause(a.momentary(live))...))
	return err == nil, err
}

// toStop is an App whose spec.paused is to change.
func (as *Apps) toStop(ctx context.Context, a App) (Cluster, *unstructured.Unstructured, error) {
	build, err := as.build()
	if err != nil {
		return nil, nil, err
	}
	live, err := find(ctx, build, a.ref())
	switch {
	case err != nil:
		return nil, nil, err
	case live == nil:
		return nil, nil, ErrNotFound
	case live.GetDeletionTimestamp() != nil:
		return nil, nil, a.runnable(live)
	}
	return build, live, nil
}

// forgetPause has the annotation name the fields that are set for a moment without the
// pause.
func forgetPause(momentary []string) []cluster.FieldEdit {
	rest := slices.DeleteFunc(slices.Clone(momentary), func(field string) bool { return field == pausedField })
	switch {
	case len(rest) == len(momentary):
		return nil
	case len(rest) == 0:
		return []cluster.FieldEdit{{Path: momentaryPath}}
	}
	return []cluster.FieldEdit{{Path: momentaryPath, Value: rest[0]}}
}
