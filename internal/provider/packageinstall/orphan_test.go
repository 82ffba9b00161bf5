package packageinstall_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packageinstall"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

// orphaned is a configuration with on_destroy = "orphan", and others over it.
func orphaned(c attributes, others ...attributes) attributes {
	c = maps.Clone(c)
	for _, other := range append([]attributes{{"on_destroy": "orphan"}}, others...) {
		maps.Copy(c, other)
	}
	return c
}

// settled applies a configuration, after which a plan must be empty.
func settled(t *testing.T, r *protocoltest.Resource, c attributes) protocoltest.Diagnostics {
	t.Helper()
	diags := r.Apply(c)
	if diags.Failed() {
		t.Fatal(diags)
	}
	if p, more := r.Plan(c); c != nil && (more.Failed() || p.Action != protocoltest.None) {
		t.Fatalf("%s: %s", p.Action, more)
	}
	return diags
}

// onTwo is a configuration with two run clusters.
func onTwo(w *deliverytest.World) func() *providerdata.Data {
	return func() *providerdata.Data {
		data := protocoltest.Data(w)()
		config := data.Config
		config.Run = map[string]delivery.Cluster{"staging": w.Run, "prod": w.Run}
		data.Delivery = delivery.New(config)
		return data
	}
}

// TestOrphan: a destroy asks nobody and writes nothing, and the plan of it says what goes on. A change of the attribute alone commits nothing,
// and the destroy goes by it once it is applied.
func TestOrphan(t *testing.T) {
	both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, _ string) {
		settled(t, r, c)
		files, commits := w.Repository.Files(), w.Repository.Commits()
		p, diags := r.Plan(orphaned(c))
		if diags.Failed() || p.Action != protocoltest.Update || strings.Contains(p.Attribute("commit"), "unknown") {
			t.Fatalf("%s, commit %s: %s", p.Action, p.Attribute("commit"), diags)
		}
		settled(t, r, orphaned(c))
		p, diags = r.Plan(nil)
		if text := diags.String(); diags.Failed() || p.Action != protocoltest.Delete || !strings.Contains(text, "goes on running") || !strings.Contains(text, "app.default.tap/staging") {
			t.Errorf("%s: %s", p.Action, diags)
		}
		w.Calls.Forget()
		if diags := p.Apply(); diags.Failed() || r.Exists() {
			t.Fatal(diags)
		}
		if calls := w.Calls.Made(); len(calls) > 0 {
			t.Errorf("the destroy made %v", calls)
		}
		if !maps.Equal(w.Repository.Files(), files) || w.Repository.Commits() != commits {
			t.Errorf("%d commits more, and %s", w.Repository.Commits()-commits, deliverytest.Differences(files, w.Repository.Files()))
		}
		// Another configuration has to say that it wants them, and this one goes on with them.
		other := r.Of(t, protocoltest.DataOf(w, "another"))
		if diags := other.Apply(c); !diags.Failed() || !strings.Contains(diags.String(), `on_destroy = "orphan"`) || !strings.Contains(diags.String(), "adopt_existing = true") {
			t.Errorf("another configuration: %s", diags)
		}
		settled(t, r, c)
		if diags := r.Apply(nil); diags.Failed() || strings.Contains(diags.String(), "goes on running") || w.Repository.Files()[install] != "" {
			t.Errorf("after the change back: %s", diags)
		}
	})
}

// TestOrphan_adopted: another configuration that takes the files over has them from then on.
func TestOrphan_adopted(t *testing.T) {
	both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, _ string) {
		settled(t, r, orphaned(c))
		settled(t, r, nil)
		other := r.Of(t, protocoltest.DataOf(w, "another"))
		settled(t, other, orphaned(c, attributes{"adopt_existing": true, "on_destroy": nil}))
		if diags := r.Apply(c); !diags.Failed() || !strings.Contains(diags.String(), "another") {
			t.Errorf("what another configuration has was taken back: %s", diags)
		}
		if diags := other.Apply(nil); diags.Failed() || w.Repository.Files()[install] != "" {
			t.Errorf("%s", diags)
		}
	})
}

