package app_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// waiting is a package and its install on a run cluster, which somebody else
// commits, and an App that delivers them.
type waiting struct {
	*acctest.Env
	acctest.Fixture
	repository *acctest.Repository
}

func newWaiting(t *testing.T) *waiting {
	t.Helper()
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	d := &waiting{Env: e, repository: e.Repository(), Fixture: acctest.Fixture{Env: e, Dir: "wait", Address: "carvel_app.test[0]"}}
	d.repository.Write("Add package "+e.Package(), map[string]string{
		e.PackagePath(acctest.FirstVersion): d.packageFile(acctest.FirstVersion), e.PackagePath(acctest.SecondVersion): d.packageFile(acctest.SecondVersion),
	})
	e.RemoveDirectory(d.repository, e.Package())
	return d
}

// packageFile is a version of a package whose ConfigMap holds a value, and whose
// schema admits that value alone.
func (d *waiting) packageFile(version string) string {
	return fmt.Sprintf(`apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata:
  name: %[1]s.%[2]s
spec:
  refName: %[1]s
  version: %[2]s
  template:
    spec:
      fetch:
      - inline:
          paths:
            schema.yaml: |
              #@data/values-schema
              ---
              hostname: ""
            config.yaml: |
              #@ load("@ytt:data", "data")
              ---
              apiVersion: v1
              kind: ConfigMap
              metadata:
                name: %[3]s
              data:
                version: %[2]s
                hostname: #@ data.values.hostname
      template:
      - ytt: {}
      deploy:
      - kapp: {}
`, d.Package(), version, d.Name)
}

