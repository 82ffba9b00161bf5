package app_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

const address = "carvel_app.test"

func fixture(t *testing.T) (*acctest.Env, acctest.Fixture) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	return e, acctest.Fixture{Env: e, Dir: "app", Address: address}
}

// TestAccApp_delivery is the delivery document's flow: all four resources, on
// two run clusters, with the rights of carvel_run_namespace alone.
func TestAccApp_delivery(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	r := e.Repository()
	e.CommitPackages(r)
	f := acctest.Fixture{Env: e, Dir: "delivery", Address: address + "[0]"}
	staging, prod := e.Name+"-staging", e.Name+"-prod"
	delivered := func(version string) resource.TestCheckFunc {
		return resource.ComposeTestCheckFunc(
			acctest.Has(e.Staging(acctest.ConfigMaps, staging), e.Name, acctest.Field(version, "data", "version")),
			acctest.Has(e.Prod(acctest.ConfigMaps, prod), e.Name, acctest.Field(version, "data", "version")),
			acctest.Has(e.Staging(carvel.PackageInstalls, staging), e.Name, acctest.Field(version, "status", "version")),
			acctest.Has(e.Prod(carvel.PackageInstalls, prod), e.Name, acctest.Field(version, "status", "version")),
			resource.TestCheckResourceAttr("carvel_app.test.0", "status.condition", carvel.ReconcileSucceeded),
			fetched(r, "carvel_app.test.0", "carvel_package_install.test.0"),
		)
	}
	second := config.Variables{"version_constraint": config.StringVariable(acctest.SecondVersion)}
	back := config.Variables{"allow_downgrade": config.BoolVariable(true)}
	create := f.Planned(plancheck.ResourceActionCreate, nil)
	create.Check = resource.ComposeTestCheckFunc(delivered(acctest.FirstVersion),
		acctest.Has(e.Staging(acctest.Packages, staging), e.Package()+"."+acctest.SecondVersion, nil))
	bump := f.Planned(plancheck.ResourceActionUpdate, second)
	bump.Check = delivered(acctest.SecondVersion)
	downgrade := f.Planned(plancheck.ResourceActionUpdate, back)
	downgrade.Check = delivered(acctest.FirstVersion)
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{create, f.Quiet(nil), bump, f.Quiet(second), downgrade, f.Quiet(back)},
		CheckDestroy: resource.ComposeTestCheckFunc(
			acctest.HasNot(e.Build(carvel.Apps, e.Name), staging),
			acctest.HasNot(e.Build(carvel.Secrets, e.Name), "staging-kubeconfig"),
			acctest.Has(e.Build(carvel.Secrets, e.Name), "git", nil),
			acctest.HasNot(e.Staging(carvel.Namespaces, ""), staging),
			acctest.HasNot(e.Prod(carvel.Namespaces, ""), prod),
			r.HasFile(e.Package()+"/staging/.gitkeep"),
			r.HasNoFile(e.Package()+"/staging/packageinstall.yaml"),
			r.HasFile(e.PackagePath(acctest.FirstVersion)),
		),
	})
}

// fetched checks that each source of the App was fetched at the commit that it
// waited for, or at a later one that another test made.
func fetched(r *acctest.Repository, app, install string) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		resources := s.RootModule().Resources
		attributes, commit := resources[app].Primary.Attributes, resources[install].Primary.Attributes["commit"]
		if n := attributes["status.fetched_commits.#"]; n != "2" {
			return fmt.Errorf("%s fetched %s commits", app, n)
		}
		for _, i := range []string{"0", "1"} {
			if err := r.Holds(attributes["status.fetched_commits."+i], commit); err != nil {
				return fmt.Errorf("%s, source %s: %w", app, i, err)
			}
		}
		return nil
	}
}

func TestAccApp_lifecycle(t *testing.T) {
	e, f := fixture(t)
	configs := e.Staging(acctest.ConfigMaps, e.Name)
	first := config.Variables{"labels": acctest.ObjectVariable("team", "a"), "sync_period": config.StringVariable("60s")}
	second := config.Variables{"content": config.StringVariable("two"), "raw_options": config.ListVariable(config.StringVariable("--wait-timeout=1m"))}
	renamed := config.Variables{"app_name": config.StringVariable(e.Name + "-b")}

	create := f.Planned(plancheck.ResourceActionCreate, first)
	create.Check = resource.ComposeTestCheckFunc(
		acctest.Has(configs, e.Name, acctest.Field("one", "data", "content")),
		acctest.Has(e.Build(carvel.Apps, e.Name), e.Name, acctest.Field("1m0s", "spec", "syncPeriod")),
	)
	update := f.Planned(plancheck.ResourceActionUpdate, second)
	update.Check = acctest.Has(configs, e.Name, acctest.Field("two", "data", "content"))
	replace := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, renamed)
	replace.Check = resource.ComposeTestCheckFunc(
		acctest.HasNot(e.Build(carvel.Apps, e.Name), e.Name),
		acctest.Has(configs, e.Name, acctest.Field("one", "data", "content")),
	)
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			create, f.Quiet(first), f.Imported(e.Name+"/"+e.Name, first, "field_manager", "sync_period", "status"),
			update, f.Quiet(second), f.Imported(e.Name+"/"+e.Name, second, "field_manager", "status"),
			replace, f.Quiet(renamed),
		},
		CheckDestroy: resource.ComposeTestCheckFunc(
			acctest.HasNot(e.Build(carvel.Apps, e.Name), e.Name+"-b"), acctest.HasNot(configs, e.Name),
		),
	})
}

