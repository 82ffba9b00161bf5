package delivery_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

var (
	kubeconfigRef = cluster.Ref{Resource: carvel.Secrets, Namespace: "dev", Name: "staging-kubeconfig"}
	userRef       = cluster.Ref{Resource: carvel.Apps, Namespace: "dev", Name: "user"}
	rotation      = delivery.Rotation{Namespace: "dev", Name: "staging-kubeconfig", RunCluster: "staging", Manager: manager}
)

// rotatable is a world with a kubeconfig Secret that was made an hour ago and an App that
// uses it.
func rotatable(t *testing.T, source string) (*world, held) {
	t.Helper()
	w := &world{deliverytest.NewWorld()}
	tokens := 0
	w.Run.Controller = func(_ cluster.Ref, obj *unstructured.Unstructured) {
		if obj.Object["type"] == carvel.TokenSecretType && obj.Object["data"] == nil {
			tokens++ // another one for each, and the same in each world: a digest of it is slow
			obj.Object["data"] = map[string]any{"token": base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "token %d", tokens))}
		}
	}
	h, err := kubeconfigs(source).create(t.Context(), w.process())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range w.tokens() {
		w.age(name, time.Hour)
	}
	w.use(t, "user")
	return w, h
}

// use has an App use the kubeconfig Secret.
func (w *world) use(t *testing.T, name string) {
	t.Helper()
	app, err := carvel.App(carvel.AppSpec{
		Namespace: "dev", Name: name, Cluster: &carvel.Cluster{Namespace: "apps", KubeconfigSecretRef: &carvel.SecretKeyRef{Name: "staging-kubeconfig"}},
		Fetch: []carvel.Fetch{{Inline: &carvel.Inline{Paths: map[string]string{"a.yaml": "a: 1"}}}}, Template: []carvel.Template{{Ytt: &carvel.Ytt{}}}, Deploy: []carvel.Deploy{{Kapp: &carvel.Kapp{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Build.Put(app)
}

func tokenRef(name string) cluster.Ref {
	return cluster.Ref{Resource: carvel.Secrets, Namespace: "apps", Name: name}
}

// age makes a token Secret older.
func (w *world) age(name string, by time.Duration) {
	obj := w.Run.Object(tokenRef(name))
	w.Run.Remove(tokenRef(name))
	obj.SetCreationTimestamp(metav1.NewTime(time.Now().Add(-by).Truncate(time.Second)))
	w.Run.Put(obj)
}

// tokens are the names of the token Secrets on the run cluster.
func (w *world) tokens() (names []string) {
	for _, ref := range w.Run.Refs() {
		if obj := w.Run.Object(ref); obj.Object["type"] == carvel.TokenSecretType {
			names = append(names, ref.Name)
		}
	}
	return names
}

// inUse is the token in the kubeconfig Secret.
func (w *world) inUse(t *testing.T) string {
	t.Helper()
	value, _ := carvel.SecretValue(w.Build.Object(kubeconfigRef), "value")
	current, err := kubeconfig.CurrentContext(value)
	if err != nil {
		t.Fatal(err)
	}
	return current.Token
}

// isGood checks that the token in the kubeconfig Secret is one of a token Secret.
func (w *world) isGood(t *testing.T, what string) {
	t.Helper()
	good := slices.ContainsFunc(w.tokens(), func(name string) bool {
		token, _ := carvel.SecretValue(w.Run.Object(tokenRef(name)), "token")
		return string(token) == w.inUse(t)
	})
	if !good {
		t.Errorf("%s: the token %q is revoked, there are %v", what, w.inUse(t), w.tokens())
	}
}

func TestRotate(t *testing.T) {
	w, h := rotatable(t, "of a ServiceAccount")
	before := w.inUse(t)
	var said []string
	r := rotation
	r.Progress = func(text string) { said = append(said, text) }
	done, err := w.process().Kubeconfigs.Rotate(brief(t), r)
	if err != nil {
		t.Fatal(err)
	}
	w.isGood(t, "afterwards")
	if tokens := w.tokens(); len(tokens) != 1 || tokens[0] != done.Token || w.inUse(t) == before || !slices.Equal(done.Removed, []string{h.token}) || !slices.Equal(done.Apps, []string{"user"}) {
		t.Errorf("%+v, there are %v", done, tokens)
	}
	if text := strings.Join(said, "\n"); !strings.Contains(text, "App dev/user") || !strings.Contains(text, "removing token Secret "+h.token) {
		t.Errorf("it has said\n%s", text)
	}
	if app := w.Build.Object(userRef); app.GetGeneration() != 3 || app.GetAnnotations()[carvel.MomentaryAnnotation] != "" {
		t.Errorf("the App is at generation %d, with %v", app.GetGeneration(), app.GetAnnotations())
	}
	// Its resource knows the Secret for its own, and would write the same.
	s := delivery.KubeconfigSecret{RunCluster: "staging", ServiceAccount: &delivery.ServiceAccount{Namespace: "apps", Name: "sa"}, ForCluster: delivery.ForCluster{Manager: manager}}
	s.Namespace, s.Name, s.Key, s.Creation = "dev", "staging-kubeconfig", "value", h.creation
	found, err := w.process().Kubeconfigs.Read(t.Context(), s)
	if err != nil || !found.Rotated || found.TokenSecret != done.Token || found.TakenBy != "" {
		t.Fatalf("%+v, %v", found, err)
	}
	s.TokenSecret = found.TokenSecret
	if wanted, err := w.process().Kubeconfigs.WantedFingerprint(t.Context(), s); err != nil || wanted != found.Fingerprint {
		t.Errorf("its resource would write %q, there is %q, %v", wanted, found.Fingerprint, err)
	}
	if _, err := w.process().Kubeconfigs.Delete(t.Context(), s, ""); err == nil {
		t.Error("the Secret is in use")
	}
	w.Build.Remove(userRef)
	if _, err := w.process().Kubeconfigs.Delete(t.Context(), s, ""); err != nil || len(w.tokens()) > 0 {
		t.Errorf("after its destroy there are %v, %v", w.tokens(), err)
	}
}

// TestRotate_eachStep: whichever call of a rotation fails, or if the process is killed
// there, the token in the Secret is good, and the next rotation leaves one token, which is
// not the first.
func TestRotate_eachStep(t *testing.T) {
	rotate := func(w *world) error {
		_, err := w.process().Kubeconfigs.Rotate(brief(t), rotation)
		return err
	}
	w, _ := rotatable(t, "of a ServiceAccount")
	w.Calls.Forget()
	if err := rotate(w); err != nil {
		t.Fatal(err)
	}
	want := w.Snapshot()
	n := len(w.Calls.Made())
	for i := 1; i <= n; i++ {
		for _, way := range []deliverytest.Way{deliverytest.Failing, deliverytest.Losing, "is the last"} {
			w, h := rotatable(t, "of a ServiceAccount")
			w.Calls.Break(i, way)
			if way == "is the last" { // a process that is killed makes no call any more
				w.Calls.Fails = func(n int, _ string) error {
					if n > i {
						return deliverytest.ErrFault
					}
					return nil
				}
			}
			err := rotate(w)
			w.Calls.Mend()
			made := w.Calls.Made()
			what := fmt.Sprintf("call %d of %d %s: %s", i, n, way, made[min(i, len(made))-1])
			if err != nil && !errors.Is(err, deliverytest.ErrFault) {
				t.Errorf("%s: another error: %v", what, err)
			}
			w.isGood(t, what)
			if err == nil {
				continue
			}
			for _, name := range w.tokens() {
				if name != h.token {
					w.age(name, time.Minute) // between the first and the next
				}
			}
			if err := rotate(w); err != nil {
				t.Errorf("%s: the next rotation: %v", what, err)
			}
			w.isGood(t, what+", afterwards")
			if tokens := w.tokens(); len(tokens) != 1 || tokens[0] == h.token {
				t.Errorf("%s: afterwards there are %v, the first was %s", what, tokens, h.token)
			}
			if got := w.Snapshot(); deliverytest.Differences(want, got) != "" {
				t.Errorf("%s: afterwards there is\n%s", what, deliverytest.Differences(want, got))
			}
		}
	}
}

// failing is a controller of Apps that fails with what is in the kubeconfig Secret now, and
// twice as it does when it tries again.
func (w *world) failing(but string) func(cluster.Ref, *unstructured.Unstructured) {
	return func(ref cluster.Ref, obj *unstructured.Unstructured) {
		deliverytest.Reconcile(ref, obj)
		if ref.Resource != carvel.Apps || ref.Name == but {
			return
		}
		status, _ := obj.Object["status"].(map[string]any)
		status["conditions"] = []any{map[string]any{"type": carvel.ReconcileFailed, "status": "True", "message": "Unauthorized"}}
		status["consecutiveReconcileFailures"] = obj.GetGeneration()
	}
}

// TestRotate_appFails: if an App does not work with the new token, the old one stays, and
// is in the Secret again.
func TestRotate_appFails(t *testing.T) {
	for _, source := range []string{"of a ServiceAccount", "requested"} {
		t.Run(source, func(t *testing.T) {
			w, h := rotatable(t, source)
			w.use(t, "well")
			before := w.inUse(t)
			w.Build.Controller = w.failing("well")
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			done, err := w.process().Kubeconfigs.Rotate(ctx, rotation)
			var failed *delivery.RotationError
			var app *delivery.AppError
			if !errors.As(err, &failed) || !errors.As(err, &app) || app.Ref != userRef || !failed.Restored || strings.Contains(err.Error(), "dev/well") {
				t.Fatalf("%+v, %v", done, err)
			}
			if w.inUse(t) != before || !slices.Equal(done.Apps, []string{"well"}) || len(done.Removed) > 0 {
				t.Errorf("%+v, in use is %s", done, w.inUse(t))
			}
			if source == "requested" {
				return
			}
			if !slices.Equal(failed.Old, []string{h.token}) || failed.New != done.Token || len(w.tokens()) != 2 {
				t.Errorf("%+v, there are %v", failed, w.tokens())
			}
			// Once the App works, the token that was made is gone on with.
			w.Build.Controller = deliverytest.Reconcile
			again, err := w.process().Kubeconfigs.Rotate(brief(t), rotation)
			if err != nil || again.Token != done.Token || !slices.Equal(w.tokens(), []string{done.Token}) {
				t.Errorf("%+v, %v, there are %v", again, err, w.tokens())
			}
		})
	}
}

func TestRotate_requested(t *testing.T) {
	w, _ := rotatable(t, "requested")
	before := w.inUse(t)
	time.Sleep(1100 * time.Millisecond) // tokens of the same second are the same
	done, err := w.process().Kubeconfigs.Rotate(brief(t), rotation)
	if err != nil || done.Token != "" || len(done.Removed) > 0 || !slices.Equal(done.Apps, []string{"user"}) {
		t.Fatalf("%+v, %v", done, err)
	}
	claims, ok := kubeconfig.ReadClaims(w.inUse(t))
	if !ok || w.inUse(t) == before || !claims.Expires.Equal(done.Expires) || claims.Expires.Sub(claims.Issued) != time.Hour {
		t.Errorf("in use is %+v", claims)
	}
	s := delivery.KubeconfigSecret{}
	s.Namespace, s.Name, s.Key = "dev", "staging-kubeconfig", "value"
	if found, err := w.process().Kubeconfigs.Read(t.Context(), s); err != nil || !found.Rotated || !found.Token.Expires.Equal(claims.Expires) {
		t.Errorf("its resource reads %+v, %v", found, err)
	}
}

// TestRotate_refused: nothing is made if it is known before that it will not do.
func TestRotate_refused(t *testing.T) {
	unfit := func(reason string) func(error) bool {
		return func(err error) bool {
			var unfit *delivery.UnfitSecretError
			return errors.As(err, &unfit) && unfit.Reason == reason
		}
	}
	set := func(field string) func(*world, *delivery.Rotation) {
		return func(w *world, _ *delivery.Rotation) {
			w.Build.Change(userRef, func(obj *unstructured.Unstructured) { obj.Object["spec"].(map[string]any)[field] = true })
		}
	}
	for name, c := range map[string]struct {
		source string
		change func(*world, *delivery.Rotation)
		is     func(error) bool
	}{
		"no Secret": {change: func(w *world, _ *delivery.Rotation) { w.Build.Remove(kubeconfigRef) }, is: func(err error) bool { return errors.Is(err, delivery.ErrNotFound) }},
		"given":     {source: "given", is: unfit(delivery.UnfitSource)},
		"its App is paused": {change: set("paused"), is: func(err error) bool {
			var stopped *delivery.StoppedError
			return errors.As(err, &stopped) && stopped.Field == "paused" && stopped.Ref == userRef
		}},
		"its App is canceled": {change: set("canceled"), is: func(err error) bool { return errors.As(err, new(*delivery.StoppedError)) }},
		"no such run cluster": {change: func(_ *world, r *delivery.Rotation) { r.RunCluster = "prod" }, is: func(err error) bool { return errors.As(err, new(*delivery.MissingPartError)) }},
		"somebody else's": {change: func(w *world, _ *delivery.Rotation) {
			w.Build.Change(kubeconfigRef, func(obj *unstructured.Unstructured) { obj.SetAnnotations(nil) })
		}, is: unfit(delivery.UnfitForeign)},
		"of another run cluster": {change: func(w *world, _ *delivery.Rotation) {
			w.Build.Change(kubeconfigRef, func(obj *unstructured.Unstructured) {
				value, _ := carvel.SecretValue(obj, "value")
				text := strings.ReplaceAll(string(value), "name: staging", "name: prod")
				text = strings.ReplaceAll(strings.ReplaceAll(text, "cluster: staging", "cluster: prod"), "current-context: staging", "current-context: prod")
				obj.Object["data"] = map[string]any{"value": base64.StdEncoding.EncodeToString([]byte(text))}
			})
		}, is: unfit(delivery.UnfitCluster)},
		"written by somebody else": {change: func(w *world, _ *delivery.Rotation) {
			w.Build.Change(kubeconfigRef, func(obj *unstructured.Unstructured) { obj.SetManagedFields(nil) })
		}, is: unfit(delivery.UnfitKey)},
	} {
		t.Run(name, func(t *testing.T) {
			source := c.source
			if source == "" {
				source = "of a ServiceAccount"
			}
			w, _ := rotatable(t, source)
			r := rotation
			if source == "given" {
				r.RunCluster = "staging"
			}
			if c.change != nil {
				c.change(w, &r)
			}
			w.Calls.Forget()
			_, err := w.process().Kubeconfigs.Rotate(brief(t), r)
			if err == nil || !c.is(err) {
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