// commit writes the install.
func (d *waiting) commit(constraint, values string, annotations ...string) {
	d.T.Helper()
	metadata := ""
	if len(annotations) > 0 {
		metadata = "\n  annotations: {" + strings.Join(annotations, ", ") + "}"
	}
	d.repository.Write("Deliver "+d.Package(), map[string]string{
		d.Package() + "/staging/packageinstall.yaml": fmt.Sprintf(`apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata:
  name: %[1]s%[4]s
spec:
  serviceAccountName: %[1]s-sa
  packageRef:
    refName: %[2]s
    versionSelection:
      constraints: %[3]q
  values:
  - secretRef: {name: %[1]s-values}
`, d.Name, d.Package(), constraint, metadata),
		d.Package() + "/staging/params.yaml": fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata:
  name: %s-values
stringData:
  values.yaml: |
    ---
    %s
`, d.Name, values),
	})
}

// later is a step before which something is committed. The App waits for it
// since name, which stands for the commit, is new to it.
func (d *waiting) later(name string, commit func(), step resource.TestStep) resource.TestStep {
	step.ConfigVariables["commits"] = config.ListVariable(config.StringVariable(name))
	step.PreConfig = commit
	return step
}

func (d *waiting) configMaps() dynamic.ResourceInterface {
	return d.Staging(acctest.ConfigMaps, d.Name)
}

// runs checks what the run cluster runs as soon as the apply is complete.
func (d *waiting) runs(version, hostname string) resource.TestCheckFunc {
	return resource.ComposeTestCheckFunc(
		acctest.Has(d.configMaps(), d.Name, acctest.Field(version, "data", "version")),
		acctest.Has(d.configMaps(), d.Name, acctest.Field(hostname, "data", "hostname")),
	)
}

// TestAccApp_values: a change of the values alone is waited for, also after the
// run cluster was given bad ones, which fail with the controller's words.
func TestAccApp_values(t *testing.T) {
	d := newWaiting(t)
	commit := func(values string) func() {
		return func() { d.commit(acctest.FirstVersion, values) }
	}
	create := d.later("create", commit("hostname: a"), d.Step(nil))
	create.Check = d.runs(acctest.FirstVersion, "a")
	change := d.later("change", commit("hostname: b"), d.Step(nil))
	change.Check = d.runs(acctest.FirstVersion, "b")
	bad := d.later("bad", commit("bogus_key: 1"), d.Refused(`Unable to update app.*PackageInstall `+d.Name+` failed in the template stage.*bogus_key`, nil))
	still := d.Refused(`Unable to update app.*PackageInstall `+d.Name+` failed.*bogus_key`, nil)
	still.ConfigVariables["commits"] = config.ListVariable(config.StringVariable("bad")) // nothing is new, and the apply still waits
	mended := d.later("mended", commit("hostname: c"), d.Step(nil))
	mended.Check = d.runs(acctest.FirstVersion, "c")
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{create, change, bad, still, mended},
		CheckDestroy: acctest.HasNot(d.Build(carvel.Apps, d.Name), d.Name+"-app"),
	})
}

// TestAccApp_versions: a new version is waited for, the first deploy's race with
// its Packages fails nothing, and a version that is not there does.
func TestAccApp_versions(t *testing.T) {
	d := newWaiting(t)
	commit := func(constraint string) func() {
		return func() { d.commit(constraint, "hostname: a", `stand-in.lab/first-deploy-race: ""`) }
	}
	create := d.later("create", commit(acctest.FirstVersion), d.Step(nil))
	create.Check = d.runs(acctest.FirstVersion, "a")
	bump := d.later("bump", commit(">="+acctest.FirstVersion), d.Step(nil))
	bump.Check = d.runs(acctest.SecondVersion, "a")
	missing := d.later("missing", commit(">=9.0.0"), d.Refused(`Unable to update app.*PackageInstall `+d.Name+` failed.*Expected to find at least one version`, nil))
	back := d.later("back", commit(acctest.SecondVersion), d.Step(nil))
	back.Check = d.runs(acctest.SecondVersion, "a")
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{create, bump, missing, back}})
}

// TestAccApp_failingDestroy destroys an App whose package has failed from the
// beginning.
func TestAccApp_failingDestroy(t *testing.T) {
	d := newWaiting(t)
	bad := d.later("bad", func() { d.commit(acctest.FirstVersion, "bogus_key: 1") },
		d.Refused(`Unable to create app.*PackageInstall `+d.Name+` failed.*bogus_key`, nil))
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{bad},
		CheckDestroy: resource.ComposeTestCheckFunc(
			acctest.HasNot(d.Build(carvel.Apps, d.Name), d.Name+"-app"), acctest.HasNot(d.Staging(carvel.Namespaces, ""), d.Name),
		),
	})
}

// TestAccApp_oldCommit: an App that has succeeded at an earlier commit is waited
// for until it has fetched what the branch holds, and the time-out says so.
func TestAccApp_oldCommit(t *testing.T) {
	d := newWaiting(t)
	hourly := config.Variables{"sync_period": config.StringVariable("1h")}
	create := d.later("same", func() { d.commit(acctest.FirstVersion, "hostname: a") }, d.Step(hourly))
	create.Check = d.runs(acctest.FirstVersion, "a")
	labeled := func(value string, more config.Variables) config.Variables {
		vars := config.Variables{"labels": acctest.ObjectVariable("step", value), "commits": config.ListVariable(config.StringVariable("same"))}
		maps.Copy(vars, more)
		return vars
	}
	// A label makes no controller run, so that this App does not look at the
	// repository for an hour.
	late := d.Refused(`Unable to update app.*Waiting for: the App has fetched `+d.Package()+`/staging at commit.*the branch.*holds something else.*timeouts`,
		labeled("late", config.Variables{"sync_period": config.StringVariable("1h"), "timeouts": acctest.ObjectVariable("update", "5s")}))
	late.PreConfig = func() { d.commit(acctest.FirstVersion, "hostname: b") }
	// The apply that follows makes it run.
	kicked := d.Step(labeled("late", hourly))
	kicked.Check = d.runs(acctest.FirstVersion, "b")
	// And if it looks by itself, the wait is for that look.
	soon := d.Step(labeled("soon", config.Variables{"sync_period": config.StringVariable("30s")}))
	soon.Check = d.runs(acctest.FirstVersion, "b")
	waited := d.Step(labeled("waited", config.Variables{"sync_period": config.StringVariable("30s")}))
	waited.PreConfig = func() { d.commit(acctest.FirstVersion, "hostname: c") }
	waited.Check = d.runs(acctest.FirstVersion, "c")
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{create, late, kicked, soon, waited}})
}

// TestAccApp_failures are what fails an App itself: each within two of its runs,
// with the controller's words.
func TestAccApp_failures(t *testing.T) {
	for name, c := range map[string]struct {
		vars func(d *waiting) config.Variables
		want string
	}{
		"no rights": {func(*waiting) config.Variables {
			return config.Variables{"service_account": config.StringVariable("default")}
		}, `failed in the deploy stage.*configmaps.*is forbidden`},
		"a token that is not valid any more": {func(d *waiting) config.Variables {
			return config.Variables{"kubeconfig": config.StringVariable(fmt.Sprintf(
				`{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %q}}], users: [{name: c, user: {token: expired}}], contexts: [{name: c, context: {cluster: c, user: c}}]}`,
				d.Lab.Staging.Server, base64.StdEncoding.EncodeToString(d.Lab.Staging.CA)))}
		}, `failed in the deploy stage.*Unauthorized`},
		"wrong Git credentials": {func(*waiting) config.Variables {
			return config.Variables{"git_username": config.StringVariable("ci"), "git_password": config.StringVariable("wrong")}
		}, `failed in the fetch stage.*Authentication failed`},
	} {
		t.Run(name, func(t *testing.T) {
			d := newWaiting(t)
			d.commit(acctest.FirstVersion, "hostname: a")
			resource.Test(t, resource.TestCase{
				Steps:        []resource.TestStep{d.Refused(`Unable to create app.*`+c.want, c.vars(d))},
				CheckDestroy: acctest.HasNot(d.Build(carvel.Apps, d.Name), d.Name+"-app"),
			})
		})
	}
}

// TestAccApp_stuckDelete: a delete that the controller cannot finish is reported
// at once, and can be finished once what it misses is back.
func TestAccApp_stuckDelete(t *testing.T) {
	d := newWaiting(t)
	secrets := d.Build(carvel.Secrets, d.Name)
	const name = "staging-kubeconfig"
	create := d.later("create", func() { d.commit(acctest.FirstVersion, "hostname: a") }, d.Step(nil))
	stuck := d.Refused(`Unable to delete app.*cannot delete what the App deployed.*secrets "staging-kubeconfig" not found.*restore.*on_destroy = "orphan"`, nil)
	stuck.Destroy = true
	restore := func() {}
	stuck.PreConfig = func() {
		secret, err := secrets.Get(context.Background(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		restore = func() {
			secret.SetResourceVersion("")
			secret.SetUID("")
			if _, err := secrets.Create(context.Background(), secret, metav1.CreateOptions{}); err != nil {
				t.Error(err)
			}
		}
		d.Delete(secrets, name)
	}
	healed := d.Step(nil)
	healed.Destroy = true
	healed.PreConfig = func() { restore() }
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{create, stuck, healed},
		CheckDestroy: resource.ComposeTestCheckFunc(
			acctest.HasNot(d.Build(carvel.Apps, d.Name), d.Name+"-app"), acctest.HasNot(d.Staging(carvel.Namespaces, ""), d.Name),
		),
	})
}

// TestAccApp_orphan: what the App deployed stays, also if the controller
// could not delete it, and an App of the same name takes it over again.
func TestAccApp_orphan(t *testing.T) {
	d := newWaiting(t)
	secrets := d.Build(carvel.Secrets, d.Name)
	orphan := func(more config.Variables) config.Variables {
		vars := config.Variables{"on_destroy": config.StringVariable("orphan"), "commits": config.ListVariable(config.StringVariable("create"))}
		maps.Copy(vars, more)
		return vars
	}
	create := d.later("create", func() { d.commit(acctest.FirstVersion, "hostname: a") }, d.Step(orphan(nil)))
	gone := d.Step(orphan(config.Variables{"app": config.BoolVariable(false)}))
	gone.PreConfig = func() { d.Delete(secrets, "staging-kubeconfig") }
	gone.Check = resource.ComposeTestCheckFunc(acctest.HasNot(d.Build(carvel.Apps, d.Name), d.Name+"-app"), d.runs(acctest.FirstVersion, "a"))
	again := d.Step(nil)
	again.ConfigVariables["commits"] = config.ListVariable(config.StringVariable("create"))
	again.Check = d.runs(acctest.FirstVersion, "a")
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{create, gone, again},
		CheckDestroy: acctest.HasNot(d.Staging(carvel.Namespaces, ""), d.Name),
	})
}

// TestAccApp_pausedDelete: the controller does not look at a paused App, and yet
// the App and what it deployed are deleted.
func TestAccApp_pausedDelete(t *testing.T) {
	d := newWaiting(t)
	apps := d.Build(carvel.Apps, d.Name)
	paused := config.Variables{"paused": config.BoolVariable(true), "commits": config.ListVariable(config.StringVariable("create"))}
	create := d.later("create", func() { d.commit(acctest.FirstVersion, "hostname: a") }, d.Step(nil))
	pause := d.Step(paused)
	pause.Check = acctest.Has(apps, d.Name+"-app", func(app *unstructured.Unstructured) error {
		if len(app.GetFinalizers()) == 0 {
			return errors.New("the App has no finalizer, so that its delete needs no controller")
		}
		return acctest.Field("true", "spec", "paused")(app)
	})
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{create, pause, d.Quiet(paused)},
		CheckDestroy: resource.ComposeTestCheckFunc(
			acctest.HasNot(apps, d.Name+"-app"), acctest.HasNot(d.Staging(carvel.Namespaces, ""), d.Name),
		),
	})
}

// TestAccApp_pausedByOthers: an App that somebody else has paused is an error at
// once, and not waited for until the time is up.
func TestAccApp_pausedByOthers(t *testing.T) {
	d := newWaiting(t)
	apps := d.Build(carvel.Apps, d.Name)
	create := d.later("create", func() { d.commit(acctest.FirstVersion, "hostname: a") }, d.Step(nil))
	paused := d.later("paused", func() { d.Patch(apps, d.Name+"-app", `{"spec":{"paused":true}}`) },
		d.Refused(`Unable to update app.*paused = true, which is not in this configuration.*kctrl app kick`, nil))
	resumed := d.later("resumed", func() {
		d.Patch(apps, d.Name+"-app", `{"spec":{"paused":null}}`)
		d.commit(acctest.FirstVersion, "hostname: b")
	}, d.Step(nil))
	resumed.Check = d.runs(acctest.FirstVersion, "b")
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{create, paused, resumed}})
}

// TestAccApp_withoutWait: an App that is not waited for is as it was planned.
func TestAccApp_withoutWait(t *testing.T) {
	d := newWaiting(t)
	unwaited := config.Variables{"wait": config.BoolVariable(false), "commits": config.ListVariable(config.StringVariable("create"))}
	create := d.later("create", func() { d.commit(acctest.FirstVersion, "bogus_key: 1") }, d.Step(unwaited))
	replaced := d.Planned(plancheck.ResourceActionReplace, unwaited)
	replaced.Taint = []string{d.Address}
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{create, d.Quiet(unwaited), replaced, d.Quiet(unwaited)},
		CheckDestroy: acctest.HasNot(d.Build(carvel.Apps, d.Name), d.Name+"-app"),
	})
}

// TestAccApp_shared: a second App that deploys the same into a run namespace
// fails with kapp's words, and takes nothing of the first one's along.
func TestAccApp_shared(t *testing.T) {
	d := newWaiting(t)
	create := d.later("create", func() { d.commit(acctest.FirstVersion, "hostname: a") }, d.Step(nil))
	vars := config.Variables{"second": config.BoolVariable(true), "commits": config.ListVariable(config.StringVariable("create"))}
	refused := d.Refused(`Unable to create app.*`+d.Name+`-second.*failed in the deploy stage.*Ownership errors.*already associated with a different app`, vars)
	back := d.Step(config.Variables{"commits": config.ListVariable(config.StringVariable("create"))})
	back.Check = resource.ComposeTestCheckFunc(acctest.HasNot(d.Build(carvel.Apps, d.Name), d.Name+"-second"), d.runs(acctest.FirstVersion, "a"))
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{create, refused, back}})
}
