package ownership_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

var adopts = config.Variables{"adopt_existing": config.BoolVariable(true)}

// byHand makes a namespace with something of somebody else's in it.
func (w *world) byHand() {
	w.T.Helper()
	w.Create(w.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", w.Name))
	w.theirs()
}

// unmarked checks that an object bears nothing of the provider's.
func unmarked(obj *unstructured.Unstructured) error {
	text := obj.GetLabels()[carvel.ManagedByLabel] + obj.GetAnnotations()[carvel.MarkAnnotation]
	return acctest.TextHas("<"+text+">", []string{"<>"}, nil)
}

// TestAccOwnership_refusedAdoption: an adoption that the API server would refuse
// in the middle fails before the first write.
func TestAccOwnership_refusedAdoption(t *testing.T) {
	w := newWorld(t)
	w.byHand()
	binding := acctest.Object(carvel.RoleBindings, "RoleBinding", w.Name, carvel.AppRoleName)
	binding.Object["roleRef"] = map[string]any{"apiGroup": carvel.Roles.Group, "kind": "Role", "name": "another"}
	w.Create(w.Staging(carvel.RoleBindings, w.Name), binding) // its roleRef can never be changed
	p := w.program("all")
	namespace := "-target=" + addresses("a")[0]
	before := w.living()
	p.Run(adopts, []string{"apply", "-auto-approve", namespace}, "Error: Unable to create run namespace", "Another field manager owns")
	w.kept(before, "refused")
	if err := acctest.Has(w.Staging(carvel.Namespaces, ""), w.Name, unmarked)(nil); err != nil {
		t.Error(err)
	}
	w.Delete(w.Staging(carvel.RoleBindings, w.Name), carvel.AppRoleName)
	p.Run(adopts, []string{"apply", "-auto-approve", namespace}, "1 added, 0 changed, 0 destroyed")
	w.left(p)
}

// left checks that destroying an adopted namespace leaves it, with what it held.
func (w *world) left(p *acctest.Program) {
	w.T.Helper()
	before := w.living()
	p.Run(adopts, destroy, "was not deleted", "It was there before it was adopted or imported", "destroyed")
	after := w.living()
	if after["namespace"] != before["namespace"] || after["theirs"] != before["theirs"] || !strings.Contains(after["service account"], "not found") {
		w.T.Errorf("before %v, after %v", before, after)
	}
	if err := acctest.Has(w.Staging(carvel.Namespaces, ""), w.Name, unmarked)(nil); err != nil {
		w.T.Error(err)
	}
}

// TestAccOwnership_halfAdopted: an adoption that fails in the middle goes on in
// place, and one that is given up leaves what it has touched.
func TestAccOwnership_halfAdopted(t *testing.T) {
	w := newWorld(t)
	w.byHand()
	proxy := w.Proxy(w.Lab.Staging)
	var refuse atomic.Bool
	proxy.Answer(func(rw http.ResponseWriter, r *http.Request) bool {
		if !refuse.Load() || r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "/rolebindings/"+carvel.AppRoleName) || r.URL.Query().Has("dryRun") {
			return false
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusForbidden)
		_, _ = rw.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"not now"}`))
		return true
	})
	vars := config.Variables{"adopt_existing": config.BoolVariable(true), "staging_host": config.StringVariable(proxy.URL)}
	namespace := "-target=" + addresses("a")[0]
	p := w.program("all")
	before := w.living()
	fail := func() {
		t.Helper()
		refuse.Store(true)
		p.Run(vars, []string{"apply", "-auto-approve", namespace}, "Error: Unable to create run namespace", "not now", "Already applied: ", "deletes nothing of it")
		refuse.Store(false)
		if after := w.living(); after["namespace"] != before["namespace"] || after["theirs"] != before["theirs"] {
			t.Errorf("before %v, after %v", before, after)
		}
	}
	fail()
	p.Run(vars, []string{"apply", "-auto-approve", namespace}, "has not been completed", "goes on in place", "Apply complete! Resources: 1 added, 0 changed, 1 destroyed.")
	if after := w.living(); after["namespace"] != before["namespace"] || after["theirs"] != before["theirs"] {
		t.Errorf("before %v, after %v", before, after)
	}
	p.Run(vars, []string{"plan", "-detailed-exitcode", namespace}, "No changes")
	p.Run(vars, []string{"apply", "-auto-approve", namespace, "-replace=" + addresses("a")[0]}, "was not deleted", "1 added, 0 changed, 1 destroyed")
	if after := w.living(); after["namespace"] != before["namespace"] || after["theirs"] != before["theirs"] {
		t.Errorf("before %v, after %v", before, after)
	}
	p.Run(vars, []string{"plan", "-detailed-exitcode", namespace}, "No changes")
	w.left(p)

	fail() // and is given up
	p.Run(vars, destroy, "was not deleted", "its adoption was never completed")
	if after := w.living(); after["namespace"] != before["namespace"] || after["theirs"] != before["theirs"] {
		t.Errorf("before %v, after %v", before, after)
	}
}

// TestAccOwnership_imported: a namespace and a ServiceAccount that somebody else has
// made and that were imported are left as adopted ones are.
func TestAccOwnership_imported(t *testing.T) {
	w := newWorld(t)
	w.byHand()
	w.Create(w.Staging(carvel.ServiceAccounts, w.Name), acctest.Object(carvel.ServiceAccounts, "ServiceAccount", w.Name, w.Name+"-sa"))
	p := w.program("all")
	p.Replace("  delete_adopted = var.delete_adopted\n", "  create_namespace = false\n")
	address := addresses("a")[0]
	take := []string{"import", address, "staging/" + w.Name}
	before := w.living()
	p.Run(nil, take, "Import successful!")
	p.Run(nil, destroy, "1 destroyed")
	w.kept(before, "destroyed after the import")
	p.Run(nil, take, "Import successful!")
	p.Run(nil, []string{"apply", "-auto-approve", "-target=" + address}, "1 changed")
	p.Run(nil, destroy, "serviceaccounts "+w.Name+"/"+w.Name+"-sa was not deleted", "It was there before it was adopted or imported", "1 destroyed")
	w.kept(before, "destroyed after an apply")
	for _, name := range []string{carvel.AppRoleName, "app-package-and-pkgi-install-role"} {
		if err := acctest.HasNot(w.Staging(carvel.Roles, w.Name), name)(nil); err != nil {
			t.Error(err)
		}
	}
}

// TestAccOwnership_deleteAdopted: an adopted namespace is deleted if the
// practitioner has said so.
func TestAccOwnership_deleteAdopted(t *testing.T) {
	w := newWorld(t)
	w.byHand()
	p := w.program("all")
	vars := config.Variables{"adopt_existing": config.BoolVariable(true), "delete_adopted": config.BoolVariable(true)}
	p.Run(vars, apply, "takes over what is there", "4 added")
	p.Run(vars, quiet, "No changes")
	p.Run(vars, destroy, "4 destroyed")
	w.gone()
}

// TestAccOwnership_failedApp: an App whose create fails, be it new or adopted, is
// never deleted: the corrected apply goes on in place, with what it deployed.
func TestAccOwnership_failedApp(t *testing.T) {
	w := newWorld(t)
	p := w.program("all")
	wrong := config.Variables{"sub_path": config.StringVariable("no/such/directory")}
	p.Run(wrong, apply, "Error: Unable to create app", "deletes nothing")
	failed := w.living()
	p.Run(nil, apply, "has not been completed", "1 added, ", "1 destroyed")
	before := w.living()
	if before["app"] != failed["app"] || strings.Contains(before["app"], " ") {
		t.Errorf("failed %v, mended %v", failed, before)
	}
	p.Run(nil, quiet, "No changes")

	// Somebody else's from here on, for all that the App says.
	app := addresses("a")[3]
	p.Forget(app)
	apps := w.Build(carvel.Apps, w.Name)
	w.Patch(apps, w.Name+"-app", `{"metadata":{"annotations":{"`+carvel.MarkAnnotation+`":null},"labels":{"`+carvel.ManagedByLabel+`":null}}}`)
	wrong["adopt_existing"] = config.BoolVariable(true)
	wrong["field_manager"] = acctest.ObjectVariable("force_conflicts", true)
	p.Run(wrong, apply, "takes over what is there", "+ subPath", "Error: Unable to create app", "deletes nothing")
	w.kept(before, "adopted with a mistake")
	p.Run(adopts, apply, "has not been completed", "1 added, ", "1 destroyed")
	w.kept(before, "mended")
	p.Run(adopts, quiet, "No changes")
	p.Run(adopts, destroy, "4 destroyed")
	w.gone()
}

// TestAccOwnership_adoptionShown: an adoption shows what it changes, and fails
// if that is something else by the time of the apply.
func TestAccOwnership_adoptionShown(t *testing.T) {
	w := newWorld(t)
	w.Create(w.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", w.Name))
	secret := acctest.Object(carvel.Secrets, "Secret", w.Name, "staging-kubeconfig")
	secret.Object["stringData"] = map[string]any{"theirs": "s3cret-of-theirs"}
	w.Create(w.Build(carvel.Secrets, w.Name), secret)
	w.Create(w.Staging(carvel.Namespaces, ""), labeled(acctest.Object(carvel.Namespaces, "Namespace", "", w.Name+"-x"), "team", "theirs"))
	install := w.dir() + "/packageinstall.yaml"
	byHand := "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: by-hand}\nspec: {packageRef: {refName: x.y.z, versionSelection: {constraints: 1.0.0}}}\n"
	w.repository.Write("By hand", map[string]string{install: byHand})

	p := w.program("all")
	vars := config.Variables{"adopt_existing": config.BoolVariable(true), "labels": acctest.ObjectVariable("team", "ours")}
	plan := []string{"plan", "-out=tfplan"}
	out := p.Run(vars, plan, "takes over what is there", "-metadata: {name: by-hand}", "+ name: "+strings.Split(w.Package(), ".")[0], "data.theirs: (sensitive value)", "Plan: 4 to add")
	if strings.Contains(out, "s3cret-of-theirs") || strings.Contains(out, "czNjcmV0") {
		t.Error("the plan shows a secret")
	}

	w.repository.Write("Meanwhile", map[string]string{install: byHand + "# meanwhile\n"})
	namespaces := w.Staging(carvel.Namespaces, "")
	w.Patch(namespaces, w.Name, `{"metadata":{"labels":{"team":"meanwhile"}}}`)
	w.Patch(w.Build(carvel.Secrets, w.Name), "staging-kubeconfig", `{"stringData":{"theirs":"another"}}`)
	p.Run(vars, []string{"apply", "tfplan"}, "Error: Provider produced inconsistent final plan", ".adopted")
	if content, _ := w.repository.Read(install); content != byHand+"# meanwhile\n" {
		t.Errorf("the file is %q", content)
	}
	for _, err := range []error{
		acctest.Has(namespaces, w.Name, acctest.Field("meanwhile", "metadata", "labels", "team"))(nil),
		acctest.Has(w.Build(carvel.Secrets, w.Name), "staging-kubeconfig", unmarked)(nil),
	} {
		if err != nil {
			t.Error(err)
		}
	}

	p.Run(vars, plan, "takes over what is there")
	vars["field_manager"] = acctest.ObjectVariable("force_conflicts", true)
	vars["delete_adopted"] = config.BoolVariable(true)
	p.Run(vars, apply, "4 added")
	p.Run(vars, quiet, "No changes")
	p.Run(vars, destroy, "4 destroyed")
}

func labeled(obj *unstructured.Unstructured, key, value string) *unstructured.Unstructured {
	obj.SetLabels(map[string]string{key: value})
	return obj
}

// TestAccOwnership_twoBuildClusters: a kubeconfig on each of two build clusters
// has a token of its own, and destroying one leaves the other's.
func TestAccOwnership_twoBuildClusters(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	e.Create(e.Prod(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
	p := acctest.Fixture{Env: e, Dir: "two_builds"}.Program()
	p.Run(nil, apply, "3 added")
	tokens := func() (n int) {
		list, err := e.Staging(carvel.Secrets, e.Name).List(context.Background(), metav1.ListOptions{FieldSelector: "type=kubernetes.io/service-account-token"})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	if n := tokens(); n != 2 {
		t.Errorf("%d token Secrets, want 2", n)
	}
	p.Run(config.Variables{"green": config.BoolVariable(false)}, apply, "1 destroyed")
	if n := tokens(); n != 1 {
		t.Errorf("%d token Secrets, want 1", n)
	}
	secret, err := e.Build(carvel.Secrets, e.Name).Get(context.Background(), "staging-kubeconfig", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	value, _ := carvel.SecretValue(secret, carvel.DefaultKubeconfigKey)
	if _, err := acctest.Can(value, acctest.Access{Verb: "get", Resource: "secrets", Namespace: e.Name}); err != nil {
		t.Errorf("blue's token was revoked: %v", err)
	}
	p.Run(config.Variables{"green": config.BoolVariable(false)}, destroy, "2 destroyed")
}

// TestAccOwnership_sharedCredentials: two Apps do not write one Secret, whether
// in one configuration or in two, and one that another App uses is not deleted.
func TestAccOwnership_sharedCredentials(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	apps := func(names ...string) config.Variables {
		var all []config.Variable
		for _, name := range names {
			all = append(all, config.StringVariable(name))
		}
		return config.Variables{"apps": config.SetVariable(all...)}
	}
	first, second := acctest.Fixture{Env: e, Dir: "credentials"}.Program(), acctest.Fixture{Env: e, Dir: "credentials"}.Program()
	first.Run(apps("one", "two"), apply, "Error: Two resources for the Secret")
	first.Run(apps("one"), apply, "1 added")
	other := apps("three")
	other["password"] = config.StringVariable("another")
	second.Run(other, apply, "Error: Unable to create app", "already exists", "It belongs to carvel_app "+e.Name+"/one")
	first.Run(apps("one", "two"), apply, "Error: Two resources for the Secret")
	first.Run(apps("one"), quiet, "No changes")
	if err := acctest.Has(e.Build(carvel.Secrets, e.Name), "shared", acctest.Field("czNjcmV0", "data", carvel.GitPasswordKey))(nil); err != nil {
		t.Error(err)
	}
	user := acctest.Object(carvel.Apps, "App", e.Name, "user")
	user.Object["spec"] = map[string]any{"paused": true, "fetch": []any{map[string]any{"git": map[string]any{
		"url": "https://git.example.com/b.git", "secretRef": map[string]any{"name": "shared"},
	}}}}
	e.Create(e.Build(carvel.Apps, e.Name), user)
	first.Run(apps("one"), destroy, "1 destroyed", "secrets "+e.Name+"/shared was not deleted", "/user uses it")
	if err := acctest.Has(e.Build(carvel.Secrets, e.Name), "shared", nil)(nil); err != nil {
		t.Error(err)
	}
}

// TestAccOwnership_leftSecrets: an App's own Secret that a delete has left, since
// it was interrupted once the App was gone, is not forgotten.
func TestAccOwnership_leftSecrets(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	apps, secrets := e.Build(carvel.Apps, e.Name), e.Build(carvel.Secrets, e.Name)
	p := acctest.Fixture{Env: e, Dir: "credentials"}.Program()
	interrupt := func() {
		e.Patch(apps, "one", `{"metadata":{"finalizers":null}}`)
		e.Delete(apps, "one")
	}
	p.Run(nil, apply, "1 added")
	interrupt()
	p.Run(nil, apply, "0 added, 1 changed, 0 destroyed")
	if err := acctest.Has(apps, "one", nil)(nil); err != nil {
		t.Error(err)
	}
	p.Run(nil, quiet, "No changes")
	interrupt()
	p.Run(nil, destroy, "1 destroyed")
	if err := acctest.HasNot(secrets, "shared")(nil); err != nil {
		t.Error(err)
	}
}
