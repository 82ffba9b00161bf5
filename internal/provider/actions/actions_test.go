package actions

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

type attributes = protocoltest.Config

var (
	appRef     = cluster.Ref{Resource: carvel.Apps, Namespace: "dev", Name: "app"}
	installRef = cluster.Ref{Resource: carvel.PackageInstalls, Namespace: "apps", Name: "app"}
)

// subject is an action with a configuration that it works with, in a world.
type subject struct {
	name   string
	make   func() action.Action
	config attributes
	says   string // what it says in the end
	calls  string // what it cannot do without the right to
	rights string // what it says of that
}

func subjects() []subject {
	app := attributes{"namespace": "dev", "name": "app"}
	return []subject{
		{"app_reconcile", newAppReconcile, app, "App dev/app: Reconcile succeeded", "build Edit apps", "patch apps.kappctrl.k14s.io"},
		{"app_pause", newAppPause, app, "App dev/app: paused", "build Edit apps", "patch apps.kappctrl.k14s.io"},
		{"app_resume", newAppResume, app, "App dev/app: is not paused", "build Get apps", "patch apps.kappctrl.k14s.io"},
		{
			"package_install_reconcile", newPackageInstallReconcile,
			attributes{"run_cluster": "staging", "namespace": "apps", "name": "app"},
			"PackageInstall apps/app: version 1.0.0 is installed", "staging Edit packageinstalls", "patch packageinstalls.packaging.carvel.dev",
		},
		{
			"kubeconfig_secret_rotate", newKubeconfigSecretRotate,
			attributes{"run_cluster": "staging", "namespace": "dev", "name": "staging-kubeconfig"},
			"and 1 old ones are removed", "staging ApplyNew secrets", "delete secrets",
		},
	}
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

func with(config attributes, name string, value any) attributes {
	all := attributes{name: value}
	for n, v := range config {
		if n != name {
			all[n] = v
		}
	}
	return all
}

// TestActions: each does its work, says so, and is quiet about it at plan.
func TestActions(t *testing.T) {
	for _, s := range subjects() {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t)
			verb := protocoltest.NewVerb(t, s.make, protocoltest.Data(w))
			if diags := verb.Plan(s.config); len(diags) > 0 || len(w.Calls.Made()) > 0 {
				t.Errorf("the plan says %s, and calls %v", diags, w.Calls.Made())
			}
			progress, diags := verb.Invoke(within(t, 20*time.Second), s.config)
			if len(diags) > 0 || len(progress) == 0 || !strings.Contains(progress[len(progress)-1], s.says) {
				t.Errorf("%s\n%s", strings.Join(progress, "\n"), diags)
			}
			if s.name != "app_pause" {
				return
			}
			if progress, diags := verb.Invoke(t.Context(), s.config); len(diags) > 0 || progress[0] != "App dev/app: has been paused before" {
				t.Errorf("again: %v %s", progress, diags)
			}
		})
	}
}

// TestActions_described: each is described, and its page says which rights it needs in the words
// of the error that comes without them.
func TestActions_described(t *testing.T) {
	text, err := os.ReadFile("../../../templates/actions.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	rights := map[string]string{
		"carvel_app_pause": pauseRights, "carvel_app_reconcile": appRights, "carvel_app_resume": pauseRights,
		"carvel_kubeconfig_secret_rotate": rotateRights, "carvel_package_install_reconcile": installRights,
	}
	for _, make := range All() {
		var meta action.MetadataResponse
		make().Metadata(t.Context(), action.MetadataRequest{ProviderTypeName: "carvel"}, &meta)
		var resp action.SchemaResponse
		make().Schema(t.Context(), action.SchemaRequest{}, &resp)
		_, page, _ := strings.Cut(string(text), "if eq .Name \""+meta.TypeName+"\" -}}")
		page, _, _ = strings.Cut(page, "{{-")
		if needs := rights[meta.TypeName]; needs == "" || !strings.Contains(page, "need the right to "+needs+".") {
			t.Errorf("the page of %s does not say that it needs the right to %s", meta.TypeName, needs)
		}
		if resp.Schema.MarkdownDescription == "" {
			t.Errorf("%s is not described", meta.TypeName)
		}
		for name, a := range resp.Schema.Attributes {
			if a.GetMarkdownDescription() == "" {
				t.Errorf("%s: %s is not described", meta.TypeName, name)
			}
		}
	}
}

