package app_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

var (
	apply   = []string{"apply", "-auto-approve"}
	destroy = []string{"destroy", "-auto-approve"}
)

func args(command []string, more ...string) []string {
	return append(append([]string{}, command...), more...)
}

// TestAccApp_leftStuck: the way out of a stuck delete that leaves what the App
// deployed works as the error says.
func TestAccApp_leftStuck(t *testing.T) {
	d := newWaiting(t)
	d.commit(acctest.FirstVersion, "hostname: a")
	p := d.stuck()
	d.Patch(d.Build(carvel.Apps, d.Name), d.Name+"-app", `{"spec":{"noopDelete":true}}`)
	p.Run(nil, args(destroy, "-target=carvel_app.test"), "Destroy complete")
	d.left()
	p.Run(nil, apply, "2 added, 0 changed, 0 destroyed") // the Secret and the App, which takes over what is there
	p.Run(nil, destroy, "Destroy complete")
}

// TestAccApp_appliedStuck: an apply that makes again what a stuck delete misses
// does not hang and does not report an App that runs.
func TestAccApp_appliedStuck(t *testing.T) {
	d := newWaiting(t)
	d.commit(acctest.FirstVersion, "hostname: a")
	p := d.stuck()
	_, end := p.Start(config.Variables{"labels": acctest.ObjectVariable("a", "b")}, apply...)
	if out, err := end(); err == nil || !strings.Contains(out, "The App is being deleted") && !strings.Contains(out, "The App was deleted in the meantime") {
		t.Errorf("%v\n%s", err, out)
	}
	p.Run(nil, destroy, "Destroy complete")
	if err := acctest.HasNot(d.Build(carvel.Apps, d.Name), d.Name+"-app")(nil); err != nil {
		t.Error(err)
	}
}

