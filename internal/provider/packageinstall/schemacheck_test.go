package packageinstall_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
)

// packageWith is a Package of one version whose values schema is given.
func packageWith(schema string) map[string]string {
	return map[string]string{"app.default.tap/packages/1.0.0.yaml": "apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\n" +
		"metadata: {name: app.default.tap.1.0.0}\nspec:\n  refName: app.default.tap\n  version: 1.0.0\n" +
		"  template: {spec: {template: [{ytt: {}}]}}\n  valuesSchema:\n    openAPIv3: " + schema + "\n"}
}

// TestSchemaCheck_defaults: the default values of a package are values of the package,
// whatever its schema says of them.
func TestSchemaCheck_defaults(t *testing.T) {
	files, err := filepath.Glob("../../valuesschema/testdata/corpus/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			schema, err := valuesschema.New(text)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := json.Marshal(schema.Defaults())
			if err != nil {
				t.Fatal(err)
			}
			var defaults map[string]any
			if err := json.Unmarshal(plain, &defaults); err != nil {
				t.Fatal(err)
			}
			w, r := inMemory(t)
			w.Repository.Write("somebody", packageWith(strings.Join(strings.Fields(string(text)), " ")))
			c := basic(attributes{"package_source": nil, "values": defaults})
			if diags := r.Apply(c); diags.Failed() || diags.String() != "" {
				t.Fatal(diags)
			}
			if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.None {
				t.Errorf("%s: %s", p.Action, diags)
			}
		})
	}
}

// TestSchemaCheck: values that do not fit are an error, a warning, or nobody's matter,
// also of one package of a set; the version is looked up all the same.
func TestSchemaCheck(t *testing.T) {
	wrong := map[string]any{"replicas": "two"}
	for check, want := range map[any]string{nil: "ERROR", "error": "ERROR", "warn": "WARNING", "none": "", protocoltest.Unknown: ""} {
		single := basic(attributes{"package_source": nil, "schema_check": check, "values": wrong})
		shared := set(attributes{"package_source": nil, "schema_check": check, "packages": entries{"app.default.tap": entries{"version_constraint": ">=1.0.0", "values": wrong}}})
		own := set(attributes{"package_source": nil, "packages": entries{"app.default.tap": entries{"version_constraint": ">=1.0.0", "values": wrong, "schema_check": check}}})
		for name, c := range map[string]attributes{"one": single, "a set": shared, "one of a set": own} {
			w, r := inMemory(t)
			if name != "one" {
				w, r = setInMemory(t)
			}
			w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/1.0.0.yaml": packageFile("1.0.0")})
			p, diags := r.Plan(c)
			if text := diags.String(); diags.Failed() != (want == "ERROR") || !strings.HasPrefix(text, want) || (text == "") != (want == "") {
				t.Errorf("%s, %v: %s", name, check, text)
			}
			if want == "ERROR" && !strings.Contains(diags.String(), "schema_check") {
				t.Errorf("%s: the way out is not named: %s", name, diags)
			}
			if resolved := p.Attribute("resolved_version") + p.Attribute("resolved_versions"); want != "ERROR" && !strings.Contains(resolved, "1.0.0") {
				t.Errorf("%s, %v: %s", name, check, resolved)
			}
			if check == protocoltest.Unknown || want == "ERROR" {
				continue
			}
			if diags := p.Apply(); diags.Failed() {
				t.Fatal(diags)
			}
			if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.None {
				t.Errorf("%s, %v: %s %s", name, check, p.Action, diags)
			}
		}
	}
	for _, c := range []attributes{basic(attributes{"schema_check": "off"}), set(attributes{"packages": entries{"app.default.tap": entries{"version_constraint": "1.0.0", "schema_check": "off"}}})} {
		_, r := inMemory(t)
		if c["package"] == nil {
			_, r = setInMemory(t)
		}
		if _, diags := r.Plan(c); !diags.Failed() || !strings.Contains(diags.String(), "schema_check") {
			t.Errorf("%s", diags)
		}
	}
}
