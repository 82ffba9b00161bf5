package provider_test

import (
	"context"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccProvider_goneCluster: a configuration is rid of a run cluster that is gone for
// good, by two applies neither of which asks it anything.
func TestAccProvider_goneCluster(t *testing.T) {
	e := acctest.New(t)
	e.BuildNamespace()
	t.Cleanup(func() { // which nothing in the configuration stands for any more
		if err := e.Staging(carvel.Namespaces, "").Delete(context.Background(), e.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	at := func(dir string) acctest.Fixture {
		return acctest.Fixture{Env: e, Dir: "gone_cluster/" + dir, Address: "carvel_app.test"}
	}
	var began time.Time
	forget := at("forgotten").Step(nil)
	forget.PreConfig = func() { began = time.Now() }
	rid := at("rid").Step(nil)
	rid.Check = resource.ComposeTestCheckFunc(
		acctest.HasNot(e.Build(carvel.Apps, e.Name), e.Name+"-app"),
		acctest.Has(e.Staging(carvel.ServiceAccounts, e.Name), carvel.DefaultServiceAccount(e.Name), nil),
		acctest.Has(e.Staging(acctest.ConfigMaps, e.Name), "content", nil),
		acctest.Has(e.Build(carvel.Secrets, e.Name), "gone-kubeconfig", nil),
		func(*terraform.State) error {
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %s", took)
			}
			return nil
		},
	)
	resource.Test(t, resource.TestCase{
		// OpenTofu reads also what it is to forget.
		AdditionalCLIOptions: &resource.AdditionalCLIOptions{Plan: resource.PlanOptions{NoRefresh: e.OpenTofu()}},
		Steps:                []resource.TestStep{at("present").Step(nil), forget, at("forgotten").Quiet(nil), rid},
	})
}
