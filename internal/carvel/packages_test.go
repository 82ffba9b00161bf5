package carvel_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

const packageFile = `# made by a supply chain
---
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: PackageMetadata
metadata: {name: app.default.tap}
spec: {displayName: App}
--- # the first version
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata:
  name: app.default.tap.20230321004057.0.0
spec:
  refName: app.default.tap
  version: 20230321004057.0.0 # quoted or not, it is text
  releaseNotes: |
    notes
    --- no marker, since it is indented
  valuesSchema:
    openAPIv3:
      type: object
      additionalProperties: false
      properties:
        replicas: {type: integer, default: 1}
  template:
    spec:
      fetch: [{imgpkgBundle: {image: example.com/app}}]
      template: [{sops: {}}, {ytt: {}}, {kbld: {}}]
      deploy: [{kapp: {}}]
---
---
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata: {name: app.default.tap.2.0.0}
spec:
  refName: app.default.tap
  version: 2.0.0
  template: {spec: {template: [{helmTemplate: {}}, {ytt: {}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: theirs}
...
`

type readVersion struct {
	Name, Version    string
	Schema, Enforced bool
}

func read(t *testing.T, data string) ([]readVersion, error) {
	t.Helper()
	packages, err := carvel.ReadPackages([]byte(data))
	var found []readVersion
	for _, p := range packages {
		found = append(found, readVersion{p.Name, p.Version, p.Schema != nil, p.Enforced})
	}
	return found, err
}

func TestReadPackages(t *testing.T) {
	want := []readVersion{{"app.default.tap", "20230321004057.0.0", true, true}, {"app.default.tap", "2.0.0", false, false}}
	for name, text := range map[string]string{"Unix": packageFile, "Windows": strings.ReplaceAll(packageFile, "\n", "\r\n")} {
		t.Run(name, func(t *testing.T) {
			got, err := read(t, text)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		})
	}
	for _, empty := range []string{"", "# a comment\n", "---\n---\n", "null\n"} {
		if got, err := read(t, empty); err != nil || got != nil {
			t.Errorf("%q: %v, %v", empty, got, err)
		}
	}
}

// TestReadPackages_unreadable: what cannot be read does not hide what can.
func TestReadPackages_unreadable(t *testing.T) {
	const good = "\n---\napiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\nspec: {refName: a.b.c, version: 1.0.0}\n"
	const head = "apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\n"
	for text, want := range map[string]string{
		"a: [":                          "did not find",
		"just text":                     "not a Kubernetes object",
		"- a\n- list":                   "not a Kubernetes object",
		head + "spec: {refName: a.b.c}": "spec.version",
		head + "spec: {version: 1.0.0}": "spec.refName",
		head + "spec: text":             "Package",
		head + "spec: {version: 2, refName: a.b.c}":                                          "version",
		head + "spec: {version: 1.0.0, refName: a.b.c, template: {spec: {template: [ytt]}}}": "template",
		"\x00\x01":       "control characters",
		"a: &x [*x, *x]": "document 1",
	} {
		t.Run(text, func(t *testing.T) {
			got, err := read(t, text+good)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", text, err, want)
			}
			if diff := cmp.Diff([]readVersion{{Name: "a.b.c", Version: "1.0.0"}}, got); diff != "" {
				t.Errorf("%q: %s", text, diff)
			}
		})
	}
}

func FuzzReadPackages(f *testing.F) {
	for _, seed := range []string{packageFile, "", "---", "a: [", "--- !!binary x", "kind: Package\napiVersion: data.packaging.carvel.dev/v1alpha1\nspec:\n  valuesSchema:\n    openAPIv3:\n      properties: {a: {$ref: '#'}}\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		packages, _ := carvel.ReadPackages(data)
		for _, p := range packages {
			p.Schema.Check(map[string]any{"a": "b", "replicas": 2.5}, false)
		}
	})
}

