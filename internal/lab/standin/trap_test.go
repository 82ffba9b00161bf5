package standin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// hourly keeps an App from running unless it is kicked or has failed.
func hourly(app string) string {
	return strings.Replace(app, "spec:\n", "spec:\n  syncPeriod: 1h0m0s\n", 1)
}

func (f *flow) atEnd(commit string) func(seen) bool {
	return func(o seen) bool { return (o.succeeded() || o.failed()) && f.runs(o, commit) }
}

// A failure that is mended without a new generation of the PackageInstall is reported
// once more, in its old words, and then corrects itself.
func TestAccStandIn_staleFailure(t *testing.T) {
	f := newFlow(t)
	files := f.files(oldVersion)
	files["staging/params.yaml"] = params("workload_name: app\nbogus_key: 1")
	f.commit(files)
	f.build.apply(apps, hourly(f.app(f.staging)))
	f.build.until(apps, "app-staging", "failed", seen.failed)
	generation := f.staging.get(installs, "app").GetGeneration()

	mended := map[string]string{"staging/params.yaml": params(goodValues)}
	for _, what := range []string{"values alone", "with an annotation"} {
		if what == "with an annotation" {
			broken := f.commit(map[string]string{"staging/params.yaml": params("workload_name: app\nbogus_key: 1")})
			f.build.kick(apps, "app-staging")
			f.build.until(apps, "app-staging", "at the broken commit", f.atEnd(broken))
			f.staging.until(installs, "app", "failed", seen.failed)
			mended["staging/packageinstall.yaml"] = f.install(f.staging, oldVersion, `note: ""`)
		}
		// Meanwhile the App does not try again by itself.
		f.build.patch(apps, "app-staging", `{"spec":{"paused":true}}`)
		f.build.until(apps, "app-staging", "paused", seen.paused)
		film := f.build.film(apps, "app-staging")
		commit := f.commit(mended)
		f.build.patch(apps, "app-staging", `{"spec":{"paused":null}}`)
		states := film.until("at the end of a run", f.atEnd(commit))
		first := states[len(states)-1]
		if !first.failed() {
			t.Errorf("%s: the first run at the mended commit succeeded", what)
		}
		wantText(t, first.useful(), "kapp: Error: waiting on reconcile packageinstall/app", "found: bogus_key")
		film.until("corrected", seen.succeeded)
		f.delivered(f.staging, commit, oldVersion)
	}
	if got := f.staging.get(installs, "app").GetGeneration(); got != generation {
		t.Errorf("the PackageInstall has generation %d, had %d", got, generation)
	}
}

// The PackageInstall comes before its Package: the App fails, and succeeds when it tries again.
func TestAccStandIn_firstDeployRace(t *testing.T) {
	f := newFlow(t)
	files := f.files(oldVersion)
	files["staging/packageinstall.yaml"] = f.install(f.staging, oldVersion, `stand-in.lab/first-deploy-race: ""`)
	commit := f.commit(files)
	film := f.build.film(apps, "app-staging")
	f.build.apply(apps, hourly(f.app(f.staging)))
	states := film.until("at the end of a run", f.atEnd(commit))
	first := states[len(states)-1]
	wantText(t, first.useful(), "kapp: Error: waiting on reconcile packageinstall/app",
		"Finished unsuccessfully (Reconcile failed: (message: Package "+f.pkg+" not found))")
	if !first.failed() || first.str("status", "consecutiveReconcileFailures") != "1" {
		t.Errorf("status: %v", first.Object["status"])
	}
	f.delivered(f.staging, commit, oldVersion)

	// A second version is no first deploy.
	film.until("corrected", seen.succeeded)
	commit = f.commit(map[string]string{
		"packages/" + newVersion + ".yaml": f.packageFile(newVersion),
		"staging/packageinstall.yaml":      f.install(f.staging, newVersion, `stand-in.lab/first-deploy-race: ""`),
	})
	f.build.kick(apps, "app-staging")
	states = film.until("at the end of a run", f.atEnd(commit))
	if last := states[len(states)-1]; !last.succeeded() {
		t.Errorf("status: %v", last.Object["status"])
	}
	f.delivered(f.staging, commit, newVersion)
}

