package delivery_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

var installRun = delivery.InstallRun{RunCluster: "staging", Namespace: "apps", Name: "app", Manager: manager}

// installer is the controller of PackageInstalls and their Apps on the run cluster: each
// change of one is followed by a run of the other, with a status that is a moment late.
type installer struct {
	t    *testing.T
	w    *world
	wake chan cluster.Ref
	// fails, if not "", is what the App fails with, and refuses what the PackageInstall
	// does, before its App has run.
	fails, refuses string
}

func withInstall(t *testing.T) (*world, *installer) {
	t.Helper()
	w := &world{deliverytest.NewWorld()}
	w.Run.PutAs(carvel.PackageInstalls, reconciled("PackageInstall", time.Now().Add(-time.Hour), nil))
	w.Run.PutAs(carvel.Apps, reconciled("App", time.Now().Add(-time.Hour), nil))
	in := &installer{t: t, w: w, wake: make(chan cluster.Ref, 1000)}
	w.Run.Controller = func(ref cluster.Ref, _ *unstructured.Unstructured) { in.wake <- ref }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case ref := <-in.wake:
				in.reconcile(ref)
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w, in
}

func (in *installer) reconcile(ref cluster.Ref) {
	if ref != installed && ref != inner {
		return
	}
	obj := in.w.Run.Object(ref)
	if obj == nil {
		return
	}
	status, err := carvel.ReadAppStatus(obj)
	if err != nil || status.ObservedGeneration == status.Generation {
		return
	}
	spec, _, _ := unstructured.NestedMap(obj.Object, "spec")
	if ref == installed && in.refuses == "" {
		in.w.Run.Change(inner, func(app *unstructured.Unstructured) {
			if app.Object["spec"] = map[string]any{}; spec["paused"] == true {
				app.Object["spec"] = map[string]any{"paused": true}
			}
		})
	}
	in.w.Run.Change(ref, func(obj *unstructured.Unstructured) {
		if obj.GetGeneration() != status.Generation {
			return // another one by now, which it is woken for
		}
		status := maps.Clone(obj.Object["status"].(map[string]any))
		status["observedGeneration"], status["friendlyDescription"] = obj.GetGeneration(), "Reconcile succeeded"
		condition, was := map[string]any{"type": carvel.ReconcileSucceeded, "status": "True"}, map[string]any{}
		if before, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions"); len(before) > 0 {
			was, _ = before[0].(map[string]any)
		}
		switch {
		case spec["paused"] == true && ref == inner:
			status["friendlyDescription"] = "Canceled/paused"
			condition = was
		case spec["paused"] == true: // a PackageInstall goes on reporting what its App did before
			condition = was
		case ref == installed && in.refuses != "":
			condition = map[string]any{"type": carvel.ReconcileFailed, "status": "True", "message": in.refuses}
		case ref == inner && in.fails != "":
			condition = map[string]any{"type": carvel.ReconcileFailed, "status": "True", "message": in.fails}
		}
		status["conditions"] = []any{condition}
		obj.Object["status"] = status
	})
}

func TestInstallReconcile(t *testing.T) {
	w, _ := withInstall(t)
	version, err := w.process().Installs.Reconcile(brief(t), installRun)
	if err != nil || version != "1.0.0" {
		t.Fatalf("version %q, %v", version, err)
	}
	install, app := w.Run.Object(installed), w.Run.Object(inner)
	if install.GetGeneration() != 3 || app.GetGeneration() != 3 || len(install.GetAnnotations()) > 0 {
		t.Errorf("the generations are %d and %d, the annotations %v", install.GetGeneration(), app.GetGeneration(), install.GetAnnotations())
	}
}