// TestAccApp_orphanedStuck: if what a stuck delete misses is somebody else's,
// on_destroy can still be changed.
func TestAccApp_orphanedStuck(t *testing.T) {
	d := newWaiting(t)
	d.commit(acctest.FirstVersion, "hostname: a")
	secrets := d.Build(carvel.Secrets, d.Name)
	secret := acctest.Object(carvel.Secrets, "Secret", d.Name, "theirs")
	kubeconfig, err := os.ReadFile(d.Lab.Staging.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	secret.Object["stringData"] = map[string]any{carvel.DefaultKubeconfigKey: string(kubeconfig)}
	d.Create(secrets, secret)
	vars := func(onDestroy string) config.Variables {
		return config.Variables{"kubeconfig_secret": config.StringVariable("theirs"), "on_destroy": config.StringVariable(onDestroy)}
	}
	p := d.Program()
	p.Run(vars("delete"), apply)
	d.Delete(secrets, "theirs")
	p.Run(vars("delete"), destroy, "Error: Unable to delete app", `secrets "theirs" not found`, `on_destroy = "orphan"`)
	p.Run(vars("orphan"), apply, `Warning: The App "`, "is being deleted", "1 changed, 0 destroyed")
	p.Run(vars("orphan"), args(destroy, "-target=carvel_app.test"), "Destroy complete")
	d.left()
	d.Create(secrets, secret)
	p.Run(vars("delete"), apply)
	p.Run(vars("delete"), destroy, "Destroy complete")
}

// left checks that the App has gone, and what it deployed has not.
func (d *waiting) left() {
	d.T.Helper()
	for _, err := range []error{acctest.HasNot(d.Build(carvel.Apps, d.Name), d.Name+"-app")(nil), d.runs(acctest.FirstVersion, "a")(nil)} {
		if err != nil {
			d.T.Error(err)
		}
	}
}

// TestAccApp_planned: what is not known yet, is not configured or does not
// answer does not stop a plan, and a second plan is empty.
func TestAccApp_planned(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	f := acctest.Fixture{Env: e, Dir: "planned"}
	quiet := []string{"plan", "-detailed-exitcode"}
	unknown := config.Variables{"unknown": config.BoolVariable(true)}
	known := f.Program()
	known.Run(config.Variables{"build_host": config.StringVariable("https://127.0.0.1:1")}, []string{"plan"}, "Plan: 3 to add")
	known.Run(unknown, []string{"plan"}, "Plan: 3 to add", "+ packages = (known after apply)")
	known.Run(unknown, apply, "3 added")
	known.Run(unknown, quiet, "No changes")
	known.Run(unknown, destroy, "3 destroyed")

	alone := f.Program()
	alone.Without = "CARVEL_GIT"
	noGit := config.Variables{"git_url": config.StringVariable(e.Lab.Git.URL)}
	alone.Run(noGit, apply, "3 added")
	alone.Run(noGit, quiet, "No changes")
	alone.Run(noGit, destroy, "3 destroyed")
}

// stuck is an App whose delete is stuck, since its kubeconfig has gone.
func (d *waiting) stuck() *acctest.Program {
	d.T.Helper()
	p := d.Program()
	p.Run(nil, apply)
	d.Delete(d.Build(carvel.Secrets, d.Name), "staging-kubeconfig")
	p.Run(nil, destroy, "Error: Unable to delete app", `secrets "staging-kubeconfig" not found`,
		"kubectl patch apps.kappctrl.k14s.io "+d.Name+"-app --namespace "+d.Name+` --type merge --patch '{"spec":{"noopDelete":true}}'`)
	p.Run(nil, []string{"plan"}, `Warning: The App "`+d.Name+"/"+d.Name+`-app" is being deleted`, "last reported:")
	return p
}

// TestAccApp_interrupted: an interrupt in the middle of a wait keeps the state,
// and the next apply goes on.
func TestAccApp_interrupted(t *testing.T) {
	d := newWaiting(t)
	d.commit(acctest.FirstVersion, "hostname: a")
	apps := d.Build(carvel.Apps, d.Name)
	hourly := func(label string) config.Variables {
		return config.Variables{"labels": acctest.ObjectVariable("step", label), "sync_period": config.StringVariable("1h")}
	}
	p := d.Program()
	p.Run(hourly("first"), apply)
	d.commit(acctest.FirstVersion, "hostname: b")
	process, end := p.Start(hourly("second"), args(apply)...) // a label makes no controller run
	d.Eventually("the wait has begun", func(ctx context.Context) (bool, error) {
		app, err := apps.Get(ctx, d.Name+"-app", metav1.GetOptions{})
		return err == nil && app.GetLabels()["step"] == "second", err
	})
	if err := process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	out, err := end()
	if err == nil || !strings.Contains(out, "Terraform was stopped before the App was ready") || !strings.Contains(out, "The next apply waits for it again") {
		t.Errorf("%v\n%s", err, out)
	}
	p.Run(hourly("second"), apply, "0 added, 1 changed, 0 destroyed")
	if err := d.runs(acctest.FirstVersion, "b")(nil); err != nil {
		t.Error(err)
	}
	p.Run(hourly("second"), []string{"plan", "-detailed-exitcode"}, "No changes")
	p.Run(hourly("second"), destroy)
}

// TestAccApp_unseen: PackageInstalls that are not looked at are a warning.
func TestAccApp_unseen(t *testing.T) {
	d := newWaiting(t)
	d.commit(acctest.FirstVersion, "hostname: a")
	run := d.Proxy(d.Lab.Staging)
	kubeconfig, err := os.ReadFile(d.Lab.Staging.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, fmt.Appendf(nil, "{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: %q}}], users: [{name: c, user: {token: x}}], contexts: [{name: c, context: {cluster: c, user: c}}]}", run.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := func(commit string) config.Variables {
		return config.Variables{
			"staging_kubeconfig": config.StringVariable(path), "kubeconfig": config.StringVariable(string(kubeconfig)),
			"commits": config.ListVariable(config.StringVariable(commit)),
		}
	}
	run.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/packageinstalls") || r.Method != http.MethodGet {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"no list for you"}`))
		return true
	})
	p := d.Program()
	p.Run(vars("first"), apply, "Warning: The run cluster could not be looked at", "no list for you", "Apply complete")
	run.Answer(nil)
	files := map[string]string{}
	for i := range delivery.MostFiles + 1 {
		files[fmt.Sprintf("%s/staging/many/%d.md", d.Package(), i)] = fmt.Sprint(i)
	}
	d.repository.Write("Document "+d.Package(), maps.Clone(files))
	if out := p.Run(vars("second"), apply, "Apply complete"); strings.Contains(out, "PackageInstalls were not looked at") { // those of packages are looked at
		t.Error(out)
	}
	listed := vars("third")
	listed["listed"] = config.BoolVariable(true)
	p.Run(listed, apply, "Warning: The PackageInstalls were not looked at", fmt.Sprintf("more than %d files", delivery.MostFiles), "Apply complete")
	p.Run(listed, []string{"plan", "-detailed-exitcode"}, "No changes")
	p.Run(listed, destroy)
}

// TestAccApp_deadRunCluster: if the run cluster does not answer any more, a destroy
// ends with what the controller says, as soon as that has tried twice.
func TestAccApp_deadRunCluster(t *testing.T) {
	d := newWaiting(t)
	d.commit(acctest.FirstVersion, "hostname: a")
	way := d.Forward(d.Lab.Staging)
	vars := config.Variables{"staging_kubeconfig": config.StringVariable(way.Kubeconfig)}
	p := d.Program()
	p.Run(vars, apply, "Apply complete!")
	way.Close()
	p.Run(vars, args(destroy, "-refresh=false", "-target=carvel_app.test"), "Error: Unable to delete app",
		"The controller cannot delete what the App deployed, and goes on trying:", "connection refused")
	way.Open()
	p.Run(vars, destroy, "Destroy complete!")
}
