package packageinstall_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packageinstall"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

// setInMemory is a set of package installs that is not there yet.
func setInMemory(t *testing.T) (*deliverytest.World, *protocoltest.Resource) {
	t.Helper()
	w := deliverytest.NewWorld()
	return w, protocoltest.New(t, packageinstall.NewSet, protocoltest.Data(w))
}

// entries are packages of a set.
type entries = map[string]any

// set is a configuration of two packages, with others over it.
func set(others ...attributes) attributes {
	c := attributes{
		"run_cluster": "staging", "service_account_name": "sa", "package_source": "none",
		"packages": entries{
			"app.default.tap": entries{"version_constraint": ">=1.0.0", "values": entries{"hostname": "app.example.com", "replicas": 2}},
			"db.default.tap":  entries{"version_constraint": "2.0.0"},
		},
	}
	for _, other := range others {
		maps.Copy(c, other)
	}
	return c
}

// wholeSets are configurations in which every attribute has something.
func wholeSets() []attributes {
	return []attributes{
		set(),
		set(attributes{
			"namespace": "apps", "labels": entries{"a": "b"}, "annotations": entries{"c": "d"}, "prereleases": entries{"identifiers": []any{"rc"}},
			"allow_downgrade": true, "sync_period": "1m", "hash_values_name": true, "on_destroy": "orphan",
			"packages": entries{
				"app.default.tap": entries{
					"version_constraint": ">=1.0.0", "name": "other", "values_yaml": []any{"x: 1\n", "m: {z: [1, null]}\n"}, "values": entries{"n": nil, "l": []any{1, "2"}},
					"values_secret_name": "v", "extra_values_secrets": []any{"more"}, "ytt_overlays": entries{"o.yaml": "#@ x\n"}, "paused": true, "canceled": true,
					"noop_delete": true, "default_namespace": "there", "extensions": entries{"helm_template_name": "h", "fetch_secrets": entries{"0": "r"}},
				},
				"web.default.tap": entries{
					"version_constraint": "1.0.0", "namespace": "web", "labels": entries{"e": "f"}, "sync_period": "2m", "hash_values_name": false, "allow_downgrade": false,
					"annotations": entries{"g": "h"}, "service_account_name": "other", "prereleases": entries{},
				},
			},
		}),
		set(attributes{"values_wo": entries{"db.default.tap": entries{"password": "s3cret-s3cret"}}, "values_wo_version": "1"}),
		set(attributes{
			"encryption": entries{"age_recipients": []any{recipient}},
			"packages": entries{
				"app.default.tap": entries{"version_constraint": "1.0.0", "values": entries{"a": "b"}, "cluster": entries{"namespace": "n", "kubeconfig_secret_ref": entries{"name": "k", "key": "c"}}},
				"db.default.tap":  entries{"version_constraint": "2.0.0", "values": entries{"c": true}},
			},
		}),
		set(attributes{"packages": entries{"db.default.tap": entries{"version_constraint": "2.0.0"}}}),
	}
}

// TestSet: from each configuration to each other one, each in one commit, with an empty plan
// after each apply, and nothing left in the end but the directories.
func TestSet(t *testing.T) {
	w, r := setInMemory(t)
	protocoltest.Transitions(t, r, wholeSets())
	for _, text := range w.Repository.Files() {
		if strings.Contains(text, "s3cret-s3cret") {
			t.Errorf("a value is left: %s", text)
		}
	}
	if diags := r.Apply(nil); diags.Failed() || r.Exists() {
		t.Fatal(diags)
	}
	left := strings.Join(slices.Sorted(maps.Keys(w.Repository.Files())), " ")
	if left != "README.md app.default.tap/staging/.gitkeep db.default.tap/staging/.gitkeep web.default.tap/staging/.gitkeep" {
		t.Errorf("left are %v", left)
	}
}

