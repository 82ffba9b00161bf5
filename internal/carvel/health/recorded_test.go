package health

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// An App and a PackageInstall at successive moments, as they were recorded.
const (
	lockAt = `fetch: {exitCode: 0, startedAt: "%[3]s", updatedAt: "%[2]s", stdout: "directories: [{path: '0', contents: [{git: {sha: %[1]s}}]}]"}`
	oldSHA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	newSHA = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	mirror = "kapp: Error: waiting on reconcile packageinstall/app (packaging.carvel.dev/v1alpha1) namespace: apps: Finished unsuccessfully (Reconcile failed: (message: %s))"
)

// at is a time of the recording, second 0 to 99.
func at(second int) string {
	return time.Date(2024, 10, 1, 12, 0, second, 0, time.UTC).Format(time.RFC3339)
}

func moment(second int) time.Time {
	t, err := time.Parse(time.RFC3339, at(second))
	if err != nil {
		panic(err)
	}
	return t
}

// app is an App's object. second is when it last ran.
type app struct {
	generation, observed int
	condition, friendly  string
	message              string
	failures             int
	sha                  string
	second               int    // when the run ended
	lasted               int    // seconds
	successes            int    // in a row
	revision             int    // of the object
	stage                string // that failed
	version              string // annotation of a PackageInstall's App
	spec                 string // YAML in one line
	working              string // kapp's output so far
	reported             string // managedFields of the status
}

func (a app) yaml() string {
	exit := func(stage string) int {
		if a.condition == carvel.ReconcileFailed && a.stage == stage {
			return 1
		}
		return 0
	}
	fetch := fmt.Sprintf(lockAt, a.sha, at(a.second), at(a.second-a.lasted))
	if exit(carvel.StageFetch) == 1 {
		fetch = fmt.Sprintf(`fetch: {exitCode: 1, stderr: x, startedAt: %q, updatedAt: %q}`, at(a.second-a.lasted), at(a.second))
	}
	conditions := ""
	if a.condition != "" {
		conditions = fmt.Sprintf("{type: %s, status: 'True', message: m}", a.condition)
	}
	annotations := ""
	if a.version != "" {
		annotations = carvel.VersionAnnotation + ": " + a.version
	}
	if a.spec == "" {
		a.spec = "{syncPeriod: 30s, template: [{ytt: {valuesFrom: [{secretRef: {name: values}}]}}]}"
	}
	return fmt.Sprintf(`{metadata: {generation: %d, annotations: {%s}, resourceVersion: "%d", managedFields: [%s]}, spec: %s, status: {observedGeneration: %d, conditions: [%s], friendlyDescription: %q, usefulErrorMessage: %q, `+
		`consecutiveReconcileFailures: %d, consecutiveReconcileSuccesses: %d, %s, template: {exitCode: %d, updatedAt: %q}, deploy: {exitCode: %d, updatedAt: %q, finished: %v, stdout: "%s"}}}`,
		a.generation, annotations, a.revision, a.reported, a.spec, a.observed, conditions, a.friendly, a.message, a.failures, a.successes, fetch,
		exit(carvel.StageTemplate), at(a.second), exit(carvel.StageDeploy), at(a.second), a.working == "", cmp.Or(a.working, "1:00 ok\\n2:00 no"))
}

// installs is a PackageInstall's object.
func install(generation, observed int, version, condition, message string) string {
	return fmt.Sprintf(`{metadata: {namespace: apps, name: app, generation: %d}, spec: {packageRef: {refName: app.default.tap}}, `+
		`status: {observedGeneration: %d, version: %s, conditions: [{type: %s, status: 'True', message: m}], usefulErrorMessage: %q}}`,
		generation, observed, version, condition, message)
}

// look is one observation and the verdict on it.
type look struct {
	app     app
	install string // "": nobody looks at the run cluster; "-": it is not there
	inner   *app
	values  *ObservedSecret
	more    []ObservedSecret  // that annotations name
	wanted  map[string]string // annotations
	quiet   int               // seconds
	want    State
	says    string
}