// A new version without any other change: the PackageInstall follows by itself, and first
// shows the new version with the success of the old one. The App does not wait for it.
func TestAccStandIn_staleWindow(t *testing.T) {
	f := newFlow(t)
	commit := f.commit(f.files(">=0.0.0"))
	f.build.apply(apps, hourly(f.app(f.staging)))
	f.delivered(f.staging, commit, oldVersion)
	generation := f.staging.get(installs, "app").GetGeneration()
	film := f.staging.film(installs, "app")
	commit = f.commit(map[string]string{"packages/" + newVersion + ".yaml": f.packageFile(newVersion)})
	f.build.kick(apps, "app-staging")
	states := film.until("at the new version", func(o seen) bool { return o.str("status", "version") == newVersion })
	switched := states[len(states)-1]
	if !switched.succeeded() || switched.GetGeneration() != generation || switched.str("status", "lastAttemptedVersion") != newVersion {
		t.Errorf("the PackageInstall as it switches: %v", switched.Object)
	}
	states = film.until("delivered", func(o seen) bool { return o.succeeded() && o.GetResourceVersion() != switched.GetResourceVersion() })
	if got := conditions(states); !slices.Equal(got, []string{"Reconciling", "ReconcileSucceeded"}) {
		t.Errorf("after it has switched: %v", got)
	}
	f.delivered(f.staging, commit, newVersion)
}

// With a controller of 2025 the PackageInstall tells of the new version only what its App
// does with it.
func TestAccStandIn_noStaleWindow(t *testing.T) {
	f := newFlow(t)
	commit := f.commit(f.files(">=0.0.0"))
	f.build.apply(apps, hourly(f.app(f.prod)))
	f.delivered(f.prod, commit, oldVersion)
	film := f.prod.film(installs, "app")
	commit = f.commit(map[string]string{"packages/" + newVersion + ".yaml": f.packageFile(newVersion)})
	f.build.kick(apps, "app-prod")
	states := film.until("delivered", func(o seen) bool { return o.succeeded() && o.str("status", "version") == newVersion })
	states = slices.DeleteFunc(states, func(o seen) bool { return o.str("status", "version") != newVersion })
	if got := conditions(states); !slices.Equal(got, []string{"Reconciling", "ReconcileSucceeded"}) {
		t.Errorf("at the new version: %v", got)
	}
	f.delivered(f.prod, commit, newVersion)
}

// A Package that is in use is taken away: the App succeeds, the PackageInstall fails, and
// the next run reports that.
func TestAccStandIn_packageInUseRemoved(t *testing.T) {
	f := newFlow(t)
	files := f.files(oldVersion)
	files["packages/"+newVersion+".yaml"] = f.packageFile(newVersion)
	commit := f.commit(files)
	f.build.apply(apps, hourly(f.app(f.staging)))
	f.delivered(f.staging, commit, oldVersion)
	film := f.build.film(apps, "app-staging")
	commit = f.commit(map[string]string{"packages/" + oldVersion + ".yaml": ""})
	f.build.kick(apps, "app-staging")
	states := film.until("at the end of a run", f.atEnd(commit))
	if last := states[len(states)-1]; !last.succeeded() {
		t.Errorf("status: %v", last.Object["status"])
	}
	const text = "Expected to find at least one version, but did not (details: all=1 -> after-prereleases-filter=1 -> after-kapp-controller-version-check=1 -> after-constraints-filter=0)"
	f.staging.until(installs, "app", "without its Package", func(o seen) bool {
		_, message := o.condition()
		return o.failed() && message == text
	})
	f.build.kick(apps, "app-staging")
	states = film.until("failed", seen.failed)
	wantText(t, states[len(states)-1].useful(), text)
}

