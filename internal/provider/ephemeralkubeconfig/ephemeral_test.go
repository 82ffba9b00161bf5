package ephemeralkubeconfig_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

var needsWriteOnly = acctest.Needs(acctest.WriteOnly)

// withEcho adds the provider that shows an ephemeral value in its state.
func withEcho(s resource.TestStep) resource.TestStep {
	s.ProtoV6ProviderFactories = map[string]func() (tfprotov6.ProviderServer, error){
		"carvel": acctest.Providers["carvel"],
		"echo":   echoprovider.NewProviderServer(),
	}
	return s
}

// account makes the namespace and the ServiceAccount as somebody else.
func account(e *acctest.Env) {
	e.Create(e.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
	e.Create(e.Staging(carvel.ServiceAccounts, e.Name), acctest.Object(carvel.ServiceAccounts, "ServiceAccount", e.Name, e.Name+"-sa"))
}

func TestAccEphemeralKubeconfig_attributes(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	account(e)
	f := acctest.Fixture{Env: e, Dir: "echo"}
	echoed := func(attribute string, check knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue("echo.test", tfjsonpath.New("data").AtMapKey(attribute), check)
	}
	first := withEcho(f.Step(nil))
	first.ConfigStateChecks = []statecheck.StateCheck{
		echoed("server", knownvalue.StringExact(e.Lab.Staging.Server)),
		echoed("cluster_ca_certificate", knownvalue.StringExact(string(e.Lab.Staging.CA))),
		echoed("kubeconfig", knownvalue.StringFunc(actsAs(e))),
		echoed("token", knownvalue.StringFunc(lives(time.Hour, ownAudience(e)))),
		echoed("expires_at", knownvalue.StringFunc(func(at string) error {
			_, err := time.Parse(time.RFC3339, at)
			return err
		})),
	}
	const server = "https://staging.example.com:6443"
	other := withEcho(f.Step(config.Variables{
		"server": config.StringVariable(server), "expiration_seconds": config.IntegerVariable(900), "audiences": config.ListVariable(config.StringVariable("vault")),
	}))
	other.Taint = []string{"echo.test"} // the echo provider keeps what it saw first
	other.ConfigStateChecks = []statecheck.StateCheck{
		echoed("server", knownvalue.StringExact(server)),
		echoed("token", knownvalue.StringFunc(lives(15*time.Minute, "vault"))),
		echoed("kubeconfig", knownvalue.StringFunc(func(text string) error {
			kubeconfig, err := kubeconfig.Portable([]byte(text))
			if kubeconfig.Server != server {
				return fmt.Errorf("server %q, %w", kubeconfig.Server, err)
			}
			return err
		})),
	}
	resource.Test(t, resource.TestCase{TerraformVersionChecks: needsWriteOnly, Steps: []resource.TestStep{first, other}})
}

// actsAs checks that a kubeconfig is accepted by the run cluster.
func actsAs(e *acctest.Env) func(string) error {
	return func(text string) error {
		allowed, err := acctest.Can([]byte(text), acctest.Access{Verb: "get", Resource: "secrets", Namespace: e.Name})
		if err != nil || allowed[0] {
			return fmt.Errorf("an account without rights may read secrets: %v, %w", allowed, err)
		}
		return nil
	}
}

func lives(want time.Duration, audience string) func(string) error {
	return func(token string) error {
		claims, ok := kubeconfig.ReadClaims(token)
		if life := claims.Expires.Sub(claims.Issued); !ok || life != want {
			return fmt.Errorf("a ServiceAccount's token: %t, good for %s", ok, life)
		}
		if !slices.Equal(claims.Audiences, []string{audience}) {
			return fmt.Errorf("the token is for %v, not %s", claims.Audiences, audience)
		}
		return nil
	}
}

// ownAudience is what a token of the account is for that asks for nothing: the API
// server itself, under a name that it has been given.
func ownAudience(e *acctest.Env) string {
	e.T.Helper()
	answer, err := e.Staging(carvel.ServiceAccounts, e.Name).Create(e.T.Context(), carvel.TokenRequest(e.Name, e.Name+"-sa", 600, nil), metav1.CreateOptions{}, carvel.TokenSubresource)
	if err != nil {
		e.T.Fatal(err)
	}
	token, err := carvel.GrantedToken(answer)
	if err != nil {
		e.T.Fatal(err)
	}
	claims, ok := kubeconfig.ReadClaims(string(token.Value))
	if !ok || len(claims.Audiences) != 1 {
		e.T.Fatalf("a token for %v", claims.Audiences)
	}
	return claims.Audiences[0]
}

// TestAccEphemeralKubeconfig_kubeconfigWO makes the ServiceAccount in the same
// run, and hands its kubeconfig to the build cluster.
func TestAccEphemeralKubeconfig_kubeconfigWO(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	f := acctest.Fixture{Env: e, Dir: "secret", Address: "carvel_kubeconfig_secret.test"}
	secrets := e.Build(carvel.Secrets, e.Name)
	version := func(v string) config.Variables {
		return config.Variables{"kubeconfig_wo_version": config.StringVariable(v)}
	}
	var seen string
	usable := func(obj *unstructured.Unstructured) error {
		value, _ := carvel.SecretValue(obj, "value")
		allowed, err := acctest.Can(value, acctest.Access{Verb: "create", Group: "packaging.carvel.dev", Resource: "packageinstalls", Namespace: e.Name})
		if err != nil || !allowed[0] {
			return fmt.Errorf("allowed %v, %w", allowed, err)
		}
		if string(value) == seen {
			return errors.New("it is still the first one")
		}
		seen = string(value)
		return nil
	}
	create, again := f.Step(version("1")), f.Planned(plancheck.ResourceActionUpdate, version("2"))
	create.Check = resource.ComposeTestCheckFunc(
		acctest.Has(secrets, "staging-kubeconfig", usable), resource.TestCheckNoResourceAttr(f.Address, "kubeconfig_wo"), notInState(&seen))
	again.Check = resource.ComposeTestCheckFunc(acctest.Has(secrets, "staging-kubeconfig", usable), notInState(&seen))
	kept := plancheck.ResourceActionNoop
	if e.OpenTofu() { // it plans an update for what may turn out to be sensitive
		kept = plancheck.ResourceActionUpdate
	}
	gone := f.Planned(kept, version("2")) // the account is made again
	gone.Check = acctest.Has(secrets, "staging-kubeconfig", func(obj *unstructured.Unstructured) error {
		if value, _ := carvel.SecretValue(obj, "value"); string(value) != seen {
			return errors.New("the Secret was written again")
		}
		return nil
	})
	gone.PreConfig = func() { e.Delete(e.Staging(carvel.ServiceAccounts, e.Name), e.Name+"-sa") }
	resource.Test(t, resource.TestCase{
		TerraformVersionChecks: needsWriteOnly,
		Steps: []resource.TestStep{
			create, f.Quiet(version("1")), again, f.Quiet(version("2")), gone,
			f.Refused(`Unable to request kubeconfig .*lack a right`, version("refused")),
		},
		CheckDestroy: acctest.HasNot(secrets, "staging-kubeconfig"),
	})
}

func notInState(granted *string) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		current, err := kubeconfig.CurrentContext([]byte(*granted))
		if err != nil {
			return err
		}
		return acctest.TextHas(s.String(), nil, []string{current.Token})
	}
}

func TestAccEphemeralKubeconfig_refused(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	account(e)
	f := acctest.Fixture{Env: e, Dir: "echo"}
	refused := func(pattern, variable string, value config.Variable) resource.TestStep {
		return withEcho(f.Refused(pattern, config.Variables{variable: value}))
	}
	resource.Test(t, resource.TestCase{TerraformVersionChecks: needsWriteOnly, Steps: []resource.TestStep{
		refused(`Run cluster "nosuch" is not configured`, "run_cluster", config.StringVariable("nosuch")),
		refused(`Unable to request kubeconfig.*did not answer`, "run_cluster", config.StringVariable("down")),
		refused(`expiration_seconds.*between 600`, "expiration_seconds", config.IntegerVariable(599)),
		refused(`Invalid server`, "server", config.StringVariable("http://plain.example.com")),
		withEcho(f.Step(nil)),
	}})
}
