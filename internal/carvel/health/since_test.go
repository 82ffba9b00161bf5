package health

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// history is what has happened to a PackageInstall, in seconds; what is 0 has happened at
// second 0.
type history struct {
	install   int // its spec or its annotations were last written
	values    int // its values were last written
	app       int // its App's spec was last written
	changed   int // the status of the PackageInstall last changed
	began     int // the App's last run began
	ended     int // and ended
	reported  int // and was reported; 0: when it ended
	successes int // in a row
	now       int // 0: a minute after the last run
}

var beginning = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func second(n int) time.Time { return beginning.Add(time.Duration(n) * time.Second) }

func rfc(n int) string { return second(n).Format(time.RFC3339) }

const success = "conditions: [{type: ReconcileSucceeded}], friendlyDescription: Reconcile succeeded"

// reconciled is what a reader of the cluster sees of it. edit changes the texts of the two
// objects first.
func (h history) reconciled(t *testing.T, edit ...string) Reconciled {
	t.Helper()
	if h.reported == 0 {
		h.reported = h.ended
	}
	if h.now == 0 {
		h.now = h.reported + 60
	}
	managed := func(written, status int) string {
		return fmt.Sprintf("managedFields: [{manager: kapp-controller, operation: Update, time: %q}, {manager: kapp-controller, operation: Update, subresource: status, time: %q}]", rfc(written), rfc(status))
	}
	install := "{metadata: {namespace: apps, name: app, generation: 2, " + managed(h.install, h.changed) + "}, spec: {packageRef: {refName: app.default.tap}, values: [{secretRef: {name: app-values}}]}, " +
		"status: {observedGeneration: 2, version: 2.0.0, lastAttemptedVersion: 2.0.0, " + success + "}}"
	app := fmt.Sprintf("{metadata: {namespace: apps, name: app, generation: 3, annotations: {packaging.carvel.dev/package-version: 2.0.0}, %s}, "+
		"spec: {syncPeriod: 10m0s, fetch: [{imgpkgBundle: {secretRef: {name: app-fetch-0}}}], template: [{ytt: {valuesFrom: [{secretRef: {name: app-values}}]}}]}, "+
		"status: {observedGeneration: 3, %s, consecutiveReconcileSuccesses: %d, fetch: {startedAt: %q, updatedAt: %q}, deploy: {updatedAt: %q}}}",
		managed(h.app, h.reported), success, h.successes, rfc(h.began), rfc(h.began), rfc(h.ended))
	replace := strings.NewReplacer(edit...)
	status, err := carvel.ReadInstallStatus(read(t, replace.Replace(install)))
	if err != nil {
		t.Fatal(err)
	}
	made, err := carvel.ReadInstallApp(read(t, replace.Replace(app)))
	if err != nil {
		t.Fatal(err)
	}
	secrets, _ := made.Content()
	r := Reconciled{Install: status, App: &made, Now: second(h.now)}
	for _, name := range secrets {
		r.Reads = append(r.Reads, ObservedSecret{Name: name, Written: second(h.values)})
	}
	return r
}

// untold is the second of a time that is not told.
const untold = -1 << 30

