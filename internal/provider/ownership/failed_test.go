package ownership_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// refusal is a request that a server refuses: the method and the end of the path.
type refusal struct {
	proxy        *acctest.Proxy
	method, path string
}

func (r refusal) matches(request *http.Request) bool {
	return request.Method == r.method && strings.HasSuffix(request.URL.Path, r.path) && !request.URL.Query().Has("dryRun")
}

// failed runs terraform, which fails since servers refuse something.
func failed(t *testing.T, p *acctest.Program, vars config.Variables, args []string, refused []refusal, texts ...string) {
	t.Helper()
	for _, r := range refused {
		r.proxy.Answer(func(w http.ResponseWriter, request *http.Request) bool {
			if !slices.ContainsFunc(refused, func(other refusal) bool { return other.proxy == r.proxy && other.matches(request) }) {
				return false
			}
			if r.path == pushed {
				http.Error(w, "not now", http.StatusBadRequest)
				return true
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			if err := json.NewEncoder(w).Encode(map[string]any{
				"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": http.StatusForbidden, "message": "not now",
			}); err != nil {
				t.Error(err)
			}
			return true
		})
	}
	p.Run(vars, args, append([]string{"Error: Unable to", "not now"}, texts...)...)
	for _, r := range refused {
		r.proxy.Answer(nil)
	}
}

// next is what the next plan shows and what the next apply does.
func next(t *testing.T, p *acctest.Program, vars config.Variables, targets []string, plan, done string) {
	t.Helper()
	p.Run(vars, append([]string{"plan"}, targets...), plan)
	p.Run(vars, append(slices.Clone(apply), targets...), done)
	p.Run(vars, append(slices.Clone(quiet), targets...), "No changes")
}

// TestAccOwnership_failedNamespace: the API server refuses one write of a run namespace.
func TestAccOwnership_failedNamespace(t *testing.T) {
	w := newWorld(t)
	_, staging, vars := w.proxies()
	targets := []string{"-target=" + addresses("a")[0]}
	labels := with(vars, "labels", acctest.ObjectVariable("a", "b"))
	p := w.program("all")
	at := func(method, path string) []refusal { return []refusal{{staging, method, path}} }
	run := func(args []string) []string { return append(slices.Clone(args), targets...) }

	failed(t, p, vars, run(apply), at(http.MethodPatch, "/namespaces/"+w.Name))
	if err := acctest.HasNot(w.Staging(carvel.Namespaces, ""), w.Name)(nil); err != nil {
		t.Error(err)
	}
	p.Run(vars, append([]string{"plan"}, targets...), oneToAdd)

	failed(t, p, vars, run(apply), at(http.MethodPatch, "/serviceaccounts/"+w.Name+"-sa"), "Already applied: Namespace/"+w.Name)
	before := w.living()["namespace"]
	p.Run(vars, append([]string{"plan"}, targets...), "has not been completed", "1 to add, 0 to change, 1 to destroy")
	next(t, p, vars, targets, "has not been completed", "1 added, 0 changed, 1 destroyed")
	if after := w.living()["namespace"]; after != before {
		t.Errorf("the namespace was %s and is %s", before, after)
	}

	before = w.living()["service account"]
	failed(t, p, labels, run(apply), at(http.MethodPatch, "/roles/"+carvel.AppRoleName))
	next(t, p, labels, targets, oneToAlter, oneChanged)
	if after := w.living()["service account"]; after != before {
		t.Errorf("the ServiceAccount was %s and is %s", before, after)
	}

	failed(t, p, labels, run(destroy), at(http.MethodDelete, "/namespaces/"+w.Name))
	p.Run(labels, append([]string{"plan", "-destroy"}, targets...), "0 to add, 0 to change, 1 to destroy")
	p.Run(labels, append(slices.Clone(quiet), targets...), "No changes")
	p.Run(labels, run(destroy), "1 destroyed")
}

// tokens are the names of the token Secrets in the run cluster's namespace.
func (w *world) tokens() []string {
	w.T.Helper()
	list, err := w.Staging(carvel.Secrets, w.Name).List(context.Background(), metav1.ListOptions{FieldSelector: "type=" + carvel.TokenSecretType})
	if err != nil {
		w.T.Fatal(err)
	}
	var names []string
	for _, secret := range list.Items {
		names = append(names, secret.GetName())
	}
	return names
}

// TestAccOwnership_failedKubeconfig: an API server refuses one write of a kubeconfig Secret or of its token.
func TestAccOwnership_failedKubeconfig(t *testing.T) {
	w := newWorld(t)
	build, staging, vars := w.proxies()
	targets := []string{"-target=" + addresses("a")[0], "-target=" + addresses("a")[2]}
	p := w.program("all")
	p.Run(vars, append(slices.Clone(apply), targets[0]), "1 added")
	run := func(args []string) []string { return append(slices.Clone(args), targets...) }
	write := refusal{build, http.MethodPatch, "/namespaces/" + w.Name + "/secrets/staging-kubeconfig"}
	tokens := w.tokens

	failed(t, p, vars, run(apply), []refusal{write})
	if left := tokens(); len(left) != 0 {
		t.Errorf("token Secrets %v are left", left)
	}
	revokes := refusal{staging, http.MethodDelete, ""}
	failed(t, p, vars, run(apply), []refusal{write, revokes}, "token Secret")
	left := tokens()
	if len(left) != 1 {
		t.Fatalf("token Secrets %v, want the one that could not be deleted", left)
	}
	next(t, p, vars, targets, oneToAdd, oneAdded)
	if now := tokens(); !slices.Equal(now, left) {
		t.Errorf("token Secrets %v, want %v gone on with", now, left)
	}

	// The namespace is changed before, so that the Secret alone is left to do.
	labels := with(vars, "labels", acctest.ObjectVariable("a", "b"))
	p.Run(labels, append(slices.Clone(apply), targets[0]), "1 changed")
	before := w.living()["kubeconfig"]
	failed(t, p, labels, run(apply), []refusal{write})
	next(t, p, labels, targets, oneToAlter, oneChanged)

	p.Replace("  service_account = {\n", "  service_account = {\n    token_source = \"request\"\n")
	failed(t, p, labels, run(apply), []refusal{revokes}, left[0])
	if now := tokens(); !slices.Equal(now, left) {
		t.Errorf("token Secrets %v, want %v", now, left)
	}
	next(t, p, labels, targets, oneToAlter, oneChanged)
	if now := tokens(); len(now) != 0 {
		t.Errorf("token Secrets %v are left", now)
	}
	p.Replace("    token_source = \"request\"\n", "")
	p.Run(labels, run(apply), "1 changed")
	if after := w.living()["kubeconfig"]; after != before {
		t.Errorf("the Secret was %s and is %s", before, after)
	}

	failed(t, p, labels, []string{"destroy", "-auto-approve", targets[1]}, []refusal{revokes})
	if len(tokens()) != 1 || w.living()["kubeconfig"] != before {
		t.Error("something was deleted")
	}
	failed(t, p, labels, []string{"destroy", "-auto-approve", targets[1]}, []refusal{{build, http.MethodDelete, write.path}})
	if len(tokens()) != 0 || w.living()["kubeconfig"] != before {
		t.Error("the token goes first, and the Secret was to be left")
	}
	p.Run(labels, append([]string{"plan", "-destroy"}, targets[1]), "1 to destroy")
	next(t, p, labels, targets, oneToAlter, oneChanged) // if it is kept instead
	p.Run(labels, []string{"destroy", "-auto-approve", targets[1]}, "1 destroyed")

	w.Create(w.Build(carvel.Secrets, w.Name), acctest.Object(carvel.Secrets, "Secret", w.Name, "staging-kubeconfig"))
	theirs := w.living()["kubeconfig"]
	adopt := with(labels, "adopt_existing", config.BoolVariable(true))
	failed(t, p, adopt, run(apply), []refusal{write})
	if err := acctest.Has(w.Build(carvel.Secrets, w.Name), "staging-kubeconfig", unmarked)(nil); err != nil {
		t.Error(err)
	}
	next(t, p, adopt, targets, "takes over what is there", oneAdded)
	if after := w.living()["kubeconfig"]; after != theirs {
		t.Errorf("the Secret was %s and is %s", theirs, after)
	}
	p.Run(adopt, destroy, "2 destroyed")
}

// TestAccOwnership_failedInstall: the Git server refuses the push of a package install.
func TestAccOwnership_failedInstall(t *testing.T) {
	w, p, git, vars := installs(t)
	labels := with(vars, "labels", acctest.ObjectVariable("a", "b"))
	namespace := "-target=" + addresses("a")[0]
	p.Run(vars, append(slices.Clone(apply), namespace), "1 added")
	refused, targets := []refusal{{git, http.MethodPost, pushed}}, []string{target}
	run := func(args []string) []string { return append(slices.Clone(args), target) }
	file := w.dir() + "/packageinstall.yaml"

	failed(t, p, vars, run(apply), refused)
	if _, found := w.repository.Read(file); found {
		t.Error("the file is there")
	}
	next(t, p, vars, targets, oneToAdd, oneAdded)

	p.Run(labels, append(slices.Clone(apply), namespace), "1 changed")
	before, _ := w.repository.Read(file)
	failed(t, p, labels, run(apply), refused)
	if after, _ := w.repository.Read(file); after != before {
		t.Errorf("the file is\n%s", after)
	}
	next(t, p, labels, targets, oneToAlter, oneChanged)

	before, _ = w.repository.Read(file)
	failed(t, p, labels, run(destroy), refused)
	if after, _ := w.repository.Read(file); after != before {
		t.Errorf("the file is\n%s", after)
	}
	p.Run(labels, append([]string{"plan", "-destroy"}, target), "1 to destroy")
	p.Run(labels, run(destroy), "1 destroyed")

	byHand := "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: by-hand}\nspec: {packageRef: {refName: x.y.z, versionSelection: {constraints: 1.0.0}}}\n"
	w.repository.Write("By hand", map[string]string{file: byHand})
	adopt := with(labels, "adopt_existing", config.BoolVariable(true))
	failed(t, p, adopt, run(apply), refused)
	if after, _ := w.repository.Read(file); after != byHand {
		t.Errorf("the file is\n%s", after)
	}
	next(t, p, adopt, targets, "takes over what is there", oneAdded)
	p.Run(adopt, destroy, "2 destroyed")
}

// TestAccOwnership_failedWrite: the API server refuses to have an App written or deleted.
func TestAccOwnership_failedWrite(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	build := e.Proxy(e.Lab.Build)
	vars := config.Variables{"build_host": config.StringVariable(build.URL)}
	p := acctest.Fixture{Env: e, Dir: "credentials"}.Program()
	apps, secrets := e.Build(carvel.Apps, e.Name), e.Build(carvel.Secrets, e.Name)
	write := []refusal{{build, http.MethodPatch, "/apps/one"}}

	failed(t, p, vars, apply, write)
	if err := acctest.HasNot(secrets, "shared")(nil); err != nil {
		t.Error(err)
	}
	next(t, p, vars, nil, oneToAdd, oneAdded)

	version := func() string {
		t.Helper()
		app, err := apps.Get(context.Background(), "one", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return string(app.GetUID())
	}
	before := version()
	another := with(vars, "password", config.StringVariable("another"))
	failed(t, p, another, apply, write)
	next(t, p, another, nil, oneToAlter, oneChanged)

	failed(t, p, another, destroy, []refusal{{build, http.MethodDelete, "/apps/one"}})
	if after := version(); after != before {
		t.Errorf("the App was %s and is %s", before, after)
	}
	if err := acctest.Has(secrets, "shared", acctest.Field("YW5vdGhlcg==", "data", carvel.GitPasswordKey))(nil); err != nil {
		t.Error(err)
	}
	p.Run(another, []string{"plan", "-destroy"}, "1 to destroy")
	p.Run(another, destroy, "1 destroyed")

	app := acctest.Object(carvel.Apps, "App", e.Name, "one")
	app.Object["spec"] = map[string]any{"paused": true}
	e.Create(apps, app)
	theirs := version()
	adopt := with(another, "adopt_existing", config.BoolVariable(true))
	failed(t, p, adopt, apply, write)
	if err := acctest.Has(apps, "one", unmarked)(nil); err != nil {
		t.Error(err)
	}
	next(t, p, adopt, nil, "takes over what is there", oneAdded)
	if after := version(); after != theirs {
		t.Errorf("the App was %s and is %s", theirs, after)
	}
	p.Run(adopt, destroy, "1 destroyed")
}
