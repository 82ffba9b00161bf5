package actions_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// acting is a fixture that is applied, with what the actions are for.
type acting struct {
	*acctest.Env
	*acctest.Program
}

func newActing(t *testing.T, vars config.Variables) *acting {
	t.Helper()
	e := acctest.New(t)
	e.Needs(acctest.Actions)
	t.Parallel()
	e.BuildNamespace()
	a := &acting{e, acctest.Fixture{Env: e, Dir: "actions"}.Program()}
	a.Run(vars, []string{"apply", "-auto-approve"}, "App "+e.Name+"/"+e.Name+"-app: templating", "PackageInstall "+e.Name+"/"+e.Name+": version 1.0.0 is installed")
	t.Cleanup(func() {
		if !t.Failed() {
			a.Run(nil, []string{"destroy", "-auto-approve"})
		}
	})
	return a
}

// invoke invokes an action by hand.
func (a *acting) invoke(name string, vars config.Variables, says ...string) string {
	a.T.Helper()
	return a.Run(vars, []string{"apply", "-auto-approve", "-invoke=action.carvel_" + name + ".test"}, says...)
}

// quiet requires that a plan shows no change.
func (a *acting) quiet(vars config.Variables) {
	a.T.Helper()
	a.Run(vars, []string{"plan", "-detailed-exitcode"}, "No changes.")
}

func (a *acting) app() string { return a.Name + "/" + a.Name + "-app" }

// TestAccActions_app: an App is reconciled by hand and by a trigger, with the stages shown;
// a paused one is refused, and what carvel_app makes of it is as it is documented.
func TestAccActions_app(t *testing.T) {
	a := newActing(t, nil)
	out := a.invoke("app_reconcile", nil, "App "+a.app()+": fetching", "App "+a.app()+": templating", "App "+a.app()+": deploying", "App "+a.app()+": Reconcile succeeded", "Actions: 1 invoked")
	at := -1
	for _, stage := range []string{"fetching", "templating", "deploying", "Reconcile succeeded"} {
		next := strings.Index(out, "App "+a.app()+": "+stage)
		if next < at {
			t.Errorf("%s is not in its place:\n%s", stage, out)
		}
		at = next
	}
	a.Run(config.Variables{"revision": config.StringVariable("2")}, []string{"apply", "-auto-approve"}, "App "+a.app()+": Reconcile succeeded", "PackageInstall "+a.Name+"/"+a.Name+": version 1.0.0 is installed")
	a.Run(nil, []string{"apply", "-auto-approve"})
	a.quiet(nil)
	missing := config.Variables{"app": config.StringVariable("missing")}
	for _, action := range []string{"app_reconcile", "app_pause", "app_resume"} {
		a.invoke(action, missing, "Error:", "There is no App "+a.Name+"/missing", "Correct namespace and name")
	}
	a.invoke("app_reconcile", config.Variables{"timeout": config.StringVariable("1s")}, "Error:", "Unable to reconcile app", "The time was up", "Raise timeout")
	a.invoke("app_reconcile", config.Variables{"run_cluster": config.StringVariable("nowhere")}, `Error: Run cluster "nowhere" is not configured`, "Configured are: prod, staging")
	a.invoke("app_pause", nil, "App "+a.app()+": paused")
	a.invoke("app_pause", nil, "App "+a.app()+": has been paused before")
	a.invoke("app_reconcile", nil, "Error:", "Unable to reconcile app", "has spec.paused = true", "Invoke carvel_app_resume first")
	a.invoke("kubeconfig_secret_rotate", nil, "Error:", "Unable to rotate", "App "+a.app()+" has spec.paused = true")
	a.quiet(nil)
	changed := config.Variables{"hostname": config.StringVariable("b.example.com")}
	a.Run(changed, []string{"apply", "-auto-approve"}, "Error:", "Unable to update app", "paused = true, which is not in this configuration", "carvel_app_resume")
	a.invoke("app_resume", changed, "App "+a.app()+": resumed")
	a.invoke("app_resume", changed, "App "+a.app()+": is not paused")
	a.Run(changed, []string{"apply", "-auto-approve"})
	if err := acctest.Has(a.Staging(acctest.ConfigMaps, a.Name), a.Name, acctest.Field("b.example.com", "data", "hostname"))(nil); err != nil {
		t.Error(err)
	}
	paused := config.Variables{"paused": config.BoolVariable(true), "hostname": config.StringVariable("b.example.com")}
	a.Run(paused, []string{"apply", "-auto-approve"})
	a.invoke("app_resume", paused, "Error:", "Unable to resume app", "applies spec.paused = true", "Remove paused there")
	a.invoke("app_pause", paused, "has been paused before")
	a.Run(changed, []string{"apply", "-auto-approve"})
	a.quiet(changed)
}

