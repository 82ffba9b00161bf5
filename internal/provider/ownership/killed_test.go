package ownership_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// cut is where terraform and the provider are killed: at the first request with
// the method and the end of the path, before the API server has seen it or after
// it has done it.
type cut struct {
	proxy        *acctest.Proxy
	method, path string
	after        bool
}

func (c cut) String() string {
	if c.after {
		return fmt.Sprintf("after %s %s", c.method, c.path)
	}
	return fmt.Sprintf("before %s %s", c.method, c.path)
}

// killed runs terraform, which is killed at the cut.
func killed(t *testing.T, p *acctest.Program, c cut, vars config.Variables, args ...string) {
	t.Helper()
	c.proxy.Cut(func(r *http.Request) bool {
		return r.Method == c.method && strings.HasSuffix(r.URL.Path, c.path) && !r.URL.Query().Has("dryRun")
	}, c.after, p.Kill)
	_, end := p.Start(vars, args...)
	out, err := end()
	c.proxy.Answer(nil)
	if err == nil || strings.Contains(out, "Error:") {
		t.Fatalf("%s: terraform was not killed: %v\n%s", c, err, out)
	}
}

// proxies have both clusters reached by way of proxies.
func (w *world) proxies() (build, staging *acctest.Proxy, vars config.Variables) {
	build, staging = w.Proxy(w.Lab.Build), w.Proxy(w.Lab.Staging)
	return build, staging, config.Variables{"build_host": config.StringVariable(build.URL), "staging_host": config.StringVariable(staging.URL)}
}

// with is a copy of variables with one more.
func with(vars config.Variables, name string, value config.Variable) config.Variables {
	more := maps.Clone(vars)
	more[name] = value
	return more
}

// not checks that a text is not in what terraform said.
func not(t *testing.T, out, text string) {
	t.Helper()
	if err := acctest.TextHas(out, nil, []string{text}); err != nil {
		t.Error(err)
	}
}

// step is a run that is killed, what the next plan shows and what the next apply
// does.
type step struct {
	vars        config.Variables
	args        []string
	cut         cut
	plan, apply string
}

func (s step) try(t *testing.T, p *acctest.Program, targets ...string) {
	t.Helper()
	t.Logf("%s %s", s.args[0], s.cut)
	killed(t, p, s.cut, s.vars, append(slices.Clone(s.args), targets...)...)
	s.mend(t, p, targets...)
}

// mend does what comes after the kill.
func (s step) mend(t *testing.T, p *acctest.Program, targets ...string) {
	t.Helper()
	not(t, p.Run(s.vars, append([]string{"plan"}, targets...), s.plan), "Warning: The ") // of a resource that has been taken over or is not completed
	p.Run(s.vars, append(slices.Clone(apply), targets...), s.apply)
	p.Run(s.vars, append(slices.Clone(quiet), targets...), "No changes")
}

const (
	oneAdded, oneChanged = "1 added, 0 changed, 0 destroyed", "0 added, 1 changed, 0 destroyed"
	oneToAdd, oneToAlter = "1 to add, 0 to change", "0 to add, 1 to change"
	nothing, noneAtAll   = "No changes", "0 added, 0 changed, 0 destroyed"
)

// TestAccOwnership_killedNamespace: terraform is killed between the writes of a
// run namespace.
func TestAccOwnership_killedNamespace(t *testing.T) {
	w := newWorld(t)
	_, staging, vars := w.proxies()
	target := "-target=" + addresses("a")[0]
	labels := with(vars, "labels", acctest.ObjectVariable("a", "b"))
	p := w.program("all")
	account, role := "/serviceaccounts/"+w.Name+"-sa", "/roles/"+carvel.AppRoleName
	for _, s := range []step{
		{vars, apply, cut{staging, http.MethodPatch, account, false}, oneToAdd, oneAdded},
		{labels, apply, cut{staging, http.MethodPatch, role, false}, oneToAlter, oneChanged},
		{vars, destroy, cut{staging, http.MethodDelete, "/namespaces/" + w.Name, true}, oneToAdd, oneAdded},
		{vars, destroy, cut{staging, http.MethodDelete, "/namespaces/" + w.Name, false}, nothing, noneAtAll},
	} {
		before := w.living()
		s.try(t, p, target)
		if after := w.living(); s.args[0] == "apply" && strings.HasPrefix(s.plan, "0") && after["namespace"] != before["namespace"] {
			t.Errorf("%s: the namespace was made anew", s.cut)
		}
	}
	p.Run(vars, destroy, "1 destroyed")
}