func (l look) observation(t *testing.T) Observation {
	t.Helper()
	o := Observation{App: statusOf(t, l.app.yaml())}
	source := Source{Directory: "p/staging", Commit: o.App.FetchedCommit(0, carvel.Fetch{}), Tip: newSHA, TipTree: "new"}
	source.Tree = map[string]string{oldSHA: "old", newSHA: "new"}[source.Commit]
	if source.Commit == strings.Repeat("c", 40) { // a later commit that left the directory as it is
		source.Tree = "new"
	}
	o.Sources = []Source{source}
	if l.install == "" {
		return o
	}
	observed := ObservedInstall{Namespace: "apps", Name: "app"}
	if l.install != "-" {
		status, err := carvel.ReadInstallStatus(read(t, l.install))
		if err != nil {
			t.Fatal(err)
		}
		observed.Status = &status
	}
	if l.inner != nil {
		inner, err := carvel.ReadInstallApp(read(t, l.inner.yaml()))
		if err != nil {
			t.Fatal(err)
		}
		observed.App = &inner
	}
	observed.Wanted, observed.Quiet = l.wanted, time.Duration(l.quiet)*time.Second
	if l.values != nil {
		observed.Values, observed.Reads = []string{l.values.Name}, []ObservedSecret{*l.values}
	}
	observed.Reads = append(observed.Reads, l.more...)
	o.Installs = []ObservedInstall{observed}
	return o
}

func succeeded(generation int, sha string, second int) app {
	return app{generation: generation, observed: generation, condition: carvel.ReconcileSucceeded, friendly: "Reconcile succeeded", sha: sha, second: second}
}

func failed(generation int, sha string, second, failures int, stage, message string) app {
	return app{
		generation: generation, observed: generation, condition: carvel.ReconcileFailed, friendly: "Reconcile failed: m", message: message,
		failures: failures, sha: sha, second: second, stage: stage,
	}
}

func reconciling(generation int, sha string, second int) app {
	a := succeeded(generation, sha, second)
	a.condition, a.friendly = carvel.Reconciling, "Reconciling"
	return a
}

func inner(a app, version string) *app {
	a.version = version
	return &a
}

// slow is the App of a PackageInstall after a run of seven seconds.
func slow(second, revision, successes int) *app {
	a := succeeded(1, "", second)
	a.lasted, a.revision, a.successes = 7, revision, successes
	return inner(a, "1.0.0")
}

// reportedAt has the API server say when the status was written.
func reportedAt(second int, a *app) *app {
	a.reported = fmt.Sprintf("{manager: kapp-controller, operation: Update, subresource: status, time: %q}", at(second))
	return a
}

// holding is a Secret whose content was written at a second.
func holding(content string, second int, revision uint64) *ObservedSecret {
	return &ObservedSecret{Name: "values", Content: content, Written: moment(second), Revision: revision}
}

// after has been written before with another content.
func after(second int, s *ObservedSecret) *ObservedSecret {
	s.Earlier = moment(second)
	return s
}

func named(name string, s *ObservedSecret) *ObservedSecret {
	s.Name = name
	return s
}

func overlays(names ...string) map[string]string {
	annotations := map[string]string{}
	for _, name := range names {
		annotations[carvel.OverlaysAnnotation+"."+name] = name
	}
	return annotations
}

// withOverlays is a PackageInstall that names a Secret with overlays.
func withOverlays(name string) string {
	return strings.Replace(install(1, 1, "1.0.0", carvel.ReconcileSucceeded, ""), "generation: 1}", fmt.Sprintf("generation: 1, annotations: {%s.%s: %[2]s}}", carvel.OverlaysAnnotation, name), 1)
}

// overlaid is the App of a PackageInstall that reads Secrets with overlays.
func overlaid(second int, names ...string) *app {
	a := succeeded(1, "", second)
	a.spec = "{syncPeriod: 10m, template: [{ytt: {valuesFrom: [{secretRef: {name: values}}], inline: {pathsFrom: ["
	for _, name := range names {
		a.spec += "{secretRef: {name: " + name + "}},"
	}
	a.spec += "]}}}]}"
	return inner(a, "1.0.0")
}
