package app_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// expireToken puts a token into the kubeconfig Secret that says of itself that it has
// expired, and that the API server refuses as it does one that has: a signature that
// does not belong to it.
func expireToken(e *acctest.Env) {
	e.T.Helper()
	secrets := e.Build(carvel.Secrets, e.Name)
	secret, err := secrets.Get(e.T.Context(), "staging-kubeconfig", metav1.GetOptions{})
	if err != nil {
		e.T.Fatal(err)
	}
	value, _ := carvel.SecretValue(secret, carvel.DefaultKubeconfigKey)
	current, err := kubeconfig.CurrentContext(value)
	if err != nil {
		e.T.Fatal(err)
	}
	parts := strings.Split(current.Token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		e.T.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		e.T.Fatal(err)
	}
	claims["iat"], claims["exp"] = time.Now().Add(-time.Hour).Unix(), time.Now().Add(-40*time.Minute).Unix()
	if payload, err = json.Marshal(claims); err != nil {
		e.T.Fatal(err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	expired, err := kubeconfig.WithToken(value, strings.Join(parts, "."))
	if err != nil {
		e.T.Fatal(err)
	}
	// As the resource itself wrote it.
	manager := cluster.AppliedBy(secret, "data", carvel.DefaultKubeconfigKey)
	labels, annotations := cluster.OwnedMetadata(secret, manager)
	obj := carvel.KubeconfigSecret(carvel.KubeconfigSecretSpec{
		Namespace: e.Name, Name: "staging-kubeconfig", Key: carvel.DefaultKubeconfigKey, Labels: labels, Annotations: annotations,
	}, kubeconfig.File{YAML: expired})
	if _, err := secrets.Apply(e.T.Context(), obj.GetName(), obj, metav1.ApplyOptions{FieldManager: manager}); err != nil {
		e.T.Fatal(err)
	}
}

// TestAccApp_expiredToken: an apply that does nothing but renew a token is not over
// before the Apps that want it have run again, and a destroy renews it by itself.
func TestAccApp_expiredToken(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	e.CommitPackages(e.Repository())
	apps, name := e.Build(carvel.Apps, e.Name), e.Name+"-app"
	vars := withCredentials(e, nil)
	p := acctest.Fixture{Env: e, Dir: "packages"}.Program()
	p.Replace("name      = carvel_run_namespace.test.service_account_name\n",
		"name      = carvel_run_namespace.test.service_account_name\ntoken_source = \"request\"\nexpiration_seconds = 1200\n")
	p.Run(vars, apply, "Apply complete!")
	unauthorized := func() {
		t.Helper()
		expireToken(e)
		e.Eventually("the App cannot log in", func(ctx context.Context) (bool, error) {
			live, err := apps.Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			status, err := carvel.ReadAppStatus(live)
			return status.Condition() == carvel.ReconcileFailed && strings.Contains(status.Message(), "Unauthorized"), err
		})
	}

	unauthorized()
	out := p.Run(vars, apply, "1 changed, 0 destroyed")
	live, err := apps.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if status, err := carvel.ReadAppStatus(live); err != nil || status.Condition() != carvel.ReconcileSucceeded || strings.Contains(out, "does not succeed with the new kubeconfig") {
		t.Errorf("the App after the apply: %v %+v\n%s", err, status, out)
	}
	p.Run(vars, []string{"plan", "-detailed-exitcode"}, "No changes.")

	unauthorized()
	p.Run(vars, destroy, "Destroy complete!")
	if err := acctest.HasNot(apps, name)(nil); err != nil {
		t.Error(err)
	}
}

// TestAccApp_expiredTokenLeft: if the token of a destroy cannot be renewed, the error
// says so beside what the controller says.
func TestAccApp_expiredTokenLeft(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	e.CommitPackages(e.Repository())
	vars := withCredentials(e, nil)
	p := acctest.Fixture{Env: e, Dir: "packages"}.Program()
	p.Replace("name      = carvel_run_namespace.test.service_account_name\n",
		"name      = carvel_run_namespace.test.service_account_name\ntoken_source = \"request\"\nexpiration_seconds = 1200\n")
	p.Run(vars, apply, "Apply complete!")
	expireToken(e)
	accounts := e.Staging(carvel.ServiceAccounts, e.Name)
	account, err := accounts.Get(t.Context(), e.Name+"-sa", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e.Delete(accounts, e.Name+"-sa")
	p.Run(vars, destroy, "Error: Unable to delete app", "Unauthorized", "The token in the kubeconfig Secret "+e.Name+"/staging-kubeconfig has expired at",
		"could not be replaced", "not found")
	account.SetResourceVersion("")
	account.SetUID("")
	e.Create(accounts, account)
	p.Run(vars, destroy, "Destroy complete!")
}
