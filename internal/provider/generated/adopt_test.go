package generated_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// adoption is what one configuration has made, and another one takes over.
type adoption struct {
	*testing.T
	env      *acctest.Env
	repo     *acctest.Repository
	maker    *acctest.Program
	adopting *acctest.Program
}

func newAdoption(t *testing.T, needs ...acctest.Capability) *adoption {
	t.Helper()
	t.Parallel()
	e := acctest.New(t)
	e.Needs(needs...)
	e.BuildNamespace()
	a := &adoption{T: t, env: e, repo: e.Repository()}
	e.CommitPackages(a.repo)
	a.maker = acctest.Fixture{Env: e, Dir: "made"}.Program()
	a.adopting = acctest.Fixture{Env: e, Dir: "adopting"}.Program()
	a.maker.Run(nil, []string{"apply", "-auto-approve"})
	return a
}

// objects are the specs of what runs, without what servers and controllers note of it.
func (a *adoption) objects() map[string]any {
	a.Helper()
	all := map[string]any{}
	for resource, client := range map[schema.GroupVersionResource]dynamic.ResourceInterface{
		carvel.Apps: a.env.Build(carvel.Apps, a.env.Name), carvel.Secrets: a.env.Build(carvel.Secrets, a.env.Name),
		carvel.Roles: a.env.Staging(carvel.Roles, a.env.Name), carvel.RoleBindings: a.env.Staging(carvel.RoleBindings, a.env.Name),
		carvel.ServiceAccounts: a.env.Staging(carvel.ServiceAccounts, a.env.Name), carvel.PackageInstalls: a.env.Staging(carvel.PackageInstalls, a.env.Name),
	} {
		list, err := client.List(context.Background(), metav1.ListOptions{})
		if err != nil {
			a.Fatal(err)
		}
		for _, object := range list.Items {
			delete(object.Object, "status")
			metadata, _ := object.Object["metadata"].(map[string]any)
			delete(metadata, "managedFields")
			delete(metadata, "resourceVersion")
			all[resource.Resource+" "+object.GetName()] = object.Object
		}
	}
	return all
}

// adopt applies what was generated: nothing is another then, and the next plan is empty.
func (a *adoption) adopt(resources int) {
	a.Helper()
	before, commits := a.objects(), a.commits()
	a.adopting.Run(nil, []string{"apply", "-auto-approve"}, fmt.Sprintf("%d imported, 0 added,", resources), "0 destroyed")
	a.adopting.Run(nil, []string{"plan", "-detailed-exitcode"}, "No changes.")
	for name, object := range a.objects() {
		if !reflect.DeepEqual(object, before[name]) {
			a.Errorf("%s was %v and is %v", name, before[name], object)
		}
	}
	if now := a.commits(); now != commits {
		a.Errorf("%d commits, want %d as before", now, commits)
	}
	a.maker.Run(nil, []string{"destroy", "-auto-approve"})
}

func (a *adoption) commits() int {
	a.Helper()
	commits, err := a.repo.Commits(a.env.Package())
	if err != nil {
		a.Fatal(err)
	}
	return len(commits)
}

func (a *adoption) write(name, text string) {
	a.Helper()
	if err := os.WriteFile(a.adopting.Path(name), []byte(text), 0o600); err != nil {
		a.Fatal(err)
	}
}

// TestAccGenerated_imports: for each resource, import blocks are enough for a configuration that changes nothing.
func TestAccGenerated_imports(t *testing.T) {
	a := newAdoption(t)
	name := a.env.Name
	ids := [][2]string{
		{"carvel_run_namespace", "staging/" + name},
		{"carvel_package_install", a.env.Package() + "/staging/values"},
		{"carvel_kubeconfig_secret", name + "/staging-kubeconfig"},
		{"carvel_app", name + "/" + name + "-app"},
		{"carvel_app", name + "/" + name + "-packages"},
	}
	var blocks strings.Builder
	for i, id := range ids {
		fmt.Fprintf(&blocks, "import {\n  to = %s.found_%d\n  id = %q\n}\n", id[0], i, id[1])
	}
	a.write("imports.tf", blocks.String())
	a.adopting.Run(nil, []string{"plan", "-generate-config-out=generated.tf"})
	a.adopt(len(ids))
}