// refusal is one reason why an action cannot be done.
type refusal struct {
	change func(*testing.T, *deliverytest.World)
	says   []string
}

func set(c func(*deliverytest.World) *deliverytest.Cluster, ref cluster.Ref, field string) func(*testing.T, *deliverytest.World) {
	return func(_ *testing.T, w *deliverytest.World) {
		c(w).Change(ref, func(obj *unstructured.Unstructured) {
			spec, _ := obj.Object["spec"].(map[string]any)
			spec = deepCopy(spec)
			spec[field] = true
			obj.Object["spec"] = spec
		})
	}
}

func deepCopy(m map[string]any) map[string]any {
	return (&unstructured.Unstructured{Object: m}).DeepCopy().Object
}

func build(w *deliverytest.World) *deliverytest.Cluster { return w.Build }
func run(w *deliverytest.World) *deliverytest.Cluster   { return w.Run }

// TestActions_refused: what cannot be done is said with what to do about it, and nothing
// is changed.
func TestActions_refused(t *testing.T) {
	app := func(reconcile bool) map[string]refusal {
		all := map[string]refusal{
			"missing": {func(_ *testing.T, w *deliverytest.World) { w.Build.Remove(appRef) }, []string{"There is no App dev/app", "Correct namespace and name"}},
			"deleted": {func(t *testing.T, w *deliverytest.World) {
				w.Build.Finalized = func(cluster.Ref, *unstructured.Unstructured) bool { return true }
				if err := w.Build.Delete(t.Context(), appRef, &unstructured.Unstructured{Object: map[string]any{}}); err != nil {
					t.Fatal(err)
				}
			}, []string{"is being deleted"}},
		}
		if reconcile {
			all["paused"] = refusal{set(build, appRef, "paused"), []string{"spec.paused = true", "Invoke carvel_app_resume first", "Nothing was changed"}}
			all["canceled"] = refusal{set(build, appRef, "canceled"), []string{"spec.canceled = true", "Have whoever set it take it back"}}
		}
		return all
	}
	resume := app(false)
	resume["applied"] = refusal{func(t *testing.T, w *deliverytest.World) {
		obj, err := carvel.App(carvel.AppSpec{Namespace: "dev", Name: "app", Paused: true})
		if err == nil {
			_, err = w.Build.Apply(t.Context(), appRef, obj, cluster.Manager{Name: "theirs", Force: true})
		}
		if err != nil {
			t.Fatal(err)
		}
	}, []string{`Field manager "theirs"`, "Remove paused there"}}
	secret := cluster.Ref{Resource: carvel.Secrets, Namespace: "dev", Name: "staging-kubeconfig"}
	for name, refusals := range map[string]map[string]refusal{
		"app_reconcile": app(true), "app_pause": app(false), "app_resume": resume,
		"package_install_reconcile": {
			"missing": {func(_ *testing.T, w *deliverytest.World) { w.Run.Remove(installRef) }, []string{"There is no PackageInstall staging/apps/app", "The run cluster has no"}},
			"paused":  {set(run, installRef, "paused"), []string{"PackageInstall apps/app has spec.paused = true", "carvel_package_install has paused = true"}},
			"not served": {func(_ *testing.T, w *deliverytest.World) {
				w.Run.Missing = append(w.Run.Missing, carvel.PackageInstalls)
			}, []string{"Install kapp-controller"}},
		},
		"kubeconfig_secret_rotate": {
			"missing": {func(_ *testing.T, w *deliverytest.World) { w.Build.Remove(secret) }, []string{"There is no Secret dev/staging-kubeconfig"}},
			"foreign": {func(_ *testing.T, w *deliverytest.World) {
				w.Build.Change(secret, func(obj *unstructured.Unstructured) { obj.SetAnnotations(nil) })
			}, []string{"was not made by a carvel_kubeconfig_secret of this configuration"}},
			"its App is paused": {set(build, appRef, "paused"), []string{"App dev/app has spec.paused = true", "Invoke carvel_app_resume first"}},
			"no account": {func(_ *testing.T, w *deliverytest.World) {
				w.Run.Remove(cluster.Ref{Resource: carvel.ServiceAccounts, Namespace: "apps", Name: "sa"})
			}, []string{"such as the ServiceAccount"}},
		},
	} {
		s := subjects()[slices.IndexFunc(subjects(), func(s subject) bool { return s.name == name })]
		for reason, r := range refusals {
			t.Run(name+"/"+reason, func(t *testing.T) {
				w := newWorld(t)
				r.change(t, w)
				w.Calls.Forget()
				_, diags := protocoltest.NewVerb(t, s.make, protocoltest.Data(w)).Invoke(within(t, 10*time.Second), s.config)
				check(t, diags, r.says...)
				for _, call := range w.Calls.Made() {
					if deliverytest.Writes(call) {
						t.Errorf("it has made %s", call)
					}
				}
			})
		}
	}
}

