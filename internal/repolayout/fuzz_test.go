package repolayout

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// FuzzPaths: whatever is accepted is written inside PACKAGE/RUN-CLUSTER, below
// the prefix.
func FuzzPaths(f *testing.F) {
	f.Add("", "app.default.tap", "staging")
	f.Add("clusters/apps/", "a.b.c", "prod")
	f.Add("..", "..", "..")
	f.Add("a/./b", "a/b.c.d", "packages")
	f.Add(".GIT", "a.b.git", ".git")
	f.Add("/", "", "a\x00")
	f.Fuzz(func(t *testing.T, prefix, packageName, runCluster string) {
		l, err := New(prefix)
		if err != nil || carvel.ValidatePackageName(packageName) != nil || carvel.ValidateRunCluster(runCluster) != nil {
			return
		}
		at := Install{Package: packageName, RunCluster: runCluster}
		below := strings.Trim(prefix, "/")
		if below == "." {
			below = ""
		}
		want := path.Join(below, packageName, runCluster)
		for _, name := range append([]string{KeepFile}, FileNames...) {
			got := l.Path(at, name)
			if got != want+"/"+name || path.Clean(got) != got || path.IsAbs(got) || slices.Contains(strings.Split(got, "/"), "..") {
				t.Errorf("%q with %q, %q, %q", got, prefix, packageName, runCluster)
			}
		}
	})
}

// FuzzParse reads whatever somebody may have put into the three files. What can
// be read is shown and written at its own paths, and once written stays as it is.
func FuzzParse(f *testing.F) {
	const install = "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata:\n  name: app\n  annotations: {ext.packaging.carvel.dev/ytt-paths-from-secret-name: app-overlays}\nspec:\n  values: [{secretRef: {name: v}}]\n"
	f.Add(install, "kind: Secret\nmetadata: {name: v}\nstringData: {values.yaml: 'a: 1'}", "kind: Secret\nmetadata: {name: app-overlays}\nstringData: {a.yaml: '#@ x'}")
	f.Add(install, "", "")
	f.Add("kind: [", "[", "[")
	f.Add("---\n"+install+"---\nkind: Secret\n", "kind: Secret\ndata: {a: YTogMQo=}\n---\nkind: Secret\n", "a: 1")
	f.Add(strings.Replace(install, "annotations: {", "annotations: {ext.packaging.carvel.dev/ytt-data-values-overlays: '', ", 1), "kind: Secret\nstringData: {values.yaml: \"#@data/values\\n---\\na: 1\\n\"}", "")
	f.Fuzz(func(t *testing.T, packageInstall, params, overlays string) {
		found := Files{PackageInstallFile: []byte(packageInstall)}
		if params != "" {
			found[ParamsFile] = []byte(params)
		}
		if overlays != "" {
			found[OverlaysFile] = []byte(overlays)
		}
		at := Install{Package: "app.default.tap", RunCluster: "staging"}
		for shown := range (Layout{}).Shown(at, found) {
			if path.Dir(shown) != "app.default.tap/staging" {
				t.Errorf("%q is elsewhere", shown)
			}
		}
		spec, ours, err := Parse(found)
		if err != nil {
			return
		}
		canonical, err := Canonical(spec, ours)
		if err != nil {
			return // for example a name that is no text
		}
		rendered, err := Render(spec)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range canonical {
			if string(rendered[name]) != string(data) {
				t.Errorf("%s: %q is not %q", name, data, rendered[name])
			}
		}
		again, _, err := Parse(rendered)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, rendered)
		}
		twice, err := Render(again)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range rendered {
			if string(twice[name]) != string(data) {
				t.Errorf("%s changed:\n%s\n%s", name, data, twice[name])
			}
		}
	})
}
