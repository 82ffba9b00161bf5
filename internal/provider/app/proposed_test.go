package app_test

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccApp_proposed: the App fetches the branch that is merged into. Its directories and what it delivers wait for the merge, and it
// says so; the apply after the merge makes it fetch that.
func TestAccApp_proposed(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	r := e.Repository()
	e.CommitPackages(r)
	e.BuildNamespace()
	branch := "proposed-" + e.Name
	p := acctest.Fixture{Env: e, Dir: "proposed", Address: address}.Program()
	vars := func(install bool) config.Variables {
		return config.Variables{"push_branch": config.StringVariable(branch), "install": config.BoolVariable(install)}
	}
	apply := []string{"apply", "-auto-approve"}
	p.Run(vars(false), apply, "Error: Unable to create app", "what keeps the directories", branch)
	r.Merge(branch)
	p.Run(vars(false), apply, "1 added")
	p.Run(vars(true), apply, "Not all that the App delivers is merged", "as the branch is now")
	install := e.Staging(carvel.PackageInstalls, e.Name)
	if list, err := install.List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) > 0 {
		t.Errorf("%d PackageInstalls, %v; want none before the merge", len(list.Items), err)
	}
	p.Run(vars(true), []string{"plan"}, "No changes.", "Changes wait to be merged")
	r.Merge(branch)
	p.Run(vars(true), apply, "1 changed")
	if list, err := install.List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) != 1 {
		t.Errorf("%d PackageInstalls, %v; want one after the merge", len(list.Items), err)
	}
	p.Run(vars(true), []string{"plan"}, "No changes.")
	// The App goes with all that it deployed, and the removal of the install waits for a merge.
	destroyProposed(t, e, r, p, vars(true), branch)
}

// destroyProposed destroys all, and merges the removal of the install that it waits for.
func destroyProposed(t *testing.T, e *acctest.Env, r *acctest.Repository, p *acctest.Program, vars config.Variables, branch string) {
	t.Helper()
	_, end := p.Start(vars, "destroy", "-auto-approve")
	merged := make(chan struct{})
	go func() {
		defer close(merged)
		e.Eventually("the removal is pushed", func(context.Context) (bool, error) {
			return r.Removed(branch, e.Package()+"/staging/packageinstall.yaml"), nil
		})
		r.Merge(branch)
	}()
	if out, err := end(); err != nil {
		t.Fatalf("destroy: %v\n%s", err, out)
	}
	<-merged
}

// TestAccApp_proposedFirst: an App of directories that wait to be merged is made, and waited for after the merge.
func TestAccApp_proposedFirst(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	r := e.Repository()
	e.CommitPackages(r)
	e.BuildNamespace()
	e.RemoveDirectory(r, e.Package())
	branch := "proposed-" + e.Name
	p := acctest.Fixture{Env: e, Dir: "proposed", Address: address}.Program()
	vars := config.Variables{"push_branch": config.StringVariable(branch), "install": config.BoolVariable(true), "create_directories": config.BoolVariable(false)}
	apply := []string{"apply", "-auto-approve"}
	p.Run(vars, apply, "Not all that the App delivers is merged", "it is not waited for", e.Package()+"/staging")
	r.Merge(branch)
	p.Run(vars, apply, "0 added, 1 changed")
	if list, err := e.Staging(carvel.PackageInstalls, e.Name).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) != 1 {
		t.Errorf("%d PackageInstalls, %v; want one after the merge", len(list.Items), err)
	}
	p.Run(vars, []string{"plan"}, "No changes.")
	destroyProposed(t, e, r, p, vars, branch)
}
