package packageinstall_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packageinstall"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
)

type attributes = protocoltest.Config

// inMemory is a package install that is not there yet.
func inMemory(t *testing.T) (*deliverytest.World, *protocoltest.Resource) {
	t.Helper()
	w := deliverytest.NewWorld()
	return w, protocoltest.New(t, packageinstall.New, protocoltest.Data(w))
}

// basic is a configuration, with others over it.
func basic(others ...attributes) attributes {
	c := attributes{
		"package": "app.default.tap", "run_cluster": "staging", "service_account_name": "sa", "version_constraint": ">=1.0.0", "package_source": "none",
		"values": map[string]any{"hostname": "app.example.com", "replicas": 2},
	}
	for _, other := range others {
		maps.Copy(c, other)
	}
	return c
}

const install, params = "app.default.tap/staging/packageinstall.yaml", "app.default.tap/staging/params.yaml"

const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

// whole are configurations in which every attribute has something.
func whole() []attributes {
	return []attributes{
		basic(attributes{
			"name": "other", "namespace": "apps", "labels": map[string]any{"a": "b"}, "annotations": map[string]any{"c": "d"},
			"prereleases": map[string]any{"identifiers": []any{"rc"}}, "allow_downgrade": true, "sync_period": "1m", "paused": true, "canceled": true, "on_destroy": "remove",
			"noop_delete": true, "default_namespace": "there", "values_yaml": []any{"x: 1\n", "m: {z: [1, null]}\n"},
			"values_secret_name": "v", "hash_values_name": true, "extra_values_secrets": []any{"more"}, "ytt_overlays": map[string]any{"o.yaml": "#@ x\n"},
			"extensions": map[string]any{
				"ignore_kubernetes_version_selection": true, "ignore_kapp_controller_version_selection": true, "ytt_data_values_overlays": true,
				"helm_template_name": "h", "helm_template_namespace": "hn", "helm_template_values_secrets": []any{"a", "b"}, "fetch_secrets": map[string]any{"0": "r"},
			},
		}),
		basic(attributes{"values_wo": map[string]any{"password": "s3cret-s3cret"}, "values_wo_version": "1", "on_destroy": "orphan"}),
		basic(attributes{"encryption": map[string]any{"age_recipients": []any{recipient}}, "service_account_name": nil, "cluster": map[string]any{"namespace": "n", "kubeconfig_secret_ref": map[string]any{"name": "k", "key": "c"}}}),
		basic(attributes{"values": nil, "on_destroy": "remove"}),
	}
}

// TestProtocol: from each configuration to each other one, with an empty plan after each
// apply, and nothing left in the end but the directory.
func TestProtocol(t *testing.T) {
	w, r := inMemory(t)
	protocoltest.Transitions(t, r, whole())
	for _, text := range w.Repository.Files() {
		if strings.Contains(text, "s3cret-s3cret") {
			t.Errorf("a value is left: %s", text)
		}
	}
	if diags := r.Apply(nil); diags.Failed() || r.Exists() {
		t.Fatal(diags)
	}
	if left := slices.Sorted(maps.Keys(w.Repository.Files())); strings.Join(left, " ") != "README.md app.default.tap/staging/.gitkeep" {
		t.Errorf("left are %v", left)
	}
}

// TestProtocol_imported: what is imported needs no commit under the configuration that it
// was made with.
func TestProtocol_imported(t *testing.T) {
	readable, encrypted := slices.Clone(whole()), whole()[2]
	protocoltest.Imports(t, inMemory, "app.default.tap/staging", slices.Delete(readable, 2, 3))
	protocoltest.RefusesImports(t, inMemory, []string{"web.default.tap/staging"}, "app.default.tap", "app/staging", "app.default.tap/packages")
	// Nobody can tell what is in an encrypted file: it is written once more.
	w, r := protocoltest.Prepare(inMemory).Applied(encrypted)(t)
	r.Forget()
	if diags := r.Import("app.default.tap/staging"); diags.Failed() || !r.Exists() {
		t.Fatal(diags)
	}
	for _, commits := range []int{w.Repository.Commits() + 1, w.Repository.Commits() + 1} {
		if diags := r.Apply(encrypted); diags.Failed() || w.Repository.Commits() != commits {
			t.Errorf("%d commits, want %d: %s", w.Repository.Commits(), commits, diags)
		}
	}
}

