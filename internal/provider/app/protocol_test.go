package app_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/app"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
)

type attributes = protocoltest.Config

// inMemory is an App that is not there yet, in a world whose controller fetches what the
// branch holds.
func inMemory(t *testing.T) (*deliverytest.World, *protocoltest.Resource) {
	t.Helper()
	w := deliverytest.NewWorld()
	w.Repository.Write("somebody", map[string]string{
		"app.default.tap/packages/1.0.0.yaml": "kind: Package\n", "app.default.tap/staging/packageinstall.yaml": "kind: ConfigMap\nmetadata: {name: a}\n",
	})
	w.Build.Controller = w.Fetch
	return w, protocoltest.New(t, app.New, protocoltest.Data(w))
}

// basic is a configuration, with others over it.
func basic(others ...attributes) attributes {
	c := attributes{
		"namespace": "dev", "name": "app", "run_cluster": "staging", "packages": []any{"app.default.tap"}, "field_manager": map[string]any{"force_conflicts": true},
		"cluster": map[string]any{"namespace": "apps", "kubeconfig_secret_ref": map[string]any{"name": "staging-kubeconfig"}},
	}
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
			"labels": map[string]any{"a": "b"}, "annotations": map[string]any{"c": "d"}, "sync_period": "1m", "default_namespace": "there", "noop_delete": true,
			"git_credentials": map[string]any{"username": "ci", "password_wo": "s3cret-s3cret", "version": "1"}, "deploy": map[string]any{"kapp": map[string]any{"into_ns": "there"}},
		}),
		basic(attributes{"sops_age_key_wo": "AGE-SECRET-KEY-1", "sops_age_key_wo_version": "1", "on_destroy": "orphan"}),
		basic(attributes{
			"packages": nil, "run_cluster": nil, "cluster": nil, "service_account_name": "sa",
			"fetch":    []any{map[string]any{"inline": map[string]any{"paths": map[string]any{"a.yaml": "a: 1"}}}},
			"template": []any{map[string]any{"ytt": map[string]any{"ignore_unknown_comments": true}}},
		}),
		basic(attributes{"paused": true, "wait": false}),
		basic(attributes{"git_secret_ref": map[string]any{"name": "theirs"}}),
		basic(attributes{"fetch_per_package": true, "template": numbered("1/packageinstall.yaml")}),
		basic(attributes{"create_directories": true, "template": []any{map[string]any{"ytt": map[string]any{"strict": true}}, map[string]any{"kbld": map[string]any{}}}}),
	}
}

// numbered are steps that read a file of a source by its number.
func numbered(file string) []any {
	return []any{map[string]any{"ytt": map[string]any{"paths": []any{file}}}}
}

var live = cluster.Ref{Resource: carvel.Apps, Namespace: "dev", Name: "app"}

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
	protocoltest.Imports(t, inMemory, "dev/app", []attributes{whole()[0], whole()[3], whole()[5], whole()[6], whole()[7], basic(attributes{"fetch_per_package": true, "git_secret_ref": map[string]any{"name": "theirs"}}), basic(attributes{"sync_period": "1m0s", "labels": map[string]any{"a": "b"}, "default_namespace": "there"})})
	protocoltest.RefusesImports(t, inMemory, []string{"dev/nosuch"}, "dev", "dev/", "a/b/c")
}

// TestProtocol_eachCall: whichever call fails, the next apply mends all.
func TestProtocol_eachCall(t *testing.T) {
	prepare := protocoltest.Prepare(inMemory).Applied(basic())
	protocoltest.EachCall(t, inMemory, whole()[1])
	protocoltest.EachCall(t, prepare, whole()[2])
	protocoltest.EachCall(t, prepare, nil)
	protocoltest.EachCall(t, withoutDirectories, basic(attributes{"create_directories": true}))
}

// withoutDirectories is the same with nothing in the repository.
func withoutDirectories(t *testing.T) (*deliverytest.World, *protocoltest.Resource) {
	t.Helper()
	w, r := inMemory(t)
	w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/1.0.0.yaml": "", "app.default.tap/staging/packageinstall.yaml": ""})
	return w, r
}

