package delivery_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

// ofPackages is an App that delivers packages, in a world with nothing of them.
func ofPackages(t *testing.T, names ...string) (*world, delivery.App) {
	t.Helper()
	w := &world{deliverytest.NewWorld()}
	w.Build.Controller = w.Fetch
	a := delivery.App{Wait: true, CreateDirectories: true, ForCluster: delivery.ForCluster{Manager: manager}}
	a.Namespace, a.Name, a.RunCluster = "dev", "deliver", "staging"
	a.Cluster = &carvel.Cluster{Namespace: "apps", KubeconfigSecretRef: &carvel.SecretKeyRef{Name: "staging-kubeconfig"}}
	a.Deploy = []carvel.Deploy{{Kapp: &carvel.Kapp{}}}
	deliver(t, w, &a, names...)
	return w, a
}

// deliver has the App deliver packages.
func deliver(t *testing.T, w *world, a *delivery.App, names ...string) {
	t.Helper()
	p := delivery.Packages{Names: names, RunCluster: "staging"}
	apps := w.process().Apps
	a.Packages = &p
	a.Fetch = apps.PackageSources(p)
	apps.CompleteGit(a.Fetch[0].Git)
	a.Template, _, _ = carvel.SelectPaths([]carvel.Template{{Ytt: &carvel.Ytt{}}}, p.Paths())
}

// commits are the summaries of the commits that were made.
func commits(w *world) (summaries []string) {
	for _, call := range w.Calls.Made() {
		if summary, found := strings.CutPrefix(call, "git Apply "); found {
			summaries = append(summaries, summary)
		}
	}
	return summaries
}