// TestProtocol_eachCall: whichever call fails, the next apply mends all.
func TestProtocol_eachCall(t *testing.T) {
	prepare := protocoltest.Prepare(inMemory).Applied(basic())
	for _, c := range whole()[:3] {
		protocoltest.EachCall(t, inMemory, c)
	}
	protocoltest.EachCall(t, prepare, whole()[0])
	protocoltest.EachCall(t, prepare, nil)
}

// TestProtocol_changedByOthers: what somebody else does to the files is in the next plan.
func TestProtocol_changedByOthers(t *testing.T) {
	edit := func(how func(map[string]string) map[string]string) func(*deliverytest.World) {
		return func(w *deliverytest.World) { w.Repository.Write("somebody", how(w.Repository.Files())) }
	}
	protocoltest.ChangedByOthers(t, inMemory, basic(), []protocoltest.Change{
		{Name: "another constraint", By: edit(func(f map[string]string) map[string]string {
			return map[string]string{install: strings.Replace(f[install], ">=1.0.0", ">=2.0.0", 1)}
		}), Want: protocoltest.Update},
		{Name: "another value", By: edit(func(f map[string]string) map[string]string {
			return map[string]string{params: strings.Replace(f[params], "replicas: 2", "replicas: 3", 1)}
		}), Want: protocoltest.Update},
		{Name: "another form of the same", By: edit(func(f map[string]string) map[string]string {
			return map[string]string{params: "# by hand\n" + strings.Replace(f[params], "replicas: 2", "replicas: 0x2", 1)}
		}), Want: protocoltest.None},
		{Name: "no values", By: edit(func(_ map[string]string) map[string]string {
			return map[string]string{params: ""}
		}), Want: protocoltest.Update},
		{Name: "not YAML", By: edit(func(_ map[string]string) map[string]string {
			return map[string]string{install: "a: ["}
		}), Want: protocoltest.Update},
		{Name: "nothing is left", By: edit(func(_ map[string]string) map[string]string {
			return map[string]string{install: "", params: ""}
		}), Want: protocoltest.Create},
	})
}

// TestProtocol_changedBetween: a change between plan and apply is an error that names its author, and nothing is lost.
func TestProtocol_changedBetween(t *testing.T) {
	w, r := protocoltest.Prepare(inMemory).Applied(basic())(t)
	p, diags := r.Plan(basic(attributes{"paused": true}))
	if diags.Failed() {
		t.Fatal(diags)
	}
	theirs := strings.Replace(w.Repository.Files()[install], "serviceAccountName: sa", "serviceAccountName: theirs", 1)
	w.Repository.Write("somebody", map[string]string{install: theirs})
	if diags := p.Apply(); !diags.Failed() || w.Repository.Files()[install] != theirs || !strings.Contains(diags.String(), "somebody") {
		t.Errorf("%s", diags)
	}
}