// TestProtocol_changedByOthers: what somebody else does is in the next plan, and mended.
func TestProtocol_changedByOthers(t *testing.T) {
	protocoltest.ChangedByOthers(t, inMemory, basic(attributes{"sync_period": "1m"}), []protocoltest.Change{
		{Name: "another period", By: func(w *deliverytest.World) {
			w.Build.Change(live, func(obj *unstructured.Unstructured) { obj.Object["spec"].(map[string]any)["syncPeriod"] = "9m0s" })
		}, Want: protocoltest.Update},
		{Name: "paused by hand", By: func(w *deliverytest.World) {
			w.Build.Change(live, func(obj *unstructured.Unstructured) { obj.Object["spec"].(map[string]any)["paused"] = true })
		}, Want: protocoltest.None}, // a field that the configuration does not have
		{Name: "the App is gone", By: func(w *deliverytest.World) { w.Build.Remove(live) }, Want: protocoltest.Create},
		{Name: "a later commit", By: func(w *deliverytest.World) {
			w.Repository.Write("somebody", map[string]string{"README.md": "later"})
		}, Want: protocoltest.None},
	})
}

// TestProtocol_exists: an App of somebody else is refused, and adopted if that is asked
// for.
func TestProtocol_exists(t *testing.T) {
	w, r := inMemory(t)
	theirs, err := carvel.App(carvel.AppSpec{Namespace: "dev", Name: "app", ServiceAccountName: "theirs"})
	if err != nil {
		t.Fatal(err)
	}
	theirs.SetLabels(nil)
	w.Build.Put(theirs)
	if diags := r.Apply(basic()); !diags.Failed() || !strings.Contains(diags.String(), "adopt_existing") {
		t.Errorf("%s", diags)
	}
	if diags := r.Apply(basic(attributes{"adopt_existing": true})); diags.Failed() {
		t.Fatal(diags)
	}
	if diags := r.Apply(nil); diags.Failed() || r.Exists() {
		t.Error(diags)
	}
}

// TestProtocol_failing: an App that fails is in the state with the controller's words,
// and the next apply mends it. One that cannot be deleted says so.
func TestProtocol_failing(t *testing.T) {
	w, r := inMemory(t)
	attempt := int64(0)
	failing := func(ref cluster.Ref, obj *unstructured.Unstructured) {
		if ref.Resource != carvel.Apps {
			return
		}
		attempt++
		kind := carvel.ReconcileFailed
		if obj.GetDeletionTimestamp() != nil {
			kind = carvel.DeleteFailed
		}
		obj.Object["status"] = map[string]any{
			"observedGeneration": obj.GetGeneration(), "usefulErrorMessage": "kapp: Error: no such thing", "consecutiveReconcileFailures": attempt,
			"conditions": []any{map[string]any{"type": kind, "status": "True"}}, "fetch": map[string]any{"exitCode": int64(1), "stderr": "x"},
		}
	}
	again := func() (stop func()) { // the controller tries once more, until it is stopped
		done, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-done:
					return
				case <-time.After(20 * time.Millisecond):
					w.Build.Change(live, func(*unstructured.Unstructured) {})
				}
			}
		}()
		return func() { close(done); <-stopped }
	}
	w.Build.Controller = failing
	stop := again()
	if diags := r.Apply(basic()); !diags.Failed() || !strings.Contains(diags.String(), "no such thing") || !r.Exists() || !r.Tainted {
		t.Errorf("%t: %s", r.Exists(), diags)
	}
	stop()
	w.Build.Controller = w.Fetch
	if diags := r.Apply(basic()); diags.Failed() {
		t.Error(diags)
	}
	w.Build.Finalized = func(ref cluster.Ref, _ *unstructured.Unstructured) bool { return ref.Resource == carvel.Apps }
	w.Build.Controller = failing
	stop = again()
	if diags := r.Apply(nil); !diags.Failed() || !strings.Contains(diags.String(), "no such thing") || !r.Exists() {
		t.Errorf("%t: %s", r.Exists(), diags)
	}
	stop()
}

// long is a name of so many characters.
func long(n int) string {
	return strings.Repeat("a.", n/2+1)[:n-1] + "b"
}

