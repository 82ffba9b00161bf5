package installfiles

import (
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// FuzzFiles reads whatever somebody may have put into the repository.
func FuzzFiles(f *testing.F) {
	for _, text := range []string{
		"", "---", "a", "[", "{", "kind: Secret\nstringData: {a: 'b: 1'}", "kind: Secret\ndata: {a: YTogMQo=}", "kind: Secret\nmetadata: {name: a}\nstringData:\n  values.yaml: |\n    ---\n    a: 1\n",
		"apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: a, annotations: {packaging.carvel.dev/downgradable: ''}}\nspec:\n  values: [{secretRef: {name: v}}]\n  packageRef: {versionSelection: {prereleases: {}}}\n",
		"a: &a [*a]", "<<: {a: 1}", "? {a: b}\n: c", "a: !x b", "a: !!binary YQ==", "%YAML 1.1\n---\na: 012", "\xff\xfe", "a: 1e999999999", "a: 0x" + strings.Repeat("f", 100), "a: " + strings.Repeat("9", 400),
		"a: |+\n\n\n", "- - - - a", "a: \"\\u0000\"", "\t", "a:\t1", "#@ a\n", "a: 1 #@ b\n", "y: 1", "null: 1", "a: !!float 1", "a: ! b", "---\n...\n---\nb", "a: -0x1", "0: 0", "a: .inf", "{a: {b: {c: [1, {d: ~}]}}}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Spec
		var err error
		if s.Install, err = carvel.ReadPackageInstall(data); err == nil {
			if again, _ := carvel.PackageInstall(s.Install); again == nil {
				t.Error("what was read cannot be written")
			}
		}
		if documents, err := placedIn(repolayout.ParamsFile, data); err == nil {
			for i := range documents {
				_ = s.readValues(&documents[i])
			}
		}
		_, _ = s.readOverlays(data)
		sameFile(repolayout.ParamsFile, data, data, nil)
		_ = Foreign(Contents{repolayout.PackageInstallFile: data})
		_, _ = Clash("x.yml", data, "a.b.c", nil)
		_, _ = cutHash(string(data))
		for _, shown := range []string{maskSecret(data), maskOthers(data)} {
			if shown != string(data) && maskSecret([]byte(shown)) == "" {
				t.Error("nothing is shown")
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
		found := Contents{repolayout.PackageInstallFile: []byte(packageInstall)}
		if params != "" {
			found[repolayout.ParamsFile] = []byte(params)
		}
		if overlays != "" {
			found[repolayout.OverlaysFile] = []byte(overlays)
		}
		for name, text := range found.Shown() {
			if _, ok := found[name]; !ok || text == "" {
				t.Errorf("%q is shown as %q", name, text)
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
		files, err := Render(spec)
		if err != nil {
			t.Fatal(err)
		}
		rendered := files.contents
		for name, data := range canonical {
			if string(rendered[name]) != string(data) {
				t.Errorf("%s: %q is not %q", name, data, rendered[name])
			}
		}
		again, _, err := Parse(rendered)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, rendered)
		}
		last, err := Render(again)
		if err != nil {
			t.Fatal(err)
		}
		twice := last.contents
		for name, data := range rendered {
			if string(twice[name]) != string(data) {
				t.Errorf("%s changed:\n%s\n%s", name, data, twice[name])
			}
		}
	})
}