// TestProtocol_exists: files of somebody else are refused, and adopted if that is
// asked for, as the plan shows it.
func TestProtocol_exists(t *testing.T) {
	theirs := map[string]string{install: "kind: PackageInstall\n"}
	w, r := inMemory(t)
	w.Repository.Write("a colleague", theirs)
	if p, diags := r.Plan(basic()); !diags.Failed() || !strings.Contains(diags.String(), "adopt_existing") || !strings.Contains(diags.String(), "a colleague") {
		t.Errorf("%s %s", p.Action, diags)
	}
	adopt := basic(attributes{"adopt_existing": true})
	p, diags := r.Plan(adopt)
	if diags.Failed() || !strings.Contains(p.Attribute("adopted"), install) && !strings.Contains(diags.String(), install) {
		t.Fatalf("%s %s %s", p.Action, p.Attribute("adopted"), diags)
	}
	w.Repository.Write("a colleague", map[string]string{install: "kind: PackageInstall\n# later\n"})
	if diags := p.Apply(); !diags.Failed() {
		t.Error("what the plan did not see was adopted")
	}
	if diags := r.Apply(adopt); diags.Failed() {
		t.Fatal(diags)
	}
	if p, diags := r.Plan(adopt); diags.Failed() || p.Action != protocoltest.None {
		t.Errorf("%s %s", p.Action, diags)
	}
	// Another configuration takes it over in turn, and the first one leaves it.
	second := protocoltest.New(t, packageinstall.New, protocoltest.DataOf(w, "another"))
	if diags := second.Apply(adopt); diags.Failed() {
		t.Fatal(diags)
	}
	if diags := r.Apply(adopt); !strings.Contains(diags.String(), "another") {
		t.Errorf("nothing is said about who has it: %s", diags)
	}
	if diags := r.Apply(nil); diags.Failed() || w.Repository.Files()[install] == "" {
		t.Errorf("the files of another resource are gone: %s", diags)
	}
}

// packageFile is a version of a package whose values have a schema.
func packageFile(version string) string {
	return "apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\nmetadata: {name: app.default.tap." + version + "}\nspec:\n  refName: app.default.tap\n  version: " + version + "\n" +
		"  template: {spec: {template: [{ytt: {}}]}}\n  valuesSchema:\n    openAPIv3:\n      type: object\n      additionalProperties: false\n      properties: {hostname: {type: string}, replicas: {type: integer}}\n"
}

// TestProtocol_version: the plan tells which version is installed, and refuses one that is
// not there and values that it does not take.
func TestProtocol_version(t *testing.T) {
	w, r := inMemory(t)
	c := basic(attributes{"package_source": nil})
	if diags := r.Apply(c); !diags.Failed() || !strings.Contains(diags.String(), "app.default.tap/packages") {
		t.Errorf("no version is there: %s", diags)
	}
	w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/1.0.0.yaml": packageFile("1.0.0"), "app.default.tap/packages/1.2.0.yaml": packageFile("1.2.0")})
	p, diags := r.Plan(c)
	if diags.Failed() || p.Attribute("resolved_version") != `"1.2.0"` {
		t.Errorf("%s %s", p.Attribute("resolved_version"), diags)
	}
	if diags := p.Apply(); diags.Failed() {
		t.Fatal(diags)
	}
	for want, wrong := range map[string]attributes{
		`values.hostnam`: {"values": map[string]any{"hostnam": "x"}},
		`>=2.0.0`:        {"version_constraint": ">=2.0.0"},
		`down`:           {"version_constraint": "<1.1.0"},
		`~1`:             {"version_constraint": "~1"},
	} {
		t.Run(want, func(t *testing.T) {
			c := basic(attributes{"package_source": nil}, wrong)
			if _, diags := r.Plan(c); !diags.Failed() || !strings.Contains(diags.String(), want) {
				t.Errorf("%v: want %s in: %s", wrong, want, diags)
			}
		})
	}
	if diags := r.Apply(basic(attributes{"package_source": nil, "version_constraint": "<1.1.0", "allow_downgrade": true})); diags.Failed() || r.Attribute("resolved_version") != `"1.0.0"` {
		t.Errorf("%s %s", r.Attribute("resolved_version"), diags)
	}
	// A version that goes away is told.
	w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/1.0.0.yaml": ""})
	if _, diags := r.Plan(basic(attributes{"package_source": nil})); diags.Failed() {
		t.Error(diags)
	}
}

// TestProtocol_empties: an empty list or map is none.
func TestProtocol_empties(t *testing.T) {
	for _, c := range whole()[:3] {
		protocoltest.Empties(t, inMemory, c)
	}
}