// TestInstallReconcile_fails: a failure of the run counts, and so does one of the
// PackageInstall before its App has run.
func TestInstallReconcile_fails(t *testing.T) {
	for name, c := range map[string]struct{ fails, refuses string }{"its App": {fails: "no"}, "itself": {refuses: "no such version"}} {
		t.Run(name, func(t *testing.T) {
			w, in := withInstall(t)
			in.fails, in.refuses = c.fails, c.refuses
			_, err := w.process().Installs.Reconcile(brief(t), installRun)
			var failed *delivery.ReconcileError
			if !errors.As(err, &failed) || failed.Message != c.fails+c.refuses || (failed.Stage == "") != (c.refuses != "") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestInstallReconcile_resumed: kapp takes a pause back that it finds when it deploys the
// PackageInstall. The run then is made in another way, or the wait tells what it misses.
func TestInstallReconcile_resumed(t *testing.T) {
	w, in := withInstall(t)
	follow, takenBack := w.Run.Controller, false
	w.Run.Controller = func(ref cluster.Ref, obj *unstructured.Unstructured) {
		if spec, _ := obj.Object["spec"].(map[string]any); ref == installed && spec["paused"] == true && !takenBack {
			takenBack = true
			go w.Run.Change(installed, func(obj *unstructured.Unstructured) {
				obj.SetAnnotations(nil)
				obj.Object["spec"] = map[string]any{}
			})
			return
		}
		follow(ref, obj)
	}
	_ = in
	if version, err := w.process().Installs.Reconcile(brief(t), installRun); err != nil || version != "1.0.0" || !takenBack {
		t.Fatalf("version %q, %v", version, err)
	}
	if app := w.Run.Object(inner); app.GetGeneration() < 3 {
		t.Errorf("its App is at generation %d", app.GetGeneration())
	}
}

// TestInstallReconcile_again: one that has failed before is made to run as well.
func TestInstallReconcile_again(t *testing.T) {
	w, in := withInstall(t)
	in.fails = "no"
	if _, err := w.process().Installs.Reconcile(brief(t), installRun); !errors.As(err, new(*delivery.ReconcileError)) {
		t.Fatalf("the error is %v", err)
	}
	w.Run.Change(inner, func(*unstructured.Unstructured) { in.fails = "" })
	if version, err := w.process().Installs.Reconcile(brief(t), installRun); err != nil || version != "1.0.0" {
		t.Errorf("version %q, %v", version, err)
	}
}

func TestInstallReconcile_refused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world, *delivery.InstallRun)
		is     func(error) bool
	}{
		"missing":             {func(w *world, _ *delivery.InstallRun) { w.Run.Remove(installed) }, func(err error) bool { return errors.Is(err, delivery.ErrNotFound) }},
		"no such run cluster": {func(_ *world, r *delivery.InstallRun) { r.RunCluster = "prod" }, func(err error) bool { return errors.As(err, new(*delivery.MissingPartError)) }},
		"paused": {func(w *world, _ *delivery.InstallRun) {
			w.Run.Change(installed, func(obj *unstructured.Unstructured) { obj.Object["spec"] = map[string]any{"paused": true} })
		}, func(err error) bool { return errors.As(err, new(*delivery.StoppedError)) }},
		"not served": {func(w *world, _ *delivery.InstallRun) {
			w.Run.Missing = append(w.Run.Missing, carvel.PackageInstalls)
		}, func(err error) bool { return errors.As(err, new(*cluster.NotServedError)) }},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := withInstall(t)
			r := installRun
			c.change(w, &r)
			w.Calls.Forget()
			if _, err := w.process().Installs.Reconcile(brief(t), r); err == nil || !c.is(err) {
				t.Errorf("the error is %v", err)
			}
			for _, call := range w.Calls.Made() {
				if deliverytest.Writes(call) {
					t.Errorf("it has made %s", call)
				}
			}
		})
	}
}

// TestInstallReconcile_timeOut: the PackageInstall is not left paused.
func TestInstallReconcile_timeOut(t *testing.T) {
	w, _ := withInstall(t)
	w.Run.Controller = nil
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := w.process().Installs.Reconcile(ctx, installRun)
	var late *delivery.NotReadyError
	if !errors.As(err, &late) || late.Stopped || !strings.Contains(late.Reason, "pause") {
		t.Errorf("the error is %v", err)
	}
	if live := w.Run.Object(installed); len(live.GetAnnotations()) > 0 || len(live.Object["spec"].(map[string]any)) > 0 {
		t.Errorf("the PackageInstall is left as %v", live.Object)
	}
}

// TestInstallReconcile_eachStep: whichever call fails, the next one leaves the
// PackageInstall as it was.
func TestInstallReconcile_eachStep(t *testing.T) {
	w, _ := withInstall(t)
	if _, err := w.process().Installs.Reconcile(brief(t), installRun); err != nil {
		t.Fatal(err)
	}
	n := len(w.Calls.Made())
	for i := 1; i <= n; i++ {
		for _, way := range []deliverytest.Way{deliverytest.Failing, deliverytest.Losing} {
			w, _ := withInstall(t)
			w.Calls.Break(i, way)
			_, err := w.process().Installs.Reconcile(brief(t), installRun)
			w.Calls.Mend()
			if err != nil && !errors.Is(err, deliverytest.ErrFault) {
				t.Errorf("call %d %s: another error: %v", i, way, err)
			}
			if _, err := w.process().Installs.Reconcile(brief(t), installRun); err != nil {
				t.Errorf("call %d %s: the next one: %v", i, way, err)
			}
			if live := w.Run.Object(installed); len(live.GetAnnotations()) > 0 || len(live.Object["spec"].(map[string]any)) > 0 {
				t.Errorf("call %d %s: the PackageInstall is left as %v", i, way, live.Object)
			}
		}
	}
}