// added are the files that came to the branch, and what they hold.
func added(w *world) (files []string) {
	for at, text := range w.Repository.Files() {
		if at != "README.md" {
			files = append(files, at+"="+text)
		}
	}
	slices.Sort(files)
	return files
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestCreateDirectories: what is missing comes with one commit before the App, and what is
// there is left alone.
func TestCreateDirectories(t *testing.T) {
	w, a := ofPackages(t, "db.default.tap", "app.default.tap")
	w.Repository.Write("somebody", map[string]string{"db.default.tap/staging/params.yaml": "kind: ConfigMap\nmetadata: {name: x}\n"})
	r, err := w.process().Apps.Create(brief(t), a)
	if err != nil {
		t.Fatal(err)
	}
	keeps := []string{"app.default.tap/packages/.gitkeep=", "app.default.tap/staging/.gitkeep=", "db.default.tap/packages/.gitkeep="}
	want(t, "files", added(w), append(keeps, "db.default.tap/staging/params.yaml=kind: ConfigMap\nmetadata: {name: x}\n")...)
	want(t, "commits", commits(w), "Create directories of 2 packages on staging")
	made := w.Calls.Made()
	commit := slices.Index(made, "git Apply Create directories of 2 packages on staging")
	app := slices.IndexFunc(made, func(call string) bool { return strings.HasPrefix(call, "build ApplyNew ") })
	if commit < 0 || app < commit {
		t.Errorf("the App was made before the directories: %q", made)
	}

	before := a
	a.Creation, a.UID = r.Creation, r.UID
	w.Calls.Forget()
	if _, err := w.process().Apps.Update(brief(t), before, a); err != nil || len(commits(w)) != 0 {
		t.Errorf("with nothing to make: %q, %v", commits(w), err)
	}
	deliver(t, w, &a, "app.default.tap", "db.default.tap", "web.default.tap")
	if _, err := w.process().Apps.Update(brief(t), before, a); err != nil {
		t.Error(err)
	}
	want(t, "commits of one package more", commits(w), "Create directories of package web.default.tap on staging")
	files := added(w)
	if _, err := w.process().Apps.Delete(brief(t), a, r.UID); err != nil {
		t.Error(err)
	}
	want(t, "files after the delete", added(w), files...)
}

// TestCreateDirectories_off: without it, nothing is committed.
func TestCreateDirectories_off(t *testing.T) {
	w, a := ofPackages(t, "app.default.tap")
	a.CreateDirectories = false
	if _, err := w.process().Apps.Create(brief(t), a); err != nil || len(commits(w)) != 0 {
		t.Errorf("%q, %v", commits(w), err)
	}
}

// TestCreateDirectories_kicks: an App whose directories are made has the controller run.
func TestCreateDirectories_kicks(t *testing.T) {
	w, a := ofPackages(t, "app.default.tap")
	a.CreateDirectories = false
	r, err := w.process().Apps.Create(brief(t), a)
	if err != nil {
		t.Fatal(err)
	}
	before := a
	a.Creation, a.UID, a.CreateDirectories = r.Creation, r.UID, true
	was := w.Build.Object(cluster.Ref{Resource: carvel.Apps, Namespace: "dev", Name: "deliver"}).GetGeneration()
	if _, err := w.process().Apps.Update(brief(t), before, a); err != nil {
		t.Fatal(err)
	}
	if is := w.Build.Object(cluster.Ref{Resource: carvel.Apps, Namespace: "dev", Name: "deliver"}).GetGeneration(); is == was {
		t.Error("the controller was not made to run")
	}
}

// TestCreateDirectories_meanwhile: what somebody else makes at the same time is left as it
// is, and the rest is made.
func TestCreateDirectories_meanwhile(t *testing.T) {
	w, a := ofPackages(t, "app.default.tap", "db.default.tap")
	var once bool
	w.Calls.Fails = func(_ int, call string) error {
		if !once && strings.HasPrefix(call, "git Apply") {
			once = true
			w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/.gitkeep": "theirs"})
		}
		return nil
	}
	if _, err := w.process().Apps.Create(brief(t), a); err != nil {
		t.Fatal(err)
	}
	want(t, "files", added(w), "app.default.tap/packages/.gitkeep=theirs", "app.default.tap/staging/.gitkeep=",
		"db.default.tap/packages/.gitkeep=", "db.default.tap/staging/.gitkeep=")
}

// TestCreateDirectories_contended: who is always too late says so in the end.
func TestCreateDirectories_contended(t *testing.T) {
	w, a := ofPackages(t, "app.default.tap")
	w.Calls.Fails = func(n int, call string) error {
		if strings.HasPrefix(call, "git Apply") {
			w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/.gitkeep": strconv.Itoa(n)})
		}
		if strings.HasPrefix(call, "git Entries") {
			w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/.gitkeep": ""})
		}
		return nil
	}
	if _, err := w.process().Apps.Create(brief(t), a); err == nil || len(commits(w)) > 10 {
		t.Errorf("%d commits were tried, %v", len(commits(w)), err)
	}
}

// TestCreateDirectories_refused: an App of somebody else keeps from committing anything.
func TestCreateDirectories_refused(t *testing.T) {
	w, a := ofPackages(t, "app.default.tap")
	theirs, err := carvel.App(carvel.AppSpec{Namespace: "dev", Name: "deliver", ServiceAccountName: "theirs"})
	if err != nil {
		t.Fatal(err)
	}
	theirs.SetLabels(nil)
	w.Build.Put(theirs)
	var exists *delivery.ExistsError
	if _, err := w.process().Apps.Create(brief(t), a); !errors.As(err, &exists) || len(commits(w)) != 0 {
		t.Errorf("%q, %v", commits(w), err)
	}
}

// TestCreateApp_missing: the error of an App that fails tells which of its directories the
// branch lacks, whatever the controller says.
func TestCreateApp_missing(t *testing.T) {
	for name, c := range map[string]struct {
		stage string
		want  string
	}{
		"templating": {"template", "app.default.tap/packages db.default.tap/staging"},
		"fetching":   {"fetch", "app.default.tap/packages db.default.tap/staging"},
		"deploying":  {"deploy", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, a := ofPackages(t, "app.default.tap", "db.default.tap")
			a.CreateDirectories, a.RunCluster = false, ""
			w.Repository.Write("somebody", map[string]string{"app.default.tap/staging/a.yaml": "a: b", "db.default.tap/packages/a.yaml": "a: b", "app.default.tap/packages.yaml": "x"})
			attempt := int64(0)
			w.Build.Controller = func(ref cluster.Ref, obj *unstructured.Unstructured) {
				if ref.Resource != carvel.Apps {
					return
				}
				attempt++
				w.Fetch(ref, obj)
				status := obj.Object["status"].(map[string]any)
				status["conditions"] = []any{map[string]any{"type": carvel.ReconcileFailed, "status": "True"}}
				status["consecutiveReconcileFailures"], status["usefulErrorMessage"] = attempt, "something else"
				failed := map[string]any{"exitCode": int64(1), "updatedAt": time.Now().UTC().Format(time.RFC3339)}
				if fetch, ok := status[c.stage].(map[string]any); ok && c.stage == "fetch" {
					failed["stdout"] = fetch["stdout"]
				}
				status[c.stage] = failed
			}
			done := make(chan struct{})
			defer close(done)
			go func() { // the controller tries again
				for {
					select {
					case <-done:
						return
					case <-time.After(10 * time.Millisecond):
						w.Build.Change(cluster.Ref{Resource: carvel.Apps, Namespace: "dev", Name: "deliver"}, func(*unstructured.Unstructured) {})
					}
				}
			}()
			_, err := w.process().Apps.Create(brief(t), a)
			var failed *delivery.ReconcileError
			if !errors.As(err, &failed) {
				t.Fatalf("got %v", err)
			}
			if got := strings.Join(failed.Missing, " "); got != c.want || (failed.Where != "") != (c.want != "") {
				t.Errorf("missing are %q on %q", got, failed.Where)
			}
		})
	}
}