// TestProtocol_goneCluster: the files go without their run cluster, of a set as well.
func TestProtocol_goneCluster(t *testing.T) {
	both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, _ string) {
		if diags := r.Apply(c); diags.Failed() {
			t.Fatal(diags)
		}
		w.Calls.Forget()
		r.In(protocoltest.DataWithout(w))
		if diags := r.Apply(nil); diags.Failed() || w.Repository.Files()[install] != "" {
			t.Error(diags)
		}
		protocoltest.Unreached(t, w)
	})
}

// TestProtocol_defaults: the objects in the files have the resource's labels and the
// provider's.
func TestProtocol_defaults(t *testing.T) {
	more := attributes{"labels": map[string]any{"team": "own"}, "ytt_overlays": map[string]any{"o.yaml": "#@ x\n"}}
	both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, id string) {
		if c["packages"] == nil {
			maps.Copy(c, more)
		} else {
			c["labels"] = more["labels"]
			c["packages"].(entries)["app.default.tap"].(entries)["ytt_overlays"] = more["ytt_overlays"]
		}
		apply := func() {
			t.Helper()
			if diags := r.Apply(c); diags.Failed() {
				t.Fatal(diags)
			}
			if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.None {
				t.Fatalf("%s: %s", p.Action, diags)
			}
		}
		apply()
		defaults := carvel.Metadata{Labels: map[string]string{"team": "default", "cost": "42"}, Annotations: map[string]string{"example.com/note": "x"}}
		r.In(protocoltest.DataDefaults(w, defaults))
		if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.Update {
			t.Fatalf("new defaults: %s %s", p.Action, diags)
		}
		apply()
		for _, file := range []string{install, params, installDir + "overlays.yaml"} {
			for _, want := range []string{"team: own", "cost: \"42\"", "example.com/note: x"} {
				if text := w.Repository.Files()[file]; !strings.Contains(text, want) {
					t.Errorf("%s lacks %s:\n%s", file, want, text)
				}
			}
		}
		commits := w.Repository.Commits()
		r.Forget()
		if diags := r.Import(id); diags.Failed() || r.Attribute("labels") != `{"team":"own"}` || r.Attribute("annotations") != "null" {
			t.Errorf("%s %s: %s", r.Attribute("labels"), r.Attribute("annotations"), diags)
		}
		apply()
		if w.Repository.Commits() != commits {
			t.Error("an import needs a commit")
		}
		r.In(protocoltest.Data(w))
		apply()
		if strings.Contains(w.Repository.Files()[install], "cost") {
			t.Error("a default that is no more is left")
		}
	})
}

// TestProtocol_unknown: what is not known yet is left to the apply.
func TestProtocol_unknown(t *testing.T) {
	_, r := inMemory(t)
	for _, name := range []string{"values", "package", "run_cluster", "name", "labels", "version_constraint", "values_yaml", "sync_period", "extensions", "cluster", "service_account_name"} {
		p, diags := r.Plan(basic(attributes{name: protocoltest.Unknown}))
		if diags.Failed() || p.Action != protocoltest.Create || p.Attribute("commit") != `"unknown"` {
			t.Errorf("%s: %s %s %s", name, p.Action, p.Attribute("commit"), diags)
		}
	}
}

// TestProtocol_refused: bad input is refused before anything is written.
func TestProtocol_refused(t *testing.T) {
	for want, wrong := range map[string]attributes{
		"allow_downgrade":              {"annotations": map[string]any{"packaging.carvel.dev/downgradable": ""}},
		"extensions.fetch_secrets":     {"annotations": map[string]any{"ext.packaging.carvel.dev/fetch-0-secret-name": "x"}},
		"run_clusters":                 {"run_cluster": "nosuch"},
		"three segments":               {"package": "app"},
		"sync_period":                  {"sync_period": "soon"},
		"namespace":                    {"package_source": "cluster"},
		"name of 254 characters":       {"name": strings.Repeat(strings.Repeat("a", 49)+".", 5)[:249] + "b"},
		"labels[\"a\"]":                {"labels": map[string]any{"a": "b c"}},
		"annotations[\"a b\"]":         {"annotations": map[string]any{"a b": "c"}},
		"261 characters":               {"values_secret_name": strings.Repeat("a", 250), "hash_values_name": true},
		"ytt_overlays":                 {"ytt_overlays": map[string]any{"o.txt": "x"}},
		"age recipient":                {"encryption": map[string]any{"age_recipients": []any{"age1x"}}},
		"the values must be an object": {"values": "x"},
		"both are set":                 {"cluster": map[string]any{"kubeconfig_secret_ref": map[string]any{"name": "k"}}},
		"none is set":                  {"service_account_name": nil},
	} {
		t.Run(want, func(t *testing.T) {
			w, r := inMemory(t)
			diags := r.Apply(basic(wrong))
			if !diags.Failed() || !strings.Contains(strings.ToLower(diags.String()), want) || w.Repository.Commits() > 1 {
				t.Errorf("%v: want %q in: %s", wrong, want, diags)
			}
		})
	}
}

