package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

// running is a world with an App that somebody else has made.
func running(t *testing.T) (*world, delivery.App) {
	t.Helper()
	w := &world{deliverytest.NewWorld()}
	w.use(t, "user")
	a := delivery.App{ForCluster: delivery.ForCluster{Manager: manager}}
	a.Namespace, a.Name = "dev", "user"
	return w, a
}

func isSet(w *world, field string) bool {
	set, _, err := unstructured.NestedBool(w.Build.Object(userRef).Object, "spec", field)
	return err == nil && set
}

// TestReconcile: an App runs once more, and is as it was.
func TestReconcile(t *testing.T) {
	w, a := running(t)
	before := w.Build.Object(userRef)
	r, err := w.process().Apps.Reconcile(brief(t), a)
	if err != nil || r.UID != before.GetUID() {
		t.Fatalf("%+v, %v", r, err)
	}
	after := w.Build.Object(userRef)
	if after.GetGeneration() != before.GetGeneration()+2 || isSet(w, "paused") || len(after.GetAnnotations()) > 0 {
		t.Errorf("generation %d, then %d, with %v", before.GetGeneration(), after.GetGeneration(), after.GetAnnotations())
	}
}

// TestReconcile_stages: the stages of the run are told as it comes to them, and a failure
// is its end.
func TestReconcile_stages(t *testing.T) {
	w, a := running(t)
	w.Build.Controller = nil
	var said []string
	stages := make(chan string)
	a.Stage = func(stage string) { stages <- stage }
	done := make(chan error, 1)
	ctx := brief(t)
	go func() {
		_, err := w.process().Apps.Reconcile(ctx, a)
		done <- err
	}()
	at := func(second int) string { return fmt.Sprintf("2026-01-01T00:00:%02dZ", second) }
	show := func(condition string, status map[string]any) {
		w.Build.Change(userRef, func(obj *unstructured.Unstructured) {
			status["observedGeneration"] = obj.GetGeneration()
			status["conditions"] = []any{map[string]any{"type": condition, "status": "True", "message": "no"}}
			obj.Object["status"] = status
		})
	}
	fetch, template := map[string]any{"startedAt": at(1), "updatedAt": at(2)}, map[string]any{"updatedAt": at(3)}
	for !w.kicked() {
		time.Sleep(time.Millisecond)
	}
	for _, status := range []map[string]any{{}, {"fetch": fetch}, {"fetch": fetch, "template": template}} {
		show(carvel.Reconciling, status)
		said = append(said, <-stages)
	}
	for n := range 2 { // a failure counts when the next attempt has failed as well
		failed := map[string]any{"startedAt": at(10 + n), "updatedAt": at(10 + n), "exitCode": int64(1), "error": "no"}
		show(carvel.ReconcileFailed, map[string]any{"fetch": failed, "consecutiveReconcileFailures": int64(n + 1)})
		time.Sleep(50 * time.Millisecond)
	}
	var failed *delivery.ReconcileError
	if err := <-done; !errors.As(err, &failed) || failed.Stage != carvel.StageFetch {
		t.Errorf("it ends with %v", err)
	}
	if want := []string{carvel.StageFetch, carvel.StageTemplate, carvel.StageDeploy}; !slices.Equal(said, want) {
		t.Errorf("the stages are %v", said)
	}
}

// kicked reports whether the App has been paused and resumed.
func (w *world) kicked() bool {
	return w.Build.Object(userRef).GetGeneration() == 3 && !isSet(w, "paused")
}

