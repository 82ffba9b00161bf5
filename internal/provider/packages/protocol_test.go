package packages_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packages"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
)

// packageText is a version of a package.
func packageText(name, version string) string {
	return "apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\nmetadata: {namespace: apps, name: " + name + "." + version + "}\nspec:\n  refName: " + name + "\n  version: " + version + "\n" +
		"  template: {spec: {template: [{ytt: {}}]}}\n  valuesSchema: {openAPIv3: {type: object, properties: {replicas: {type: integer, default: 1}}}}\n"
}

// TestProtocol: the packages of the repository, and those of a run cluster.
func TestProtocol(t *testing.T) {
	w := deliverytest.NewWorld()
	w.Repository.Write("somebody", map[string]string{
		"app.default.tap/packages/1.0.0.yaml": packageText("app.default.tap", "1.0.0"), "app.default.tap/packages/1.10.0.yaml": packageText("app.default.tap", "1.10.0") + "  releasedAt: 2026-11-01T14:00:00+02:00\n",
		"app.default.tap/packages/broken.yaml": "a: [",
	})
	var obj unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(packageText("web.default.tap", "2.0.0")), &obj.Object); err != nil {
		t.Fatal(err)
	}
	w.Run.PutAs(carvel.Packages, &obj)
	data := protocoltest.Data(w)

	found, diags := protocoltest.Read(t, packages.New, data, protocoltest.Config{})
	if diags.Failed() || !strings.Contains(found["packages"], `"newest":"1.10.0"`) || !strings.Contains(found["packages"], `["1.10.0","1.0.0"]`) || !strings.Contains(diags.String(), "broken.yaml") {
		t.Errorf("%v %s", found, diags)
	}
	const released = `"released_at":{"1.0.0":null,"1.10.0":"2026-11-01T12:00:00Z"}`
	if !strings.Contains(found["packages"], released) {
		t.Errorf("want %s in %s", released, found["packages"])
	}
	onCluster := protocoltest.Config{"run_cluster": "staging", "namespace": "apps"}
	if found, diags = protocoltest.Read(t, packages.New, data, onCluster); diags.Failed() || !strings.Contains(found["packages"], "web.default.tap") {
		t.Errorf("%v %s", found, diags)
	}

	found, diags = protocoltest.Read(t, packages.NewVersions, data, protocoltest.Config{"name": "app.default.tap", "version_constraint": "<1.5.0"})
	if diags.Failed() || found["resolved_version"] != `"1.0.0"` || found["versions"] != `["1.10.0","1.0.0"]` || found["default_values"] != `{"replicas":1}` || !strings.Contains(found["values_schema"], "replicas") {
		t.Errorf("%v %s", found, diags)
	}
	if want := strings.TrimPrefix(released, `"released_at":`); found["released_at"] != want {
		t.Errorf("released at %s, want %s", found["released_at"], want)
	}
	for want, c := range map[string]protocoltest.Config{
		"2.0.0": {"name": "app.default.tap", "version_constraint": ">=2.0.0"}, "nosuch.default.tap": {"name": "nosuch.default.tap"},
		"Invalid name": {"name": "app"}, "run_cluster": {"name": "app.default.tap", "namespace": "apps"},
	} {
		t.Run(want, func(t *testing.T) {
			if _, diags := protocoltest.Read(t, packages.NewVersions, data, c); !diags.Failed() || !strings.Contains(diags.String(), want) {
				t.Errorf("want %q in: %s", want, diags)
			}
		})
	}
}
