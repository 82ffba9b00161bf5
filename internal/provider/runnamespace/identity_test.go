package runnamespace_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestAccRunNamespace_identity(t *testing.T) {
	e, f := fixture(t)
	resource.Test(t, resource.TestCase{TerraformVersionChecks: acctest.Needs(acctest.Identity), Steps: []resource.TestStep{
		f.Identified(nil, "run_cluster", "staging", "name", e.Name), f.ImportedByIdentity(nil), f.Quiet(nil),
	}})
}