// TestAccActions_packageInstall: a PackageInstall is reconciled on its run cluster, fails
// with the controller's words, and one that is not there is told.
func TestAccActions_packageInstall(t *testing.T) {
	a := newActing(t, nil)
	install := "PackageInstall " + a.Name + "/" + a.Name
	before := a.successes()
	a.invoke("package_install_reconcile", nil, install+": fetching", install+": templating", install+": version 1.0.0 is installed")
	if after := a.successes(); after <= before {
		t.Errorf("its App has succeeded %d times, then %d", before, after)
	}
	a.quiet(nil)
	a.invoke("package_install_reconcile", config.Variables{"app": config.StringVariable("missing")}, "Error:", "There is no PackageInstall staging/"+a.Name+"/missing")
	a.invoke("package_install_reconcile", config.Variables{"run_cluster": config.StringVariable("prod")}, "Error:", "There is no PackageInstall prod/"+a.Name)
	a.invoke("package_install_reconcile", config.Variables{"run_cluster": config.StringVariable("nowhere")}, `Error: Run cluster "nowhere" is not configured`)
	a.invoke("package_install_reconcile", config.Variables{"timeout": config.StringVariable("1ms")}, "Error:", "Unable to reconcile package install", "The time was up")
	// Without the rights of its ServiceAccount the package cannot be deployed.
	a.withoutRights()
	a.invoke("package_install_reconcile", nil, "Error:", "Unable to reconcile package install", "failed in the deploy stage", "forbidden")
	a.Run(nil, []string{"apply", "-auto-approve"})
}

// withoutRights takes the rights of the namespace's ServiceAccount away, until the next apply.
func (a *acting) withoutRights() {
	a.T.Helper()
	at := a.Staging(carvel.RoleBindings, a.Name)
	bindings, err := at.List(a.T.Context(), metav1.ListOptions{})
	if err != nil {
		a.T.Fatal(err)
	}
	for _, b := range bindings.Items {
		a.Delete(at, b.GetName())
	}
}

// successes is how often the App of the PackageInstall has succeeded, one after the other.
func (a *acting) successes() int64 {
	a.T.Helper()
	obj, err := a.Staging(carvel.Apps, a.Name).Get(a.T.Context(), a.Name, metav1.GetOptions{})
	if err != nil {
		a.T.Fatal(err)
	}
	status, err := carvel.ReadAppStatus(obj)
	if err != nil {
		a.T.Fatal(err)
	}
	return status.Successes
}

// token is what is in the kubeconfig Secret.
func (a *acting) token() string {
	a.T.Helper()
	obj, err := a.Build(carvel.Secrets, a.Name).Get(a.T.Context(), "staging-kubeconfig", metav1.GetOptions{})
	if err != nil {
		a.T.Fatal(err)
	}
	value, _ := carvel.SecretValue(obj, carvel.DefaultKubeconfigKey)
	return string(value)
}

// tokenSecrets are the token Secrets of the kubeconfig on the run cluster.
func (a *acting) tokenSecrets() []string {
	a.T.Helper()
	list, err := a.Staging(carvel.Secrets, a.Name).List(context.Background(), metav1.ListOptions{FieldSelector: "type=" + carvel.TokenSecretType})
	if err != nil {
		a.T.Fatal(err)
	}
	var names []string
	for _, s := range list.Items {
		names = append(names, s.GetName())
	}
	return names
}

// allowed reports whether the cluster takes the token of a kubeconfig.
func (a *acting) allowed(kubeconfig string) bool {
	_, err := acctest.Can([]byte(kubeconfig), acctest.Access{Verb: "get", Resource: "configmaps", Namespace: a.Name})
	return err == nil
}

