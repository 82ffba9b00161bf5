// Package ownership_test shows that nothing that runs is lost if two
// resources, two configurations or somebody else hold the same names.
package ownership_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

var (
	apply   = []string{"apply", "-auto-approve"}
	destroy = []string{"destroy", "-auto-approve"}
	quiet   = []string{"plan", "-detailed-exitcode"}
)

// world is what the tests' configurations share: the names, the package, and
// what somebody else has in the run cluster's namespace.
type world struct {
	*acctest.Env
	repository *acctest.Repository
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	w := &world{Env: e, repository: e.Repository()}
	e.CommitPackages(w.repository)
	return w
}

// program is one configuration, with a state of its own.
func (w *world) program(fixture string) *acctest.Program {
	return acctest.Fixture{Env: w.Env, Dir: fixture}.Program()
}

// dir is the directory of the package install.
func (w *world) dir() string { return w.Package() + "/staging" }

// theirs puts something of somebody else's into the run cluster's namespace.
func (w *world) theirs() {
	w.T.Helper()
	w.Create(w.Staging(acctest.ConfigMaps, w.Name), acctest.Object(acctest.ConfigMaps, "ConfigMap", w.Name, "theirs"))
}

// living are the UIDs of what must not be deleted and made anew, and the
// repository's files.
func (w *world) living() map[string]string {
	w.T.Helper()
	found := map[string]string{}
	for what, at := range map[string]struct {
		dynamic.ResourceInterface
		name string
	}{
		"namespace":       {w.Staging(carvel.Namespaces, ""), w.Name},
		"service account": {w.Staging(carvel.ServiceAccounts, w.Name), w.Name + "-sa"},
		"theirs":          {w.Staging(acctest.ConfigMaps, w.Name), "theirs"},
		"workload":        {w.Staging(acctest.ConfigMaps, w.Name), w.Name},
		"install":         {w.Staging(carvel.PackageInstalls, w.Name), strings.Split(w.Package(), ".")[0]},
		"kubeconfig":      {w.Build(carvel.Secrets, w.Name), "staging-kubeconfig"},
		"app":             {w.Build(carvel.Apps, w.Name), w.Name + "-app"},
	} {
		obj, err := at.Get(context.Background(), at.name, metav1.GetOptions{})
		if err != nil {
			found[what] = err.Error()
			continue
		}
		found[what] = string(obj.GetUID())
	}
	for _, file := range []string{"packageinstall.yaml", "params.yaml"} {
		found[file], _ = w.repository.Read(w.dir() + "/" + file)
	}
	return found
}

// kept checks that all of it still lives.
func (w *world) kept(before map[string]string, when string) {
	w.T.Helper()
	if after := w.living(); !maps.Equal(before, after) {
		for _, what := range slices.Sorted(maps.Keys(before)) {
			if before[what] != after[what] {
				w.T.Errorf("%s: %s was %q, is %q", when, what, before[what], after[what])
			}
		}
	}
}

// gone checks that nothing is left but the directory.
func (w *world) gone() {
	w.T.Helper()
	for _, err := range []error{
		acctest.HasNot(w.Staging(carvel.Namespaces, ""), w.Name)(nil),
		acctest.HasNot(w.Build(carvel.Secrets, w.Name), "staging-kubeconfig")(nil),
		acctest.HasNot(w.Build(carvel.Apps, w.Name), w.Name+"-app")(nil),
	} {
		if err != nil {
			w.T.Error(err)
		}
	}
	if files := w.repository.List(w.dir()); len(files) != 1 || !strings.HasSuffix(files[0], ".gitkeep") {
		w.T.Errorf("left in %s: %v", w.dir(), files)
	}
}

// addresses are the four resources.
func addresses(key string) []string {
	var all []string
	for _, kind := range []string{"run_namespace", "package_install", "kubeconfig_secret", "app"} {
		all = append(all, fmt.Sprintf("carvel_%s.test[%q]", kind, key))
	}
	return all
}

// TestAccOwnership_createBeforeDestroy: a resource that is replaced, and made
// before the old one is destroyed, takes over what that one has made; the
// destroy deletes nothing.
func TestAccOwnership_createBeforeDestroy(t *testing.T) {
	w := newWorld(t)
	p := w.program("all")
	p.Replace("for_each = var.keys", "for_each = var.keys\n  lifecycle { create_before_destroy = true }")
	p.Run(nil, apply, "4 added")
	w.theirs()
	before := w.living()
	args := slices.Clone(apply)
	for _, address := range addresses("a") {
		args = append(args, "-replace="+address)
	}
	p.Run(nil, args, "4 added, 0 changed, 4 destroyed", "was not deleted", "has been taken over by carvel_app")
	w.kept(before, "replaced")
	p.Run(nil, quiet, "No changes")
	for _, address := range addresses("a") {
		p.Run(nil, append(slices.Clone(apply), "-replace="+address), "was not deleted")
		w.kept(before, "replaced "+address)
	}
	w.Delete(w.Staging(acctest.ConfigMaps, w.Name), "theirs")
	p.Run(nil, destroy, "4 destroyed")
	w.gone()
}