// TestAccGenerated_query finds all resources by their lists.
func TestAccGenerated_query(t *testing.T) {
	a := newAdoption(t, acctest.ListQueries)
	name := a.env.Name
	var lists strings.Builder
	for resource, config := range map[string]string{
		"carvel_run_namespace":     `run_cluster = "staging"`,
		"carvel_package_install":   fmt.Sprintf("package = %q", a.env.Package()),
		"carvel_kubeconfig_secret": fmt.Sprintf("namespace = %q", name),
		"carvel_app":               fmt.Sprintf("namespace = %q", name),
	} {
		fmt.Fprintf(&lists, "list %q \"found\" {\n  provider = carvel\n  limit = 1000\n  include_resource = true\n  config {\n    %s\n  }\n}\n", resource, config)
	}
	a.write("found.tfquery.hcl", lists.String())
	out := a.adopting.Run(nil, []string{"query", "-generate-config-out=generated.tf"}, name+"/"+name+"-packages", "staging/"+name)
	generated, err := os.ReadFile(a.adopting.Path("generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for resource, want := range map[string]int{"carvel_package_install": 1, "carvel_kubeconfig_secret": 1, "carvel_app": 2} {
		if found := strings.Count(string(generated), "resource \""+resource+"\""); found != want {
			t.Errorf("%d of %s were generated, want %d: %s", found, resource, want, out)
		}
	}
	if strings.Contains(string(generated), "token") && strings.Contains(string(generated), "eyJ") {
		t.Error("a kubeconfig is in the configuration")
	}
	// Other tests have namespaces too, which are left alone.
	a.write("generated.tf", onlyOf(string(generated), "carvel_run_namespace", `"`+name+`"`))
	a.adopt(5)
}

// TestAccGenerated_queryExamples: the examples of lists in the documentation are valid.
func TestAccGenerated_queryExamples(t *testing.T) {
	e := acctest.Alone(t)
	e.Needs(acctest.ListQueries)
	p := acctest.Fixture{Env: e, Dir: "query"}.Program()
	files, err := filepath.Glob("../../../examples/list-resources/*/*.tfquery.hcl")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d examples (%v)", len(files), err)
	}
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(p.Path(fmt.Sprintf("example%d.tfquery.hcl", i)), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	validate := func() ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), acctest.Terraform(), "validate", "-query", "-no-color")
		cmd.Dir, cmd.Env = filepath.Dir(p.Path("main.tf")), append(os.Environ(), "TF_CLI_CONFIG_FILE="+p.Path("terraform.rc"))
		return cmd.CombinedOutput()
	}
	if out, err := validate(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.WriteFile(p.Path("wrong.tfquery.hcl"), []byte("list \"carvel_app\" \"wrong\" {\n  provider = carvel\n  config {\n    nonsense = 1\n  }\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := validate(); err == nil || !strings.Contains(string(out), "nonsense") {
		t.Errorf("what is wrong is valid: %v\n%s", err, out)
	}
}

// onlyOf is generated configuration without the resources of a type that do not have a text in them.
func onlyOf(generated, resource, text string) string {
	var kept []string
	drop := map[string]bool{}
	for block := range strings.SplitSeq(generated, "\n}\n") {
		if head := `resource "` + resource + `" "`; strings.Contains(block, head) && !strings.Contains(block, text) {
			_, rest, _ := strings.Cut(block, head)
			name, _, _ := strings.Cut(rest, `"`)
			drop[resource+"."+name] = true
			continue
		}
		kept = append(kept, block)
	}
	var out strings.Builder
	for _, block := range kept {
		_, to, _ := strings.Cut(block, "= "+resource+".")
		name, _, _ := strings.Cut(to, "\n")
		if strings.Contains(block, "import {") && drop[resource+"."+strings.TrimSpace(name)] {
			continue
		}
		out.WriteString(block)
		if strings.TrimSpace(block) != "" {
			out.WriteString("\n}\n")
		}
	}
	return out.String()
}
