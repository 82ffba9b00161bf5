package health

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// read makes an object as an API server returns it.
func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte("{apiVersion: packaging.carvel.dev/v1alpha1, kind: PackageInstall, " + strings.TrimPrefix(text, "{")))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestInstallHealth(t *testing.T) {
	const (
		succeeded = "conditions: [{type: ReconcileSucceeded, status: 'True'}], friendlyDescription: Reconcile succeeded"
		working   = "conditions: [{type: Reconciling, status: 'True'}], friendlyDescription: Reconciling"
		failed    = "conditions: [{type: ReconcileFailed, status: 'True', message: see}], usefulErrorMessage: why"
		app2      = "{metadata: {generation: 3, annotations: {packaging.carvel.dev/package-version: 2.0.0}}, status: {observedGeneration: 3, " + succeeded + "}}"
	)
	install := func(status string) string {
		return "{metadata: {namespace: apps, name: app, generation: 2}, spec: {packageRef: {refName: app.default.tap, versionSelection: {constraints: '>=1.0.0'}}}, status: {" + status + "}}"
	}
	for name, c := range map[string]struct {
		install, app string // the App: "" if it cannot be read
		want         Health
	}{
		"new":            {install(""), "", Health{Pending, "the controller has not seen this generation"}},
		"not seen":       {install("observedGeneration: 1, version: 2.0.0, " + succeeded), app2, Health{Pending, "the controller has not seen this generation"}},
		"under way":      {install("observedGeneration: 2, version: 2.0.0, " + working), app2, Health{Pending, "Reconciling"}},
		"paused":         {install("observedGeneration: 2, version: 2.0.0, conditions: [{type: ReconcileSucceeded}], friendlyDescription: Canceled/paused"), app2, Health{Pending, "the App is paused or canceled"}},
		"failed":         {install("observedGeneration: 2, version: 2.0.0, " + failed), app2, Health{Failed, "why"}},
		"installed":      {install("observedGeneration: 2, version: 2.0.0, lastAttemptedVersion: 2.0.0, " + succeeded), app2, Health{Current, "Reconcile succeeded"}},
		"without an App": {install("observedGeneration: 2, version: 2.0.0, " + succeeded), "", Health{Current, "Reconcile succeeded"}},
		// A version that was selected a moment ago, with the success of the one before.
		"its App is at the old version": {
			install("observedGeneration: 2, version: 3.0.0, lastAttemptedVersion: 3.0.0, " + succeeded), app2,
			Health{Pending, "version 3.0.0 is selected, and version 2.0.0 installed so far"},
		},
		"its App is not there yet": {
			install("observedGeneration: 2, version: 2.0.0, " + succeeded), "{}",
			Health{Pending, "version 2.0.0 is selected, and nothing is installed so far"},
		},
		"its App has not begun": {
			install("observedGeneration: 2, version: 2.0.0, " + succeeded),
			"{metadata: {generation: 4, annotations: {packaging.carvel.dev/package-version: 2.0.0}}, status: {observedGeneration: 3, " + succeeded + "}}",
			Health{Pending, "the controller has not seen this generation"},
		},
		"its App is under way": {
			install("observedGeneration: 2, version: 2.0.0, " + succeeded),
			"{metadata: {generation: 3, annotations: {packaging.carvel.dev/package-version: 2.0.0}}, status: {observedGeneration: 3, " + working + "}}",
			Health{Pending, "Reconciling"},
		},
		"its App has failed": {
			install("observedGeneration: 2, version: 2.0.0, " + succeeded),
			"{metadata: {generation: 3, annotations: {packaging.carvel.dev/package-version: 2.0.0}}, status: {observedGeneration: 3, " + failed + "}}",
			Health{Failed, "why"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			status, err := carvel.ReadInstallStatus(read(t, c.install))
			if err != nil || status.Package != "app.default.tap" || status.Constraint != ">=1.0.0" || status.Name != "app" || status.Namespace != "apps" {
				t.Fatalf("read %+v, %v", status, err)
			}
			var app *carvel.InstallApp
			if c.app != "" {
				read, err := carvel.ReadInstallApp(read(t, c.app))
				if err != nil {
					t.Fatal(err)
				}
				app = &read
			}
			if got := Install(status, app, 0); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	status, err := carvel.ReadInstallStatus(read(t, install("observedGeneration: 2, "+succeeded)))
	if got := Install(status, nil, 3); err != nil || got.State != Pending {
		t.Errorf("an older generation than is waited for: %+v, %v", got, err)
	}
	if _, err := carvel.ReadInstallStatus(read(t, "{spec: {packageRef: []}}")); err == nil {
		t.Error("read a spec that is none")
	}
}
