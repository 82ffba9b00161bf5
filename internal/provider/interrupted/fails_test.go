package interrupted_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccInterrupted_checks: each check fails if what it is for has happened.
func TestAccInterrupted_checks(t *testing.T) {
	t.Parallel()
	if !acctest.ShowsProcesses() {
		t.Skip("this system has no /proc to find the provider's process in")
	}
	w := newWorld(t, scenario{fixture: "deliveries", size: 1, deliveries: true})
	if _, err := w.bring(create); err != nil {
		t.Fatal(err)
	}
	before := w.quiet()
	if wrong := append(w.unlike(first, before), w.wrong(first, before, settling)...); len(wrong) > 0 {
		t.Fatalf("undisturbed: %s", strings.Join(wrong, "\n"))
	}

	ctx, namespace := context.Background(), w.Name+"-00"
	account := acctest.Object(carvel.ServiceAccounts, "ServiceAccount", namespace, namespace+"-sa")
	remake := func(at dynamic.ResourceInterface) {
		w.Delete(at, account.GetName())
		_, err := at.Create(ctx, account, metav1.CreateOptions{})
		must(t, err)
	}
	remake(w.Staging(carvel.ServiceAccounts, namespace)) // and with it the token Secret goes
	token := acctest.Object(carvel.Secrets, "Secret", namespace, "another-token")
	token.SetAnnotations(map[string]string{"kubernetes.io/service-account.name": account.GetName()})
	token.Object["type"] = "kubernetes.io/service-account-token"
	another := token.DeepCopy()
	another.SetName("a-third-token")
	w.Delete(w.Staging(carvel.Roles, namespace), carvel.AppRoleName)
	w.Create(w.Staging(carvel.Secrets, namespace), token)
	w.Create(w.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", w.Name+"-01"))
	w.Patch(w.Build(carvel.Apps, w.Name), "app-00", `{"spec":{"noopDelete":true}}`)
	dir := w.packageDir("00") + "/staging/"
	w.repository.Write("Disturb "+w.Name, map[string]string{dir + "params.yaml": "---\n", dir + "extra.yaml": "---\n", dir + ".gitkeep": " ", dir + marker: "{}\n"})
	plan := w.start(first, "plan")
	for len(w.program.Processes()) == 0 {
		time.Sleep(time.Millisecond)
	}
	wrong := w.wrongDirectory()
	plan.within(patience)
	must(t, os.WriteFile(w.program.Path(".terraform.tfstate.lock.info"), []byte("{}"), 0o600))
	must(t, os.Remove(w.program.Path("terraform.tfstate")))

	eventually(settling, func() []string { // the token Secret of the account that has gone
		_, err := w.Staging(carvel.Secrets, namespace).Get(ctx, token.GetName(), metav1.GetOptions{})
		if secrets := w.look(); !apierrors.IsNotFound(err) && secrets.has("staging token Secret NAME-00 2") {
			return []string{"still there"}
		}
		return nil
	})
	w.Create(w.Staging(carvel.Secrets, namespace), another)
	now := w.look()
	wrong = slices.Concat(wrong, w.wrong(first, before, 0), remade(before, now))
	text := strings.Join(wrong, "\n")
	for _, want := range []string{
		"process ", "a lock is left: .terraform.tfstate.lock.info", "missing: staging Role NAME-00/app-cr-role", "not expected: staging token Secret NAME-00 2", "2 token Secrets for kubeconfig-00",
		"not expected: staging Namespace NAME-01", "params.yaml is", "not expected: file p00.NAME.acc.test/staging/extra.yaml", "build App NAME/app-00 is",
		`missing in the state, or tainted: carvel_app.test["00"]`, "made anew: staging ServiceAccount NAME-00/NAME-00-sa was",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	for _, not := range []string{".gitkeep", marker + "\n"} {
		if strings.Contains(text, not) {
			t.Errorf("%q is in:\n%s", not, text)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestChecks: what the checks find without a cluster.
func TestChecks(t *testing.T) {
	const ns, pi = `carvel_run_namespace.test["01"]`, `carvel_package_install.test["00"]`
	there := snapshot{primary(ns): {}}
	for name, c := range map[string]struct {
		got  []string
		want string // the beginning of the only one; empty: none
	}{
		"claimed and so":           {got: disagreements(ns+": Creation complete after 1s [id=x]", map[string]kept{ns: {}}, there, []string{ns, pi})},
		"claimed, not in state":    {disagreements(ns+": Creation complete after 1s", nil, there, nil), "complete, and not in the state: " + ns},
		"claimed, not there":       {disagreements(pi+": Modifications complete after 1s", map[string]kept{pi: {}}, there, nil), "complete, and not there: " + pi},
		"claimed, and tainted":     {disagreements(ns+": Creation complete", map[string]kept{ns: {tainted: true}}, there, nil), "complete, and tainted: " + ns},
		"deleted, still there":     {disagreements(ns+": Destruction complete after 0s", nil, there, nil), "deleted, and still there: " + ns},
		"deleted, still in state":  {disagreements(pi+": Destruction complete after 0s", map[string]kept{pi: {}}, nil, nil), "deleted, and still in the state: " + pi},
		"an orphan":                {disagreements("", nil, there, []string{ns, pi}), "there, and not in the state: " + ns},
		"in state alone":           {disagreements("", map[string]kept{pi: {}}, nil, []string{ns, pi}), "in the state, and not there: " + pi},
		"to be made anew":          {disagreements("", map[string]kept{ns: {tainted: true}}, there, []string{ns, pi}), "there, and tainted"},
		"the same":                 {got: differences(there, there)},
		"missing":                  {differences(there, nil), "missing: prod Namespace NAME-01"},
		"another text":             {differences(there, snapshot{primary(ns): {text: "x"}}), "prod Namespace NAME-01 is"},
		"being deleted":            {differences(there, snapshot{primary(ns): {going: true}}), "being deleted: prod Namespace NAME-01"},
		"a marker without a file":  {differences(nil, snapshot{"file p/c/" + marker: {}}), "not expected: file p/c/" + marker},
		"a marker beside a file":   {got: differences(snapshot{"file p/c/packageinstall.yaml": {}}, snapshot{"file p/c/packageinstall.yaml": {}, "file p/c/" + marker: {}})},
		"a kept directory":         {got: differences(nil, snapshot{"file p/c/.gitkeep": {}})},
		"another UID":              {remade(snapshot{primary(ns): {uid: "1"}}, snapshot{primary(ns): {uid: "2"}}), "made anew: prod Namespace NAME-01 was 1 and is 2"},
		"the same UID":             {got: remade(snapshot{primary(ns): {uid: "1"}}, snapshot{primary(ns): {uid: "1"}})},
		"deleted and made on plan": {got: remade(snapshot{primary(ns): {uid: "1", going: true}}, snapshot{primary(ns): {uid: "2"}})},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == "" && len(c.got) > 0 || c.want != "" && (len(c.got) != 1 || !strings.HasPrefix(c.got[0], c.want)) {
				t.Errorf("%s: got %q, want %q", name, c.got, c.want)
			}
		})
	}
}
