package runnamespace_test

import (
	"maps"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/runnamespace"
)

type attributes = protocoltest.Config

// inMemory is a run namespace that is not there yet.
func inMemory(t *testing.T) (*deliverytest.World, *protocoltest.Resource) {
	t.Helper()
	w := deliverytest.NewWorld()
	return w, protocoltest.New(t, runnamespace.New, protocoltest.Data(w))
}

// basic is a configuration, with others over it.
func basic(others ...attributes) attributes {
	c := attributes{"run_cluster": "staging", "name": "team", "field_manager": map[string]any{"force_conflicts": true}}
	for _, other := range others {
		maps.Copy(c, other)
	}
	return c
}

// whole are configurations in which every attribute has something.
func whole() []attributes {
	return []attributes{
		basic(),
		basic(attributes{
			"labels": map[string]any{"a": "b"}, "annotations": map[string]any{"c": "d"}, "service_account_name": "deployer", "image_pull_secrets": []any{"registry"},
			"additional_rules":          []any{map[string]any{"api_groups": []any{"apps"}, "resources": []any{"statefulsets"}, "verbs": []any{"get"}, "resource_names": []any{"db"}}},
			"restrict_service_accounts": map[string]any{"allowed": []any{"workload"}},
			"field_manager":             map[string]any{"name": "platform", "force_conflicts": true},
		}),
		basic(attributes{"tanzu_application_platform": true}),
	}
}

var namespace = cluster.Ref{Resource: carvel.Namespaces, Name: "team"}

// TestProtocol: from each configuration to each other one, with an empty plan after each
// apply, and nothing left in the end.
func TestProtocol(t *testing.T) {
	w, r := inMemory(t)
	before := w.Snapshot()
	protocoltest.Transitions(t, r, whole())
	protocoltest.Vanishes(t, w, r, before)
}

// TestProtocol_imported: what is imported does not change under the configuration that it
// was made with.
func TestProtocol_imported(t *testing.T) {
	protocoltest.Imports(t, inMemory, "staging/team", whole())
	protocoltest.RefusesImports(t, inMemory, []string{"staging/nosuch"}, "team", "staging/", "nosuch/team")
}

// TestProtocol_eachCall: whichever call fails, the next apply mends all.
func TestProtocol_eachCall(t *testing.T) {
	prepare := protocoltest.Prepare(inMemory).Applied(basic())
	protocoltest.EachCall(t, inMemory, whole()[1])
	protocoltest.EachCall(t, prepare, whole()[1])
	protocoltest.EachCall(t, prepare, nil)
}

// TestProtocol_changedByOthers: what somebody else does to the objects is in the next
// plan, and mended.
func TestProtocol_changedByOthers(t *testing.T) {
	role := cluster.Ref{Resource: carvel.Roles, Namespace: "team", Name: carvel.AppRoleName}
	protocoltest.ChangedByOthers(t, inMemory, basic(attributes{"field_manager": map[string]any{"force_conflicts": true}}), []protocoltest.Change{
		{Name: "a rule is gone", By: func(w *deliverytest.World) {
			w.Run.Change(role, func(obj *unstructured.Unstructured) { obj.Object["rules"] = []any{} })
		}, Want: protocoltest.Update},
		{Name: "a Role is gone", By: func(w *deliverytest.World) { w.Run.Remove(role) }, Want: protocoltest.Update},
		{Name: "the Namespace is gone", By: func(w *deliverytest.World) { w.Run.Remove(namespace) }, Want: protocoltest.Create},
		{Name: "a label of theirs", By: func(w *deliverytest.World) {
			w.Run.Change(namespace, func(obj *unstructured.Unstructured) {
				labels := obj.GetLabels()
				labels["theirs"] = "x"
				obj.SetLabels(labels)
			})
		}, Want: protocoltest.None},
	})
}

// TestProtocol_exists: a namespace of somebody else is refused, adopted if that is
// asked for, and left when the resource goes.
func TestProtocol_exists(t *testing.T) {
	w, r := inMemory(t)
	theirs := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
	theirs.SetName("team")
	w.Run.Put(theirs)
	if diags := r.Apply(basic()); !diags.Failed() || !strings.Contains(diags.String(), "adopt_existing") {
		t.Errorf("%s", diags)
	}
	if diags := r.Apply(basic(attributes{"adopt_existing": true})); diags.Failed() {
		t.Fatal(diags)
	}
	if diags := r.Apply(nil); diags.Failed() || w.Run.Object(namespace) == nil {
		t.Fatalf("the namespace of somebody else is gone: %s", diags)
	}
	// One that somebody else makes and looks after.
	beside := basic(attributes{"create_namespace": false})
	if diags := r.Apply(beside); diags.Failed() {
		t.Fatal(diags)
	}
	if p, diags := r.Plan(beside); diags.Failed() || p.Action != protocoltest.None {
		t.Errorf("%s %s", p.Action, diags)
	}
	if diags := r.Apply(nil); diags.Failed() || w.Run.Object(namespace) == nil || len(w.Run.Refs()) != 3 {
		t.Errorf("%s: %v", diags, w.Run.Refs())
	}
	w.Run.Remove(namespace)
	if diags := r.Apply(beside); !diags.Failed() || !strings.Contains(diags.String(), "team") {
		t.Errorf("%s", diags)
	}
}

