package packageinstall_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

const setAddress = "carvel_package_installs.test"

// TestAccPackageInstalls_lifecycle: two packages, of which one changes, one goes and all
// move to another run cluster, with a plan between that has nothing to do.
func TestAccPackageInstalls_lifecycle(t *testing.T) {
	e, f, r := fixture(t)
	f.Dir, f.Address = "package_installs", setAddress
	other := "other." + e.Package()
	e.RemoveDirectory(r, other)
	mine, theirs := at(e, "staging"), other+"/staging/packageinstall.yaml"
	packages := func(replicas int, more ...any) config.Variables {
		all := append([]any{e.Package(), acctest.ObjectVariable("version_constraint", "1.0.0", "values", values(replicas))}, more...)
		return config.Variables{"packages": acctest.ObjectVariable(all...)}
	}
	unversioned := acctest.ObjectVariable("version_constraint", "2.0.0", "package_source", "none")
	first, second, one := packages(1, other, unversioned), packages(2, other, unversioned), packages(2)
	moved := packages(2)
	moved["run_cluster"] = config.StringVariable("prod")

	create := f.Planned(plancheck.ResourceActionCreate, first)
	create.ConfigPlanChecks.PreApply = append(create.ConfigPlanChecks.PreApply,
		plancheck.ExpectUnknownValue(setAddress, tfjsonpath.New("commit")),
		plancheck.ExpectKnownValue(setAddress, tfjsonpath.New("resolved_versions"), knownvalue.MapExact(map[string]knownvalue.Check{e.Package(): knownvalue.StringExact("1.0.0")})))
	create.ConfigStateChecks = []statecheck.StateCheck{
		statecheck.ExpectKnownValue(setAddress, tfjsonpath.New("paths").AtMapKey(e.Package()), knownvalue.StringExact(mine.dir)),
	}
	create.Check = resource.ComposeTestCheckFunc(
		r.HasFile(mine.install, "refName: "+e.Package(), "constraints: 1.0.0", "serviceAccountName: "+e.Name+"-sa"),
		r.HasFile(mine.params, "replicas: 1", "password: s3cret", `answer: "yes"`),
		r.HasFile(theirs, "constraints: 2.0.0"),
		func(*terraform.State) error {
			return r.LastMessageHas(mine.install, "2 package installs on staging", "Provider:", "Appendix of the test.")
		},
	)
	update := f.Planned(plancheck.ResourceActionUpdate, second)
	update.Check = resource.ComposeTestCheckFunc(r.HasFile(mine.params, "replicas: 2"), r.HasCommits(mine.dir, 2), r.HasCommits(other, 1))
	imported := f.Imported("staging/"+e.Package()+","+other, second, "commit", "creation", "packages", "packages.%", "sync_period", "service_account_name", "resolved_versions")
	fewer := f.Planned(plancheck.ResourceActionUpdate, one)
	fewer.Check = resource.ComposeTestCheckFunc(r.HasNoFile(theirs), r.HasFile(other+"/staging/.gitkeep"), r.HasFile(mine.install))
	replace := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, moved)
	replace.Check = resource.ComposeTestCheckFunc(r.HasNoFile(mine.install), r.HasFile(mine.keep), r.HasFile(at(e, "prod").install))
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{create, f.Quiet(first), update, f.Quiet(second), imported, fewer, f.Quiet(one), replace, f.Quiet(moved)},
		CheckDestroy: resource.ComposeTestCheckFunc(
			r.HasNoFile(at(e, "prod").install), r.HasNoFile(at(e, "prod").params), r.HasFile(at(e, "prod").keep),
		),
	})
}

// TestAccPackageInstalls_secret: write-only values are in Git, and in no plan and no state;
// a change of them is a commit of the files that they are in, which the plan names.
func TestAccPackageInstalls_secret(t *testing.T) {
	e, f, r := fixture(t)
	f.Dir, f.Address = "package_installs", setAddress
	mine := at(e, "staging")
	vars := func(password string) config.Variables {
		return config.Variables{
			"packages": acctest.ObjectVariable(e.Package(), acctest.ObjectVariable("version_constraint", "1.0.0")),
			"secrets":  acctest.ObjectVariable(e.Package(), acctest.ObjectVariable("password", password)),
		}
	}
	create := f.Planned(plancheck.ResourceActionCreate, vars("f1rst"))
	create.Check = r.HasFile(mine.params, "password: f1rst")
	create.ConfigStateChecks = []statecheck.StateCheck{
		statecheck.ExpectKnownValue(setAddress, tfjsonpath.New("values_wo"), knownvalue.Null()),
	}
	update := f.Planned(plancheck.ResourceActionUpdate, vars("s3cond"))
	update.Check = r.HasFile(mine.params, "password: s3cond")
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{create, f.Quiet(vars("f1rst")), update, f.Quiet(vars("s3cond"))},
	})
}
