package repolayout

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

var update = flag.Bool("update", false, "write the golden files")

// documented is the spec of the delivery document's example.
func documented() carvel.PackageInstallSpec {
	return carvel.PackageInstallSpec{
		Package: "app.default.tap", Name: carvel.DefaultInstallName("app.default.tap"), ServiceAccountName: "RUN-CLUSTER-NS-SA",
		VersionConstraint: "20230321004057.0.0", ValuesSecretName: carvel.DefaultValuesSecretName("app"),
		Values: map[string]any{"workload_name": "app", "replicas": json.Number("2"), "hostname": "app.mycompany.com"},
	}
}

func readDir(t *testing.T, dir string) Files {
	t.Helper()
	files := Files{}
	entries, err := os.ReadDir(filepath.Join("testdata", dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join("testdata", dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = data
	}
	return files
}

// TestDocument compares with the delivery document's own files, whose
// constraint is in quotes, which the document forgets: the same paths and
// objects, and what they say as the document has it is left as it is.
func TestDocument(t *testing.T) {
	rendered, err := Render(documented())
	if err != nil {
		t.Fatal(err)
	}
	var l Layout
	for name, path := range map[string]string{
		PackageInstallFile: "app.default.tap/staging/packageinstall.yaml", ParamsFile: "app.default.tap/staging/params.yaml",
	} {
		if got := l.Path(document, name); got != path {
			t.Errorf("%s is %s, want %s", name, got, path)
		}
	}
	theirs := readDir(t, "document")
	parsed, ours, err := Parse(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(documented(), parsed); diff != "" || len(ours) != 2 {
		t.Errorf("%s\n%v", diff, ours)
	}
	canonical, err := Canonical(parsed, ours)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(texts(rendered), texts(canonical)); diff != "" {
		t.Error(diff)
	}
}

// TestGolden holds the bytes of the files to those in testdata/golden.
func TestGolden(t *testing.T) {
	everything := documented()
	everything.Namespace, everything.Labels, everything.Annotations = "apps", map[string]string{"team": "yes"}, map[string]string{"note": "a: b"}
	everything.ServiceAccountName, everything.Cluster = "", &carvel.Cluster{Namespace: "there", KubeconfigSecretRef: &carvel.SecretKeyRef{Name: "other", Key: "value"}}
	everything.Prereleases, everything.AllowDowngrade, everything.SyncPeriod = &version.Prereleases{Identifiers: []string{"rc"}}, true, "1m0s"
	everything.Paused, everything.Canceled, everything.NoopDelete, everything.DefaultNamespace = true, true, true, "default"
	everything.HashValuesName, everything.ExtraValuesSecrets = true, []string{"more"}
	everything.IgnoreKubernetesVersionSelection, everything.IgnoreKappControllerVersionSelection = true, true
	everything.HelmTemplateName, everything.HelmTemplateNamespace, everything.HelmTemplateValuesSecrets = "release", "helm", []string{"a", "b"}
	everything.FetchSecrets = map[string]string{"0": "registry"}
	everything.YttOverlays = map[string]string{"labels.yaml": "#@ load(\"@ytt:overlay\", \"overlay\")\n#@overlay/match by=overlay.all\n---\nmetadata:\n  #@overlay/match missing_ok=True\n  labels: {team: apps}\n"}
	everything.Values = map[string]any{
		"text": "two\nlines\n", "trap": "yes", "date": "2023-03-21", "empty": "", "ytt": "a\n#@ b\n", "crlf": "a\r\nb", "list": []any{json.Number("1"), nil, true}, "large": json.Number("123456789012345678901234567890"), "small": json.Number("1e-07"),
	}
	for name, spec := range map[string]carvel.PackageInstallSpec{"documented": documented(), "everything": everything} {
		rendered, err := Render(spec)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join("golden", name)
		if *update {
			for file, data := range rendered {
				if err := os.MkdirAll(filepath.Join("testdata", dir), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join("testdata", dir, file), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		if diff := cmp.Diff(texts(readDir(t, dir)), texts(rendered)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		parsed, ours, err := Parse(rendered)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(spec, parsed); diff != "" || len(ours) != len(rendered) {
			t.Errorf("%s was read as something else: %s", name, diff)
		}
	}
}

func texts(files Files) map[string]string {
	out := map[string]string{}
	for name, data := range files {
		out[name] = string(data)
	}
	return out
}

// TestCanonical: what no spec has keeps a file from being taken for one that
// says the same in another form.
func TestCanonical(t *testing.T) {
	theirs := readDir(t, "document")
	install, params := string(theirs[PackageInstallFile]), string(theirs[ParamsFile])
	for name, c := range map[string]struct{ file, text string }{
		"a field":               {PackageInstallFile, install + "  theirs: true\n"},
		"a false boolean":       {PackageInstallFile, install + "  paused: false\n"},
		"a document":            {PackageInstallFile, install + "---\na: 1\n"},
		"an annotation unknown": {PackageInstallFile, strings.Replace(install, "metadata:\n", "metadata:\n  generateName: x\n", 1)},
		"a key":                 {ParamsFile, params + "  b.yaml: 'a: 1'\n"},
		"another key":           {ParamsFile, strings.Replace(params, "values.yaml", "other.yaml", 1)},
		"base64":                {ParamsFile, "apiVersion: v1\nkind: Secret\nmetadata: {name: app-values}\ndata: {values.yaml: YTogMQo=}\n"},
		"a type":                {ParamsFile, params + "type: Opaque\n"},
		"a ytt header":          {ParamsFile, strings.Replace(params, "    ---\n", "    #@data/values\n    ---\n", 1)},
	} {
		found := maps.Clone(theirs)
		found[c.file] = []byte(c.text)
		spec, ours, err := Parse(found)
		if err != nil {
			continue // is not taken for anything
		}
		same, err := Canonical(spec, ours)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := same[c.file]; ok {
			t.Errorf("%s is overlooked", name)
		}
	}
	for name, text := range map[string]string{
		"comments":       "# a\n" + params,
		"quotes":         strings.Replace(params, "app-values", `"app-values"`, 1),
		"empty document": "---\n" + params + "---\n",
		"another order":  strings.Replace(params, "    workload_name: app\n    replicas: 2\n", "    replicas: 0x2 # two\n    workload_name: 'app'\n", 1),
		"one line":       "{apiVersion: v1, kind: Secret, metadata: {name: app-values}, stringData: {values.yaml: '{workload_name: app, replicas: 2, hostname: app.mycompany.com}'}}",
	} {
		found := maps.Clone(theirs)
		found[ParamsFile] = []byte(text)
		spec, ours, err := Parse(found)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same, err := Canonical(spec, ours)
		if err != nil {
			t.Fatal(err)
		}
		if names := slices.Sorted(maps.Keys(same)); len(names) != 2 {
			t.Errorf("%s is not seen as the same: %v", name, names)
		}
	}
}

// TestOverlaysOfOthers are files that the PackageInstall does not refer to.
func TestOverlaysOfOthers(t *testing.T) {
	theirs := readDir(t, "document")
	for name, text := range map[string]string{
		"no Secret": "a: 1", "not YAML": "[", "a Secret": "kind: Secret\nmetadata: {name: app-overlays}\nstringData: {a.yaml: 'a: 1'}\n",
	} {
		found := maps.Clone(theirs)
		found[OverlaysFile] = []byte(text)
		spec, ours, err := Parse(found)
		if _, taken := ours[OverlaysFile]; err != nil || taken || spec.YttOverlays != nil {
			t.Errorf("%s: %v, %v", name, ours, err)
		}
	}
}