// kubeconfigToken is the token in the kubeconfig Secret.
func (w *world) kubeconfigToken() string {
	w.T.Helper()
	secret, err := w.Build(carvel.Secrets, w.Name).Get(context.Background(), "staging-kubeconfig", metav1.GetOptions{})
	if err != nil {
		w.T.Fatal(err)
	}
	value, _ := carvel.SecretValue(secret, carvel.DefaultKubeconfigKey)
	current, err := kubeconfig.CurrentContext(value)
	if err != nil {
		w.T.Fatal(err)
	}
	return current.Token
}

// tokenOf is the token in a token Secret.
func (w *world) tokenOf(name string) string {
	w.T.Helper()
	secret, err := w.Staging(carvel.Secrets, w.Name).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		w.T.Fatal(err)
	}
	token, _ := carvel.SecretValue(secret, "token")
	return string(token)
}

// TestAccOwnership_killedKubeconfig: terraform is killed between the writes of a
// kubeconfig Secret and its token. No token is left over.
func TestAccOwnership_killedKubeconfig(t *testing.T) {
	w := newWorld(t)
	build, staging, vars := w.proxies()
	targets := []string{"-target=" + addresses("a")[0], "-target=" + addresses("a")[2]}
	p := w.program("all")
	p.Run(vars, append(slices.Clone(apply), targets[0]), "1 added")
	secret := "/namespaces/" + w.Name + "/secrets/staging-kubeconfig"
	labels := with(vars, "labels", acctest.ObjectVariable("a", "b"))
	token := func() string {
		t.Helper()
		list, err := w.Staging(carvel.Secrets, w.Name).List(context.Background(), metav1.ListOptions{FieldSelector: "type=kubernetes.io/service-account-token"})
		if err != nil || len(list.Items) != 1 {
			t.Fatalf("%d token Secrets (%v), want 1", len(list.Items), err)
		}
		return list.Items[0].GetName()
	}
	create := func(after bool) step {
		return step{vars, apply, cut{build, http.MethodPatch, secret, after}, oneToAdd, oneAdded}
	}
	for _, after := range []bool{false, true} {
		create(after).try(t, p, targets...)
		token()
		p.Run(vars, []string{"destroy", "-auto-approve", targets[1]}, "1 destroyed")
	}
	create(false).try(t, p, targets...)
	p.Run(labels, append(slices.Clone(apply), targets[0]), "1 changed")
	for _, s := range []step{
		{labels, apply, cut{build, http.MethodPatch, secret, false}, oneToAlter, oneChanged},
		{vars, apply, cut{build, http.MethodPatch, secret, true}, "to change", "changed"},
	} {
		s.try(t, p, targets...)
		token()
	}
	// Its token was deleted by hand, and another one is made for it: the same again
	// if the cluster signs with RSA, since no time is in such a token.
	w.Delete(w.Staging(carvel.Secrets, w.Name), token())
	killed(t, p, cut{build, http.MethodPatch, secret, false}, vars, append(slices.Clone(apply), targets...)...)
	p.Run(vars, append(slices.Clone(apply), targets...), "0 added", "0 destroyed")
	if got, want := w.kubeconfigToken(), w.tokenOf(token()); got != want {
		t.Error("the kubeconfig does not hold the token that is there")
	}
	// The token goes before the Secret.
	step{vars, destroy, cut{staging, http.MethodDelete, "/secrets/" + token(), true}, oneToAlter, oneChanged}.try(t, p, targets[1])
	step{vars, destroy, cut{build, http.MethodDelete, secret, true}, oneToAdd, oneAdded}.try(t, p, targets[1])
	token()
	p.Run(vars, destroy, "2 destroyed")
}

