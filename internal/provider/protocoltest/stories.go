package protocoltest

import (
	"maps"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

// Prepare makes a resource that is not there yet, in a world of its own.
type Prepare func(t *testing.T) (*deliverytest.World, *Resource)

// Applied is the same with a configuration applied.
func (p Prepare) Applied(c Config) Prepare {
	return func(t *testing.T) (*deliverytest.World, *Resource) {
		t.Helper()
		w, r := p(t)
		r.mustApply(t, c)
		return w, r
	}
}

func (r *Resource) mustApply(t *testing.T, c Config) {
	t.Helper()
	if diags := r.Apply(c); diags.Failed() {
		t.Fatalf("%v: %s", c, diags)
	}
}

// mustBeQuiet requires a plan with nothing to do.
func (r *Resource) mustBeQuiet(t *testing.T, c Config) {
	t.Helper()
	if p, diags := r.Plan(c); diags.Failed() || p.Action != None {
		t.Fatalf("%v: the plan after the apply: %s %s\nfrom %v\nto   %v", c, p.Action, diags, plain(r.state), plain(p.planned))
	}
}

// Transitions goes from each of the configurations to each other one. The plan after each
// apply must be empty.
func Transitions(t *testing.T, r *Resource, configs []Config) {
	t.Helper()
	for i, first := range configs {
		for _, other := range configs[i+1:] { // there and back
			for _, c := range []Config{first, other, first} {
				r.mustApply(t, c)
				r.mustBeQuiet(t, c)
			}
		}
	}
}

// Vanishes destroys a resource, after which there must be what there was before it.
func Vanishes(t *testing.T, w *deliverytest.World, r *Resource, before map[string]string) {
	t.Helper()
	if diags := r.Apply(nil); diags.Failed() || r.Exists() {
		t.Fatal(diags)
	}
	if after := w.Snapshot(); !maps.Equal(before, after) {
		t.Error(deliverytest.Differences(before, after))
	}
}

// Imports makes a resource of each configuration, forgets it, and imports it: under the
// configuration that it was made with, nothing may change.
func Imports(t *testing.T, prepare Prepare, id string, configs []Config) {
	t.Helper()
	for _, c := range configs {
		w, r := prepare.Applied(c)(t)
		want, commits := w.Snapshot(), w.Repository.Commits()
		r.Forget()
		if diags := r.Import(id); diags.Failed() || !r.Exists() {
			t.Fatal(diags)
		}
		r.mustApply(t, c)
		r.mustBeQuiet(t, c)
		if got := w.Snapshot(); !maps.Equal(got, want) || w.Repository.Commits() != commits {
			t.Errorf("%v: after the import, with %d commits more:\n%s", c, w.Repository.Commits()-commits, deliverytest.Differences(want, got))
		}
	}
}

// RefusesImports: what is no id is an error, and of an id of nothing that is there
// nothing is imported.
func RefusesImports(t *testing.T, prepare Prepare, missing []string, malformed ...string) {
	t.Helper()
	_, r := prepare(t)
	for _, id := range malformed {
		if diags := r.Import(id); !diags.Failed() {
			t.Errorf("%s is taken for an id", id)
		}
	}
	for _, id := range missing {
		if diags := r.Import(id); !diags.Failed() && r.Exists() {
			t.Errorf("%s was imported", id)
		}
	}
}

// Change is what somebody else does, and what the next plan is then.
type Change struct {
	Name string
	By   func(*deliverytest.World)
	Want Action
}

// ChangedByOthers applies a configuration, has somebody else change something, and
// requires of the next plan what each change says, and of its apply that it brings
// everything back to where it was. What no plan has to bring back may stay.
func ChangedByOthers(t *testing.T, prepare Prepare, c Config, changes []Change) {
	t.Helper()
	for _, change := range changes {
		t.Run(change.Name, func(t *testing.T) {
			w, r := prepare.Applied(c)(t)
			want := w.Snapshot()
			change.By(w)
			p, diags := r.Plan(c)
			if diags.Failed() || p.Action != change.Want {
				t.Fatalf("%s %s", p.Action, diags)
			}
			if diags := p.Apply(); diags.Failed() {
				t.Fatal(diags)
			}
			if got := w.Snapshot(); change.Want != None && !maps.Equal(got, want) {
				t.Error(deliverytest.Differences(want, got))
			}
		})
	}
}