// TestAccApp_drift edits and deletes the App with another client.
func TestAccApp_drift(t *testing.T) {
	e, f := fixture(t)
	apps := e.Build(carvel.Apps, e.Name)
	forced := config.Variables{"force": config.BoolVariable(true)}
	edited := f.Planned(plancheck.ResourceActionUpdate, forced)
	edited.PreConfig = func() { e.Patch(apps, e.Name, `{"spec": {"cluster": {"namespace": "default"}}}`) }
	edited.Check = acctest.Has(apps, e.Name, acctest.Field(e.Name, "spec", "cluster", "namespace"))
	foreign := f.Quiet(forced)
	foreign.PreConfig = func() { e.Patch(apps, e.Name, `{"metadata": {"annotations": {"theirs": "kept"}}}`) }
	foreign.Check = acctest.Has(apps, e.Name, acctest.Field("kept", "metadata", "annotations", "theirs"))
	disappeared := f.Planned(plancheck.ResourceActionCreate, forced)
	disappeared.PreConfig = func() { e.Delete(apps, e.Name) }
	disappeared.Check = acctest.Has(e.Staging(acctest.ConfigMaps, e.Name), e.Name, nil)
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Step(forced), edited, foreign, disappeared, f.Quiet(forced)}})
}

// TestAccApp_failedCreate: an App that the controller cannot reconcile fails
// with the controller's words, stays in the state, and is replaced once it is
// put right.
func TestAccApp_failedCreate(t *testing.T) {
	e, f := fixture(t)
	missing := config.Variables{"sub_path": config.StringVariable(e.Name + "/nosuch")}
	failed := f.Refused(`Unable to create app.*failed in the fetch stage.*Expected directory.*to exist.*needs what branch.*lacks: `+e.Name+`/nosuch`, missing)
	tainted := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, nil)
	tainted.PreConfig = func() {
		if _, err := e.Build(carvel.Apps, e.Name).Get(context.Background(), e.Name, metav1.GetOptions{}); err != nil {
			t.Errorf("the App whose create failed: %v", err)
		}
	}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{failed, tainted, f.Quiet(nil)}})
}

// TestAccApp_existing: an App that is there is refused at plan.
func TestAccApp_existing(t *testing.T) {
	e, f := fixture(t)
	refused := f.Refused(`Unable to plan app.*already exists.*adopt_existing`, nil)
	refused.PreConfig = func() {
		app := acctest.Object(carvel.Apps, "App", e.Name, e.Name)
		app.Object["spec"] = map[string]any{"paused": true}
		e.Create(e.Build(carvel.Apps, e.Name), app)
	}
	adopt := config.Variables{"adopt_existing": config.BoolVariable(true)}
	adopted := f.Step(adopt)
	adopted.PreConfig = func() { e.Patch(e.Build(carvel.Apps, e.Name), e.Name, `{"spec": {"paused": null}}`) }
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{refused, adopted, f.Quiet(adopt)}})
}

// TestAccApp_refused is bad input, none of which writes anything.
func TestAccApp_refused(t *testing.T) {
	e, f := fixture(t)
	var steps []resource.TestStep
	refuse := func(pattern string, vars config.Variables) { steps = append(steps, f.Refused(pattern, vars)) }
	refuse(`Invalid sync_period`, config.Variables{"sync_period": config.StringVariable("banana")})
	refuse(`Invalid sync_period.*shorter than 30s`, config.Variables{"sync_period": config.StringVariable("10s")})
	refuse(`Invalid name`, config.Variables{"app_name": config.StringVariable("../x")})
	refuse(`Invalid deploy.*--flag=value`, config.Variables{"raw_options": config.ListVariable(config.StringVariable("--wait false"))})
	refuse(`Invalid deploy.*--kubeconfig is not a flag`, config.Variables{"raw_options": config.ListVariable(config.StringVariable("--kubeconfig=x"))})
	refuse(`Invalid fetch.*ref`, config.Variables{"ref": config.StringVariable("refs/heads/main"), "sub_path": config.StringVariable("a")})
	refuse(`Invalid fetch.*sub_path`, config.Variables{"sub_path": config.StringVariable("../a")})
	refuse(`service_account_name`, config.Variables{"service_account_name": config.StringVariable("sa")})
	noCRDs := e.WithoutAPI(e.Lab.Build, "kappctrl.k14s.io")
	refuse(`build_cluster does not know the API apps.kappctrl.k14s.io.*Install kapp-controller`, config.Variables{"build_host": config.StringVariable(noCRDs)})
	refuse(`API server of build_cluster did not answer`, config.Variables{
		"build_host": config.StringVariable("https://127.0.0.1:1"), "timeouts": acctest.ObjectVariable("create", "2s"),
	})
	resource.Test(t, resource.TestCase{
		Steps:        steps,
		CheckDestroy: acctest.HasNot(e.Build(carvel.Apps, e.Name), e.Name),
	})
}
