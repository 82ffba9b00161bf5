package packageinstall_test

import (
	"context"
	"maps"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// installedByHand makes two PackageInstalls as somebody else: one that is installedByHand,
// and one whose constraint no version is in.
func installedByHand(e *acctest.Env) {
	e.T.Helper()
	e.Create(e.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
	account := acctest.Object(carvel.ServiceAccounts, "ServiceAccount", e.Name, "installer")
	e.Create(e.Staging(carvel.ServiceAccounts, e.Name), account)
	role := acctest.Object(carvel.Roles, "Role", e.Name, "installer")
	role.Object["rules"] = []any{acctest.PolicyRule([]string{""}, []string{"configmaps"}, "*"), acctest.PolicyRule([]string{""}, []string{"pods"}, "list")}
	e.Create(e.Staging(carvel.Roles, e.Name), role)
	binding := acctest.Object(carvel.RoleBindings, "RoleBinding", e.Name, "installer")
	binding.Object["roleRef"] = map[string]any{"apiGroup": carvel.Roles.Group, "kind": "Role", "name": "installer"}
	binding.Object["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": "installer", "namespace": e.Name}}
	e.Create(e.Staging(carvel.RoleBindings, e.Name), binding)
	for _, version := range []string{acctest.FirstVersion, acctest.SecondVersion} {
		pkg := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(e.PackageFile(version)), &pkg.Object); err != nil {
			e.T.Fatal(err)
		}
		pkg.SetNamespace(e.Name)
		e.Create(e.Staging(acctest.Packages, e.Name), pkg)
	}
	installs := e.Staging(carvel.PackageInstalls, e.Name)
	for name, constraint := range map[string]string{"good": acctest.FirstVersion, "lost": ">=9.0.0"} {
		install, err := carvel.PackageInstall(carvel.PackageInstallSpec{
			Name: name, Namespace: e.Name, ServiceAccountName: "installer",
			PackageRef: carvel.PackageRef{RefName: e.Package(), VersionSelection: carvel.VersionSelection{Constraints: constraint}},
		})
		if err != nil {
			e.T.Fatal(err)
		}
		e.Create(installs, install)
	}
	for name, condition := range map[string]string{"good": carvel.ReconcileSucceeded, "lost": carvel.ReconcileFailed} {
		e.Eventually(name+" has "+condition, func(ctx context.Context) (bool, error) {
			obj, err := installs.Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			status, err := carvel.ReadInstallStatus(obj)
			return status.Condition() == condition && status.ObservedGeneration == status.Generation, err
		})
	}
	e.T.Cleanup(func() { // while their account is there
		for _, name := range []string{"good", "lost"} {
			e.Delete(installs, name)
		}
	})
}

