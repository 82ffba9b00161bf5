package runnamespace_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

const address = "carvel_run_namespace.test"

func fixture(t *testing.T) (*acctest.Env, acctest.Fixture) {
	t.Parallel()
	e := acctest.New(t)
	return e, acctest.Fixture{Env: e, Dir: "run_namespace", Address: address}
}

func TestAccRunNamespace_lifecycle(t *testing.T) {
	e, f := fixture(t)
	namespaces, accounts := e.Staging(carvel.Namespaces, ""), e.Staging(carvel.ServiceAccounts, e.Name)
	roles, bindings := e.Staging(carvel.Roles, e.Name), e.Staging(carvel.RoleBindings, e.Name)

	first := config.Variables{"labels": acctest.ObjectVariable("team", "a")}
	second := config.Variables{"labels": acctest.ObjectVariable("team", "b"), "service_account_name": config.StringVariable("deployer")}
	moved := config.Variables{"run_cluster": config.StringVariable("prod")}

	create := f.Step(first)
	create.Check = resource.ComposeTestCheckFunc(
		acctest.Has(namespaces, e.Name, acctest.Field("a", "metadata", "labels", "team")),
		acctest.Has(accounts, e.Name+"-sa", nil),
		acctest.Has(roles, carvel.InstallRoleName, nil),
		acctest.Has(roles, carvel.AppRoleName, nil),
		acctest.Has(bindings, carvel.InstallRoleName, subject(e.Name+"-sa")),
		acctest.Has(bindings, carvel.AppRoleName, subject(e.Name+"-sa")),
	)
	create.ConfigStateChecks = []statecheck.StateCheck{
		statecheck.ExpectKnownValue(address, tfjsonpath.New("service_account_name"), knownvalue.StringExact(e.Name+"-sa")),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("id"), knownvalue.StringExact("staging/"+e.Name)),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("objects"), knownvalue.MapSizeExact(6)),
	}
	update := f.Planned(plancheck.ResourceActionUpdate, second)
	update.Check = resource.ComposeTestCheckFunc(
		acctest.Has(namespaces, e.Name, acctest.Field("b", "metadata", "labels", "team")),
		acctest.HasNot(accounts, e.Name+"-sa"),
		acctest.Has(accounts, "deployer", nil),
		acctest.Has(bindings, carvel.AppRoleName, subject("deployer")),
	)
	imported := f.Imported("staging/"+e.Name, second)
	replace := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, moved)
	replace.Check = resource.ComposeTestCheckFunc(
		acctest.HasNot(namespaces, e.Name),
		acctest.Has(e.Prod(carvel.Namespaces, ""), e.Name, nil),
	)
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{create, f.Quiet(first), update, f.Quiet(second), imported, replace, f.Quiet(moved)},
		CheckDestroy: acctest.HasNot(e.Prod(carvel.Namespaces, ""), e.Name),
	})
}

func subject(name string) func(*unstructured.Unstructured) error {
	return func(obj *unstructured.Unstructured) error {
		if got := carvel.BoundServiceAccount(obj); got != name {
			return errors.New("bound to " + got)
		}
		return nil
	}
}

// TestAccRunNamespace_drift edits and deletes objects with another client.
func TestAccRunNamespace_drift(t *testing.T) {
	e, f := fixture(t)
	roles, bindings, namespaces := e.Staging(carvel.Roles, e.Name), e.Staging(carvel.RoleBindings, e.Name), e.Staging(carvel.Namespaces, "")
	vars := config.Variables{"labels": acctest.ObjectVariable("team", "a")}
	forced := config.Variables{
		"labels":        acctest.ObjectVariable("team", "a"),
		"field_manager": acctest.ObjectVariable("force_conflicts", true),
	}

	edited := f.Refused(`Another field manager owns.*\.rules.*somebody-else.*force_conflicts`, vars)
	edited.PreConfig = func() {
		e.Patch(roles, carvel.AppRoleName, `{"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}`)
	}
	repaired := f.Planned(plancheck.ResourceActionUpdate, forced)
	repaired.Check = acctest.Has(roles, carvel.AppRoleName, func(obj *unstructured.Unstructured) error {
		if rules, _, _ := unstructured.NestedSlice(obj.Object, "rules"); len(rules) != 3 {
			return errors.New("the rules were not put right")
		}
		return nil
	})
	removed := f.Planned(plancheck.ResourceActionUpdate, forced)
	removed.PreConfig = func() {
		e.Delete(bindings, carvel.InstallRoleName)
		e.Patch(namespaces, e.Name, `{"metadata": {"labels": {"team": null}}}`)
	}
	removed.Check = resource.ComposeTestCheckFunc(
		acctest.Has(bindings, carvel.InstallRoleName, subject(e.Name+"-sa")),
		acctest.Has(namespaces, e.Name, acctest.Field("a", "metadata", "labels", "team")),
	)
	foreign := f.Quiet(forced)
	foreign.PreConfig = func() { e.Patch(namespaces, e.Name, `{"metadata": {"labels": {"theirs": "kept"}}}`) }
	foreign.Check = acctest.Has(namespaces, e.Name, acctest.Field("kept", "metadata", "labels", "theirs"))
	disappeared := f.Planned(plancheck.ResourceActionCreate, forced)
	disappeared.PreConfig = func() { e.Delete(namespaces, e.Name) }
	disappeared.Check = acctest.Has(roles, carvel.AppRoleName, nil)
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{f.Step(vars), edited, repaired, removed, foreign, disappeared, f.Quiet(forced)},
	})
}

