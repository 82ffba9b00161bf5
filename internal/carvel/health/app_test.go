package health

import (
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// statusOf reads the status of an App as an API server returns it.
func statusOf(t *testing.T, text string) carvel.AppStatus {
	t.Helper()
	status, err := carvel.ReadAppStatus(read(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestAppHealth(t *testing.T) {
	for name, c := range map[string]struct {
		object string
		after  int64
		want   State
	}{
		"no status yet":       {`{metadata: {generation: 1}}`, 1, Pending},
		"old generation":      {`{metadata: {generation: 2}, status: {observedGeneration: 1, conditions: [{type: ReconcileSucceeded}]}}`, 2, Pending},
		"waited for is newer": {`{metadata: {generation: 2}, status: {observedGeneration: 2, conditions: [{type: ReconcileSucceeded}]}}`, 3, Pending},
		"reconciling":         {`{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [{type: Reconciling}], usefulErrorMessage: stale}}`, 1, Pending},
		"succeeded":           {`{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [{type: ReconcileSucceeded}]}}`, 1, Current},
		"failed":              {`{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [{type: ReconcileFailed, message: m}]}}`, 1, Failed},
		"paused keeps the old condition": {
			`{metadata: {generation: 1}, status: {observedGeneration: 1, friendlyDescription: Canceled/paused, conditions: [{type: ReconcileSucceeded}]}}`, 1, Pending,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := App(statusOf(t, c.object), c.after); got.State != c.want {
				t.Errorf("%s: got %+v, want state %d", name, got, c.want)
			}
		})
	}
}

// TestAppHealth_underWay: what is waited for is told with the stage and kapp's
// last line.
func TestAppHealth_underWay(t *testing.T) {
	for want, deploy := range map[string]string{
		"Reconciling": "{finished: true, stdout: x}",
		"Reconciling, in the deploy stage: 2:00 waiting": `{finished: false, stdout: "1:00 ok\n2:00 waiting\n"}`,
	} {
		t.Run(want, func(t *testing.T) {
			status := statusOf(t, `{metadata: {generation: 1}, status: {observedGeneration: 1, friendlyDescription: Reconciling, conditions: [{type: Reconciling}], deploy: `+deploy+`}}`)
			if got := App(status, 1); got != (Health{Pending, want}) {
				t.Errorf("got %+v, want %q", got, want)
			}
		})
	}
}