// TestProtocol_refused: bad input is refused before anything is written.
func TestProtocol_refused(t *testing.T) {
	for want, wrong := range map[string]attributes{
		"packages":                          {"packages": []any{"app"}},
		"exactly one of fetch and packages": {"packages": nil},
		"exactly one of service_account_name and cluster":    {"cluster": nil},
		"service_account_name and cluster are set":           {"service_account_name": "sa"},
		"exactly one of password_wo and ssh_private_key_wo":  {"git_credentials": map[string]any{"version": "1"}},
		"at most one of git_secret_ref and git_credentials":  {"git_secret_ref": map[string]any{"name": "x"}, "git_credentials": map[string]any{"version": "1", "username": "u", "password_wo": "s3cret"}},
		"exactly one of git, inline, image":                  {"packages": nil, "fetch": []any{map[string]any{}}},
		"user information":                                   {"packages": nil, "fetch": []any{map[string]any{"git": map[string]any{"url": "https://u:s3cret@h/r", "ref": "origin/main"}}}},
		"254 characters":                                     {"name": long(250)},
		"secret of sops_age_key_wo would have a name of 254": {"name": long(245), "sops_age_key_wo": "AGE-SECRET-KEY-1", "sops_age_key_wo_version": "1"},
		"secret of git_credentials would have a name of 254": {"name": long(250), "git_credentials": map[string]any{"version": "1", "username": "u", "password_wo": "s3cret"}},
		"invalid labels[\"a b\"]":                            {"labels": map[string]any{"a b": "c"}},
		"invalid labels[\"a\"]":                              {"labels": map[string]any{"a": strings.Repeat("x", 64)}},
		"invalid annotations[\"/a\"]":                        {"annotations": map[string]any{"/a": "c"}},
		"takes at most 262144":                               {"annotations": map[string]any{"a": strings.Repeat("x", 262144)}},
		"field_manager.name":                                 {"field_manager": map[string]any{"name": strings.Repeat("x", 129)}},
		"on_destroy":                                         {"on_destroy": "keep"},
		"sync_period":                                        {"sync_period": "soon"},
		"age-secret-key":                                     {"sops_age_key_wo": "x", "sops_age_key_wo_version": "1"},
		"fetch_per_package":                                  {"packages": nil, "fetch": []any{map[string]any{"git": map[string]any{"sub_path": "a"}}}, "fetch_per_package": true},
		"create_directories":                                 {"packages": nil, "fetch": []any{map[string]any{"git": map[string]any{"sub_path": "a"}}}, "create_directories": true},
		"invalid template[0]":                                {"template": numbered("0")},
		"invalid template[1]": {"template": []any{
			map[string]any{"ytt": map[string]any{}}, map[string]any{"kbld": map[string]any{"paths": []any{"-", "1/x"}}},
		}},
		"fetch_per_package = true": {"template": []any{map[string]any{"helm_template": map[string]any{}}}},
	} {
		t.Run(want, func(t *testing.T) {
			w, r := inMemory(t)
			before := w.Snapshot()
			diags := r.Apply(basic(wrong))
			if !diags.Failed() || !strings.Contains(strings.ToLower(diags.String()), want) || !maps.Equal(before, w.Snapshot()) || strings.Contains(diags.String(), "s3cret") {
				t.Errorf("want %q in: %s", want, diags)
			}
		})
	}
}

// TestProtocol_empties: an empty list or map is none.
func TestProtocol_empties(t *testing.T) {
	fetch := func(source string, of map[string]any) []any { return []any{map[string]any{source: of}} }
	others := attributes{"packages": nil, "run_cluster": nil}
	selection := map[string]any{"semver": map[string]any{"prereleases": map[string]any{}}}
	ref := map[string]any{"name": "x"}
	for _, c := range append([]attributes{whole()[1], whole()[3], whole()[7]},
		basic(others, attributes{"fetch": fetch("inline", map[string]any{"paths": map[string]any{"a.yaml": "a: 1"}, "paths_from": []any{map[string]any{"secret_ref": ref}}})}),
		basic(others, attributes{"fetch": fetch("git", map[string]any{"url": "https://git.example.com/r.git", "ref_selection": selection}), "wait": false}),
		basic(others, attributes{"fetch": fetch("image", map[string]any{"url": "r/a", "tag_selection": selection}), "wait": false, "template": []any{
			map[string]any{"sops": map[string]any{"age": map[string]any{"private_keys_secret_ref": ref}}},
			map[string]any{"ytt": map[string]any{"inline": map[string]any{"paths": map[string]any{"b.yaml": "b: 1"}}, "values_from": []any{map[string]any{"secret_ref": ref}}}},
			map[string]any{"kbld": map[string]any{}},
		}}),
		basic(others, attributes{"fetch": fetch("helm_chart", map[string]any{"name": "c", "repository": map[string]any{"url": "https://h.example.com"}}), "wait": false, "template": []any{
			map[string]any{"helm_template": map[string]any{"values_from": []any{map[string]any{"downward_api": map[string]any{"items": []any{map[string]any{"name": "n", "field_path": "metadata.name"}}}}}}},
			map[string]any{"cue": map[string]any{"values_from": []any{map[string]any{"path": "v"}}}},
		}, "deploy": map[string]any{"kapp": map[string]any{"inspect": map[string]any{}, "delete": map[string]any{}}}}),
	) {
		protocoltest.Empties(t, inMemory, c)
	}
}