// A run that nothing called for shows only how it ended, and a failure's message stays
// while the next run is under way.
func TestAccStandIn_whatIsShown(t *testing.T) {
	f := newFlow(t)
	f.build.apply(apps, f.inline("shown", f.staging, map[string]string{"a.yaml": configMap("shown", "1")}))
	first := f.build.until(apps, "shown", "delivered", seen.succeeded)
	film := f.build.film(apps, "shown")
	successes := func(o seen) string { return o.str("status", "consecutiveReconcileSuccesses") }
	states := film.until("run again", func(o seen) bool { return successes(o) != successes(first) })
	if got := conditions(states); !slices.Equal(got, []string{"ReconcileSucceeded"}) {
		t.Errorf("a quiet run shows %v", got)
	}

	f.build.apply(apps, f.inline("shown", f.staging, map[string]string{"a.yaml": "{"}))
	states = film.until("failed", seen.failed)
	if got := conditions(states); !slices.Equal(got, []string{"ReconcileSucceeded", "Reconciling", "ReconcileFailed"}) {
		t.Errorf("a changed App shows %v", got)
	}
	message := states[len(states)-1].useful()
	f.build.apply(apps, f.inline("shown", f.staging, map[string]string{"a.yaml": configMap("shown", "2")}))
	states = film.until("delivered", seen.succeeded)
	stale := slices.ContainsFunc(states, func(o seen) bool { return o.is("Reconciling") && o.useful() == message && message != "" })
	if !stale || states[len(states)-1].useful() != "" {
		t.Errorf("the message %q did not stay while the App was reconciling, or stayed after it", message)
	}
}

// Two entries from one repository are two fetches, each with a commit of its own.
func TestAccStandIn_twoCommits(t *testing.T) {
	f := newFlow(t)
	older := f.commit(f.files(oldVersion))
	tag := f.name + "-older"
	f.git(f.clone, "tag", tag)
	f.git(f.clone, "push", "--quiet", "origin", tag)
	newer := f.commit(map[string]string{"packages/" + newVersion + ".yaml": f.packageFile(newVersion)})
	f.build.apply(apps, strings.Replace(f.app(f.staging), "ref: origin/main", "ref: "+tag, 1))
	f.delivered(f.staging, older, oldVersion)
	got := f.build.get(apps, "app-staging").fetched()
	if len(got) != 2 || got[0] != older || got[1] == older {
		t.Errorf("fetched %v, pushed %s and %s", got, older, newer)
	}
}

// The kick of a PackageInstall reaches its App, which has failed and would try again only
// after minutes.
func TestAccStandIn_kickedInstall(t *testing.T) {
	f := newFlow(t)
	commit := f.commit(f.files(oldVersion))
	f.build.apply(apps, hourly(f.app(f.staging)))
	f.delivered(f.staging, commit, oldVersion)
	before := f.staging.get(apps, "app")
	f.staging.patch(installs, "app", `{"spec":{"paused":true}}`)
	f.staging.until(installs, "app", "paused", seen.paused)
	if inner := f.staging.until(apps, "app", "paused", seen.paused); inner.str("spec", "paused") != "true" || !inner.succeeded() {
		t.Errorf("the App of a paused PackageInstall: %v", inner.Object)
	}
	f.staging.patch(installs, "app", `{"spec":{"paused":null}}`)
	f.staging.until(installs, "app", "delivered", func(o seen) bool { return o.succeeded() && !o.paused() })
	f.staging.until(apps, "app", "run again", func(o seen) bool {
		return o.succeeded() && o.str("spec", "paused") == "" &&
			o.str("status", "consecutiveReconcileSuccesses") != before.str("status", "consecutiveReconcileSuccesses")
	})
	if got := fmt.Sprint(f.staging.get(installs, "app").GetGeneration()); got != "3" {
		t.Errorf("generation %s after a kick, want 3", got)
	}
}