// TestAccRunNamespace_existing: a namespace that is there is not taken over
// unless that is asked for.
func TestAccRunNamespace_existing(t *testing.T) {
	e, f := fixture(t)
	namespaces := e.Staging(carvel.Namespaces, "")
	refused := f.Refused(`already exists.*adopt_existing`, nil)
	refused.PreConfig = func() { e.Create(namespaces, acctest.Object(carvel.Namespaces, "Namespace", "", e.Name)) }
	adopt := config.Variables{"adopt_existing": config.BoolVariable(true)}
	adopted := f.Step(adopt)
	adopted.Check = acctest.Has(e.Staging(carvel.ServiceAccounts, e.Name), e.Name+"-sa", nil)
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{refused, adopted, f.Quiet(adopt)},
	})
}

// TestAccRunNamespace_waitsForInstalls: a PackageInstall must not outlive its
// ServiceAccount.
func TestAccRunNamespace_waitsForInstalls(t *testing.T) {
	e, f := fixture(t)
	installs := e.Staging(carvel.PackageInstalls, e.Name)
	vars := config.Variables{"timeouts": acctest.ObjectVariable("delete", "3s")}
	create := f.Step(vars)
	create.Check = resource.ComposeTestCheckFunc()
	refused := f.Refused(`PackageInstall left.*outlives its ServiceAccount`, vars)
	refused.Destroy = true
	refused.PreConfig = func() {
		install := acctest.Object(carvel.PackageInstalls, "PackageInstall", e.Name, "left")
		install.Object["spec"] = map[string]any{"paused": true, "serviceAccountName": e.Name + "-sa"}
		e.Create(installs, install)
	}
	patient := f.Step(nil)
	patient.Check = resource.ComposeTestCheckFunc(
		acctest.Has(e.Staging(carvel.ServiceAccounts, e.Name), e.Name+"-sa", nil),
		acctest.Has(installs, "left", nil),
	)
	last := f.Quiet(nil)
	last.PreConfig = func() { e.Delete(installs, "left") }
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{create, refused, patient, last},
		CheckDestroy: acctest.HasNot(e.Staging(carvel.Namespaces, ""), e.Name),
	})
}

// TestAccRunNamespace_stuckTerminating: a finalizer that nobody removes keeps
// the namespace, and the time-out says so in the cluster's words.
func TestAccRunNamespace_stuckTerminating(t *testing.T) {
	e, f := fixture(t)
	configMaps := e.Staging(acctest.ConfigMaps, e.Name)
	vars := config.Variables{"timeouts": acctest.ObjectVariable("delete", "12s")}
	stuck := f.Refused(`Unable to delete run namespace.*acc.test/keep`, vars)
	stuck.Destroy = true
	stuck.PreConfig = func() {
		held := acctest.Object(acctest.ConfigMaps, "ConfigMap", e.Name, "held")
		held.SetFinalizers([]string{"acc.test/keep"})
		e.Create(configMaps, held)
	}
	released := f.Planned(plancheck.ResourceActionCreate, vars) // one that is being deleted is as good as gone
	released.PreConfig = func() { e.Patch(configMaps, "held", `{"metadata": {"finalizers": null}}`) }
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Step(vars), stuck, released}})
}

// TestAccRunNamespace_refused is bad input, none of which writes anything.
func TestAccRunNamespace_refused(t *testing.T) {
	e, f := fixture(t)
	var steps []resource.TestStep
	refuse := func(pattern string, vars config.Variables) { steps = append(steps, f.Refused(pattern, vars)) }
	for _, name := range []string{"..", "a/b", "Apps", long} {
		refuse(`Invalid name`, config.Variables{"namespace": config.StringVariable(name)})
		refuse(`Invalid run_cluster`, config.Variables{"run_cluster": config.StringVariable(name)})
	}
	refuse(`Invalid run_cluster`, config.Variables{"run_cluster": config.StringVariable("packages")})
	refuse(`Run cluster "nosuch" is not configured.*down, limited, prod, staging`, config.Variables{"run_cluster": config.StringVariable("nosuch")})
	refuse(`API server of run_clusters\["down"\] did not answer`, config.Variables{
		"run_cluster": config.StringVariable("down"),
		"timeouts":    acctest.ObjectVariable("create", "2s"),
	})
	resource.Test(t, resource.TestCase{
		Steps:        steps,
		CheckDestroy: acctest.HasNot(e.Staging(carvel.Namespaces, ""), e.Name),
	})
}

var long = strings.Repeat("a", 300)