// TestSet_empties: an empty list or map is none, of the set and of a package.
func TestSet_empties(t *testing.T) {
	for _, c := range wholeSets()[:2] {
		protocoltest.Empties(t, setInMemory, c)
	}
	for name, empty := range map[string]any{
		"labels": entries{}, "annotations": entries{}, "ytt_overlays": entries{}, "values": entries{}, "values_yaml": []any{}, "extra_values_secrets": []any{},
		"prereleases": entries{"identifiers": []any{}}, "extensions": entries{"fetch_secrets": entries{}, "helm_template_values_secrets": []any{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, r := setInMemory(t)
			c := set(attributes{"packages": entries{"db.default.tap": entries{"version_constraint": "2.0.0", name: empty}}})
			if diags := r.Apply(c); diags.Failed() {
				t.Fatal(diags)
			}
			if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.None {
				t.Errorf("%s: %s", p.Action, diags)
			}
		})
	}
}

// TestSet_oneCommit: whatever becomes of how many packages is one commit, which writes the
// files of those that change alone.
func TestSet_oneCommit(t *testing.T) {
	w, r := setInMemory(t)
	all := entries{}
	for i := range 20 {
		all[fmt.Sprintf("p%d.default.tap", i)] = entries{"version_constraint": "1.0.0", "values": entries{"replicas": i}}
	}
	apply := func(c attributes, want ...string) {
		t.Helper()
		before, commits := w.Repository.Files(), w.Repository.Commits()
		if diags := r.Apply(c); diags.Failed() || w.Repository.Commits() != commits+1 {
			t.Fatalf("%d commits: %s", w.Repository.Commits()-commits, diags)
		}
		var changed []string
		after := w.Repository.Files()
		for at := range after {
			if before[at] != after[at] {
				changed = append(changed, at)
			}
		}
		if slices.Sort(changed); want != nil && !slices.Equal(changed, want) {
			t.Errorf("changed are %v, want %v", changed, want)
		}
	}
	apply(set(attributes{"packages": all}))
	all = maps.Clone(all)
	all["p7.default.tap"] = entries{"version_constraint": "1.0.0", "values": entries{"replicas": 70}}
	apply(set(attributes{"packages": all}), "p7.default.tap/staging/.terraform-provider-carvel", "p7.default.tap/staging/params.yaml")
	w.Calls.Forget()
	if p, diags := r.Plan(set(attributes{"packages": all})); diags.Failed() || p.Action != protocoltest.None {
		t.Fatalf("%s %s", p.Action, diags)
	}
	for _, call := range w.Calls.Made() {
		if strings.HasPrefix(call, "git Read") { // what was not written is still known
			t.Errorf("%s", call)
		}
	}
	// One that goes, one that comes and one that changes are one commit as well.
	all = maps.Clone(all)
	delete(all, "p1.default.tap")
	all["new.default.tap"] = entries{"version_constraint": "1.0.0"}
	all["p2.default.tap"] = entries{"version_constraint": "1.1.0", "values": entries{"replicas": 2}}
	apply(set(attributes{"packages": all}))
	if files := w.Repository.Files(); files["p1.default.tap/staging/packageinstall.yaml"] != "" || !strings.Contains(files["p2.default.tap/staging/packageinstall.yaml"], "1.1.0") {
		t.Error("not all has changed")
	}
	if last := w.Repository.Last(); last != "Update 3 package installs on staging" {
		t.Errorf("the commit says %q", last)
	}
}

// TestSet_unchanged: a plan without changes reads no file.
func TestSet_unchanged(t *testing.T) {
	w, r := protocoltest.Prepare(setInMemory).Applied(wholeSets()[1])(t)
	w.Calls.Forget()
	if p, diags := r.Plan(wholeSets()[1]); diags.Failed() || p.Action != protocoltest.None {
		t.Fatalf("%s %s", p.Action, diags)
	}
	for _, call := range w.Calls.Made() {
		if strings.HasPrefix(call, "git Read") {
			t.Errorf("%s", call)
		}
	}
}

// TestSet_imported: what is imported needs no commit under the configuration that it was
// made with.
func TestSet_imported(t *testing.T) {
	readable := slices.Delete(wholeSets(), 3, 4)
	protocoltest.Imports(t, setInMemory, "staging", readable[:3])
	protocoltest.Imports(t, setInMemory, "staging/db.default.tap", readable[3:])
	protocoltest.Imports(t, setInMemory, "staging/db.default.tap,app.default.tap", readable[:1])
	protocoltest.RefusesImports(t, setInMemory, []string{"staging", "staging/db.default.tap"}, "", "app.default.tap/staging", "staging/", "staging/app", "staging/a.b.c,a.b.c", "staging/packages,")
}