// TestAccActions_rotate: a token is replaced, the old one is revoked, the App deploys with
// the new one, and the plan shows no change.
func TestAccActions_rotate(t *testing.T) {
	a := newActing(t, nil)
	before, secrets := a.token(), a.tokenSecrets()
	if len(secrets) != 1 || !a.allowed(before) {
		t.Fatalf("before there are %v", secrets)
	}
	a.invoke("kubeconfig_secret_rotate", nil, "making token Secret", "writing Secret", "App "+a.app()+": made to fetch and deploy with the new token", "removing token Secret "+secrets[0], "1 old ones are removed")
	after := a.tokenSecrets()
	if len(after) != 1 || slices.Equal(after, secrets) || a.token() == before || !a.allowed(a.token()) {
		t.Errorf("afterwards there are %v, before %v", after, secrets)
	}
	a.Eventually("the old token is revoked", func(context.Context) (bool, error) { return !a.allowed(before), nil })
	a.quiet(nil)
	a.Run(nil, []string{"apply", "-auto-approve"})
	if again := a.tokenSecrets(); !slices.Equal(again, after) {
		t.Errorf("an apply has made %v of %v", again, after)
	}
	a.invoke("kubeconfig_secret_rotate", config.Variables{"run_cluster": config.StringVariable("prod")}, "Error:", "Unable to rotate", `is for run cluster "staging"`)
	a.invoke("kubeconfig_secret_rotate", config.Variables{"app": config.StringVariable("missing")}, "Error:", "There is no Secret "+a.Name+"/missing")
	// An App that fails keeps the old token.
	secret := a.token()
	a.withoutRights()
	a.invoke("kubeconfig_secret_rotate", config.Variables{"timeout": config.StringVariable("1m")}, "Error:", "Unable to rotate", "the old one was not removed", "has the old token again", after[0])
	if a.token() != secret || !a.allowed(secret) || !slices.Contains(a.tokenSecrets(), after[0]) {
		t.Errorf("the old token is not there any more, but %v", a.tokenSecrets())
	}
	a.Run(nil, []string{"apply", "-auto-approve"})
	a.quiet(nil)
	a.invoke("kubeconfig_secret_rotate", nil, "removing token Secret "+after[0])
	if now := a.tokenSecrets(); len(now) != 1 || now[0] == after[0] || !a.allowed(a.token()) {
		t.Errorf("in the end there are %v", now)
	}
	a.quiet(nil)
}

// TestAccActions_rotateRequested: the same for a token that expires.
func TestAccActions_rotateRequested(t *testing.T) {
	vars := config.Variables{"expiration_seconds": config.IntegerVariable(7200)}
	a := newActing(t, vars)
	before := a.token()
	a.invoke("kubeconfig_secret_rotate", vars, "requesting a token", "App "+a.app()+": made to fetch and deploy with the new token", "has a new token, which expires at")
	if a.token() == before || len(a.tokenSecrets()) > 0 {
		t.Errorf("the token is as before, or there are %v", a.tokenSecrets())
	}
	a.quiet(vars)
}

// TestAccActions_forbidden: an identity without rights is told which it needs.
func TestAccActions_forbidden(t *testing.T) {
	a := newActing(t, nil)
	at := func(c lab.Cluster, rules ...map[string]any) config.Variable {
		return acctest.ObjectVariable("host", c.Server, "cluster_ca_certificate", string(c.CA), "token", a.Limited(c, rules...))
	}
	reads := acctest.PolicyRule([]string{"*"}, []string{"*"}, "get", "list", "watch") // resources that an action refers to are read as well
	vars := config.Variables{"limited": acctest.ObjectVariable("build", at(a.Lab.Build, reads), "staging", at(a.Lab.Staging, reads))}
	a.Without = "KUBE_"
	defer func() { a.Without = "" }()
	for action, right := range map[string]string{
		"app_reconcile": "get, list, watch and patch apps.kappctrl.k14s.io", "app_pause": "get and patch apps.kappctrl.k14s.io",
		"package_install_reconcile": "get, list, watch and patch packageinstalls.packaging.carvel.dev", "kubeconfig_secret_rotate": "create, patch and delete secrets",
	} {
		a.invoke(action, vars, "Error:", "Unable to", "The credentials lack a right", "The action needs the right to", right, "forbidden")
	}
	if tokens := a.tokenSecrets(); len(tokens) != 1 {
		t.Errorf("there are %v", tokens)
	}
}

// TestAccActions_examples: the examples of the documentation are valid, with those of the
// resources that they name.
func TestAccActions_examples(t *testing.T) {
	e := acctest.Alone(t)
	e.Needs(acctest.Actions)
	p := acctest.Fixture{Env: e, Dir: "examples"}.Program()
	var all []byte
	for _, pattern := range []string{"resources/*/resource.tf", "actions/*/action.tf"} {
		files, err := filepath.Glob("../../../examples/" + pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text...)
		}
	}
	if n := strings.Count(string(all), "\naction \""); n != 5 {
		t.Errorf("there are examples of %d actions", n)
	}
	if err := os.WriteFile(p.Path("examples.tf"), all, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), acctest.Terraform(), "validate", "-no-color")
	cmd.Dir, cmd.Env = filepath.Dir(p.Path("main.tf")), append(os.Environ(), "TF_CLI_CONFIG_FILE="+p.Path("terraform.rc"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
