package actions_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccActions_killed: terraform is killed in the midst of a rotation. The token in the Secret is good at any time, and the next rotation
// goes on: one token Secret is there in the end, and the plan shows no change.
func TestAccActions_killed(t *testing.T) {
	if !acctest.ShowsProcesses() {
		t.Skip("this system does not show the processes of others")
	}
	a := newActing(t, nil)
	for _, step := range []struct {
		name    string
		reached func(token string) bool
	}{
		{"a token Secret is made", func(string) bool { return len(a.tokenSecrets()) == 2 }},
		{"the kubeconfig is written", func(token string) bool { return a.token() != token }},
		{"the App deploys", func(token string) bool { return a.token() != token && a.deploys() }},
	} {
		before := a.token()
		a.killedOnce(step.name, "kubeconfig_secret_rotate", func() bool { return step.reached(before) })
		if !a.allowed(a.token()) {
			t.Fatalf("killed as %s: the token in the Secret is not good", step.name)
		}
		a.invoke("kubeconfig_secret_rotate", nil, "App "+a.app()+": made to fetch and deploy with the new token", "removing token Secret")
		if now := a.tokenSecrets(); len(now) != 1 || a.token() == before || !a.allowed(a.token()) {
			t.Errorf("killed as %s, and rotated again: there are %v", step.name, now)
		}
		a.Eventually("the old token is revoked", func(context.Context) (bool, error) { return !a.allowed(before), nil })
		a.quiet(nil)
	}
}

// TestAccActions_killedPause: terraform is killed while it has paused an App for a moment. The next invocation goes on with it, and so does the
// next apply of its resource.
func TestAccActions_killedPause(t *testing.T) {
	if !acctest.ShowsProcesses() {
		t.Skip("this system does not show the processes of others")
	}
	a := newActing(t, nil)
	build := a.Proxy(a.Lab.Build)
	proxied := config.Variables{"limited": acctest.ObjectVariable("build", acctest.ObjectVariable("host", build.URL), "staging",
		acctest.ObjectVariable("host", a.Lab.Staging.Server, "cluster_ca_certificate", string(a.Lab.Staging.CA), "token", a.Limited(a.Lab.Staging, acctest.PolicyRule([]string{"*"}, []string{"*"}, "*"))))}
	patch := func(r *http.Request) bool {
		return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/apps/"+a.Name+"-app") && !r.URL.Query().Has("dryRun")
	}
	kill := func() {
		build.Cut(patch, true, a.Kill)
		a.Without = "KUBE_"
		_, end := a.Start(proxied, "apply", "-auto-approve", "-invoke=action.carvel_app_reconcile.test")
		out, err := end()
		a.Without = ""
		build.Answer(nil)
		if err == nil || strings.Contains(out, "Error:") {
			t.Fatalf("terraform was not killed: %v\n%s", err, out)
		}
		if !a.paused() {
			t.Fatal("the App is not paused")
		}
	}
	kill()
	a.invoke("app_reconcile", nil, "App "+a.app()+": Reconcile succeeded")
	kill()
	changed := config.Variables{"hostname": config.StringVariable("b.example.com")}
	a.Run(changed, []string{"apply", "-auto-approve"})
	a.Eventually("the change is deployed", func(context.Context) (bool, error) { // to a Package of the same version, which nobody waits for
		return acctest.Has(a.Staging(acctest.ConfigMaps, a.Name), a.Name, acctest.Field("b.example.com", "data", "hostname"))(nil) == nil, nil
	})
	if a.paused() {
		t.Error("the App is still paused")
	}
	a.quiet(changed)
}

// paused reports whether the App is.
func (a *acting) paused() bool {
	a.T.Helper()
	paused, _, err := unstructured.NestedBool(a.appObject(), "spec", "paused")
	if err != nil {
		a.T.Fatal(err)
	}
	return paused
}

// killedOnce invokes an action, and kills terraform once something has been reached.
func (a *acting) killedOnce(name, action string, reached func() bool) {
	a.T.Helper()
	_, end := a.Start(nil, "apply", "-auto-approve", "-invoke=action.carvel_"+action+".test")
	ended := make(chan struct{})
	var out string
	var err error
	go func() {
		defer close(ended)
		out, err = end()
	}()
	for !reached() {
		select {
		case <-ended:
			a.T.Fatalf("terraform has ended before %s: %v\n%s", name, err, out)
		case <-time.After(20 * time.Millisecond):
		}
	}
	a.Kill()
	<-ended
	if err == nil || strings.Contains(out, "Error:") {
		a.T.Fatalf("terraform was not killed as %s: %v\n%s", name, err, out)
	}
}

// deploys reports whether the controller is at work on the App.
func (a *acting) deploys() bool {
	a.T.Helper()
	text, _, err := unstructured.NestedString(a.appObject(), "status", "friendlyDescription")
	if err != nil {
		a.T.Fatal(err)
	}
	return strings.HasPrefix(text, "Reconciling")
}

func (a *acting) appObject() map[string]any {
	a.T.Helper()
	obj, err := a.Build(carvel.Apps, a.Name).Get(a.T.Context(), a.Name+"-app", metav1.GetOptions{})
	if err != nil {
		a.T.Fatal(err)
	}
	return obj.Object
}