func TestAccPackageInstalls(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	installedByHand(e)
	f := acctest.Fixture{Env: e, Dir: "installs"}
	installs := acctest.PolicyRule([]string{carvel.PackageInstalls.Group}, []string{"packageinstalls"}, "list")
	apps := acctest.PolicyRule([]string{carvel.Apps.Group}, []string{"apps"}, "list")
	as := func(token string, more config.Variables) config.Variables {
		vars := config.Variables{
			"host": config.StringVariable(e.Lab.Staging.Server), "ca": config.StringVariable(string(e.Lab.Staging.CA)), "token": config.StringVariable(token),
		}
		maps.Copy(vars, more)
		return vars
	}
	both := func(since, reason knownvalue.Check) knownvalue.Check {
		return knownvalue.ListExact([]knownvalue.Check{
			knownvalue.ObjectExact(map[string]knownvalue.Check{
				"namespace": knownvalue.StringExact(e.Name), "name": knownvalue.StringExact("good"), "package": knownvalue.StringExact(e.Package()),
				"version_constraint": knownvalue.StringExact(acctest.FirstVersion), "version": knownvalue.StringExact(acctest.FirstVersion),
				"last_attempted_version": knownvalue.StringExact(acctest.FirstVersion), "condition": knownvalue.StringExact(carvel.ReconcileSucceeded),
				"message": knownvalue.StringExact("Reconcile succeeded"), "ready": knownvalue.Bool(true),
				"ready_since": since, "ready_since_reason": reason, "values_digest": knownvalue.Null(),
			}),
			knownvalue.ObjectExact(map[string]knownvalue.Check{
				"namespace": knownvalue.StringExact(e.Name), "name": knownvalue.StringExact("lost"), "package": knownvalue.StringExact(e.Package()),
				"version_constraint": knownvalue.StringExact(">=9.0.0"), "version": knownvalue.Null(), "last_attempted_version": knownvalue.Null(),
				"condition": knownvalue.StringExact(carvel.ReconcileFailed),
				"message":   knownvalue.StringRegexp(regexp.MustCompile(`^Expected to find at least one version, but did not \(details: all=2`)),
				"ready":     knownvalue.Bool(false),

				"ready_since": knownvalue.Null(), "ready_since_reason": knownvalue.StringRegexp(regexp.MustCompile(`^Expected to find at least one version`)),
				"values_digest": knownvalue.Null(),
			}),
		})
	}
	seen := func(vars config.Variables) resource.TestStep {
		s := f.Step(vars)
		since := knownvalue.StringRegexp(regexp.MustCompile(`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$`))
		s.ConfigStateChecks = []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("installs", both(since, knownvalue.Null()))}
		return s
	}
	here := config.Variables{"namespace": config.StringVariable(e.Name)}
	withoutApps := f.Step(as(e.LimitedTo(e.Lab.Staging, e.Name, installs), here))
	withoutApps.ConfigStateChecks = []statecheck.StateCheck{
		statecheck.ExpectKnownOutputValue("installs", both(knownvalue.Null(), knownvalue.StringExact("its App cannot be read"))),
	}
	namespaced := e.LimitedTo(e.Lab.Staging, e.Name, installs, apps)
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		seen(nil), // of the whole cluster
		seen(as(namespaced, here)),
		f.Quiet(as(namespaced, here)),
		withoutApps,
		f.Refused(`with data.carvel_package_installs.test, .*namespace = var.namespace.*may not list the PackageInstalls of all namespaces.*Set namespace`, as(namespaced, nil)),
		f.Refused(`lack a right on the cluster.*cannot list resource "packageinstalls"`, as(e.LimitedTo(e.Lab.Staging, e.Name, apps), here)),
		f.Refused(`Run cluster "nosuch" is not configured`, config.Variables{"run_cluster": config.StringVariable("nosuch")}),
		f.Refused(`Unable to list package installs "down".*did not answer`, config.Variables{"run_cluster": config.StringVariable("down")}),
		f.Refused(`Invalid namespace`, config.Variables{"namespace": config.StringVariable("No")}),
	}})
}

// TestAccPackageInstalls_unknownCluster: the cluster is made by the same run.
func TestAccPackageInstalls_unknownCluster(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	f := acctest.Fixture{Env: e, Dir: "unknown_cluster"}
	after := f.Step(config.Variables{"after": config.BoolVariable(true)})
	after.ConfigStateChecks = []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("installs", knownvalue.Int64Exact(0))}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Refused(`provider's run_clusters\["staging"\] is not known yet.*depends_on`, nil), after,
	}})
}

// TestAccPackageInstalls_check: in a check block a cluster that is down is a
// warning. A namespace that is known after the apply and holds none is an empty
// list.
func TestAccPackageInstalls_check(t *testing.T) {
	t.Parallel()
	p := acctest.Fixture{Env: acctest.New(t), Dir: "check"}.Program()
	down := []string{`Warning: Unable to list package installs "down/`, `Warning: Unable to read app "`, "did not answer"}
	p.Run(nil, []string{"apply", "-auto-approve"}, append(down, "Apply complete! Resources: 1 added", "installs = tolist([])")...)
	p.Run(nil, []string{"plan"}, append(down, "Plan: 0 to add, 0 to change, 0 to destroy.")...) // Terraform reads what failed again at apply
}