// TestReadPackages_bounds: what is made to be expensive is told of, and takes no more.
func TestReadPackages_bounds(t *testing.T) {
	const head = "apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\nspec:\n  refName: a.b.c\n  version: 1.0.0\n"
	fill := func(begin, piece, end string) string {
		return begin + strings.Repeat(piece, (4<<20-len(begin)-len(end))/len(piece)) + end
	}
	properties := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "p%d: {},", i)
		}
		return head + "  valuesSchema: {openAPIv3: {additionalProperties: false, properties: {" + b.String() + "}}}\n"
	}
	for name, c := range map[string]struct {
		text, want         string
		packages, enforced int
	}{
		"as many properties as allowed": {text: properties(9_000), packages: 1, enforced: 1},
		"properties":                    {text: properties(20_000), want: "20001 properties", packages: 1},
		"alternatives":                  {text: head + "  valuesSchema: {openAPIv3: {enum: [" + strings.Repeat("a,", 20_000) + "]}}\n", want: "20001 properties", packages: 1},
		"more properties":               {text: properties(300_000), want: "too large"},
		"items":                         {text: fill(head+"x:\n", "-\n", ""), want: "too large"},
		"items in a line":               {text: fill(head+"x: [", "a,", "]"), want: "too large"},
		"lists":                         {text: fill(head+"x: [", "[],", "]"), want: "too large"},
		"documents":                     {text: fill("", "---\na\n", ""), want: "more than 10000 documents"},
		"aliases":                       {text: fill(head+"x: &a [b]\ny: [", "*a ,", "]"), want: "too large"},
		"errors":                        {text: strings.Repeat("---\na: [\n", 5_000), want: "document 2"},
		"depth":                         {text: head + "x: " + strings.Repeat("[", 200_000) + "\n", want: "depth"},
	} {
		t.Run(name, func(t *testing.T) {
			packages, err := carvel.ReadPackages([]byte(c.text))
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || len(err.Error()) > 2000) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if len(packages) != c.packages {
				t.Fatalf("%d packages", len(packages))
			}
			for _, p := range packages {
				if findings := p.Schema.Check(map[string]any{"other": "b"}, false); len(findings) != c.enforced {
					t.Errorf("%v", findings)
				}
			}
		})
	}
}

// TestNearest_long: the table of edits takes the product of the lengths of two keys.
func TestNearest_long(t *testing.T) {
	long := strings.Repeat("k", 20_000)
	schema, err := valuesschema.New([]byte(`{"additionalProperties": false, "properties": {"` + long + `": {}, "replicas": {}}}`))
	if err != nil {
		t.Fatal(err)
	}
	findings := schema.Check(map[string]any{long + "k": "b", "replica": 1}, false)
	if len(findings) != 2 || strings.Contains(findings[0].Message, "Did you mean") || !strings.Contains(findings[1].Message, "Did you mean replicas?") {
		t.Errorf("%d findings: %.80s, %.80s", len(findings), findings[0].Message, findings[1].Message)
	}
}

