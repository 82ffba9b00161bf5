package packages_test

import (
	"math/big"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

const versionsAddress = "data.carvel_package.test"

const properties = `{workload_name: {type: string, default: ""}, replicas: {type: integer, default: 2}, note: {type: string, nullable: true, default: null}, hosts: {type: array, items: {type: string}, default: []}}`

func TestAccPackage(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	r := e.Repository()
	r.Write("Add versions of "+e.Package(), map[string]string{
		e.PackagePath("1.0.0"):      e.PackageFile("1.0.0"),
		e.PackagePath("1.1.0"):      e.PackageFileWithSchema("1.1.0", properties),
		e.PackagePath("2.0.0-rc.1"): e.PackageFileWithSchema("2.0.0-rc.1", properties),
	})
	e.RemoveDirectory(r, e.Package())
	e.Create(e.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
	var obj unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(e.PackageFileWithSchema("7.0.0", properties)), &obj.Object); err != nil {
		t.Fatal(err)
	}
	e.Create(e.Staging(carvel.Packages, e.Name), &obj)

	f := acctest.Fixture{Env: e, Dir: "package", Address: versionsAddress}
	resolves := func(vars config.Variables, version string, more ...statecheck.StateCheck) resource.TestStep {
		s := f.Step(vars)
		s.ConfigStateChecks = append([]statecheck.StateCheck{
			statecheck.ExpectKnownValue(versionsAddress, tfjsonpath.New("resolved_version"), knownvalue.StringExact(version)),
		}, more...)
		return s
	}
	constrained := func(constraint string) config.Variables {
		return config.Variables{"version_constraint": config.StringVariable(constraint)}
	}
	onCluster := config.Variables{
		"run_cluster": config.StringVariable("staging"), "namespace": config.StringVariable(e.Name), "host": config.StringVariable(e.Lab.Staging.Server),
		"ca":    config.StringVariable(string(e.Lab.Staging.CA)),
		"token": config.StringVariable(e.LimitedTo(e.Lab.Staging, e.Name, acctest.PolicyRule([]string{carvel.Packages.Group}, []string{"packages"}, "list"))),
	}
	withSchema := []statecheck.StateCheck{
		statecheck.ExpectKnownOutputValue("replicas", knownvalue.NumberExact(big.NewFloat(2))),
		statecheck.ExpectKnownOutputValue("defaults", knownvalue.StringExact(`{"hosts":[],"note":null,"replicas":2,"workload_name":""}`)),
		statecheck.ExpectKnownOutputValue("schema", knownvalue.StringExact("integer")),
	}
	is := knownvalue.StringExact
	all := statecheck.ExpectKnownValue(versionsAddress, tfjsonpath.New("versions"), knownvalue.ListExact([]knownvalue.Check{is("2.0.0-rc.1"), is("1.1.0"), is("1.0.0")}))
	without := []statecheck.StateCheck{
		statecheck.ExpectKnownValue(versionsAddress, tfjsonpath.New("values_schema"), knownvalue.Null()),
		statecheck.ExpectKnownOutputValue("defaults", is("null")),
	}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		resolves(nil, "1.1.0", append(withSchema, all)...),
		f.Quiet(nil),
		resolves(constrained("1.0.0"), "1.0.0", without...),
		resolves(config.Variables{"prereleases": config.ObjectVariable(map[string]config.Variable{})}, "2.0.0-rc.1"),
		resolves(config.Variables{"prereleases": config.ObjectVariable(map[string]config.Variable{"identifiers": config.ListVariable(config.StringVariable("beta"))})}, "1.1.0"),
		resolves(onCluster, "7.0.0", withSchema...),
		f.Refused(`"9.x" matches none of the versions.*Available: 2.0.0-rc.1, 1.1.0, 1.0.0.*set run_cluster and namespace`, constrained("9.x")),
		f.Refused(`There is no directory nosuch.acc.test/packages.*Correct name`, config.Variables{"package_name": config.StringVariable("nosuch.acc.test")}),
		f.Refused(`Invalid version_constraint`, constrained("~1")),
		f.Refused(`Invalid name`, config.Variables{"package_name": config.StringVariable("app")}),
	}})
}
