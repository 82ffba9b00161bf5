package examples_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccExamples_fleet: two packages from one YAML file reach the run cluster of a stage
// in one commit, and so does the next version of one of them.
func TestAccExamples_fleet(t *testing.T) {
	e, r := prepared(t)
	second := "second." + e.Package()
	r.Write("Add "+second, map[string]string{second + "/packages/1.0.0.yaml": fmt.Sprintf(`apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata: {name: %[1]s.1.0.0}
spec:
  refName: %[1]s
  version: 1.0.0
  template:
    spec:
      fetch: [{inline: {paths: {config.yaml: "{apiVersion: v1, kind: ConfigMap, metadata: {name: second}}"}}}]
      template: [{ytt: {}}]
      deploy: [{kapp: {}}]
`, second)})
	e.RemoveDirectory(r, second)
	w := newWorkspace(t, e)
	file := filepath.Join(w.dir, "fleet", "test.yaml")
	fleet := func(version string) {
		t.Helper()
		text := fmt.Sprintf("packages:\n  %s:\n    versions: {staging: %q}\n    values: {replicas: 2}\n  %s:\n    versions: {staging: 1.0.0}\n    values: {}\nclusters:\n  staging: {stage: staging}\n  prod: {stage: prod}\n",
			e.Package(), version, second)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const dir = "fleet/tests/fixture"
	w.env = append(w.env, "TF_VAR_fleet="+file, "TF_VAR_stage=staging")
	namespace := e.Name + "-staging"
	delivered := func(version string) {
		t.Helper()
		w.succeeds(dir, "apply", "-auto-approve", "-input=false")
		for name, check := range map[string]error{
			e.Name:   acctest.Has(e.Staging(acctest.ConfigMaps, namespace), e.Name, acctest.Field(version, "data", "version"))(nil),
			"second": acctest.Has(e.Staging(acctest.ConfigMaps, namespace), "second", nil)(nil),
		} {
			if check != nil {
				t.Errorf("%s: %v", name, check)
			}
		}
	}
	fleet("1.0.0")
	w.succeeds(dir, "init")
	delivered("1.0.0")
	fleet(">=1.0.0")
	delivered("1.1.0")
	w.succeeds(dir, "plan", "-detailed-exitcode", "-input=false")
	w.succeeds(dir, "destroy", "-auto-approve", "-input=false")
	nothingLeft(e, r, namespace)
	if check := acctest.HasNot(e.Staging(carvel.Namespaces, ""), namespace)(nil); check != nil {
		t.Error(check)
	}
}
