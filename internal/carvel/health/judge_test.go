package health

import (
	"fmt"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// TestAppJudge goes through what was recorded of the controller, each trap a
// row: the verdict after each moment.
func TestAppJudge(t *testing.T) {
	const ok, bad = "ReconcileSucceeded", "ReconcileFailed"
	good := func(version string) string { return install(1, 1, version, ok, "") }
	writtenAt := func(second int) *ObservedSecret {
		return &ObservedSecret{Name: "values", Content: at(second), Written: moment(second)}
	}
	for name, looks := range map[string][]look{
		"the first moments of an App": {
			{app: app{generation: 3}, want: Pending, says: "has not seen this generation"},
			{app: reconciling(3, newSHA, 1), want: Pending, says: "Reconciling"},
			{app: succeeded(3, newSHA, 2), want: Current},
		},
		"a generation from before the write": {{app: succeeded(2, newSHA, 1), want: Pending, says: "generation 3"}},
		"the success of the old commit": {
			{app: succeeded(3, oldSHA, 1), want: Pending, says: "has fetched p/staging at commit aaaaaaaaaa, and the branch, at bbbbbbbbbb, holds something else"},
			{app: succeeded(3, newSHA, 30), want: Current},
		},
		"the branch has moved on elsewhere": {{app: succeeded(3, strings.Repeat("c", 40), 1), want: Current}},
		"paused keeps the old condition": {{
			app:  app{generation: 3, observed: 3, condition: carvel.ReconcileSucceeded, friendly: "Canceled/paused", sha: newSHA},
			want: Pending, says: "paused",
		}},
		"a failure of the old commit": {
			{app: failed(3, oldSHA, 1, 5, carvel.StageDeploy, "old"), want: Pending, says: "holds something else"},
			{app: failed(3, oldSHA, 31, 6, carvel.StageDeploy, "old"), want: Pending, says: "holds something else"},
			{app: succeeded(3, newSHA, 61), want: Current},
		},
		"a failure and another": {
			{app: failed(3, newSHA, 1, 1, carvel.StageDeploy, "configmaps is forbidden"), want: Pending, says: "next attempt decides: configmaps is forbidden"},
			{app: failed(3, newSHA, 1, 1, carvel.StageDeploy, "configmaps is forbidden"), want: Pending},
			{app: reconciling(3, newSHA, 3), want: Pending},
			{app: failed(3, newSHA, 4, 2, carvel.StageDeploy, "configmaps is forbidden"), want: Failed, says: "configmaps is forbidden"},
		},
		"a fetch that fails": {
			{app: failed(3, "", 1, 1, carvel.StageFetch, "Expected directory"), want: Pending},
			{app: failed(3, "", 3, 2, carvel.StageFetch, "Expected directory"), want: Failed, says: "Expected directory"},
		},
		"a template that fails": {
			{app: failed(3, newSHA, 1, 1, carvel.StageTemplate, "ytt: Error"), want: Pending},
			{app: failed(3, newSHA, 3, 2, carvel.StageTemplate, "ytt: Error"), want: Failed, says: "ytt: Error"},
		},
		"a fetch that fails for a moment": {
			{app: failed(3, "", 1, 1, carvel.StageFetch, "connection reset"), want: Pending},
			{app: succeeded(3, newSHA, 3), want: Current},
		},
		"trap 1: success before the values are taken up": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 5), "1.0.0"), values: writtenAt(20), want: Pending, says: "has not run since Secret values was written at 2024-10-01T12:00:20Z"},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 21), "1.0.0"), values: writtenAt(20), want: Current},
		},
		"trap 1: success although the values are bad": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 5), "1.0.0"), values: writtenAt(20), want: Pending},
			{
				app: succeeded(3, newSHA, 20), install: install(1, 1, "1.0.0", bad, "found: bogus_key"),
				inner: inner(failed(1, "", 21, 1, carvel.StageTemplate, "found: bogus_key"), "1.0.0"), values: writtenAt(20), want: Pending, says: "next attempt decides: found: bogus_key",
			},
			{
				app: succeeded(3, newSHA, 20), install: install(1, 1, "1.0.0", bad, "found: bogus_key"),
				inner: inner(failed(1, "", 23, 2, carvel.StageTemplate, "found: bogus_key"), "1.0.0"), values: writtenAt(20), want: Failed, says: "found: bogus_key",
			},
		},
		"bad values of an App that has failed often, told by the App that repeats them": {
			{
				app: reconciling(3, newSHA, 19), install: install(1, 1, "1.0.0", bad, "before"),
				inner: inner(failed(1, "", 5, 8, carvel.StageTemplate, "before"), "1.0.0"), values: writtenAt(4), want: Pending,
			},
			{
				app: failed(3, newSHA, 20, 1, carvel.StageDeploy, fmt.Sprintf(mirror, "before")), install: install(1, 1, "1.0.0", bad, "now"),
				inner: inner(failed(1, "", 21, 9, carvel.StageTemplate, "now"), "1.0.0"), values: writtenAt(20), want: Pending, says: "now",
			},
			{
				app: failed(3, newSHA, 22, 2, carvel.StageDeploy, fmt.Sprintf(mirror, "now")), install: install(1, 1, "1.0.0", bad, "now"),
				inner: inner(failed(1, "", 21, 9, carvel.StageTemplate, "now"), "1.0.0"), values: writtenAt(20), want: Failed, says: "now",
			},
		},
		"trap 2: a stale failure is repeated once": {
			{
				app: reconciling(3, newSHA, 19), install: install(1, 1, "1.0.0", bad, "before"),
				inner: inner(failed(1, "", 5, 8, carvel.StageTemplate, "before"), "1.0.0"), values: writtenAt(4), want: Pending,
			},
			{
				app: failed(3, newSHA, 20, 4, carvel.StageDeploy, fmt.Sprintf(mirror, "before")), install: install(1, 1, "1.0.0", bad, "before"),
				inner: inner(failed(1, "", 5, 8, carvel.StageTemplate, "before"), "1.0.0"), values: writtenAt(20), want: Pending, says: "has not run since Secret values",
			},
			{ // twice, while the package takes its time
				app: failed(3, newSHA, 22, 5, carvel.StageDeploy, fmt.Sprintf(mirror, "before")), install: install(1, 1, "1.0.0", bad, "before"),
				inner: inner(failed(1, "", 5, 8, carvel.StageTemplate, "before"), "1.0.0"), values: writtenAt(20), want: Pending,
			},
			{
				app: failed(3, newSHA, 22, 5, carvel.StageDeploy, fmt.Sprintf(mirror, "before")), install: good("1.0.0"),
				inner: inner(succeeded(1, "", 25), "1.0.0"), values: writtenAt(20), want: Pending, says: "has succeeded since",
			},
			{app: succeeded(3, newSHA, 30), install: good("1.0.0"), inner: inner(succeeded(1, "", 25), "1.0.0"), values: writtenAt(20), want: Current},
		},
		"trap 2 where nobody looks at the run cluster": {
			{app: failed(3, newSHA, 20, 4, carvel.StageDeploy, fmt.Sprintf(mirror, "before")), want: Pending},
			{app: succeeded(3, newSHA, 30), want: Current},
		},
		"a failure from before the wait, of a package that is not tried again soon": {
			{
				app: failed(3, newSHA, 20, 1, carvel.StageDeploy, fmt.Sprintf(mirror, "before")), install: install(1, 1, "1.0.0", bad, "before"),
				inner: inner(failed(1, "", 10, 9, carvel.StageDeploy, "before"), "1.0.0"), want: Pending,
			},
			{
				app: failed(3, newSHA, 22, 2, carvel.StageDeploy, fmt.Sprintf(mirror, "before")), install: install(1, 1, "1.0.0", bad, "before"),
				inner: inner(failed(1, "", 10, 9, carvel.StageDeploy, "before"), "1.0.0"), want: Pending, says: "next attempt decides",
			},
			{
				app: failed(3, newSHA, 26, 3, carvel.StageDeploy, fmt.Sprintf(mirror, "before")), install: install(1, 1, "1.0.0", bad, "before"),
				inner: inner(failed(1, "", 30, 10, carvel.StageDeploy, "before"), "1.0.0"), want: Failed, says: "before",
			},
		},
		"trap 3: the first deploy races its Package": {
			{app: reconciling(3, newSHA, 1), install: "-", want: Pending},
			{
				app:     failed(3, newSHA, 2, 1, carvel.StageDeploy, fmt.Sprintf(mirror, "Package app.default.tap not found")),
				install: install(1, 1, `""`, bad, "Package app.default.tap not found"), want: Pending, says: "not found",
			},
			{
				app:     failed(3, newSHA, 2, 1, carvel.StageDeploy, fmt.Sprintf(mirror, "Package app.default.tap not found")),
				install: good("1.0.0"), inner: inner(reconciling(1, "", 3), "1.0.0"), want: Pending, says: "Reconciling",
			},
			{app: succeeded(3, newSHA, 4), install: good("1.0.0"), inner: inner(succeeded(1, "", 3), "1.0.0"), want: Current},
		},
		"no version is accepted": {
			{
				app:     failed(3, newSHA, 2, 1, carvel.StageDeploy, fmt.Sprintf(mirror, "Expected to find at least one version")),
				install: install(1, 1, `""`, bad, "Expected to find at least one version"), want: Pending,
			},
			{
				app:     failed(3, newSHA, 4, 2, carvel.StageDeploy, fmt.Sprintf(mirror, "Expected to find at least one version")),
				install: install(1, 1, `""`, bad, "Expected to find at least one version"), want: Failed, says: "Expected to find at least one version",
			},
		},
		"a Package in use is removed: the App repeats it at its next run": {
			{app: succeeded(3, newSHA, 2), install: install(1, 1, "1.0.0", bad, "Expected to find"), inner: inner(succeeded(1, "", 1), "1.0.0"), want: Pending, says: "Expected to find"},
			{
				app:     failed(3, newSHA, 32, 1, carvel.StageDeploy, fmt.Sprintf(mirror, "Expected to find")),
				install: install(1, 1, "1.0.0", bad, "Expected to find"), inner: inner(succeeded(1, "", 1), "1.0.0"), want: Pending,
			},
			{
				app:     failed(3, newSHA, 34, 2, carvel.StageDeploy, fmt.Sprintf(mirror, "Expected to find")),
				install: install(1, 1, "1.0.0", bad, "Expected to find"), inner: inner(succeeded(1, "", 1), "1.0.0"), want: Failed, says: "Expected to find",
			},
		},
		"the App's own failure beside a PackageInstall": {
			{app: failed(3, newSHA, 2, 1, carvel.StageDeploy, "configmaps is forbidden"), install: "-", want: Pending},
			{app: failed(3, newSHA, 4, 2, carvel.StageDeploy, "configmaps is forbidden"), install: "-", want: Failed, says: "configmaps is forbidden"},
		},
		"an upgrade shows the new version with the old success": {
			{app: succeeded(3, newSHA, 2), install: good("2.0.0"), inner: inner(succeeded(1, "", 1), "1.0.0"), want: Pending, says: "version 1.0.0 installed so far"},
			{app: succeeded(3, newSHA, 2), install: good("2.0.0"), inner: inner(app{generation: 2, observed: 1, condition: ok, sha: "x"}, "2.0.0"), want: Pending},
			{app: succeeded(3, newSHA, 2), install: good("2.0.0"), inner: inner(reconciling(2, "", 3), "2.0.0"), want: Pending},
			{app: succeeded(3, newSHA, 2), install: good("2.0.0"), inner: inner(succeeded(2, "", 6), "2.0.0"), want: Current},
		},
		"a PackageInstall that is not seen yet": {
			{app: succeeded(3, newSHA, 2), install: "-", want: Pending, says: "not on the run cluster yet"},
			{app: succeeded(3, newSHA, 2), install: install(2, 1, "1.0.0", ok, ""), inner: inner(succeeded(1, "", 1), "1.0.0"), want: Pending, says: "generation"},
		},
		"values that are written in the second of the run": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 20), "1.0.0"), values: writtenAt(20), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 20), "1.0.0"), values: writtenAt(20), quiet: 4, want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 20), "1.0.0"), values: writtenAt(20), quiet: 5, want: Current},
		},
		"values that are as they were created":      {{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 20), "1.0.0"), values: &ObservedSecret{Name: "values", Written: moment(20), New: true}, want: Current}},
		"values long before the run are not enough": {{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 10), "1.0.0"), values: writtenAt(20), quiet: 60, want: Pending, says: "hash_values_name"}},
		"values that are not those of the branch":   {{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 30), "1.0.0"), values: &ObservedSecret{Name: "values", Written: moment(20), Differs: true}, want: Pending, says: "does not hold what the branch does"}},
		"a run under way when the values change ends with the old ones": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s4", 1, 50), want: Current},
			// The values change at 20, two seconds after a run has begun. It ends at 25.
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s5", 20, 80), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 90, 4), values: holding("s5", 20, 80), want: Pending, says: "has not run since Secret values"},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 90, 4), values: holding("s5", 20, 80), quiet: 18, want: Pending, says: "has not run since"},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(32, 95, 5), values: holding("s5", 20, 80), want: Current},
		},
		"a run that begins in the second of the write, and another": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s5", 18, 80), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 90, 4), values: holding("s5", 18, 80), quiet: 18, want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 91, 4), values: holding("s5", 18, 80), quiet: 18, want: Pending},
			// It was touched, and has not run again.
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 92, 5), values: holding("s5", 18, 80), want: Current},
		},
		"two runs of which the first was seen before the write": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 70, 3), values: holding("s5", 18, 80), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 90, 4), values: holding("s5", 18, 80), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 95, 5), values: holding("s5", 18, 80), want: Current},
		},
		"a Secret that is written twice counts from the first time": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s5", 17, 80), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s5", 19, 85), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 90, 4), values: holding("s5", 19, 85), want: Current},
		},
		"a run in the second of the only write": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s4", 1, 50), want: Current},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: after(1, holding("s5", 18, 80)), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 90, 4), values: after(1, holding("s5", 18, 80)), want: Current},
		},
		"a run in the second of a write after another of the same Secret": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s4", 1, 50), want: Current},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: after(18, holding("s5", 18, 80)), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(25, 90, 4), values: after(18, holding("s5", 18, 80)), want: Pending},
		},
		"a run in the second in which two Secrets were written": {
			{app: succeeded(3, newSHA, 20), install: withOverlays("o"), inner: overlaid(9, "o", "values"), values: holding("s4", 1, 50), more: []ObservedSecret{*named("o", holding("o1", 1, 50))}, want: Current},
			{app: succeeded(3, newSHA, 20), install: withOverlays("o"), inner: overlaid(9, "o", "values"), values: after(1, holding("s5", 18, 80)), more: []ObservedSecret{*named("o", after(1, holding("o2", 18, 79)))}, want: Pending},
			{app: succeeded(3, newSHA, 20), install: withOverlays("o"), inner: overlaid(18, "o", "values"), values: after(1, holding("s5", 18, 80)), more: []ObservedSecret{*named("o", after(1, holding("o2", 18, 79)))}, want: Pending},
		},
		"a run in the second of a write when the period ends": {
			{app: succeeded(3, newSHA, 40), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s4", 1, 50), want: Current},
			{app: succeeded(3, newSHA, 40), install: good("1.0.0"), inner: slow(9, 70, 3), values: after(1, holding("s5", 36, 80)), want: Pending},
			{app: succeeded(3, newSHA, 40), install: good("1.0.0"), inner: slow(43, 90, 4), values: after(1, holding("s5", 36, 80)), want: Pending},
		},
		"a controller whose clock is ahead": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s5", 15, 80), want: Pending},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: reportedAt(20, slow(25, 90, 4)), values: holding("s5", 15, 80), want: Pending},
		},
		"two failures of one change that is written twice": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: slow(9, 70, 3), values: holding("s5", 17, 80), want: Pending},
			{
				app: succeeded(3, newSHA, 20), install: install(1, 1, "1.0.0", bad, "found: bogus_key"),
				inner: inner(failed(1, "", 18, 1, carvel.StageTemplate, "found: bogus_key"), "1.0.0"), values: holding("s5", 17, 80), want: Pending,
			},
			{
				app: succeeded(3, newSHA, 20), install: install(1, 1, "1.0.0", bad, "found: bogus_key"),
				inner: inner(failed(1, "", 19, 2, carvel.StageTemplate, "found: bogus_key"), "1.0.0"), values: holding("s5", 18, 85), want: Pending,
			},
			{
				app: succeeded(3, newSHA, 20), install: install(1, 1, "1.0.0", bad, "found: bogus_key"),
				inner: inner(failed(1, "", 23, 3, carvel.StageTemplate, "found: bogus_key"), "1.0.0"), values: holding("s5", 18, 85), want: Failed,
			},
		},
		"overlays that change": {
			{app: succeeded(3, newSHA, 20), install: withOverlays("app-overlays"), inner: overlaid(9, "app-overlays"), wanted: overlays("app-overlays"), more: []ObservedSecret{*named("app-overlays", holding("o1", 1, 50))}, want: Current},
			{app: succeeded(3, newSHA, 20), install: withOverlays("app-overlays"), inner: overlaid(9, "app-overlays"), wanted: overlays("app-overlays"), more: []ObservedSecret{*named("app-overlays", holding("o2", 20, 80))}, want: Pending, says: "has not run since Secret app-overlays"},
			{app: succeeded(3, newSHA, 20), install: withOverlays("app-overlays"), inner: overlaid(30, "app-overlays"), wanted: overlays("app-overlays"), more: []ObservedSecret{*named("app-overlays", holding("o2", 20, 80))}, want: Current},
		},
		"overlays that are added": {
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: overlaid(9), wanted: overlays("theirs"), more: []ObservedSecret{*named("theirs", holding("o", 1, 50))}, want: Pending, says: "does not have the annotations of the branch"},
			{app: succeeded(3, newSHA, 20), install: withOverlays("theirs"), inner: overlaid(9), wanted: overlays("theirs"), more: []ObservedSecret{*named("theirs", holding("o", 1, 50))}, want: Pending, says: "has not taken up Secret theirs"},
			{app: succeeded(3, newSHA, 20), install: withOverlays("theirs"), inner: overlaid(9, "theirs"), wanted: overlays("theirs"), more: []ObservedSecret{*named("theirs", holding("o", 1, 50))}, want: Current},
		},
		"overlays that are removed": {
			{app: succeeded(3, newSHA, 20), install: withOverlays("theirs"), inner: overlaid(9, "theirs"), wanted: overlays(), want: Pending, says: "does not have the annotations"},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: overlaid(9, "theirs"), wanted: overlays(), want: Pending, says: "has not taken up the end of Secret theirs"},
			{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: overlaid(9), wanted: overlays(), want: Current},
		},
		"kapp waits for a PackageInstall whose own kapp says more": {{
			app:     app{generation: 3, observed: 3, condition: carvel.Reconciling, friendly: "Reconciling", sha: newSHA, working: "5:00:00PM: ongoing: reconcile packageinstall/app"},
			install: install(1, 1, "1.0.0", carvel.Reconciling, ""),
			inner:   inner(app{generation: 1, observed: 1, condition: carvel.Reconciling, friendly: "Reconciling", working: "5:00:01PM:  L ongoing: waiting on pod/x\\n5:00:01PM:     ^ Pending: Unschedulable\\n5:00:01PM: ---- waiting on 1 changes [1/2 done] ----"}, "1.0.0"),
			want:    Pending, says: "PackageInstall app: Reconciling, in the deploy stage: ongoing: waiting on pod/x: Pending: Unschedulable",
		}},
		"values that are missing": {{app: succeeded(3, newSHA, 20), install: good("1.0.0"), inner: inner(succeeded(1, "", 30), "1.0.0"), values: &ObservedSecret{Name: "values", Missing: true}, want: Pending, says: "not on the run cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			judge := Judge{After: 3}
			for i, l := range looks {
				got := judge.Judge(l.observation(t))
				if got.State != l.want || !strings.Contains(got.Reason, l.says) {
					t.Errorf("look %d: got %d %q, want %d %q", i, got.State, got.Reason, l.want, l.says)
				}
			}
		})
	}
}