// TestAccOwnership_killedApp: terraform is killed between the writes of an App,
// also between those of a delete that is to leave what the App deployed.
func TestAccOwnership_killedApp(t *testing.T) {
	w := newWorld(t)
	build := w.Proxy(w.Lab.Build)
	vars := config.Variables{"build_host": config.StringVariable(build.URL)}
	p := w.program("all")
	app := "/namespaces/" + w.Name + "/apps/" + w.Name + "-app"
	p.Run(vars, append(slices.Clone(apply), "-target="+addresses("a")[1], "-target="+addresses("a")[2]), "3 added")
	labels := with(vars, "labels", acctest.ObjectVariable("a", "b"))
	orphan := with(labels, "on_destroy", config.StringVariable("orphan"))
	target := "-target=" + addresses("a")[3]
	step{vars, apply, cut{build, http.MethodPatch, app, true}, oneToAdd, oneAdded}.try(t, p, target)
	before := w.living()
	p.Run(labels, append(slices.Clone(apply), "-target="+addresses("a")[1], "-target="+addresses("a")[2]), "3 changed")
	step{labels, apply, cut{build, http.MethodPatch, app, false}, oneToAlter, oneChanged}.try(t, p, target)
	step{vars, apply, cut{build, http.MethodPatch, app, true}, "to change", "changed"}.try(t, p)
	p.Run(orphan, apply, "changed")
	step{orphan, destroy, cut{build, http.MethodDelete, app, false}, "- noopDelete: true", oneChanged}.try(t, p, target)
	if after := w.living(); after["app"] != before["app"] || after["workload"] != before["workload"] {
		t.Errorf("before %v, after %v", before, after)
	}
	noop := func(want string) {
		t.Helper()
		if err := acctest.Has(w.Build(carvel.Apps, w.Name), w.Name+"-app", acctest.Field(want, "spec", "noopDelete"))(nil); err != nil {
			t.Error(err)
		}
	}
	noop("<nil>")

	// The delete is to take with it what the App deployed after all.
	killed(t, p, cut{build, http.MethodDelete, app, false}, orphan, append(slices.Clone(destroy), target)...)
	noop("true")
	p.Run(labels, []string{"apply", "-auto-approve", "-refresh=false", target}, oneChanged) // of on_destroy
	killed(t, p, cut{build, http.MethodDelete, app, false}, orphan, append(slices.Clone(destroy), target)...)
	p.Run(labels, append(slices.Clone(destroy), target), "1 destroyed")
	if after := w.living(); !strings.Contains(after["workload"], "not found") {
		t.Errorf("the workload is left: %v", after)
	}
	p.Run(labels, apply, oneAdded)
	s := step{labels, destroy, cut{build, http.MethodDelete, app, true}, "to add", "added"}
	killed(t, p, s.cut, s.vars, s.args...)
	w.Gone(w.Build(carvel.Apps, w.Name), w.Name+"-app") // until then a plan warns that it is being deleted
	s.mend(t, p)
	p.Run(labels, destroy, "4 destroyed")
	w.gone()
}

// TestAccOwnership_killedCredentials: terraform is killed between an App's own
// Secret and the App.
func TestAccOwnership_killedCredentials(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	build := e.Proxy(e.Lab.Build)
	vars := config.Variables{"build_host": config.StringVariable(build.URL)}
	another := with(vars, "password", config.StringVariable("another"))
	p := acctest.Fixture{Env: e, Dir: "credentials"}.Program()
	for _, s := range []step{
		{vars, apply, cut{build, http.MethodPatch, "/apps/one", false}, oneToAdd, oneAdded},
		{another, apply, cut{build, http.MethodPatch, "/apps/one", false}, oneToAlter, oneChanged},
		{another, destroy, cut{build, http.MethodDelete, "/secrets/shared", false}, "will perform the following actions", "0 destroyed"},
	} {
		s.try(t, p)
	}
	secrets := e.Build(carvel.Secrets, e.Name)
	if err := acctest.Has(secrets, "shared", acctest.Field("YW5vdGhlcg==", "data", carvel.GitPasswordKey))(nil); err != nil {
		t.Error(err)
	}
	killed(t, p, cut{build, http.MethodDelete, "/secrets/shared", false}, another, destroy...)
	p.Run(another, destroy, "1 destroyed")
	if err := acctest.HasNot(secrets, "shared")(nil); err != nil {
		t.Error(err)
	}
}