func TestReadySince(t *testing.T) {
	const day = 24 * 60 * 60
	// A version that was deployed a day ago, at second 0, with values that are an hour
	// older. The controller runs it every ten minutes, and a few seconds more.
	steady := history{values: -3600, app: 0, changed: 4, began: day, ended: day + 3, successes: 200}
	with := func(change func(*history)) history {
		h := steady
		change(&h)
		return h
	}
	for name, c := range map[string]struct {
		history
		edit   []string
		change func(*Reconciled)
		want   int // second; untold: none
		reason string
	}{
		"a day ago": {history: steady, want: 4 + 60},
		"a further run changes nothing": {
			history: with(func(h *history) { h.began, h.ended, h.successes = h.began+603, h.ended+603, h.successes+1 }), want: 4 + 60,
		},
		"just now, the first run": {history: with(func(h *history) { h.began, h.ended, h.successes = 1, 4, 1 }), want: 4},
		"before the PackageInstall has looked a minute long": {
			history: with(func(h *history) { h.changed, h.began, h.ended, h.successes = 0, 1, 40, 1 }), want: 40,
		},
		// The App's spec is written as well if only what is said of it changes.
		"a version that is made as the one before": {
			history: with(func(h *history) { h.app, h.changed, h.now = day+100, day+101, day+110 }), want: day + 101,
		},
		"values in the second of the version": {history: with(func(h *history) { h.values = 0 }), want: 4 + 660 + 60},
		"values while a run was under way":    {history: with(func(h *history) { h.values = 2 }), want: 4 + 660 + 60},
		"values in the second of the first run": {
			history: with(func(h *history) { h.values, h.began, h.ended, h.successes = 2, 2, 4, 1 }), want: untold, reason: "not known to have run",
		},
		"values in the second of the success": {
			history: with(func(h *history) { h.values = 4 }), want: day + 3, reason: "Secret app-values was written at 2026-11-01T12:00:04Z, and the PackageInstall's status has not changed since",
		},
		"values since then, and a run": {
			history: with(func(h *history) { h.values = 3600 }), want: day + 3, reason: "all that is known is when the App's last run ended",
		},
		"values since the last run began": {
			history: with(func(h *history) { h.values = day + 1 }), want: untold, reason: "not known to have run since Secret app-values was written at 2026-11-02T12:00:01Z",
		},
		"values in the second in which the last run began": {history: with(func(h *history) { h.values = day }), want: untold, reason: "not known to have run"},
		"values and a clock that is ahead": {
			history: with(func(h *history) { h.values, h.began, h.ended, h.reported = day, day+5, day+8, day+2 }), want: untold, reason: "not known to have run",
		},
		"the App was changed, and nothing reported since": {
			history: with(func(h *history) { h.app = 3600 }), want: day + 3, reason: "the App was written at 2026-11-01T13:00:00Z",
		},
		"a failure that the PackageInstall has not taken over": {
			history: with(func(h *history) { h.successes = 3 }), want: day + 3, reason: "counts 3 successes in a row, too few",
		},
		"a success since a failure, seen by both": {
			history: with(func(h *history) { h.changed, h.successes = day-1200, 3 }), want: day - 1200 + 60,
		},
		"no success is counted": {history: with(func(h *history) { h.successes = 0 }), want: day + 3, reason: "counts 0 successes"},
		"a period that is not known": {
			history: steady, edit: []string{"syncPeriod: 10m0s, ", ""}, want: day + 3, reason: "too few",
		},
		"annotations that were written since the last run": {
			history: with(func(h *history) { h.install = day + 4 }), want: untold, reason: "the PackageInstall was written at 2026-11-02T12:00:04Z, and its App has not run since",
		},
		"annotations that were written before it": {history: with(func(h *history) { h.install = day - 4 }), want: 4 + 60},
		"a controller that has stopped": {
			history: with(func(h *history) { h.now = h.ended + 3600 }), want: untold, reason: "has not run since 2026-11-02T12:00:03Z: the controller seems to be stopped",
		},
		"failed":       {history: steady, edit: []string{success, "conditions: [{type: ReconcileFailed, message: m}]"}, want: untold, reason: "m"},
		"under way":    {history: steady, edit: []string{success, "conditions: [{type: Reconciling}], friendlyDescription: Reconciling"}, want: untold, reason: "Reconciling"},
		"a stale look": {history: steady, edit: []string{"generation: 2", "generation: 3"}, want: untold, reason: "has not seen this generation"},
		"paused":       {history: steady, edit: []string{"friendlyDescription: Reconcile succeeded", "friendlyDescription: Canceled/paused"}, want: untold, reason: "paused"},
		"a version that was just selected": {
			history: steady, edit: []string{"version: 2.0.0, lastA", "version: 2.1.0, lastA"}, want: untold, reason: "version 2.1.0 is selected, and version 2.0.0 installed so far",
		},
		"values that the App does not have yet": {
			history: steady, edit: []string{"values: [{secretRef: {name: app-values}}]", "values: [{secretRef: {name: app-values-2}}]"}, want: untold, reason: "not taken up Secret app-values-2",
		},
		"a ConfigMap": {
			history: steady, edit: []string{"valuesFrom: [", "valuesFrom: [{configMapRef: {name: m}}, "}, want: untold, reason: "ConfigMap",
		},
		"no times of writes":         {history: steady, edit: []string{"managedFields: ", "x: "}, want: untold, reason: "does not say when"},
		"no right to read its App":   {history: steady, change: func(r *Reconciled) { r.App = nil }, want: untold, reason: "its App cannot be read"},
		"no right to read Secrets":   {history: steady, change: func(r *Reconciled) { r.Unread = "secrets is forbidden" }, want: untold, reason: "secrets is forbidden"},
		"a Secret that is not there": {history: steady, change: func(r *Reconciled) { r.Reads[0].Missing = true }, want: untold, reason: "Secret app-values is not there"},
		"without values": {
			history: with(func(h *history) { h.values = day }), edit: []string{", template: [{ytt: {valuesFrom: [{secretRef: {name: app-values}}]}}]", "", "values: [{secretRef: {name: app-values}}]", "values: []"},
			want: 4 + 60,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.reconciled(t, c.edit...)
			if c.change != nil {
				c.change(&r)
			}
			got := ReadySince(r)
			want := second(c.want)
			if c.want == untold {
				want = time.Time{}
			}
			if !got.Equal(want) || !strings.Contains(got.Reason, c.reason) || c.reason == "" && got.Reason != "" {
				t.Errorf("got %s (%s), want %s (%s)", got.Time, got.Reason, want, c.reason)
			}
		})
	}
}

// TestReadySince_neverEarly goes through a day in which the values change at any moment, and
// only the App's own runs tell of it: what is told is never before the end of the first run
// that began after them.
func TestReadySince_neverEarly(t *testing.T) {
	const period, took = 603, 3
	moments := []int{period - 1, period, period + 1, 2 * period, 1999}
	for written := -5; written < 20; written++ {
		moments = append(moments, written, written*97)
	}
	for _, written := range moments {
		for run := range 10 {
			began := 1 + run*period
			h := history{values: written, app: 0, changed: 4, began: began, ended: began + took, successes: run + 1}
			first := 1
			for first <= written {
				first += period
			}
			if began <= written {
				continue // nobody has read them yet
			}
			if got := ReadySince(h.reconciled(t)); !got.IsZero() && got.Before(second(first+took)) {
				t.Fatalf("written at %d, run at %d: told %s, and the first run with them ended at %s", written, began, got.Time, second(first+took))
			}
		}
	}
}
