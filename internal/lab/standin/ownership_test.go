package standin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// inline is an App that deploys one file into a run cluster.
func (f *flow) inline(name string, s *site, files map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: %s}
spec:
  cluster: {namespace: %s, kubeconfigSecretRef: {name: %s-kubeconfig}}
  template: [{ytt: {}}]
  deploy: [{kapp: {}}]
  fetch: [{inline: {paths: {`, name, s.ns, s.name)
	for path, content := range files {
		fmt.Fprintf(&b, "%q: %q, ", path, content)
	}
	b.WriteString("}}}]\n")
	return b.String()
}

func configMap(name, value string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {k: %q}}", name, value)
}

func TestAccStandIn_ownership(t *testing.T) {
	f := newFlow(t)
	f.build.apply(apps, f.inline("first", f.staging, map[string]string{"a.yaml": configMap("shared", "1"), "b.yml": configMap("shared", "1"), "c.json": "{", "README.md": "#@ x"}))
	f.build.until(apps, "first", "delivered", seen.succeeded)

	f.build.apply(apps, f.inline("second", f.staging, map[string]string{"a.yaml": configMap("shared", "2")}))
	failed := f.build.until(apps, "second", "failed", seen.failed)
	wantText(t, failed.useful(), "kapp: Error: Ownership errors:", "configmap/shared (v1) namespace: "+f.staging.ns, "already associated with a different app 'first.app'")
	f.build.delete(apps, "second")
	f.build.untilGone(apps, "second")
	if got := f.staging.get(configMaps, "shared").str("data", "k"); got != "1" {
		t.Errorf("the other App's object has %q", got)
	}

	f.build.apply(apps, f.inline("third", f.staging, map[string]string{"a.yaml": configMap("twice", "1"), "b.yaml": configMap("twice", "2")}))
	failed = f.build.until(apps, "third", "failed", seen.failed)
	wantText(t, failed.useful(), "kapp: Error: Uniqueness errors: Found resource", "multiple times with different content")

	// Pruned, and nothing but the last object is guarded.
	f.build.apply(apps, f.inline("first", f.staging, map[string]string{"a.yaml": configMap("other", "1")}))
	f.staging.untilGone(configMaps, "shared")
	f.build.apply(apps, f.inline("first", f.staging, map[string]string{"a.yaml": ""}))
	failed = f.build.until(apps, "first", "failed", seen.failed)
	wantText(t, failed.useful(), "kapp: Error: Trying to apply empty set of resources will result in deletion of resources on cluster. "+
		"Refusing to continue unless --dangerous-allow-empty-list-of-resources is specified.")
	f.staging.get(configMaps, "other")
}

// An edit on the run cluster is undone, with what a stranger added, and a quiet run
// shows nothing but how it ended.
func TestAccStandIn_drift(t *testing.T) {
	f := newFlow(t)
	f.build.apply(apps, f.inline("drift", f.staging, map[string]string{"a.yaml": configMap("kept", "1")}))
	first := f.build.until(apps, "drift", "delivered", seen.succeeded)
	f.staging.patch(configMaps, "kept", `{"metadata":{"annotations":{"stranger":"x"}},"data":{"k":"2"}}`)
	f.staging.until(configMaps, "kept", "as it was", func(o seen) bool {
		return o.str("data", "k") == "1" && o.GetAnnotations()["stranger"] == ""
	})
	after := f.build.until(apps, "drift", "run again", func(o seen) bool {
		return o.str("status", "consecutiveReconcileSuccesses") != first.str("status", "consecutiveReconcileSuccesses")
	})
	if after.str("status", "fetch", "updatedAt") == first.str("status", "fetch", "updatedAt") || !after.succeeded() {
		t.Errorf("status after a periodic run: %v", after.Object["status"])
	}
}

// The finalizer comes with a rewritten spec, of which the controller then is a manager.
func TestAccStandIn_normalizedSpec(t *testing.T) {
	f := newFlow(t)
	text := strings.Replace(f.inline("long", f.staging, map[string]string{"a.yaml": configMap("long", "1")}),
		"spec:\n", "spec:\n  syncPeriod: 90s\n  paused: false\n  noopDelete: false\n", 1)
	f.build.apply(apps, text)
	app := f.build.until(apps, "long", "delivered", func(o seen) bool { return o.succeeded() && len(o.GetFinalizers()) == 1 })
	if app.str("spec", "syncPeriod") != "1m30s" || app.str("spec", "paused") != "" || app.str("spec", "noopDelete") != "" {
		t.Errorf("spec: %v", app.Object["spec"])
	}
	_, err := f.build.in(apps).Apply(t.Context(), "long", app.DeepCopy(), metav1.ApplyOptions{FieldManager: "test"})
	if err == nil {
		t.Error("a copy with managedFields was applied")
	}
	_, err = f.build.in(apps).Patch(t.Context(), "long", "application/apply-patch+yaml", []byte(text), metav1.PatchOptions{FieldManager: "test"})
	if err == nil {
		t.Fatal("no conflict over syncPeriod")
	}
	wantText(t, err.Error(), `conflict with "kapp-controller" using kappctrl.k14s.io/v1alpha1: .spec.syncPeriod`)

	// A period that is none gets no status, and disturbs no other App here.
	f.build.apply(apps, strings.Replace(f.inline("banana", f.staging, map[string]string{"a.yaml": configMap("banana", "1")}), "spec:\n", "spec:\n  syncPeriod: banana\n", 1))
	f.build.patch(apps, "long", `{"spec":{"syncPeriod":"2m0s"}}`)
	f.build.until(apps, "long", "run again", func(o seen) bool { return o.succeeded() && o.GetGeneration() > app.GetGeneration() })
	if status := f.build.get(apps, "banana").Object["status"]; status != nil {
		t.Errorf("status: %v", status)
	}
}

func TestAccStandIn_paused(t *testing.T) {
	f := newFlow(t)
	f.build.apply(apps, f.inline("paused", f.staging, map[string]string{"a.yaml": configMap("paused", "1")}))
	f.build.until(apps, "paused", "delivered", seen.succeeded)
	f.build.patch(apps, "paused", `{"spec":{"paused":true,"fetch":[{"inline":{"paths":{"a.yaml":"{"}}}]}}`)
	paused := f.build.until(apps, "paused", "paused", seen.paused)
	if !paused.succeeded() {
		t.Errorf("condition of a paused App: %v", paused.Object["status"])
	}
	f.build.patch(apps, "paused", `{"spec":{"paused":null}}`)
	f.build.until(apps, "paused", "failed", seen.failed)
	f.build.apply(apps, f.inline("paused", f.staging, map[string]string{"a.yaml": configMap("paused", "2")}))
	stale := ""
	app := f.build.until(apps, "paused", "delivered", func(o seen) bool {
		if o.is("Reconciling") {
			stale = o.useful()
		}
		return o.succeeded()
	})
	t.Logf("while reconciling: %q", stale)
	if app.useful() != "" {
		t.Errorf("useful message after a success: %s", app.useful())
	}
}

// An object outside any namespace goes with the rest, if the identity may have it.
func TestAccStandIn_clusterScoped(t *testing.T) {
	f := newFlow(t)
	rights := gvr("rbac.authorization.k8s.io", "v1", "clusterroles")
	admins := gvr("rbac.authorization.k8s.io", "v1", "clusterrolebindings")
	extra := f.name + "-extra"
	for resource, text := range map[schema.GroupVersionResource]string{
		rights: "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: NAME}, rules: [{apiGroups: [''], resources: [namespaces], verbs: [get, list, create, update, delete]}]}",
		admins: "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: NAME}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME}, subjects: [{kind: ServiceAccount, name: " + f.staging.account() + ", namespace: NAME}]}",
	} {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(strings.ReplaceAll(text, "NAME", f.name)), &u.Object); err != nil {
			t.Fatal(err)
		}
		if _, err := f.staging.client.Resource(resource).Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = f.staging.client.Resource(resource).Delete(contextOf(t), f.name, metav1.DeleteOptions{})
		})
	}
	both := map[string]string{"a.yaml": configMap("beside", "1"), "b.yaml": "{apiVersion: v1, kind: Namespace, metadata: {name: " + extra + "}}"}
	f.build.apply(apps, f.inline("wide", f.staging, both))
	app := f.build.until(apps, "wide", "delivered", seen.succeeded)
	wantText(t, app.str("status", "deploy", "kapp", "associatedResources", "namespaces"), "(cluster)", f.name)
	f.build.apply(apps, f.inline("wide", f.staging, map[string]string{"a.yaml": both["a.yaml"]}))
	f.staging.untilGone(namespaces, extra)
	f.build.until(apps, "wide", "delivered", seen.succeeded)
	f.build.delete(apps, "wide")
	f.build.untilGone(apps, "wide")
}

// A Secret that fetch or template reads starts a run at once; the period is an hour.
func TestAccStandIn_referencedSecret(t *testing.T) {
	f := newFlow(t)
	f.build.apply(secrets, "{apiVersion: v1, kind: Secret, metadata: {name: files}, stringData: {a.yaml: '"+configMap("from-secret", "1")+"'}}")
	text := strings.Replace(f.inline("refs", f.staging, nil), "paths: {", "pathsFrom: [{secretRef: {name: files}}], paths: {", 1)
	f.build.apply(apps, strings.Replace(text, "spec:\n", "spec:\n  syncPeriod: 1h0m0s\n", 1))
	f.build.until(apps, "refs", "delivered", seen.succeeded)
	f.build.apply(secrets, "{apiVersion: v1, kind: Secret, metadata: {name: files}, stringData: {a.yaml: '"+configMap("from-secret", "2")+"'}}")
	f.staging.until(configMaps, "from-secret", "changed", func(o seen) bool { return o.str("data", "k") == "2" })
}

// Without cluster.namespace an App deploys into the namespace of the kubeconfig's context.
func TestAccStandIn_contextNamespace(t *testing.T) {
	f := newFlow(t)
	kubeconfig := strings.Replace(f.staging.kubeconfig(), "user: run}", "user: run, namespace: "+f.staging.ns+"}", 1)
	f.build.apply(secrets, fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {name: staging-kubeconfig}, stringData: {value: %q}}", kubeconfig))
	text := f.inline("context", f.staging, map[string]string{"a.yaml": configMap("context", "1")})
	f.build.apply(apps, strings.Replace(text, "namespace: "+f.staging.ns+", ", "", 1))
	f.build.until(apps, "context", "delivered", seen.succeeded)
	f.staging.get(configMaps, "context")
	f.staging.get(configMaps, "context.app")
}

// An App whose user on the run cluster is gone fails, and cannot be deleted but by
// letting go.
func TestAccStandIn_userGone(t *testing.T) {
	f := newFlow(t)
	f.build.apply(apps, f.inline("orphan", f.staging, map[string]string{"a.yaml": configMap("orphan", "1")}))
	f.build.until(apps, "orphan", "delivered", seen.succeeded)
	f.staging.delete(accounts, f.staging.account())
	failed := f.build.until(apps, "orphan", "failed", seen.failed)
	wantText(t, failed.useful(), "kapp: Error: Getting app: Unauthorized")
	f.build.delete(apps, "orphan")
	stuck := f.build.until(apps, "orphan", "stuck", func(o seen) bool { return o.is("DeleteFailed") })
	wantText(t, stuck.useful(), "kapp: Error: Getting app: Unauthorized")
	f.build.patch(apps, "orphan", `{"spec":{"noopDelete":true}}`)
	f.build.untilGone(apps, "orphan")
	f.staging.get(configMaps, "orphan")
}

func TestAccStandIn_stuckDelete(t *testing.T) {
	f := newFlow(t)
	f.build.apply(apps, f.inline("stuck", f.prod, map[string]string{"a.yaml": configMap("stuck", "1")}))
	f.build.until(apps, "stuck", "delivered", seen.succeeded)
	f.build.delete(secrets, "prod-kubeconfig")
	f.build.delete(apps, "stuck")
	failing := f.build.until(apps, "stuck", "stuck", func(o seen) bool {
		return o.is("DeleteFailed") && o.str("status", "consecutiveReconcileFailures") > "1"
	})
	wantText(t, failing.useful(), `Preparing kapp: Getting kubeconfig secret: secrets "prod-kubeconfig" not found`)
	wantText(t, failing.str("status", "friendlyDescription"), "Delete failed: Preparing kapp:")

	// It heals when the Secret is back.
	f.putKubeconfig(f.prod, "value")
	f.build.untilGone(apps, "stuck")
	f.prod.untilGone(configMaps, "stuck")

	// noopDelete lets go and leaves what was deployed.
	f.build.apply(apps, f.inline("left", f.prod, map[string]string{"a.yaml": configMap("left", "1")}))
	f.build.until(apps, "left", "delivered", seen.succeeded)
	f.build.delete(secrets, "prod-kubeconfig")
	f.build.delete(apps, "left")
	f.build.until(apps, "left", "stuck", func(o seen) bool { return o.is("DeleteFailed") })
	f.build.patch(apps, "left", `{"spec":{"noopDelete":true}}`)
	f.build.untilGone(apps, "left")
	f.prod.get(configMaps, "left")

	// The same name adopts it again.
	f.putKubeconfig(f.prod, "value")
	f.build.apply(apps, f.inline("left", f.prod, map[string]string{"a.yaml": configMap("left", "2")}))
	f.build.until(apps, "left", "delivered", seen.succeeded)
	f.build.delete(apps, "left")
	f.build.untilGone(apps, "left")
	f.prod.untilGone(configMaps, "left")
}

// A PackageInstall whose ServiceAccount is gone cannot be deleted, until it is back.
// A namespace that is deleted as a whole takes its PackageInstalls with it.
func TestAccStandIn_accountGone(t *testing.T) {
	f := newFlow(t)
	commit := f.commit(f.files(oldVersion))
	f.build.apply(apps, f.app(f.staging))
	f.build.apply(apps, f.app(f.prod))
	f.delivered(f.staging, commit, oldVersion)
	f.delivered(f.prod, commit, oldVersion)
	f.build.patch(apps, "app-staging", `{"spec":{"paused":true}}`)
	f.build.patch(apps, "app-prod", `{"spec":{"paused":true}}`)

	f.staging.delete(accounts, f.staging.account())
	f.staging.delete(installs, "app")
	failing := f.staging.until(installs, "app", "stuck", func(o seen) bool { return o.is("DeleteFailed") })
	wantText(t, failing.useful(), fmt.Sprintf("Preparing kapp: Getting service account: serviceaccounts %q not found", f.staging.account()))
	f.staging.apply(accounts, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: "+f.staging.account()+"}")
	f.staging.untilGone(installs, "app")
	f.staging.untilGone(deployments, "app")

	began := time.Now()
	if err := f.prod.client.Resource(namespaces).Delete(t.Context(), f.prod.ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	f.prod.untilGone(namespaces, f.prod.ns)
	t.Logf("the namespace was gone after %s", time.Since(began).Round(time.Second))
}
