package app_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestAccApp_identity(t *testing.T) {
	e, f := fixture(t)
	imported := f.ImportedByIdentity(nil)
	imported.ExpectNonEmptyPlan = true // the fixture's field_manager is in the configuration alone
	resource.Test(t, resource.TestCase{TerraformVersionChecks: acctest.Needs(acctest.Identity), Steps: []resource.TestStep{
		f.Identified(nil, "namespace", e.Name, "name", e.Name), imported, f.Quiet(nil),
	}})
}