// TestOrphan_gitDown: what is planned without a refresh is destroyed without the Git server.
func TestOrphan_gitDown(t *testing.T) {
	both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, _ string) {
		settled(t, r, orphaned(c))
		w.Calls.Break(1, deliverytest.Failing)
		p, diags := r.PlanUnread()
		if diags.Failed() || p.Action != protocoltest.Delete || !strings.Contains(diags.String(), "goes on running") {
			t.Fatalf("%s: %s", p.Action, diags)
		}
		if diags := p.Apply(); diags.Failed() || r.Exists() {
			t.Error(diags)
		}
	})
}

// TestOrphan_replaced: a replacement in the same place goes on with the files, without adopt_existing, whatever the plan has seen of them. In
// another place it leaves them, and the plan says so.
func TestOrphan_replaced(t *testing.T) {
	overlay := func(c attributes, text string) attributes {
		if c["packages"] == nil {
			return orphaned(c, attributes{"ytt_overlays": entries{"o.yaml": text}})
		}
		p := maps.Clone(c["packages"].(entries)["app.default.tap"].(entries))
		p["ytt_overlays"] = entries{"o.yaml": text}
		return orphaned(c, attributes{"packages": entries{"app.default.tap": p}})
	}
	const overlays = installDir + "overlays.yaml"
	edit := func(w *deliverytest.World, names ...string) {
		for _, name := range names {
			w.Repository.Write("somebody", map[string]string{name: w.Repository.Files()[name] + "# by hand\n"})
		}
	}
	for name, before := range map[string]func(w *deliverytest.World){
		"as it was":                    func(*deliverytest.World) {},
		"with a file that was changed": func(w *deliverytest.World) { edit(w, params) },
		"with two":                     func(w *deliverytest.World) { edit(w, params, overlays) },
		"without its mark": func(w *deliverytest.World) {
			w.Repository.Write("somebody", map[string]string{installDir + ".terraform-provider-carvel": ""})
		},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, _ string) {
				settled(t, r, overlay(c, "#@ x\n"))
				creation := r.Attribute("creation")
				before(w)
				p, diags := r.PlanReplace(orphaned(c))
				if diags.Failed() || p.Action != protocoltest.Replace || strings.Contains(diags.String(), "goes on running") {
					t.Fatalf("%s: %s", p.Action, diags)
				}
				if diags := p.Apply(); diags.Failed() || r.Attribute("creation") == creation {
					t.Fatal(diags)
				}
				if files := w.Repository.Files(); files[overlays] != "" || files[installDir+".terraform-provider-carvel"] == "" {
					t.Errorf("left are %v", slices.Sorted(maps.Keys(files)))
				}
				if p, diags := r.Plan(orphaned(c)); diags.Failed() || p.Action != protocoltest.None {
					t.Errorf("%s: %s", p.Action, diags)
				}
			})
		})
	}
	t.Run("tainted", func(t *testing.T) {
		both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, _ string) {
			settled(t, r, orphaned(c))
			commits := w.Repository.Commits()
			r.Tainted = true
			settled(t, r, orphaned(c))
			if w.Repository.Commits() != commits+1 {
				t.Errorf("%d commits more, want one with the new mark", w.Repository.Commits()-commits)
			}
		})
	})
	t.Run("in another place", func(t *testing.T) {
		both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, _ string) {
			r.In(onTwo(w))
			settled(t, r, orphaned(c))
			files := w.Repository.Files()
			if diags := settled(t, r, orphaned(c, attributes{"run_cluster": "prod"})); !strings.Contains(diags.String(), "goes on running") {
				t.Errorf("nothing is said: %s", diags)
			}
			after := w.Repository.Files()
			if after["app.default.tap/prod/packageinstall.yaml"] == "" {
				t.Error("there is none in the other place")
			}
			maps.DeleteFunc(after, func(name, _ string) bool { return strings.Contains(name, "/prod/") })
			if !maps.Equal(after, files) {
				t.Error(deliverytest.Differences(files, after))
			}
		})
	})
	t.Run("changed between", func(t *testing.T) {
		w, r := protocoltest.Prepare(inMemory).Applied(orphaned(basic()))(t)
		p, diags := r.PlanReplace(orphaned(basic()))
		if diags.Failed() {
			t.Fatal(diags)
		}
		edit(w, params)
		if diags := p.Apply(); !diags.Failed() || !strings.Contains(w.Repository.Files()[params], "by hand") {
			t.Errorf("what the plan did not see is gone: %s", diags)
		}
	})
}