// TestSet_handover: what single package installs have made goes over to a set without a
// commit, and back.
func TestSet_handover(t *testing.T) {
	w := deliverytest.NewWorld()
	one := basic(attributes{"version_constraint": ">=1.0.0"})
	single := protocoltest.New(t, packageinstall.New, protocoltest.Data(w))
	if diags := single.Apply(one); diags.Failed() {
		t.Fatal(diags)
	}
	commits, files := w.Repository.Commits(), w.Repository.Files()
	unchanged := func() {
		t.Helper()
		if w.Repository.Commits() != commits || !maps.Equal(files, w.Repository.Files()) {
			t.Error("the repository has changed")
		}
	}
	many := set(attributes{"packages": entries{"app.default.tap": entries{"version_constraint": ">=1.0.0", "values": entries{"hostname": "app.example.com", "replicas": 2}}}})
	r := protocoltest.New(t, packageinstall.NewSet, protocoltest.Data(w))
	if diags := r.Import("staging"); diags.Failed() {
		t.Fatal(diags)
	}
	p, diags := r.Plan(many)
	if diags.Failed() || p.Attribute("commit") == `"unknown"` {
		t.Errorf("the plan has a commit: %s", diags)
	}
	if diags := p.Apply(); diags.Failed() {
		t.Fatal(diags)
	}
	unchanged()
	if p, diags := r.Plan(many); diags.Failed() || p.Action != protocoltest.None {
		t.Errorf("%s %s", p.Action, diags)
	}
	// It is the set's own from now on: a change and a destroy are its right.
	changed := set(attributes{"packages": entries{"app.default.tap": entries{"version_constraint": ">=1.0.0", "values": entries{"replicas": 3}}}})
	if diags := r.Apply(changed); diags.Failed() || w.Repository.Commits() != commits+1 {
		t.Errorf("%d commits: %s", w.Repository.Commits()-commits, diags)
	}
	commits, files = w.Repository.Commits(), w.Repository.Files()
	back := protocoltest.New(t, packageinstall.New, protocoltest.Data(w))
	if diags := back.Import("app.default.tap/staging"); diags.Failed() {
		t.Fatal(diags)
	}
	if diags := back.Apply(basic(attributes{"version_constraint": ">=1.0.0", "values": entries{"replicas": 3}})); diags.Failed() {
		t.Fatal(diags)
	}
	unchanged()
}

// TestSet_eachCall: whichever call fails, the next apply mends all, and never is a part of
// the set alone there.
func TestSet_eachCall(t *testing.T) {
	prepare := protocoltest.Prepare(setInMemory).Applied(set())
	for _, c := range wholeSets()[1:4] {
		protocoltest.EachCall(t, setInMemory, c)
	}
	protocoltest.EachCall(t, prepare, wholeSets()[1])
	protocoltest.EachCall(t, prepare, nil)
}

// TestSet_changedByOthers: what somebody else does to the files is in the next plan.
func TestSet_changedByOthers(t *testing.T) {
	edit := func(how func(map[string]string) map[string]string) func(*deliverytest.World) {
		return func(w *deliverytest.World) { w.Repository.Write("somebody", how(w.Repository.Files())) }
	}
	const db = "db.default.tap/staging/packageinstall.yaml"
	protocoltest.ChangedByOthers(t, setInMemory, set(), []protocoltest.Change{
		{Name: "another constraint", By: edit(func(f map[string]string) map[string]string {
			return map[string]string{db: strings.Replace(f[db], "2.0.0", "3.0.0", 1)}
		}), Want: protocoltest.Update},
		{Name: "another value", By: edit(func(f map[string]string) map[string]string {
			return map[string]string{params: strings.Replace(f[params], "replicas: 2", "replicas: 3", 1)}
		}), Want: protocoltest.Update},
		{Name: "what the packages share", By: edit(func(f map[string]string) map[string]string {
			return map[string]string{db: strings.Replace(f[db], "serviceAccountName: sa", "serviceAccountName: theirs", 1)}
		}), Want: protocoltest.Update},
		{Name: "another form of the same", By: edit(func(f map[string]string) map[string]string {
			return map[string]string{params: "# by hand\n" + strings.Replace(f[params], "replicas: 2", "replicas: 0x2", 1)}
		}), Want: protocoltest.None},
		{Name: "no values", By: edit(func(map[string]string) map[string]string { return map[string]string{params: ""} }), Want: protocoltest.Update},
		{Name: "not YAML", By: edit(func(map[string]string) map[string]string { return map[string]string{install: "a: ["} }), Want: protocoltest.Update},
		{Name: "one is gone", By: edit(func(map[string]string) map[string]string {
			return map[string]string{install: "", params: "", "app.default.tap/staging/.terraform-provider-carvel": ""}
		}), Want: protocoltest.Update},
		{Name: "nothing is left", By: edit(func(map[string]string) map[string]string {
			return map[string]string{install: "", params: "", db: ""}
		}), Want: protocoltest.Create},
	})
}