// check requires one error that says all parts.
func check(t *testing.T, diags protocoltest.Diagnostics, parts ...string) {
	t.Helper()
	if len(diags) != 1 || !diags.Failed() {
		t.Errorf("want one error, got:\n%s", diags)
	}
	for _, part := range parts {
		if !strings.Contains(diags.String(), part) {
			t.Errorf("%q is missing in:\n%s", part, diags)
		}
	}
}

// TestActions_forbidden: credentials without a right are told which ones the action needs.
func TestActions_forbidden(t *testing.T) {
	for _, s := range subjects() {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t)
			w.Calls.Fails = func(_ int, call string) error {
				if strings.HasPrefix(call, s.calls) {
					return apierrors.NewForbidden(carvel.Apps.GroupResource(), "app", fmt.Errorf("user ci cannot do it"))
				}
				return nil
			}
			_, diags := protocoltest.NewVerb(t, s.make, protocoltest.Data(w)).Invoke(within(t, 10*time.Second), s.config)
			check(t, diags, "The credentials lack a right", "The action needs the right to", s.rights, "user ci cannot do it")
		})
	}
}

// TestActions_ended: an action that is stopped, or whose time is up, says what it has
// waited for.
func TestActions_ended(t *testing.T) {
	for _, s := range subjects() {
		if s.name == "app_pause" || s.name == "app_resume" {
			continue // they wait for nothing
		}
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t)
			w.Build.Controller = nil
			w.Run.Controller = nil
			if s.name == "kubeconfig_secret_rotate" {
				w = newWorld(t)
				w.Build.Controller = nil
			}
			verb := protocoltest.NewVerb(t, s.make, protocoltest.Data(w))
			_, diags := verb.Invoke(within(t, 10*time.Second), with(s.config, "timeout", "200ms"))
			check(t, diags, "The time was up", "Waiting for", "Raise timeout")
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(200*time.Millisecond, cancel)
			_, diags = verb.Invoke(ctx, s.config)
			check(t, diags, "Terraform was stopped", "Waiting for")
			for _, ref := range []cluster.Ref{appRef, installRef} {
				obj := w.Build.Object(ref)
				if ref == installRef {
					obj = w.Run.Object(ref)
				}
				if spec, _ := obj.Object["spec"].(map[string]any); spec["paused"] == true {
					t.Errorf("%s is left paused", ref)
				}
			}
		})
	}
}

// TestActions_appFails: an App that fails with the new token is told, with the tokens that
// are good.
func TestActions_appFails(t *testing.T) {
	w := newWorld(t)
	w.Build.Controller = func(ref cluster.Ref, obj *unstructured.Unstructured) {
		status, err := carvel.ReadAppStatus(obj)
		spec, _ := obj.Object["spec"].(map[string]any)
		if ref != appRef || err != nil || spec["paused"] == true || status.ConsecutiveFailures == 20 {
			return
		}
		go func() { // the next attempt, a moment later
			time.Sleep(20 * time.Millisecond)
			w.Build.Change(ref, func(obj *unstructured.Unstructured) {
				obj.Object["status"] = map[string]any{
					"observedGeneration": obj.GetGeneration(), "consecutiveReconcileFailures": status.ConsecutiveFailures + 1, "usefulErrorMessage": "kapp: Error: Unauthorized",
					"conditions": []any{map[string]any{"type": carvel.ReconcileFailed, "status": "True"}},
					"fetch":      map[string]any{"startedAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"},
				}
			})
		}()
	}
	s := subjects()[4]
	_, diags := protocoltest.NewVerb(t, s.make, protocoltest.Data(w)).Invoke(within(t, 10*time.Second), with(s.config, "timeout", "5s"))
	check(t, diags, `Unable to rotate the token of kubeconfig secret "dev/staging-kubeconfig"`, "the old one was not removed", "App dev/app: The controller failed in the deploy stage", "kapp: Error: Unauthorized",
		"has the old token again", "Good are the tokens of", "invoke the action again")
}

