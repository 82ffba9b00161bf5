package installfiles

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
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

var update = flag.Bool("update", false, "write the golden files")

// documented is the spec of the delivery document's example.
func documented() Spec {
	s := appSpec(map[string]any{"workload_name": "app", "replicas": json.Number("2"), "hostname": "app.mycompany.com"})
	s.Install.ServiceAccountName, s.Install.PackageRef.VersionSelection.Constraints = "RUN-CLUSTER-NS-SA", "20230321004057.0.0"
	return s
}

func readDir(t *testing.T, dir string) Contents {
	t.Helper()
	files := Contents{}
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
	if diff := cmp.Diff(texts(rendered(t, documented())), texts(canonical)); diff != "" {
		t.Error(diff)
	}
}

// TestGolden holds the bytes of the files to those in testdata/golden.
func TestGolden(t *testing.T) {
	everything := documented()
	everything.Install.Namespace, everything.Install.Labels, everything.Install.Annotations = "apps", map[string]string{"team": "yes"}, map[string]string{"note": "a: b"}
	everything.Install.ServiceAccountName, everything.Install.Cluster = "", &carvel.Cluster{Namespace: "there", KubeconfigSecretRef: &carvel.SecretKeyRef{Name: "other", Key: "value"}}
	everything.Install.PackageRef.VersionSelection.Prereleases, everything.Install.AllowDowngrade, everything.Install.SyncPeriod = &version.Prereleases{Identifiers: []string{"rc"}}, true, "1m0s"
	everything.Install.Paused, everything.Install.Canceled, everything.Install.NoopDelete, everything.Install.DefaultNamespace = true, true, true, "default"
	everything.HashValuesName, everything.Install.Values = true, carvel.SecretsWithValues("more")
	everything.Install.IgnoreKubernetesVersionSelection, everything.Install.IgnoreKappControllerVersionSelection = true, true
	everything.Install.HelmTemplateName, everything.Install.HelmTemplateNamespace, everything.Install.HelmTemplateValuesSecrets = "release", "helm", []string{"a", "b"}
	everything.Install.FetchSecrets = map[string]string{"0": "registry"}
	everything.Overlays = map[string]string{"labels.yaml": "#@ load(\"@ytt:overlay\", \"overlay\")\n#@overlay/match by=overlay.all\n---\nmetadata:\n  #@overlay/match missing_ok=True\n  labels: {team: apps}\n"}
	everything.Values = map[string]any{
		"text": "two\nlines\n", "trap": "yes", "date": "2023-03-21", "empty": "", "ytt": "a\n#@ b\n", "crlf": "a\r\nb", "list": []any{json.Number("1"), nil, true}, "large": json.Number("123456789012345678901234567890"), "small": json.Number("1e-07"),
	}
	for name, spec := range map[string]Spec{"documented": documented(), "everything": everything} {
		t.Run(name, func(t *testing.T) {
			rendered := rendered(t, spec)
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
		})
	}
}

func texts(files Contents) map[string]string {
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
	install, params := string(theirs[repolayout.PackageInstallFile]), string(theirs[repolayout.ParamsFile])
	for name, c := range map[string]struct{ file, text string }{
		"a field":               {repolayout.PackageInstallFile, install + "  theirs: true\n"},
		"a false boolean":       {repolayout.PackageInstallFile, install + "  paused: false\n"},
		"an annotation unknown": {repolayout.PackageInstallFile, strings.Replace(install, "metadata:\n", "metadata:\n  generateName: x\n", 1)},
		"a key":                 {repolayout.ParamsFile, params + "  b.yaml: 'a: 1'\n"},
		"another key":           {repolayout.ParamsFile, strings.Replace(params, "values.yaml", "other.yaml", 1)},
		"base64":                {repolayout.ParamsFile, "apiVersion: v1\nkind: Secret\nmetadata: {name: app-values}\ndata: {values.yaml: YTogMQo=}\n"},
		"a type":                {repolayout.ParamsFile, params + "type: Opaque\n"},
		"a ytt header":          {repolayout.ParamsFile, strings.Replace(params, "    ---\n", "    #@data/values\n    ---\n", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			found := maps.Clone(theirs)
			found[c.file] = []byte(c.text)
			spec, ours, err := Parse(found)
			if err != nil {
				return // is not taken for anything
			}
			same, err := Canonical(spec, ours)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := same[c.file]; ok {
				t.Errorf("%s is overlooked", name)
			}
		})
	}
	for name, text := range map[string]string{
		"comments":       "# a\n" + params,
		"quotes":         strings.Replace(params, "app-values", `"app-values"`, 1),
		"empty document": "---\n" + params + "---\n",
		"another order":  strings.Replace(params, "    workload_name: app\n    replicas: 2\n", "    replicas: 0x2 # two\n    workload_name: 'app'\n", 1),
		"one line":       "{apiVersion: v1, kind: Secret, metadata: {name: app-values}, stringData: {values.yaml: '{workload_name: app, replicas: 2, hostname: app.mycompany.com}'}}",
	} {
		t.Run(name, func(t *testing.T) {
			found := maps.Clone(theirs)
			found[repolayout.ParamsFile] = []byte(text)
			spec, ours, err := Parse(found)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			same, err := Canonical(spec, ours)
			if err != nil {
				t.Fatal(err)
			}
			if names := slices.Sorted(maps.Keys(same)); len(names) != 2 {
				t.Errorf("%s is not seen as the same: %v", name, names)
			}
		})
	}
}

// TestOverlaysOfOthers are files that the PackageInstall does not refer to.
func TestOverlaysOfOthers(t *testing.T) {
	theirs := readDir(t, "document")
	for name, text := range map[string]string{
		"no Secret": "a: 1", "not YAML": "[", "a Secret": "kind: Secret\nmetadata: {name: app-overlays}\nstringData: {a.yaml: 'a: 1'}\n",
	} {
		t.Run(name, func(t *testing.T) {
			found := maps.Clone(theirs)
			found[repolayout.OverlaysFile] = []byte(text)
			spec, ours, err := Parse(found)
			if _, taken := ours[repolayout.OverlaysFile]; err != nil || taken || spec.Overlays != nil {
				t.Errorf("%s: %v, %v", name, ours, err)
			}
		})
	}
}