// TestSet_drift: the plan shows what somebody has changed in the package that it is about.
func TestSet_drift(t *testing.T) {
	w, r := protocoltest.Prepare(setInMemory).Applied(set())(t)
	w.Repository.Write("somebody", map[string]string{params: strings.Replace(w.Repository.Files()[params], "replicas: 2", "replicas: 3", 1)})
	if diags := r.Refresh(); diags.Failed() {
		t.Fatal(diags)
	}
	if got := r.Attribute("packages"); !strings.Contains(got, `"replicas":3`) || !strings.Contains(got, `"db.default.tap":{"version_constraint":"2.0.0"}`) {
		t.Errorf("the state shows %s", got)
	}
}

// TestSet_changedBetween: a change of one package between plan and apply is an error that
// names the file and its author, and nothing is written.
func TestSet_changedBetween(t *testing.T) {
	w, r := protocoltest.Prepare(setInMemory).Applied(set())(t)
	c := set(attributes{"sync_period": "5m"})
	p, diags := r.Plan(c)
	if diags.Failed() {
		t.Fatal(diags)
	}
	theirs := strings.Replace(w.Repository.Files()[install], "serviceAccountName: sa", "serviceAccountName: theirs", 1)
	w.Repository.Write("somebody", map[string]string{install: theirs})
	before := w.Repository.Files()
	diags = p.Apply()
	if !diags.Failed() || !strings.Contains(diags.String(), "somebody") || !strings.Contains(diags.String(), install) {
		t.Errorf("%s", diags)
	}
	if !maps.Equal(before, w.Repository.Files()) {
		t.Error("a part of the set was written")
	}
	if diags := r.Apply(c); diags.Failed() {
		t.Fatal(diags)
	}
}

