package examples_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccExamples_workspaces: an application workspace without access to any cluster, the platform workspace, and the promotion of what
// has been healthy on staging for a day, by the clock of the test.
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

	// The next version, with the same values.
	application(acctest.SecondVersion)
	withoutClusters("apply", "-auto-approve")
	e.Eventually("staging runs the next version", func(context.Context) (bool, error) {
		return acctest.Has(e.Staging(acctest.ConfigMaps, e.Name), e.Name, acctest.Field(acctest.SecondVersion, "data", "version"))(nil) == nil, nil
	})
	promote(w, e, account)
	platform("staging", "prod")
	w.succeeds("platform-workspace", "apply", "-auto-approve")
	if err := acctest.Has(e.Prod(acctest.ConfigMaps, e.Name), e.Name, acctest.Field(acctest.SecondVersion, "data", "version"))(nil); err != nil {
		t.Error(err)
	}

	for _, dir := range []string{"platform-workspace", "promotion", "application-workspace"} {
		w.succeeds(dir, "destroy", "-auto-approve")
	}
	nothingLeft(e, r, e.Name)
}

// promote promotes what staging runs to prod: not before it has been healthy there for a day, and not with other values.
func promote(w *workspace, e *acctest.Env, account string) {
	w.t.Helper()
	const dir = "promotion"
	files := func(replicas int) {
		w.t.Helper()
		for name, text := range map[string]string{
			"stages.yaml":   "staging: {values: {hostname: app.staging.example.com}}\nprod: {from: staging, soak: 24h, values: {hostname: app.example.com}}\n",
			"releases.yaml": fmt.Sprintf("%s: {replicas: %d}\n", acctest.SecondVersion, replicas),
		} {
			w.must(os.WriteFile(filepath.Join(w.dir, dir, name), []byte(text), 0o600))
		}
	}
	at := func(now time.Time) {
		w.t.Helper()
		w.variables(dir, map[string]any{
			"package": e.Package(), "stage": "prod", "namespace": e.Name, "service_account_name": account, "now": now.UTC().Format(time.RFC3339),
			"kubeconfigs": map[string]string{"staging": e.Lab.Staging.Kubeconfig},
		})
	}
	refused := func(want string) string {
		w.t.Helper()
		out, err := w.run(dir, "apply", "-auto-approve", "-input=false")
		out = strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " ")
		if err == nil || !strings.Contains(out, want) {
			w.t.Fatalf("want it refused with %q: %v\n%s", want, err, out)
		}
		return out
	}
	files(1)
	at(time.Now())
	w.succeeds(dir, "init")
	var since time.Time
	e.Eventually("staging tells since when it is healthy", func(context.Context) (bool, error) {
		told := regexp.MustCompile(`It has been since (\S+), and it is`).FindStringSubmatch(refused("The stage before has to be healthy for 24h."))
		if told == nil {
			return false, nil // "an unknown time"
		}
		var err error
		since, err = time.Parse(time.RFC3339, told[1])
		return err == nil, err
	})
	// The time may still move, by a sync period at most, and never back.
	at(since.Add(24*time.Hour - time.Second))
	refused("The stage before has to be healthy for 24h.")
	at(since.Add(25 * time.Hour))
	files(5)
	refused("The stage before does not have the values of releases.yaml for " + acctest.SecondVersion)
	files(1)
	w.succeeds(dir, "apply", "-auto-approve", "-input=false")
	if got := w.output(dir, "version"); got != acctest.SecondVersion {
		w.t.Errorf("promoted %s, want what staging runs, %s", got, acctest.SecondVersion)
	}
}

// output is an output of the example's state, a string.
func (w *workspace) output(dir, name string) string {
	w.t.Helper()
	return strings.TrimSpace(w.succeeds(dir, "output", "-raw", name))
}
