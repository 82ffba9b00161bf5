package examples_test

import (
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccExamples_workspaces: an application workspace without access to any cluster, the platform workspace, and the promotion of what
// is healthy on staging.
func TestAccExamples_workspaces(t *testing.T) {
	e, r := prepared(t)
	w := newWorkspace(t, e)
	account := e.Name + "-sa"
	application := func(version string) {
		w.variables("application-workspace", map[string]any{
			"package": e.Package(),
			"run_clusters": map[string]any{"staging": map[string]any{
				"version_constraint": version, "service_account_name": account, "replicas": 1, "hostname": "app.staging.example.com",
			}},
		})
	}
	withoutClusters := func(args ...string) {
		t.Helper()
		cluster := w.env
		defer func() { w.env = cluster }()
		w.env = nil
		for _, variable := range cluster {
			if !strings.HasPrefix(variable, "KUBE_") {
				w.env = append(w.env, variable)
			}
		}
		w.succeeds("application-workspace", args...)
	}
	application(acctest.FirstVersion)
	withoutClusters("init")
	withoutClusters("apply", "-auto-approve")

	platform := func(clusters ...string) {
		w.variables("platform-workspace", map[string]any{
			"run_clusters":      map[string]string{"staging": e.Lab.Staging.Kubeconfig, "prod": e.Lab.Prod.Kubeconfig},
			"build_namespace":   e.Name,
			"teams":             map[string]any{e.Name: map[string]any{"packages": []string{e.Package()}, "run_clusters": clusters}},
			"git_read_username": e.Lab.Git.Username,
			"git_read_password": e.Lab.Git.Password,
		})
	}
	platform("staging")
	w.succeeds("platform-workspace", "init")
	w.succeeds("platform-workspace", "apply", "-auto-approve")
	w.succeeds("platform-workspace", "plan", "-detailed-exitcode")

	w.variables("promotion", map[string]any{
		"package": e.Package(), "staging_namespace": e.Name, "prod_service_account_name": account, "hostname": "app.example.com",
	})
	w.succeeds("promotion", "init")
	out := w.succeeds("promotion", "apply", "-auto-approve")
	if !strings.Contains(out, "staging_has_the_newest_version") {
		t.Errorf("the check does not say that there is a newer version:\n%s", out)
	}
	if got := w.output("promotion", "promoted_version"); got != acctest.FirstVersion {
		t.Errorf("promoted %s, want what staging runs, %s", got, acctest.FirstVersion)
	}
	platform("staging", "prod")
	w.succeeds("platform-workspace", "apply", "-auto-approve")
	if err := acctest.Has(e.Prod(acctest.ConfigMaps, e.Name), e.Name, acctest.Field(acctest.FirstVersion, "data", "version"))(nil); err != nil {
		t.Error(err)
	}

	for _, dir := range []string{"platform-workspace", "promotion", "application-workspace"} {
		w.succeeds(dir, "destroy", "-auto-approve")
	}
	nothingLeft(e, r, e.Name)
}

// output is an output of the example's state, a string.
func (w *workspace) output(dir, name string) string {
	w.t.Helper()
	return strings.TrimSpace(w.succeeds(dir, "output", "-raw", name))
}