// TestSet_exists: files of somebody else are refused, and adopted if that is asked for.
func TestSet_exists(t *testing.T) {
	w, r := setInMemory(t)
	w.Repository.Write("a colleague", map[string]string{install: "kind: PackageInstall\n"})
	if p, diags := r.Plan(set()); !diags.Failed() || !strings.Contains(diags.String(), "adopt_existing") || !strings.Contains(diags.String(), "a colleague") {
		t.Errorf("%s %s", p.Action, diags)
	}
	adopt := set(attributes{"adopt_existing": true})
	p, diags := r.Plan(adopt)
	if diags.Failed() || !strings.Contains(p.Attribute("adopted"), "app.default.tap") {
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
	// Another configuration takes one of the packages over, and the set leaves it.
	second := protocoltest.New(t, packageinstall.New, protocoltest.DataOf(w, "another"))
	if diags := second.Apply(basic(attributes{"adopt_existing": true})); diags.Failed() {
		t.Fatal(diags)
	}
	if diags := r.Apply(adopt); !strings.Contains(diags.String(), "another") {
		t.Errorf("nothing is said about who has it: %s", diags)
	}
	if diags := r.Apply(nil); diags.Failed() || w.Repository.Files()[install] == "" || w.Repository.Files()["db.default.tap/staging/packageinstall.yaml"] != "" {
		t.Errorf("the files of another resource are gone, or its own are not: %s", diags)
	}
}

// TestSet_version: the plan tells which versions are installed, and refuses one that is not
// there and values that it does not take, by the names that the configuration has.
func TestSet_version(t *testing.T) {
	w, r := setInMemory(t)
	versioned := func(entry entries, others ...attributes) attributes {
		return set(append([]attributes{{"package_source": nil, "packages": entries{"app.default.tap": entry}}}, others...)...)
	}
	good := entries{"version_constraint": ">=1.0.0", "values": entries{"replicas": 1}}
	if diags := r.Apply(versioned(good)); !diags.Failed() || !strings.Contains(diags.String(), "app.default.tap/packages") {
		t.Errorf("no version is there: %s", diags)
	}
	w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/1.0.0.yaml": packageFile("1.0.0"), "app.default.tap/packages/1.2.0.yaml": packageFile("1.2.0")})
	p, diags := r.Plan(versioned(good))
	if diags.Failed() || p.Attribute("resolved_versions") != `{"app.default.tap":"1.2.0"}` {
		t.Errorf("%s %s", p.Attribute("resolved_versions"), diags)
	}
	if diags := p.Apply(); diags.Failed() {
		t.Fatal(diags)
	}
	for want, wrong := range map[string]entries{
		`packages["app.default.tap"].values.hostnam`: {"version_constraint": ">=1.0.0", "values": entries{"hostnam": "x"}},
		`>=2.0.0`: {"version_constraint": ">=2.0.0"},
		`down`:    {"version_constraint": "<1.1.0"},
	} {
		t.Run(want, func(t *testing.T) {
			if _, diags := r.Plan(versioned(wrong)); !diags.Failed() || !strings.Contains(diags.String(), want) {
				t.Errorf("%v: want %s in: %s", wrong, want, diags)
			}
		})
	}
	w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/1.3.0.yaml": packageFile("1.3.0")})
	if p, diags := r.Plan(versioned(good)); diags.Failed() || p.Attribute("resolved_versions") != `{"app.default.tap":"1.3.0"}` || p.Attribute("commit") == `"unknown"` {
		t.Errorf("%s %s %s", p.Attribute("resolved_versions"), p.Attribute("commit"), diags)
	}
	if diags := r.Apply(versioned(entries{"version_constraint": "<1.1.0", "allow_downgrade": true})); diags.Failed() || r.Attribute("resolved_versions") != `{"app.default.tap":"1.0.0"}` {
		t.Errorf("%s %s", r.Attribute("resolved_versions"), diags)
	}
}

// TestSet_unknown: what is not known yet is left to the apply.
func TestSet_unknown(t *testing.T) {
	_, r := setInMemory(t)
	for name, c := range map[string]attributes{
		"packages": {"packages": protocoltest.Unknown}, "run_cluster": {"run_cluster": protocoltest.Unknown}, "a shared one": {"sync_period": protocoltest.Unknown},
		"a package":    {"packages": entries{"app.default.tap": protocoltest.Unknown}},
		"a constraint": {"packages": entries{"app.default.tap": entries{"version_constraint": protocoltest.Unknown}}},
		"a value":      {"packages": entries{"app.default.tap": entries{"version_constraint": "1.0.0", "values": entries{"x": protocoltest.Unknown}}}},
		"write-only":   {"values_wo": protocoltest.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			p, diags := r.Plan(set(c))
			if diags.Failed() || p.Action != protocoltest.Create || p.Attribute("commit") != `"unknown"` {
				t.Errorf("%s %s %s", p.Action, p.Attribute("commit"), diags)
			}
		})
	}
}