// TestAppJudge_commitsWithoutTrees: a server that gives no commit by its id
// leaves the App's own word, of a run that was made since the wait began.
func TestAppJudge_commitsWithoutTrees(t *testing.T) {
	status := statusOf(t, succeeded(3, oldSHA, 1).yaml())
	before := status.Attempt()
	source := Source{Directory: "p", Commit: oldSHA, Tip: newSHA, TipTree: "new"}
	for name, c := range map[string]struct {
		old    *carvel.Attempt
		source Source
		want   State
	}{
		"made to run":             {nil, source, Current},
		"not run since":           {&before, source, Pending},
		"has run since":           {&carvel.Attempt{}, source, Current},
		"the tip":                 {&before, Source{Directory: "p", Commit: newSHA, Tip: newSHA, TipTree: "new"}, Current},
		"nothing was fetched yet": {nil, Source{Directory: "p", Tip: newSHA, TipTree: "new"}, Pending},
	} {
		t.Run(name, func(t *testing.T) {
			judge := Judge{After: 3, Old: c.old}
			if got := judge.Judge(Observation{App: status, Sources: []Source{c.source}}); got.State != c.want {
				t.Errorf("%s: got %d %q", name, got.State, got.Reason)
			}
		})
	}
}

func TestVerdictOfAFailure(t *testing.T) {
	judge := Judge{After: 3}
	judge.Judge(look{app: failed(3, newSHA, 1, 1, carvel.StageDeploy, "no")}.observation(t))
	got := judge.Judge(look{app: failed(3, newSHA, 3, 2, carvel.StageDeploy, "no")}.observation(t))
	if got.Stage != carvel.StageDeploy || got.Output != "1:00 ok\n2:00 no" || got.Install != "" {
		t.Errorf("%+v", got)
	}
}