// TestActions_configuration: a cluster that is not configured is refused at plan, one that
// is not known yet is not, and is by the time that the action is invoked.
func TestActions_configuration(t *testing.T) {
	w := newWorld(t)
	without := func() *providerdata.Data {
		return &providerdata.Data{Delivery: delivery.New(delivery.Config{})}
	}
	unknown := func() *providerdata.Data {
		data := without()
		data.Unknown = providerdata.Unknown{Build: true, AllRunClusters: true}
		return data
	}
	for _, s := range subjects() {
		t.Run(s.name, func(t *testing.T) {
			missing := "No build cluster is configured"
			if s.name == "package_install_reconcile" {
				missing = `Run cluster "staging" is not configured`
			}
			diags := protocoltest.NewVerb(t, s.make, without).Plan(s.config)
			if !diags.Failed() || !strings.Contains(diags.String(), missing) {
				t.Errorf("without clusters, the plan says:\n%s", diags)
			}
			if _, diags := protocoltest.NewVerb(t, s.make, without).Invoke(t.Context(), s.config); !diags.Failed() || !strings.Contains(diags.String(), missing) {
				t.Errorf("without clusters, it says:\n%s", diags)
			}
			if _, takes := s.config["run_cluster"]; takes || s.name == "app_reconcile" {
				other := protocoltest.NewVerb(t, s.make, protocoltest.DataWithout(w))
				const says = `Run cluster "staging" is not configured`
				if diags := other.Plan(with(s.config, "run_cluster", "staging")); !strings.Contains(diags.String(), says) || !strings.Contains(diags.String(), "Configured are: prod") {
					t.Errorf("without the run cluster, the plan says:\n%s", diags)
				}
				if diags := other.Plan(with(s.config, "run_cluster", protocoltest.Unknown)); len(diags) > 0 {
					t.Errorf("of a run cluster that is not known yet, the plan says:\n%s", diags)
				}
			}
			later := protocoltest.NewVerb(t, s.make, unknown)
			if diags := later.Plan(with(s.config, "name", protocoltest.Unknown)); len(diags) > 0 {
				t.Errorf("before anything is known, the plan says:\n%s", diags)
			}
			if _, diags := later.Invoke(t.Context(), s.config); !diags.Failed() || !strings.Contains(diags.String(), "is not known yet") {
				t.Errorf("before anything is known, it says:\n%s", diags)
			}
			for _, timeout := range []string{"soon", "0s", "-1m"} {
				if diags := protocoltest.NewVerb(t, s.make, protocoltest.Data(w)).Plan(with(s.config, "timeout", timeout)); !strings.Contains(diags.String(), "a duration such as 5m") {
					t.Errorf("timeout %q: %s", timeout, diags)
				}
			}
		})
	}
}

// TestActions_otherCluster: a kubeconfig of another run cluster is not given a token of
// this one.
func TestActions_otherCluster(t *testing.T) {
	w := newWorld(t)
	data := func() *providerdata.Data {
		data := protocoltest.Data(w)()
		config := data.Config
		config.Run = map[string]delivery.Cluster{"prod": w.Run}
		data.Delivery = delivery.New(config)
		return data
	}
	s := subjects()[4]
	_, diags := protocoltest.NewVerb(t, s.make, data).Invoke(t.Context(), with(s.config, "run_cluster", "prod"))
	check(t, diags, `is for run cluster "staging"`, "Correct run_cluster")
}

// TestActions_noApp: a token that nobody uses is replaced, with a warning.
func TestActions_noApp(t *testing.T) {
	w := newWorld(t)
	w.Build.Remove(appRef)
	s := subjects()[4]
	_, diags := protocoltest.NewVerb(t, s.make, protocoltest.Data(w)).Invoke(t.Context(), s.config)
	if diags.Failed() || !strings.Contains(diags.String(), "No App uses the kubeconfig secret") {
		t.Errorf("it says:\n%s", diags)
	}
}