// TestSet_refused: bad input is refused before anything is written, by the name that the
// configuration has for it.
func TestSet_refused(t *testing.T) {
	entry := func(name string, value any) attributes {
		return attributes{"packages": entries{"app.default.tap": entries{"version_constraint": "1.0.0", name: value}}}
	}
	const in = `packages["app.default.tap"].`
	for want, wrong := range map[string]attributes{
		in + "version_constraint is missing":              {"packages": entries{"app.default.tap": entries{"values": entries{"a": 1}}}},
		in + "replicas is no attribute":                   entry("replicas", 1),
		in + "version is no attribute":                    entry("version", "1.0.0"),
		in + "values_wo is no attribute":                  entry("values_wo", entries{"a": 1}),
		in + "version_constraint":                         entry("version_constraint", "~1"),
		in + "values_yaml[1]":                             entry("values_yaml", []any{"a: 1", "- b"}),
		in + "values_yaml must be a list":                 entry("values_yaml", "a: 1"),
		in + "paused must be true or false":               entry("paused", "perhaps"),
		in + "values":                                     entry("values", "x"),
		in + "labels[\"a\"] must be a string":             entry("labels", entries{"a": []any{}}),
		in + "cluster.kubeconfig_secret_ref.nam":          entry("cluster", entries{"kubeconfig_secret_ref": entries{"nam": "x"}}),
		in + "cluster.kubeconfig_secret_ref":              entry("cluster", entries{"namespace": "x"}),
		in + "encryption.age_recipients[0]":               entry("encryption", entries{"age_recipients": []any{"age1x"}}),
		in + "ytt_overlays":                               entry("ytt_overlays", entries{"o.txt": "x"}),
		in + "annotations":                                entry("annotations", entries{"packaging.carvel.dev/downgradable": ""}),
		"Exactly one of service_account_name and cluster": {"service_account_name": nil},
		"no package name":                                 {"packages": entries{"app": entries{"version_constraint": "1.0.0"}}},
		`packages["app.default.tap"] must be an object`:   {"packages": entries{"app.default.tap": "1.0.0"}},
		"is no map of packages":                           {"packages": []any{"app.default.tap"}},
		`values_wo["web.default.tap"]`:                    {"values_wo": entries{"web.default.tap": entries{"a": 1}}},
		`values_wo["app.default.tap"]`:                    {"values_wo": entries{"app.default.tap": "x"}},
		"values_wo":                                       {"values_wo": "x"},
		"run_clusters":                                    {"run_cluster": "nosuch"},
		"sync_period":                                     {"sync_period": "soon"},
		"package_source = \"cluster\" the versions are":   {"package_source": "cluster"},
	} {
		t.Run(want, func(t *testing.T) {
			w, r := setInMemory(t)
			diags := r.Apply(set(wrong))
			if !diags.Failed() || !strings.Contains(diags.String(), want) || w.Repository.Commits() > 1 {
				t.Errorf("%v: want %q in: %s", wrong, want, diags)
			}
		})
	}
}

// TestSet_claimed: a package is in one resource of a configuration, and one that goes from
// a set to another resource in one run is refused, since its files would be deleted in
// between.
func TestSet_claimed(t *testing.T) {
	w := deliverytest.NewWorld()
	data := protocoltest.Data(w)() // of one run
	run := func() *providerdata.Data { return data }
	first := protocoltest.New(t, packageinstall.NewSet, run)
	second := protocoltest.New(t, packageinstall.New, run)
	if _, diags := first.Plan(set()); diags.Failed() {
		t.Fatal(diags)
	}
	if _, diags := second.Plan(basic()); !diags.Failed() || !strings.Contains(diags.String(), "app.default.tap/staging") {
		t.Errorf("two resources have the package: %s", diags)
	}
	other := protocoltest.New(t, packageinstall.NewSet, run)
	if _, diags := other.Plan(set()); strings.Count(diags.String(), "Two package installs in ") != 2 {
		t.Errorf("two sets have the packages: %s", diags)
	}
	applied := protocoltest.New(t, packageinstall.NewSet, protocoltest.Data(w))
	if diags := applied.Apply(set()); diags.Failed() {
		t.Fatal(diags)
	}
	data = protocoltest.Data(w)()
	third := protocoltest.New(t, packageinstall.New, run)
	applied.In(run)
	if _, diags := applied.Plan(set(attributes{"packages": entries{"db.default.tap": entries{"version_constraint": "2.0.0"}}})); diags.Failed() {
		t.Fatal(diags)
	}
	if _, diags := third.Plan(basic()); !diags.Failed() {
		t.Error("the package goes to another resource in one run")
	}
}

// TestSet_empty: a set without packages is none that fails, and may get some.
func TestSet_empty(t *testing.T) {
	w, r := setInMemory(t)
	empty := set(attributes{"packages": entries{}})
	protocoltest.Transitions(t, r, []attributes{empty, set()})
	if left := strings.Join(slices.Sorted(maps.Keys(w.Repository.Files())), " "); left != "README.md app.default.tap/staging/.gitkeep db.default.tap/staging/.gitkeep" {
		t.Errorf("left are %s", left)
	}
	if diags := r.Apply(nil); diags.Failed() || r.Exists() {
		t.Fatal(diags)
	}
}