// TestOrphan_eachCall: whichever call of a replacement fails, the next apply goes on with what was left.
func TestOrphan_eachCall(t *testing.T) {
	for _, c := range whole()[:3] {
		protocoltest.EachCall(t, protocoltest.Prepare(inMemory).Applied(orphaned(c)), orphaned(c, attributes{"paused": true}))
		protocoltest.EachReplacement(t, protocoltest.Prepare(inMemory).Applied(orphaned(c)), orphaned(c))
	}
	for _, c := range wholeSets()[:4] {
		protocoltest.EachReplacement(t, protocoltest.Prepare(setInMemory).Applied(orphaned(c)), orphaned(c))
	}
}

// TestOrphan_leftMap: a package that leaves the map of a set is removed, since the set is not destroyed.
func TestOrphan_leftMap(t *testing.T) {
	w, r := protocoltest.Prepare(setInMemory).Applied(orphaned(set()))(t)
	settled(t, r, orphaned(set(), attributes{"packages": entries{"db.default.tap": entries{"version_constraint": "2.0.0"}}}))
	if files := w.Repository.Files(); files[install] != "" || files["db.default.tap/staging/packageinstall.yaml"] == "" {
		t.Errorf("left are %v", slices.Sorted(maps.Keys(files)))
	}
	// If the set is replaced as well, it is destroyed, and the package is left.
	w, r = protocoltest.Prepare(setInMemory).Applied(orphaned(set()))(t)
	c := orphaned(set(), attributes{"packages": entries{"db.default.tap": entries{"version_constraint": "2.0.0"}}})
	p, diags := r.PlanReplace(c)
	if diags.Failed() {
		t.Fatal(diags)
	}
	if diags := p.Apply(); diags.Failed() || w.Repository.Files()[install] == "" {
		t.Error(diags)
	}
	if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.None {
		t.Errorf("%s: %s", p.Action, diags)
	}
}

// TestOrphan_ofOthers: documents of others in the files are no reason to refuse a destroy that leaves them.
func TestOrphan_ofOthers(t *testing.T) {
	both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, _ string) {
		settled(t, r, orphaned(c))
		w.Repository.Write("somebody", map[string]string{params: w.Repository.Files()[params] + "---\n" + theirAccount})
		if diags := r.Refresh(); diags.Failed() {
			t.Fatal(diags)
		}
		if diags := r.Apply(nil); diags.Failed() || !strings.Contains(w.Repository.Files()[params], "ServiceAccount") {
			t.Error(diags)
		}
	})
}

// TestOrphan_handover: what single package installs have left goes over to a set of the same run.
func TestOrphan_handover(t *testing.T) {
	w, r := protocoltest.Prepare(inMemory).Applied(orphaned(basic()))(t)
	one := set()
	delete(one["packages"].(entries), "db.default.tap")
	all := protocoltest.New(t, packageinstall.NewSet, protocoltest.Data(w))
	settled(t, all, one)
	if diags := r.Apply(nil); diags.Failed() || w.Repository.Files()[install] == "" {
		t.Error(diags)
	}
	if p, diags := all.Plan(one); diags.Failed() || p.Action != protocoltest.None {
		t.Errorf("%s: %s", p.Action, diags)
	}
}