// TestProtocol_byHand: a namespace that was set up by hand is imported by its Role, with the
// ServiceAccount that a RoleBinding of another name gives it.
func TestProtocol_byHand(t *testing.T) {
	w, r := inMemory(t)
	put := func(apiVersion, kind, name string, more map[string]any) {
		object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind}}
		maps.Copy(object.Object, more)
		object.SetName(name)
		if kind != "Namespace" {
			object.SetNamespace("team")
		}
		w.Run.Put(object)
	}
	put("v1", "Namespace", "team", nil)
	put("v1", "ServiceAccount", "deployer", map[string]any{"imagePullSecrets": []any{map[string]any{"name": "pull"}}})
	for _, role := range []string{carvel.InstallRoleName, carvel.AppRoleName} {
		put("rbac.authorization.k8s.io/v1", "Role", role, map[string]any{"rules": []any{}})
		put("rbac.authorization.k8s.io/v1", "RoleBinding", "by-hand-"+role, map[string]any{
			"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": "deployer", "namespace": "team"}},
		})
	}
	if diags := r.Import("staging/team"); diags.Failed() || !r.Exists() {
		t.Fatal(diags)
	}
	for attribute, want := range map[string]string{
		"service_account_name": `"deployer"`, "create_namespace": "false", "tanzu_application_platform": "false", "image_pull_secrets": `["pull"]`,
	} {
		if got := r.Attribute(attribute); got != want {
			t.Errorf("%s is %s, want %s", attribute, got, want)
		}
	}
	config := basic(attributes{"create_namespace": false, "service_account_name": "deployer", "image_pull_secrets": []any{"pull"}})
	if diags := r.Apply(config); diags.Failed() {
		t.Fatal(diags)
	}
	if w.Run.Object(cluster.Ref{Resource: carvel.RoleBindings, Namespace: "team", Name: "by-hand-" + carvel.AppRoleName}) == nil {
		t.Error("the RoleBinding by hand is gone")
	}
	if p, diags := r.Plan(config); diags.Failed() || p.Action != protocoltest.None {
		t.Errorf("%s %s", p.Action, diags)
	}
}

// TestProtocol_inUse: a namespace in which a package is installed is not deleted.
func TestProtocol_inUse(t *testing.T) {
	w, r := inMemory(t)
	short := basic(attributes{"timeouts": map[string]any{"delete": "1ms"}})
	if diags := r.Apply(short); diags.Failed() {
		t.Fatal(diags)
	}
	install, err := carvel.PackageInstall(carvel.PackageInstallSpec{Name: "app", Namespace: "team"})
	if err != nil {
		t.Fatal(err)
	}
	w.Run.Put(install)
	if diags := r.Apply(nil); !diags.Failed() || !strings.Contains(diags.String(), "PackageInstall app") || !r.Exists() {
		t.Errorf("%s", diags)
	}
}

// TestProtocol_refused: bad input, and rights that are lacking, are refused before
// anything is written.
func TestProtocol_refused(t *testing.T) {
	denied := func(w *deliverytest.World) { w.Run.Denied = []string{"escalate roles", "create secrets"} }
	for want, c := range map[string]struct {
		wrong attributes
		world func(*deliverytest.World)
	}{
		"run_clusters":    {wrong: attributes{"run_cluster": "nosuch"}},
		"Invalid name":    {wrong: attributes{"name": "a_b"}},
		"no namespace":    {wrong: attributes{"create_namespace": false}},
		"create on secre": {world: denied},
	} {
		t.Run(want, func(t *testing.T) {
			w, r := inMemory(t)
			if c.world != nil {
				c.world(w)
			}
			before := w.Snapshot()
			diags := r.Apply(basic(c.wrong))
			if !diags.Failed() || !strings.Contains(diags.String(), want) || !maps.Equal(before, w.Snapshot()) {
				t.Errorf("want %q in: %s\n%s", want, diags, deliverytest.Differences(before, w.Snapshot()))
			}
		})
	}
}

// TestProtocol_noController: a cluster to which nothing can be delivered is told.
func TestProtocol_noController(t *testing.T) {
	w, r := inMemory(t)
	w.Run.Missing = append(w.Run.Missing, carvel.PackageInstalls)
	if diags := r.Apply(basic()); diags.Failed() || !strings.Contains(diags.String(), "kapp-controller is not installed") {
		t.Error(diags)
	}
}

// TestProtocol_empties: an empty list or map is none.
func TestProtocol_empties(t *testing.T) {
	for _, c := range whole() {
		protocoltest.Empties(t, inMemory, c)
	}
}