func TestReadPackage(t *testing.T) {
	var obj unstructured.Unstructured
	if err := yaml.Unmarshal([]byte("apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\nspec: {refName: a.b.c, version: 1.0.0, valuesSchema: {openAPIv3: {type: object}}}\n"), &obj.Object); err != nil {
		t.Fatal(err)
	}
	p, err := carvel.ReadPackage(&obj)
	if err != nil || p.Name != "a.b.c" || p.Version != "1.0.0" || p.Schema == nil {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := carvel.ReadPackage(&unstructured.Unstructured{Object: map[string]any{"kind": "Package", "apiVersion": "v1"}}); err == nil {
		t.Error("a Package without a version was accepted")
	}
}

func packages(versions ...string) []carvel.Package {
	var all []carvel.Package
	for _, v := range versions {
		all = append(all, carvel.Package{Name: "app.default.tap", Version: v})
	}
	return all
}

func TestResolve(t *testing.T) {
	all := []string{"1.0.0", "2.0.0-rc.1", "1.10.0", "1.2.0", "1.0.0+b.1", "nonsense", "2.0.0-beta.1", "v1.1.0"}
	rc := &version.Prereleases{Identifiers: []string{"rc"}}
	for _, c := range []struct {
		versions     []string
		selection    version.Selection
		want, held   string
		others       string
		noneAccepted bool
	}{
		{all, version.Selection{Constraint: ">=0.0.0"}, "1.10.0", "2.0.0-rc.1", "1.2.0 v1.1.0 1.0.0+b.1 1.0.0", false},
		{all, version.Selection{}, "1.10.0", "2.0.0-rc.1", "1.2.0 v1.1.0 1.0.0+b.1 1.0.0", false},
		{all, version.Selection{Constraint: ">=0.0.0", Prereleases: &version.Prereleases{}}, "2.0.0-rc.1", "", "2.0.0-beta.1 1.10.0 1.2.0 v1.1.0 1.0.0+b.1 1.0.0", false},
		{all, version.Selection{Constraint: ">=1.2.0", Prereleases: rc}, "2.0.0-rc.1", "", "1.10.0 1.2.0", false},
		{all, version.Selection{Constraint: ">=1.2.0 <2.0.0-a"}, "1.10.0", "", "1.2.0", false},
		{all, version.Selection{Constraint: "1.0.0"}, "1.0.0", "", "", false},
		{all, version.Selection{Constraint: "2.0.0-rc.1"}, "2.0.0-rc.1", "", "", false},
		{all, version.Selection{Constraint: ">=2.0.0-a"}, "", "2.0.0-rc.1", "", true},
		{all, version.Selection{Constraint: "3.x"}, "", "", "", true},
		{nil, version.Selection{Constraint: ">=0.0.0"}, "", "", "", true},
	} {
		t.Run(c.want, func(t *testing.T) {
			got, err := carvel.Resolve(packages(c.versions...), c.selection)
			var none *version.NoMatchError
			if errors.As(err, &none) != c.noneAccepted || err != nil && !c.noneAccepted {
				t.Errorf("%+v: %v", c.selection, err)
			}
			held := ""
			if got.HeldBack != nil {
				held = got.HeldBack.Version
			}
			var others []string
			for _, p := range got.Others {
				others = append(others, p.Version)
			}
			if got.Version != c.want || held != c.held || strings.Join(others, " ") != c.others {
				t.Errorf("%+v: selected %q, held back %q, others %q; want %q, %q, %q", c.selection, got.Version, held, others, c.want, c.held, c.others)
			}
		})
	}
	if _, err := carvel.Resolve(packages(all...), version.Selection{Constraint: "~1"}); err == nil || !strings.Contains(err.Error(), "Parsing version constraint") {
		t.Errorf("a constraint that does not parse: %v", err)
	}
}

// TestNext: a lower version is selected only if the cluster may refuse those above it.
func TestNext(t *testing.T) {
	for _, c := range []struct{ limited, want string }{
		{"", "2.0.0-rc.1"},
		{"1.0.0 1.1.0", "2.0.0-rc.1"},
		{"1.2.0", "2.0.0-rc.1 1.1.0"},
		{"1.2.0 1.1.0", "2.0.0-rc.1 1.1.0 1.0.0"},
		{"1.2.0 1.1.0 1.0.0", "2.0.0-rc.1 1.1.0 1.0.0"},
	} {
		t.Run(c.limited, func(t *testing.T) {
			all := packages("1.0.0", "1.2.0", "2.0.0-rc.1", "1.1.0")
			for i := range all {
				all[i].Limited = strings.Contains(c.limited, all[i].Version)
			}
			r, err := carvel.Resolve(all, version.Selection{Constraint: ">=0.0.0"})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range r.Next() {
				got = append(got, p.Version)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("limited %q: %q, want %q", c.limited, got, c.want)
			}
		})
	}
}

// TestReadPackages_limited: a version that some clusters refuse.
func TestReadPackages_limited(t *testing.T) {
	const file = "apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\nspec: {refName: app.default.tap, version: 1.0.0"
	for more, want := range map[string]bool{
		"": false, ", kubernetesVersionSelection: {constraints: '>=1.30.0'}": true, ", kappControllerVersionSelection: {constraints: '>=0.50.0'}": true,
	} {
		t.Run(more, func(t *testing.T) {
			if got, err := carvel.ReadPackages([]byte(file + more + "}\n")); err != nil || len(got) != 1 || got[0].Limited != want {
				t.Errorf("%q: %+v, %v", more, got, err)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	got := carvel.Versions(packages("1.2.0", "bad", "1.10.0", "1.2.0", "1.2.0-rc.1", "1.2.0+b.2", "1.2.0+b.10"))
	want := []string{"1.10.0", "1.2.0+b.10", "1.2.0+b.2", "1.2.0", "1.2.0-rc.1", "bad"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOfPackage(t *testing.T) {
	all := append(packages("1.0.0"), carvel.Package{Name: "other.default.tap", Version: "9.0.0"})
	if got := carvel.OfPackage("app.default.tap", all); len(got) != 1 || got[0].Version != "1.0.0" || len(all) != 2 {
		t.Errorf("%+v of %+v", got, all)
	}
}
