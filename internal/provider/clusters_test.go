package provider_test

import (
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// TestAccProvider_fiveClusters: one cluster is down and one is not known at
// plan, and neither is in the way of the others.
func TestAccProvider_fiveClusters(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	token := e.Limited(e.Lab.Staging, acctest.PolicyRule([]string{"*"}, []string{"*"}, "*"))
	vars := config.Variables{
		"build_kubeconfig": config.StringVariable(e.Lab.Build.Kubeconfig),
		"late":             acctest.ObjectVariable("host", e.Lab.Staging.Server, "token", token, "ca", string(e.Lab.Staging.CA)),
	}
	f := acctest.Fixture{Env: e, Dir: "five_clusters", Address: "carvel_run_namespace.late"}
	create := f.Step(vars)
	create.Check = resource.ComposeTestCheckFunc(
		acctest.Has(e.Staging(carvel.Roles, e.Name), carvel.AppRoleName, nil),
		acctest.Has(e.Prod(carvel.Roles, e.Name), carvel.AppRoleName, nil),
		acctest.Has(e.Build(carvel.Roles, e.Name), carvel.AppRoleName, nil),
		acctest.Has(e.Staging(carvel.Roles, e.Name+"-late"), carvel.AppRoleName, nil),
	)
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{create, f.Quiet(vars)},
		CheckDestroy: resource.ComposeTestCheckFunc(
			acctest.HasNot(e.Staging(carvel.Namespaces, ""), e.Name), acctest.HasNot(e.Staging(carvel.Namespaces, ""), e.Name+"-late"),
			acctest.HasNot(e.Prod(carvel.Namespaces, ""), e.Name), acctest.HasNot(e.Build(carvel.Namespaces, ""), e.Name),
		),
	})
}
