package packages_test

import (
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

func TestAccPackages(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	r := e.Repository()
	r.Write("Add versions of "+e.Package(), map[string]string{
		e.PackagePath("1.2.0"):                 e.PackageFile("1.2.0"),
		e.PackagePath("1.10.0"):                e.PackageFile("1.10.0"),
		e.PackagePath("2.0.0-rc.1"):            e.PackageFile("2.0.0-rc.1"),
		e.Package() + "/packages/metadata.yml": "{apiVersion: data.packaging.carvel.dev/v1alpha1, kind: PackageMetadata, metadata: {name: " + e.Package() + "}}\n",
	})
	e.RemoveDirectory(r, e.Package())
	e.Create(e.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
	var obj unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(e.PackageFile("3.0.0-beta.1")), &obj.Object); err != nil {
		t.Fatal(err)
	}
	e.Create(e.Staging(carvel.Packages, e.Name), &obj)

	f := acctest.Fixture{Env: e, Dir: "packages"}
	found := func(vars config.Variables, newest knownvalue.Check, versions ...knownvalue.Check) resource.TestStep {
		s := f.Step(vars)
		s.ConfigStateChecks = []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("found", knownvalue.TupleExact([]knownvalue.Check{
			knownvalue.ObjectExact(map[string]knownvalue.Check{
				"name": knownvalue.StringExact(e.Package()), "versions": knownvalue.ListExact(versions), "newest": newest,
				"released_at": knownvalue.MapSizeExact(len(versions)),
			}),
		}))}
		return s
	}
	is := knownvalue.StringExact
	onCluster := func(token string) config.Variables {
		vars := config.Variables{"run_cluster": config.StringVariable("staging"), "namespace": config.StringVariable(e.Name)}
		if token != "" {
			vars["host"], vars["ca"] = config.StringVariable(e.Lab.Staging.Server), config.StringVariable(string(e.Lab.Staging.CA))
			vars["token"] = config.StringVariable(token)
		}
		return vars
	}
	namespaced := e.LimitedTo(e.Lab.Staging, e.Name, acctest.PolicyRule([]string{carvel.Packages.Group}, []string{"packages"}, "list"))
	powerless := e.LimitedTo(e.Lab.Staging, e.Name)
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		found(nil, is("1.10.0"), is("2.0.0-rc.1"), is("1.10.0"), is("1.2.0")),
		f.Quiet(nil),
		found(onCluster(""), knownvalue.Null(), is("3.0.0-beta.1")),
		found(onCluster(namespaced), knownvalue.Null(), is("3.0.0-beta.1")),
		f.Refused(`Unable to list packages "staging/`+e.Name+`".*lack a right on the cluster`, onCluster(powerless)),
		f.Refused(`Run cluster "nosuch" is not configured`, config.Variables{"run_cluster": config.StringVariable("nosuch"), "namespace": config.StringVariable("a")}),
		f.Refused(`namespace`, config.Variables{"run_cluster": config.StringVariable("staging")}),
		f.Refused(`run_cluster`, config.Variables{"namespace": config.StringVariable("apps")}),
	}})
}
