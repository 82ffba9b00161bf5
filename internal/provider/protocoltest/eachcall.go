package protocoltest

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

// EachCall applies a configuration to a resource, nil destroying it, once for each call to
// a cluster or the repository that this makes: the call fails, or it writes and its answer
// is lost. Then the state must have what was made, a plain apply of the same must bring
// everything to where an undisturbed one does, and a plan after it must be empty. The
// resource is made each time, in a world of its own, as prepare leaves it.
func EachCall(t *testing.T, prepare Prepare, c Config) {
	t.Helper()
	eachCall(t, prepare, c, func(r *Resource) (Planned, Diagnostics) { return r.Plan(c) }, false)
}

// EachReplacement does the same to a replacement that was asked for, of a resource whose
// delete leaves what it has made: a create that fails finds that again.
func EachReplacement(t *testing.T, prepare Prepare, c Config) {
	t.Helper()
	eachCall(t, prepare, c, func(r *Resource) (Planned, Diagnostics) { return r.PlanReplace(c) }, true)
}

func eachCall(t *testing.T, prepare Prepare, c Config, plan func(r *Resource) (Planned, Diagnostics), leaves bool) {
	t.Helper()
	w, r := prepare(t)
	planned, diags := plan(r)
	if diags.Failed() {
		t.Fatal(diags)
	}
	w.Calls.Forget()
	if diags := planned.Apply(); diags.Failed() {
		t.Fatalf("%v: %s", c, diags)
	}
	calls, want, exists := w.Calls.Made(), w.Snapshot(), r.Exists()
	for i := range calls {
		ways := []deliverytest.Way{deliverytest.Failing}
		if deliverytest.Writes(calls[i]) {
			ways = append(ways, deliverytest.Losing)
		}
		for _, way := range ways {
			t.Run(fmt.Sprintf("%d_of_%d_%s", i+1, len(calls), way), func(t *testing.T) {
				t.Parallel()
				w, r := prepare(t)
				planned, diags := plan(r)
				if diags.Failed() {
					t.Fatal(diags)
				}
				w.Calls.Break(i+1, way)
				first := planned.Apply()
				w.Calls.Mend()
				if first.Failed() && !strings.Contains(first.String(), deliverytest.ErrFault.Error()) {
					t.Errorf("%s: another error: %s", calls[i], first)
				}
				if first.Failed() && way == deliverytest.Failing && !r.Exists() && c != nil && !leaves && len(w.Creations()) > 0 {
					t.Errorf("%s: something was made, and the state does not have it", calls[i])
				}
				if again := r.Apply(c); again.Failed() {
					t.Fatalf("%s: the next apply: %s", calls[i], again)
				}
				if got := w.Snapshot(); !maps.Equal(got, want) || r.Exists() != exists {
					t.Errorf("%s: after the next apply, where the resource exists %t, there is\n%s", calls[i], r.Exists(), deliverytest.Differences(want, got))
				}
				if quiet, diags := r.Plan(c); diags.Failed() || quiet.Action != None {
					t.Errorf("%s: the plan after the next apply: %s %s", calls[i], quiet.Action, diags)
				}
			})
		}
	}
}
