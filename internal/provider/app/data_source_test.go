package app_test

import (
	"context"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

const dataAddress = "data.carvel_app.test"

// deployedByHand makes an App as somebody else. It deploys a file of the repository
// into its own namespace.
func deployedByHand(e *acctest.Env, r *acctest.Repository) {
	e.T.Helper()
	e.BuildNamespace()
	writeInstall(r, e, "config.yaml", "one")
	e.RemoveDirectory(r, e.Package())
	e.Create(e.Build(carvel.ServiceAccounts, e.Name), acctest.Object(carvel.ServiceAccounts, "ServiceAccount", e.Name, "installer"))
	role := acctest.Object(carvel.Roles, "Role", e.Name, "installer")
	role.Object["rules"] = []any{acctest.PolicyRule([]string{""}, []string{"configmaps"}, "*"), acctest.PolicyRule([]string{""}, []string{"pods"}, "list")}
	e.Create(e.Build(carvel.Roles, e.Name), role)
	binding := acctest.Object(carvel.RoleBindings, "RoleBinding", e.Name, "installer")
	binding.Object["roleRef"] = map[string]any{"apiGroup": carvel.Roles.Group, "kind": "Role", "name": "installer"}
	binding.Object["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": "installer", "namespace": e.Name}}
	e.Create(e.Build(carvel.RoleBindings, e.Name), binding)

	app := acctest.Object(carvel.Apps, "App", e.Name, "test")
	git := map[string]any{
		"url": e.Lab.Git.URL, "ref": "origin/main", "subPath": e.Package() + "/deployed/", "secretRef": map[string]any{"name": "git"},
	}
	app.Object["spec"] = map[string]any{
		"serviceAccountName": "installer",
		"fetch":              []any{map[string]any{"git": git}, map[string]any{"inline": map[string]any{"paths": map[string]any{"empty.yaml": ""}}}},
		"template":           []any{map[string]any{"ytt": map[string]any{}}},
		"deploy":             []any{map[string]any{"kapp": map[string]any{}}},
	}
	e.Create(e.Build(carvel.Apps, e.Name), app)
	e.T.Cleanup(func() { e.Delete(e.Build(carvel.Apps, e.Name), "test") }) // while its account is there
	untilApp(e, carvel.ReconcileSucceeded)
}

func writeInstall(r *acctest.Repository, e *acctest.Env, name, content string) {
	r.Write("Change "+e.Package(), map[string]string{
		e.Package() + "/deployed/" + name: "{apiVersion: v1, kind: ConfigMap, metadata: {name: deployed}, data: {content: " + content + "}}\n",
	})
}

func untilApp(e *acctest.Env, condition string) {
	e.T.Helper()
	e.Eventually("the App has "+condition, func(ctx context.Context) (bool, error) {
		obj, err := e.Build(carvel.Apps, e.Name).Get(ctx, "test", metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		status, err := carvel.ReadAppStatus(obj)
		return status.Condition() == condition && status.ObservedGeneration == status.Generation, err
	})
}

func TestAccApp_state(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	r := e.Repository()
	deployedByHand(e, r)
	f := acctest.Fixture{Env: e, Dir: "state"}
	token := e.LimitedTo(e.Lab.Build, e.Name, acctest.PolicyRule([]string{carvel.Apps.Group}, []string{"apps"}, "get"))
	vars := func(name, value string) config.Variables {
		v := config.Variables{
			"host": config.StringVariable(e.Lab.Build.Server), "ca": config.StringVariable(string(e.Lab.Build.CA)), "token": config.StringVariable(token),
		}
		if name != "" {
			v[name] = config.StringVariable(value)
		}
		return v
	}
	seen := func(v config.Variables, before func(), want map[string]knownvalue.Check) resource.TestStep {
		s := f.Step(v)
		s.PreConfig = before
		for name, check := range want {
			s.ConfigStateChecks = append(s.ConfigStateChecks, statecheck.ExpectKnownValue(dataAddress, tfjsonpath.New(name), check))
		}
		return s
	}
	commits := knownvalue.ListExact([]knownvalue.Check{knownvalue.StringRegexp(regexp.MustCompile(`^[0-9a-f]{40}$`))})
	succeeded, yes, no := knownvalue.StringExact(carvel.ReconcileSucceeded), knownvalue.Bool(true), knownvalue.Bool(false)
	paused := func() {
		e.Patch(e.Build(carvel.Apps, e.Name), "test", `{"spec":{"paused":true}}`)
		e.Eventually("the App is paused", func(ctx context.Context) (bool, error) {
			obj, err := e.Build(carvel.Apps, e.Name).Get(ctx, "test", metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			status, err := carvel.ReadAppStatus(obj)
			return status.FriendlyDescription == "Canceled/paused", err
		})
		writeInstall(r, e, "config.yaml", "two")
	}
	failing := func() {
		writeInstall(r, e, "config.yaml", "[")
		e.Patch(e.Build(carvel.Apps, e.Name), "test", `{"spec":{"paused":null}}`)
		untilApp(e, carvel.ReconcileFailed)
	}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		seen(vars("", ""), nil, map[string]knownvalue.Check{
			"condition": succeeded, "message": knownvalue.StringExact("Reconcile succeeded"), "fetched_commits": commits,
			"generation": knownvalue.Int64Exact(1), "observed_generation": knownvalue.Int64Exact(1), "ready": yes, "in_sync": yes,
		}),
		// Another directory changes.
		seen(vars("", ""), func() { r.Write("Change "+e.Package(), map[string]string{e.Package() + "/other/file": "x"}) },
			map[string]knownvalue.Check{"ready": yes, "in_sync": yes}),
		// The old success stays while the App is paused.
		seen(vars("", ""), paused, map[string]knownvalue.Check{
			"condition": succeeded, "message": knownvalue.StringExact("Canceled/paused"), "generation": knownvalue.Int64Exact(2), "ready": no, "in_sync": no,
		}),
		seen(vars("branch", "another"), nil, map[string]knownvalue.Check{"fetched_commits": commits, "in_sync": knownvalue.Null()}),
		seen(vars("", ""), failing, map[string]knownvalue.Check{
			"condition": knownvalue.StringExact(carvel.ReconcileFailed), "message": knownvalue.StringRegexp(regexp.MustCompile(`^panic: Lines are 1 based$|ytt: Error`)), // a file of one line
			"fetched_commits": commits, "ready": no, "in_sync": yes,
		}),
		f.Refused(`There is no App `+e.Name+`/nosuch`, vars("app_name", "nosuch")),
		f.Refused(`Unable to read app .*lack a right on the cluster`, vars("name", "default")),
	}})
}
