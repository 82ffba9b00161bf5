package examples_test

import (
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// prepared is a test's own namespace on the build cluster and its package in the repository.
func prepared(t *testing.T) (*acctest.Env, *acctest.Repository) {
	t.Helper()
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	r := e.Repository()
	e.CommitPackages(r)
	return e, r
}

// nothingLeft checks that a destroy has left nothing but what keeps the directories in Git.
func nothingLeft(e *acctest.Env, r *acctest.Repository, namespaces ...string) {
	e.T.Helper()
	for _, path := range r.List(e.Package()) {
		if !strings.HasSuffix(path, "/.gitkeep") && !strings.HasPrefix(path, e.Package()+"/packages/") {
			e.T.Errorf("%s is left in the repository", path)
		}
	}
	for _, namespace := range namespaces {
		for name, check := range map[string]error{
			"staging": acctest.HasNot(e.Staging(carvel.Namespaces, ""), namespace)(nil),
			"prod":    acctest.HasNot(e.Prod(carvel.Namespaces, ""), namespace)(nil),
		} {
			if check != nil {
				e.T.Errorf("%s: %v", name, check)
			}
		}
	}
	left, err := e.Build(carvel.Apps, e.Name).List(e.T.Context(), metav1.ListOptions{})
	if err != nil || len(left.Items) > 0 {
		e.T.Errorf("%d Apps are left on the build cluster (%v)", len(left.Items), err)
	}
	secrets, err := e.Build(carvel.Secrets, e.Name).List(e.T.Context(), metav1.ListOptions{})
	if err != nil {
		e.T.Error(err)
	}
	for _, s := range secrets.Items {
		if s.GetName() != "git" { // the test's own
			e.T.Errorf("Secret %s is left on the build cluster", s.GetName())
		}
	}
}

// TestAccExamples_deliveryModule: the module's own tests pass, and leave nothing behind.
func TestAccExamples_deliveryModule(t *testing.T) {
	e, r := prepared(t)
	w := newWorkspace(t, e)
	w.succeeds("modules/delivery", "init")
	out := w.succeeds("modules/delivery", "test")
	if !strings.Contains(out, "0 failed") {
		t.Errorf("no test was run:\n%s", out)
	}
	nothingLeft(e, r, e.Name+"-staging", e.Name+"-prod")
}

// TestAccExamples_deliveryModuleFails: while the Apps fail, destroy leaves nothing behind in one run as well.
func TestAccExamples_deliveryModuleFails(t *testing.T) {
	e, r := prepared(t)
	const broken = "2.0.0"
	r.Write("Add a version that cannot be deployed", map[string]string{
		e.PackagePath(broken): strings.ReplaceAll(e.PackageFile(broken), "kind: ConfigMap", "kind: NoSuchKind"),
	})
	w := newWorkspace(t, e, "TF_VAR_version_constraint="+broken, "TF_VAR_hostname=app.example.com")
	const dir = "modules/delivery/tests/fixture"
	w.succeeds(dir, "init")
	out, err := w.run(dir, "apply", "-auto-approve", "-input=false")
	if err == nil || strings.Count(out, "Unable to create app") != 2 {
		t.Fatalf("the apply should have failed on both run clusters: %v\n%s", err, out)
	}
	if !strings.Contains(out, "NoSuchKind") {
		t.Errorf("the controller's own words are missing:\n%s", out)
	}
	w.succeeds(dir, "destroy", "-auto-approve", "-input=false")
	nothingLeft(e, r, e.Name+"-staging", e.Name+"-prod")
}