// TestAccOwnership_renamed: keys of for_each that are renamed without a moved
// block are an error at plan, also with adopt_existing, and a state that is moved
// plans nothing.
func TestAccOwnership_renamed(t *testing.T) {
	w := newWorld(t)
	p := w.program("all")
	p.Run(nil, apply, "4 added")
	before := w.living()
	keys := config.SetVariable(config.StringVariable("b"))
	for _, vars := range []config.Variables{{"keys": keys}, {"keys": keys, "adopt_existing": config.BoolVariable(true)}} {
		p.Run(vars, apply, "Error: The run namespace", "is destroyed and created by the same plan", "moved block")
		w.kept(before, "renamed")
	}
	old, renamed := addresses("a"), addresses("b")
	for i := range old {
		p.Move(old[i], renamed[i])
	}
	p.Run(config.Variables{"keys": keys}, quiet, "No changes")
	p.Run(config.Variables{"keys": keys}, destroy, "4 destroyed")
	w.gone()
}

// TestAccOwnership_twoConfigurations: a second configuration with the same names
// is refused; if it adopts, the first one says so, changes nothing and
// deletes nothing any more.
func TestAccOwnership_twoConfigurations(t *testing.T) {
	w := newWorld(t)
	first, second := w.program("all"), w.program("all")
	first.Run(nil, apply, "4 added")
	before := w.living()
	second.Run(nil, apply, "Error: Unable to", "It belongs to carvel_", "of the configuration")
	for _, address := range addresses("a") {
		// Its dependencies are refused before.
		_, end := second.Start(nil, append(slices.Clone(apply), "-target="+address)...)
		if out, err := end(); err == nil || !strings.Contains(out, "It belongs to carvel_") {
			t.Errorf("%s: %v\n%s", address, err, out)
		}
	}
	w.kept(before, "refused")
	first.Run(nil, quiet, "No changes")

	adopt := config.Variables{"adopt_existing": config.BoolVariable(true)}
	second.Run(adopt, apply, "Warning: The run namespace", "takes over what is there", "4 added")
	w.kept(before, "adopted")
	second.Run(adopt, quiet, "No changes")
	first.Run(nil, []string{"plan"}, "has been taken over", "neither changes it nor deletes it")
	first.Run(config.Variables{"labels": acctest.ObjectVariable("a", "b")}, apply, "Error: Unable to update", "has been taken over by carvel_")
	w.kept(before, "not updated")
	first.Run(nil, destroy, "was not deleted", "has been taken over by", "4 destroyed")
	w.kept(before, "destroyed by the first")
	second.Run(adopt, quiet, "No changes")
	second.Run(config.Variables{"adopt_existing": config.BoolVariable(true), "delete_adopted": config.BoolVariable(true)}, apply, "1 changed")
	second.Run(adopt, destroy, "4 destroyed")
}

// TestAccOwnership_replaced: -replace and terraform taint of what was completed
// make it anew.
func TestAccOwnership_replaced(t *testing.T) {
	w := newWorld(t)
	p := w.program("all")
	p.Run(nil, apply, "4 added")
	before := w.living()
	app := addresses("a")[3]
	p.Run(nil, append(slices.Clone(apply), "-replace="+app), "1 added, 0 changed, 1 destroyed")
	if after := w.living(); after["app"] == before["app"] || after["namespace"] != before["namespace"] {
		t.Errorf("before %v, after %v", before, after)
	}
	p.Taint(app)
	again := w.living()
	p.Run(nil, apply, "1 added, 0 changed, 1 destroyed")
	if after := w.living(); after["app"] == again["app"] {
		t.Error("a tainted App was not made anew")
	}
	p.Run(nil, quiet, "No changes")
	p.Run(nil, destroy, "4 destroyed")
	w.gone()
}

// TestAccOwnership_madeByHand: what somebody else has made in the place of what
// was deleted is not the resource's own.
func TestAccOwnership_madeByHand(t *testing.T) {
	w := newWorld(t)
	p := w.program("all")
	targets := func(args []string) []string {
		return append(slices.Clone(args), "-target="+addresses("a")[0], "-target="+addresses("a")[2])
	}
	p.Run(nil, targets(apply), "2 added")
	namespaces, secrets := w.Staging(carvel.Namespaces, ""), w.Build(carvel.Secrets, w.Name)
	w.Delete(namespaces, w.Name)
	w.Delete(secrets, "staging-kubeconfig")
	w.byHand()
	w.Create(secrets, acctest.Object(carvel.Secrets, "Secret", w.Name, "staging-kubeconfig"))
	before := w.living()
	p.Run(nil, targets(apply), "2 to add", "Error: Unable to create run namespace", "this resource did not make it")
	p.Run(nil, destroy, "0 destroyed")
	w.kept(before, "destroyed")
}