func TestReconcile_refused(t *testing.T) {
	set := func(field string) func(*world, *delivery.App) {
		return func(w *world, _ *delivery.App) {
			w.Build.Change(userRef, func(obj *unstructured.Unstructured) { obj.Object["spec"].(map[string]any)[field] = true })
		}
	}
	stopped := func(field string) func(error) bool {
		return func(err error) bool {
			var stopped *delivery.StoppedError
			return errors.As(err, &stopped) && stopped.Field == field
		}
	}
	for name, c := range map[string]struct {
		change func(*world, *delivery.App)
		is     func(error) bool
	}{
		"missing":             {func(w *world, _ *delivery.App) { w.Build.Remove(userRef) }, func(err error) bool { return errors.Is(err, delivery.ErrNotFound) }},
		"paused":              {set("paused"), stopped("paused")},
		"canceled":            {set("canceled"), stopped("canceled")},
		"no such run cluster": {func(_ *world, a *delivery.App) { a.RunCluster = "prod" }, func(err error) bool { return errors.As(err, new(*delivery.MissingPartError)) }},
		"being deleted": {func(w *world, _ *delivery.App) {
			w.Build.Finalized = func(cluster.Ref, *unstructured.Unstructured) bool { return true }
			if err := w.Build.Delete(t.Context(), userRef, &unstructured.Unstructured{Object: map[string]any{}}); err != nil {
				t.Fatal(err)
			}
		}, func(err error) bool { return errors.As(err, new(*delivery.GoneError)) }},
	} {
		t.Run(name, func(t *testing.T) {
			w, a := running(t)
			c.change(w, &a)
			w.Calls.Forget()
			if _, err := w.process().Apps.Reconcile(brief(t), a); err == nil || !c.is(err) {
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

// TestReconcile_timeOut: the error tells what the App was waited for, and the App is not
// left paused.
func TestReconcile_timeOut(t *testing.T) {
	w, a := running(t)
	w.Build.Controller = nil
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := w.process().Apps.Reconcile(ctx, a)
	var late *delivery.NotReadyError
	if !errors.As(err, &late) || late.Stopped || !strings.Contains(late.Reason, "generation") || isSet(w, "paused") {
		t.Errorf("%v, paused is %t", err, isSet(w, "paused"))
	}
}

// TestReconcile_eachStep: whichever call fails, the next one leaves the App as it was.
func TestReconcile_eachStep(t *testing.T) {
	ctx := brief(t)
	act := func(w *world, h held) (held, error) {
		a := delivery.App{ForCluster: delivery.ForCluster{Manager: manager}}
		a.Namespace, a.Name = "dev", "user"
		_, err := w.process().Apps.Reconcile(ctx, a)
		return h, err
	}
	steps(t, func(w *world) held { w.use(t, "user"); return held{} }, act, func(w *world, h, _ held, err error) {
		if err == nil {
			return
		}
		if _, err := act(w, h); err != nil {
			t.Errorf("the next one: %v", err)
		}
		if isSet(w, "paused") || len(w.Build.Object(userRef).GetAnnotations()) > 0 {
			t.Error("the App is left paused")
		}
	})
}

// TestPause: both verbs do their work once, and say whether they have.
func TestPause(t *testing.T) {
	w, a := running(t)
	for _, step := range []struct {
		name            string
		do              func(context.Context, delivery.App) (bool, error)
		changed, paused bool
	}{
		{"pause", w.process().Apps.Pause, true, true},
		{"pause again", w.process().Apps.Pause, false, true},
		{"resume", w.process().Apps.Resume, true, false},
		{"resume again", w.process().Apps.Resume, false, false},
	} {
		changed, err := step.do(brief(t), a)
		if err != nil || changed != step.changed || isSet(w, "paused") != step.paused {
			t.Errorf("%s: changed %t, paused %t, %v", step.name, changed, isSet(w, "paused"), err)
		}
	}
	w.Build.Remove(userRef)
	for _, do := range []func(context.Context, delivery.App) (bool, error){w.process().Apps.Pause, w.process().Apps.Resume} {
		if _, err := do(brief(t), a); !errors.Is(err, delivery.ErrNotFound) {
			t.Errorf("of an App that is missing: %v", err)
		}
	}
}

// TestPause_momentary: an App that a killed process has left paused for a moment is paused
// for good, or resumed, and nothing takes that back later.
func TestPause_momentary(t *testing.T) {
	for name, c := range map[string]struct {
		do     func(*delivery.Apps, context.Context, delivery.App) (bool, error)
		paused bool
	}{"pause": {(*delivery.Apps).Pause, true}, "resume": {(*delivery.Apps).Resume, false}} {
		for momentary, rest := range map[string]string{"paused": "", "noopDelete,paused": "noopDelete"} {
			t.Run(name+" "+momentary, func(t *testing.T) {
				w, a := running(t)
				w.Build.Change(userRef, func(obj *unstructured.Unstructured) {
					obj.SetAnnotations(map[string]string{carvel.MomentaryAnnotation: momentary})
					obj.Object["spec"].(map[string]any)["paused"] = true
				})
				changed, err := c.do(w.process().Apps, brief(t), a)
				if got := w.Build.Object(userRef).GetAnnotations()[carvel.MomentaryAnnotation]; err != nil || !changed || isSet(w, "paused") != c.paused || got != rest {
					t.Errorf("changed %t, paused %t, momentary %q, %v", changed, isSet(w, "paused"), got, err)
				}
			})
		}
	}
}

// TestResume_applied: what somebody applies is not taken back, since it would come again.
func TestResume_applied(t *testing.T) {
	w, a := running(t)
	a.Name = "mine"
	spec := carvel.AppSpec{Namespace: "dev", Name: "mine", Paused: true, ServiceAccountName: "sa"}
	obj, err := carvel.App(spec)
	if err != nil {
		t.Fatal(err)
	}
	mine := cluster.Ref{Resource: carvel.Apps, Namespace: "dev", Name: "mine"}
	if _, err := w.Build.Apply(t.Context(), mine, obj, cluster.Manager{Name: "a-resource"}); err != nil {
		t.Fatal(err)
	}
	var applied *delivery.AppliedPauseError
	if _, err := w.process().Apps.Resume(brief(t), a); !errors.As(err, &applied) || applied.Manager != "a-resource" {
		t.Errorf("the error is %v", err)
	}
	if changed, err := w.process().Apps.Pause(brief(t), a); changed || err != nil {
		t.Errorf("it is paused already: %t, %v", changed, err)
	}
}