// TestProtocol_dataSource lists what is installed on a run cluster.
func TestProtocol_dataSource(t *testing.T) {
	w := deliverytest.NewWorld()
	read := func(c attributes) (map[string]string, protocoltest.Diagnostics) {
		return protocoltest.Read(t, packageinstall.NewDataSource, protocoltest.Data(w), c)
	}
	install, err := carvel.PackageInstall(carvel.PackageInstallSpec{
		Name: "app", Namespace: "apps", PackageRef: carvel.PackageRef{RefName: "app.default.tap", VersionSelection: carvel.VersionSelection{Constraints: ">=1.0.0"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	install.Object["status"] = map[string]any{
		"version": "1.2.0", "observedGeneration": int64(1), "conditions": []any{map[string]any{"type": carvel.ReconcileSucceeded, "status": "True"}},
	}
	w.Run.Put(install)
	for _, c := range []attributes{{"run_cluster": "staging"}, {"run_cluster": "staging", "namespace": "apps"}} {
		found, diags := read(c)
		if diags.Failed() || !strings.Contains(found["package_installs"], `"app.default.tap"`) || !strings.Contains(found["package_installs"], `"1.2.0"`) || !strings.Contains(found["package_installs"], `"ready":false`) ||
			!strings.Contains(found["package_installs"], `"ready_since":null`) {
			t.Errorf("%v %s", found, diags)
		}
	}
	app := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "kappctrl.k14s.io/v1alpha1", "kind": "App"}}
	app.SetNamespace("apps")
	app.SetName("app")
	app.SetAnnotations(map[string]string{carvel.VersionAnnotation: "1.2.0"})
	now := time.Now().Truncate(time.Second)
	for _, obj := range []*unstructured.Unstructured{install, app} {
		fields := []metav1.ManagedFieldsEntry{{Subresource: "status", Time: &metav1.Time{Time: now}}, {Time: &metav1.Time{Time: now.Add(-time.Hour)}}}
		obj.SetManagedFields(fields)
	}
	app.Object["status"] = map[string]any{
		"observedGeneration": int64(1), "consecutiveReconcileSuccesses": int64(1), "conditions": []any{map[string]any{"type": carvel.ReconcileSucceeded, "status": "True"}},
		"fetch": map[string]any{"startedAt": now.Format(time.RFC3339), "updatedAt": now.Format(time.RFC3339)},
	}
	w.Run.Put(install)
	w.Run.Put(app)
	found, diags := read(attributes{"run_cluster": "staging"})
	for _, want := range []string{`"ready":true`, `"ready_since":"` + now.UTC().Format(time.RFC3339) + `"`, `"ready_since_reason":null`, `"values_digest":null`} {
		if diags.Failed() || !strings.Contains(found["package_installs"], want) {
			t.Errorf("want %s: %v %s", want, found, diags)
		}
	}
	if found, diags := read(attributes{"run_cluster": "staging", "namespace": "others"}); diags.Failed() || found["package_installs"] != "[]" {
		t.Errorf("%v %s", found, diags)
	}
	if _, diags := read(attributes{"run_cluster": "nosuch"}); !diags.Failed() {
		t.Error("a run cluster that is not configured is none")
	}
}