// TestAccOwnership_killedKick: an App that a process has paused to make the
// controller run, and was killed before it could resume it, is resumed by the
// next apply.
func TestAccOwnership_killedKick(t *testing.T) {
	w := newWorld(t)
	p := w.program("all")
	p.Run(nil, apply, "4 added")
	before := w.living()
	apps := w.Build(carvel.Apps, w.Name)
	w.Patch(apps, w.Name+"-app", `{"metadata":{"annotations":{"`+carvel.MomentaryAnnotation+`":"paused"}},"spec":{"paused":true}}`)
	p.Run(nil, apply, "- paused: true", "0 added, 1 changed, 0 destroyed")
	w.kept(before, "resumed")
	if err := acctest.Has(apps, w.Name+"-app", acctest.Field("<nil>", "spec", "paused"))(nil); err != nil {
		t.Error(err)
	}
	p.Run(nil, quiet, "No changes")
	p.Run(nil, destroy, "4 destroyed")
	w.gone()
}

// policy has a cluster write a label on objects of a name, whoever applies them.
func (w *world) policy(cluster func(schema.GroupVersionResource, string) dynamic.ResourceInterface, resource schema.GroupVersionResource, kind, namespace, name string) {
	w.T.Helper()
	policies := schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicies"}
	bindings := policies.GroupVersion().WithResource("mutatingadmissionpolicybindings")
	policy := acctest.Object(policies, "MutatingAdmissionPolicy", "", w.Name+"-"+resource.Resource)
	policy.Object["spec"] = map[string]any{
		"failurePolicy": "Fail", "reinvocationPolicy": "Never",
		"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
			"apiGroups": []any{resource.Group}, "apiVersions": []any{resource.Version}, "resources": []any{resource.Resource},
			"operations": []any{"CREATE", "UPDATE"}, "resourceNames": []any{name},
		}}},
		"mutations": []any{map[string]any{"patchType": "ApplyConfiguration", "applyConfiguration": map[string]any{
			"expression": `Object{metadata: Object.metadata{labels: {"team": "policy"}}}`,
		}}},
	}
	if namespace != "" { // other tests have objects of this name
		selector := map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": namespace}}
		if err := unstructured.SetNestedMap(policy.Object, selector, "spec", "matchConstraints", "namespaceSelector"); err != nil {
			w.T.Fatal(err)
		}
	}
	binding := acctest.Object(bindings, "MutatingAdmissionPolicyBinding", "", policy.GetName())
	binding.Object["spec"] = map[string]any{"policyName": policy.GetName()}
	w.Create(cluster(policies, ""), policy)
	w.Create(cluster(bindings, ""), binding)
	w.Eventually("the policy for "+resource.Resource+" is at work", func(ctx context.Context) (bool, error) {
		try := labeled(acctest.Object(resource, kind, namespace, name), "team", "try")
		if resource == carvel.Apps {
			try.Object["spec"] = map[string]any{}
		}
		made, err := cluster(resource, namespace).Create(ctx, try, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && made.GetLabels()["team"] == "policy", err
	})
}

// TestAccOwnership_mutated: a policy of the cluster that changes what is applied
// gives a warning and drift, and replaces nothing; a field that is left to it is
// no drift.
func TestAccOwnership_mutated(t *testing.T) {
	w := newWorld(t)
	w.policy(w.Staging, carvel.Namespaces, "Namespace", "", w.Name)
	w.policy(w.Build, carvel.Secrets, "Secret", w.Name, "staging-kubeconfig")
	w.policy(w.Build, carvel.Apps, "App", w.Name, w.Name+"-app")
	p := w.program("all")
	vars := config.Variables{"labels": acctest.ObjectVariable("team", "ours")}
	warnings := []string{
		"The cluster changed the run namespace", "The cluster changed the kubeconfig secret", "The cluster changed the app", ".metadata.labels.team: policy",
	}
	p.Run(vars, apply, append(warnings, "4 added")...)
	before := w.living()
	p.Run(vars, apply, append(warnings, "- team: policy", "0 added, 3 changed, 0 destroyed")...)
	w.kept(before, "applied again")
	vars["field_manager"] = acctest.ObjectVariable("ignore_fields", config.ListVariable(config.StringVariable(".metadata.labels.team")))
	p.Run(vars, apply, "0 added, 3 changed, 0 destroyed")
	p.Run(vars, quiet, "No changes")
	w.kept(before, "left to the policy")
	p.Run(vars, destroy, "4 destroyed")
	w.gone()
}
