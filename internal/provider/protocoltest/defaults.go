package protocoltest

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

// Defaults has a resource get the labels and annotations that the provider gives
// everything: when it is made, when they come later, and under its own. c has the label
// team = own, and not the label cost. Each of the configuration's objects must have them
// then, the plan after it must be quiet, and an import must not take them for the
// resource's own.
func Defaults(t *testing.T, prepare Prepare, c Config, id string) {
	t.Helper()
	defaults := carvel.Metadata{Labels: map[string]string{"team": "default", "cost": "42"}, Annotations: map[string]string{"example.com/note": "x"}}
	for name, later := range map[string]bool{"from the beginning": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			w, r := prepare(t)
			before := refs(w)
			if later {
				r.mustApply(t, c)
				r.In(DataDefaults(w, defaults))
				if p, diags := r.Plan(c); diags.Failed() || p.Action != Update {
					t.Fatalf("new defaults: %s %s", p.Action, diags)
				}
			}
			r.In(DataDefaults(w, defaults))
			r.mustApply(t, c)
			r.mustBeQuiet(t, c)
			if got := r.Attribute("labels"); got != `{"team":"own"}` {
				t.Errorf("labels are %s", got)
			}
			for ref, obj := range refs(w) {
				if _, there := before[ref]; there {
					continue
				}
				labels, annotations := obj.GetLabels(), obj.GetAnnotations()
				if labels["team"] != "own" || labels["cost"] != "42" || annotations["example.com/note"] != "x" || !carvel.IsManaged(obj) {
					t.Errorf("%s has %v %v", ref, labels, annotations)
				}
			}
			if id == "" {
				return
			}
			r.Forget()
			if diags := r.Import(id); diags.Failed() {
				t.Fatal(diags)
			}
			if got := r.Attribute("labels"); got != `{"team":"own"}` {
				t.Errorf("an import takes %s for its labels", got)
			}
			r.mustApply(t, c)
			r.mustBeQuiet(t, c)
			r.In(Data(w))
			r.mustApply(t, c)
			for ref, obj := range refs(w) {
				if _, there := before[ref]; !there && obj.GetLabels()["cost"] != "" {
					t.Errorf("%s still has the label of a default that is no more", ref)
				}
			}
		})
	}
}

// refs are the objects on both clusters.
func refs(w *deliverytest.World) map[string]*unstructured.Unstructured {
	all := map[string]*unstructured.Unstructured{}
	for _, c := range []*deliverytest.Cluster{w.Build, w.Run} {
		for _, ref := range c.Refs() {
			all[c.Name()+" "+ref.String()] = c.Object(ref)
		}
	}
	return all
}