// TestProtocol_waits: a destroy whose time is up names what it waits for, and who could
// end that.
func TestProtocol_waits(t *testing.T) {
	install := cluster.Ref{Resource: carvel.PackageInstalls, Namespace: "team", Name: "web"}
	isDeleted := func(obj *unstructured.Unstructured) {
		now := metav1.Now()
		obj.SetDeletionTimestamp(&now)
		obj.SetFinalizers([]string{"finalizers.packageinstall.packaging.carvel.dev/delete"})
		obj.Object["status"] = map[string]any{"friendlyDescription": "x", "usefulErrorMessage": "ServiceAccount is gone", "conditions": []any{map[string]any{"type": "DeleteFailed", "status": "True"}}}
	}
	condition := func(kind, message string) func(*unstructured.Unstructured) {
		return func(obj *unstructured.Unstructured) {
			obj.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": kind, "status": "True", "message": message}}}
		}
	}
	for name, c := range map[string]struct {
		before func(w *deliverytest.World)
		says   []string
		not    string
	}{
		"a PackageInstall": {func(w *deliverytest.World) { w.Run.Put(packageInstall(t)) }, []string{"PackageInstall web: nobody deletes it"}, "finalizer"},
		"a PackageInstall that is stuck": {func(w *deliverytest.World) {
			w.Run.Put(packageInstall(t))
			w.Run.Change(install, isDeleted)
		}, []string{"PackageInstall web: it is being deleted", "finalizers.packageinstall.packaging.carvel.dev/delete", "kapp-controller", "ServiceAccount is gone"}, "nobody"},
		"an API that is down": {func(w *deliverytest.World) {
			w.Run.Change(namespace, condition("NamespaceDeletionDiscoveryFailure", "Discovery failed for some groups, 1 failing: metrics.k8s.io/v1beta1: stale"))
		}, []string{"metrics.k8s.io/v1beta1", "kubectl delete apiservice v1beta1.metrics.k8s.io"}, "PackageInstall"},
		"a finalizer of something else": {func(w *deliverytest.World) {
			w.Run.Change(namespace, condition("NamespaceFinalizersRemaining", "Some content in the namespace has finalizers remaining: example.com/x in 2 resource instances"))
		}, []string{"example.com/x", "the controller of example.com"}, "PackageInstall"},
		"a finalizer of its own": {func(w *deliverytest.World) {
			w.Run.Change(namespace, func(obj *unstructured.Unstructured) { obj.SetFinalizers([]string{"other.example.com/x"}) })
		}, []string{"other.example.com/x", "on the Namespace itself"}, "PackageInstall"},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := inMemory(t)
			if diags := r.Apply(basic(attributes{"timeouts": map[string]any{"delete": "100ms"}})); diags.Failed() {
				t.Fatal(diags)
			}
			w.Run.Finalized = func(ref cluster.Ref, _ *unstructured.Unstructured) bool { return ref == namespace }
			c.before(w)
			diags := r.Apply(nil)
			for _, want := range c.says {
				if !diags.Failed() || !strings.Contains(diags.String(), want) {
					t.Errorf("want %q in: %s", want, diags)
				}
			}
			if strings.Contains(diags.String(), c.not) || !r.Exists() {
				t.Errorf("%s", diags)
			}
		})
	}
}

// packageInstall is one in the namespace.
func packageInstall(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	obj, err := carvel.PackageInstall(carvel.PackageInstallSpec{Name: "web", Namespace: "team"})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// TestProtocol_emptyLabels: no labels may be given with a namespace of somebody else's.
func TestProtocol_emptyLabels(t *testing.T) {
	w, r := inMemory(t)
	w.Run.Put(carvel.RunNamespace(carvel.RunNamespaceSpec{Name: "team"})[0])
	if diags := r.Apply(basic(attributes{"create_namespace": false, "labels": map[string]any{}, "annotations": map[string]any{}})); diags.Failed() {
		t.Error(diags)
	}
}

// TestProtocol_defaults: each object has the resource's labels and the provider's.
func TestProtocol_defaults(t *testing.T) {
	own := attributes{"labels": map[string]any{"team": "own"}}
	for _, more := range []attributes{{}, {"restrict_service_accounts": map[string]any{}, "additional_rules": whole()[1]["additional_rules"]}} {
		protocoltest.Defaults(t, inMemory, basic(own, more), "staging/team")
	}
	existing := func(t *testing.T) (*deliverytest.World, *protocoltest.Resource) {
		t.Helper()
		w, r := inMemory(t)
		w.Run.Put(carvel.RunNamespace(carvel.RunNamespaceSpec{Name: "team"})[0])
		return w, r
	}
	protocoltest.Defaults(t, existing, basic(own, attributes{"create_namespace": false}), "")
}

// TestProtocol_unknown: what is not known yet is left to the apply.
func TestProtocol_unknown(t *testing.T) {
	_, r := inMemory(t)
	for _, name := range []string{"name", "run_cluster", "labels", "service_account_name", "additional_rules"} {
		if p, diags := r.Plan(basic(attributes{name: protocoltest.Unknown})); diags.Failed() || p.Action != protocoltest.Create || p.Attribute("objects") != `"unknown"` {
			t.Errorf("%s: %s %s %s", name, p.Action, p.Attribute("objects"), diags)
		}
	}
}
