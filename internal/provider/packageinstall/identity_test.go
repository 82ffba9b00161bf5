package packageinstall_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestAccPackageInstall_identity(t *testing.T) {
	e, f, _ := fixture(t)
	imported := f.ImportedByIdentity(nil)
	imported.ExpectNonEmptyPlan = true // a repository does not say which commit was ours
	resource.Test(t, resource.TestCase{TerraformVersionChecks: acctest.Needs(acctest.Identity), Steps: []resource.TestStep{
		f.Identified(nil, "package", e.Package(), "run_cluster", "staging"), imported, f.Quiet(nil),
	}})
}
