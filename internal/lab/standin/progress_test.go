package standin_test

import (
	"strings"
	"testing"
)

// kapp waits for what it deploys: here for an App that is paused. Its output grows in the
// status meanwhile, and the wait ends at the time-out or when the App is deleted.
func TestAccStandIn_progress(t *testing.T) {
	f := newFlow(t)
	f.staging.grant("apps", `[{apiGroups: [kappctrl.k14s.io], resources: [apps], verbs: [get, list, create, update, delete]}]`)
	inner := "{apiVersion: kappctrl.k14s.io/v1alpha1, kind: App, metadata: {name: inner}, spec: {paused: true, fetch: [{inline: {}}]}}"
	slow := f.inline("slow", f.staging, map[string]string{"a.yaml": inner})
	f.build.apply(apps, strings.Replace(slow, "kapp: {}", `kapp: {rawOptions: ["--apply-timeout=6s"]}`, 1))
	underWay := func(o seen) bool {
		return o.is("Reconciling") && o.str("status", "deploy", "finished") == "false" &&
			strings.Contains(o.str("status", "deploy", "stdout"), "waiting on 1 changes")
	}
	f.build.until(apps, "slow", "under way", underWay)
	failed := f.build.until(apps, "slow", "failed", seen.failed)
	wantText(t, failed.useful(), "kapp: Error: Timed out waiting after 6s for resources: [app/inner (kappctrl.k14s.io/v1alpha1) namespace: "+f.name)

	f.build.apply(apps, slow)
	f.build.until(apps, "slow", "under way", underWay)
	f.staging.patch(apps, "inner", `{"spec":{"noopDelete":true,"paused":null}}`)
	f.build.delete(apps, "slow")
	f.build.untilGone(apps, "slow")
	f.staging.untilGone(apps, "inner")
}