// TestProtocol_goneCluster: an App is got rid of without its run cluster, by two applies
// and without waiting for anything of it.
func TestProtocol_goneCluster(t *testing.T) {
	w, r := inMemory(t)
	if diags := r.Apply(basic()); diags.Failed() {
		t.Fatal(diags)
	}
	w.Build.Controller = func(ref cluster.Ref, obj *unstructured.Unstructured) { // it reaches nothing
		w.Fetch(ref, obj)
		if conditions, found, _ := unstructured.NestedSlice(obj.Object, "status", "conditions"); found {
			conditions[0].(map[string]any)["type"] = carvel.ReconcileFailed
			obj.Object["status"].(map[string]any)["conditions"] = conditions
		}
	}
	w.Calls.Forget()
	if diags := r.Apply(basic(attributes{"on_destroy": "orphan"})); diags.Failed() {
		t.Fatal(diags)
	}
	if diags := r.Apply(nil); diags.Failed() || w.Build.Object(live) != nil {
		t.Error(diags)
	}
	protocoltest.Unreached(t, w)
}

// TestProtocol_defaults: the App and its Secrets have the resource's labels and the
// provider's.
func TestProtocol_defaults(t *testing.T) {
	own := attributes{"labels": map[string]any{"team": "own"}}
	protocoltest.Defaults(t, inMemory, basic(own), "dev/app")
	protocoltest.Defaults(t, inMemory, basic(own, attributes{
		"git_credentials": map[string]any{"username": "ci", "password_wo": "s3cret-s3cret", "version": "1"}, "sops_age_key_wo": "AGE-SECRET-KEY-1", "sops_age_key_wo_version": "1",
	}), "")
}

// TestProtocol_unknown: what is not known yet is left to the apply.
func TestProtocol_unknown(t *testing.T) {
	_, r := inMemory(t)
	for _, name := range []string{"name", "namespace", "run_cluster", "packages", "labels", "cluster", "sync_period"} {
		if p, diags := r.Plan(basic(attributes{name: protocoltest.Unknown})); diags.Failed() || p.Action != protocoltest.Create || p.Attribute("status") != `"unknown"` {
			t.Errorf("%s: %s %s %s", name, p.Action, p.Attribute("status"), diags)
		}
	}
}

// TestProtocol_dataSource: the data source reports whether the App has what the branch
// holds.
func TestProtocol_dataSource(t *testing.T) {
	w, r := inMemory(t)
	read := func() (map[string]string, protocoltest.Diagnostics) {
		return protocoltest.Read(t, app.NewDataSource, protocoltest.Data(w), attributes{"namespace": "dev", "name": "app"})
	}
	if _, diags := read(); !diags.Failed() || !strings.Contains(diags.String(), "dev/app") {
		t.Errorf("an App that is not there: %s", diags)
	}
	if diags := r.Apply(basic()); diags.Failed() {
		t.Fatal(diags)
	}
	found, diags := read()
	if diags.Failed() || found["ready"] != "true" || found["in_sync"] != "true" || found["condition"] != `"ReconcileSucceeded"` {
		t.Errorf("%v %s", found, diags)
	}
	w.Repository.Write("somebody", map[string]string{"app.default.tap/staging/packageinstall.yaml": "kind: ConfigMap\nmetadata: {name: b}\n"})
	if found, diags = read(); diags.Failed() || found["in_sync"] != "false" {
		t.Errorf("%v %s", found, diags)
	}
	w.Calls.Fails = func(int, string) error { return deliverytest.ErrFault }
	if _, diags := read(); !diags.Failed() {
		t.Error("an error is no error")
	}
}