// TestSet_cluster: the packages that a run cluster offers are asked for once, however many
// there are in the set.
func TestSet_cluster(t *testing.T) {
	w, r := setInMemory(t)
	all := entries{}
	for i := range 5 {
		name := fmt.Sprintf("p%d.default.tap", i)
		all[name] = entries{"version_constraint": ">=1.0.0"}
		w.Run.PutAs(carvel.Packages, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "data.packaging.carvel.dev/v1alpha1", "kind": "Package", "metadata": map[string]any{"name": name + ".1.2.0", "namespace": "apps"},
			"spec": map[string]any{"refName": name, "version": "1.2.0"},
		}})
	}
	c := set(attributes{"package_source": "cluster", "namespace": "apps", "packages": all})
	w.Calls.Forget()
	if diags := r.Apply(c); diags.Failed() || !strings.Contains(r.Attribute("resolved_versions"), `"p4.default.tap":"1.2.0"`) {
		t.Fatal(r.Attribute("resolved_versions"), diags)
	}
	asked := 0
	for _, call := range w.Calls.Made() {
		if strings.Contains(call, "List") && strings.Contains(call, "packages") {
			asked++
		}
	}
	if asked == 0 || asked > 3 { // for the plan, for the one before the apply, and for the apply
		t.Errorf("the cluster was asked %d times: %v", asked, w.Calls.Made())
	}
	if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.None {
		t.Errorf("%s %s", p.Action, diags)
	}
}

// TestSet_map: packages may be a map of objects of one type, and stay one when somebody has
// changed a file.
func TestSet_map(t *testing.T) {
	entry := func(constraint string, replicas int) entries {
		return entries{"version_constraint": constraint, "values": entries{"replicas": replicas}, "labels": entries{"a": "b"}}
	}
	c := set(attributes{"packages": protocoltest.Uniform{"app.default.tap": entry("1.0.0", 1), "db.default.tap": entry("2.0.0", 2)}})
	w, r := protocoltest.Prepare(setInMemory).Applied(c)(t)
	quiet := func(what string) {
		t.Helper()
		if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.None {
			t.Errorf("%s: %s %s", what, p.Action, diags)
		}
	}
	quiet("after the apply")
	w.Repository.Write("somebody", map[string]string{params: "# by hand\n" + w.Repository.Files()[params]})
	quiet("another form of the same")
	w.Repository.Write("somebody", map[string]string{install: strings.Replace(w.Repository.Files()[install], "constraints: 1.0.0", "constraints: 3.0.0", 1)})
	if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.Update {
		t.Errorf("%s %s", p.Action, diags)
	}
	if !r.Kind("packages").Is(tftypes.Map{}) || !strings.Contains(r.Attribute("packages"), `"version_constraint":"3.0.0"`) {
		t.Errorf("%s %s", r.Kind("packages"), r.Attribute("packages"))
	}
	if diags := r.Apply(c); diags.Failed() {
		t.Fatal(diags)
	}
	quiet("in the end")
}

// TestSet_noSecret: values that a configuration has as write-only no more go from the
// repository, in clear text and encrypted.
func TestSet_noSecret(t *testing.T) {
	for _, c := range []attributes{set(), set(attributes{"encryption": entries{"age_recipients": []any{recipient}}})} {
		w, r := setInMemory(t)
		secret := maps.Clone(c)
		secret["values_wo"] = entries{"db.default.tap": entries{"password": "s3cret-s3cret"}, "app.default.tap": entries{"password": "s3cret-s3cret"}}
		for _, step := range []attributes{secret, c, secret, c} {
			if diags := r.Apply(step); diags.Failed() {
				t.Fatal(diags)
			}
			if p, diags := r.Plan(step); diags.Failed() || p.Action != protocoltest.None {
				t.Errorf("%s %s", p.Action, diags)
			}
		}
		files := w.Repository.Files()
		for _, name := range []string{"params.yaml", "params.sops.yaml"} {
			if files["db.default.tap/staging/"+name] != "" {
				t.Errorf("%s is left:\n%s", name, files["db.default.tap/staging/"+name])
			}
		}
		if w.Repository.Commits() != 5 { // the first of all, and one for each step
			t.Errorf("%d commits, want 5", w.Repository.Commits())
		}
	}
}
