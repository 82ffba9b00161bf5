package kubeconfigsecret_test

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	fwresource "github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	carvelprovider "github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/kubeconfigsecret"
)

// clock is the real one, and some time later.
type clock struct{ later atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.later.Load())) }
func (c *clock) set(later time.Duration) { c.later.Store(int64(later)) }

// clockProvider is the provider with a clock for the resource under test.
type clockProvider struct {
	provider.Provider
	clock *clock
}

func (p clockProvider) Resources(ctx context.Context) []func() fwresource.Resource {
	return append(p.others(ctx), func() fwresource.Resource { return kubeconfigsecret.NewAt(p.clock.now) })
}

func (p clockProvider) others(ctx context.Context) []func() fwresource.Resource {
	var others []func() fwresource.Resource
	for _, construct := range p.Provider.Resources(ctx) {
		var resp fwresource.MetadataResponse
		construct().Metadata(ctx, fwresource.MetadataRequest{ProviderTypeName: "carvel"}, &resp)
		if resp.TypeName != "carvel_kubeconfig_secret" {
			others = append(others, construct)
		}
	}
	return others
}

func (c *clock) step(s resource.TestStep, later time.Duration) resource.TestStep {
	s.ProtoV6ProviderFactories = map[string]func() (tfprotov6.ProviderServer, error){
		"carvel": acctest.Server(clockProvider{carvelprovider.New("test")(), c}),
	}
	before := s.PreConfig
	s.PreConfig = func() {
		c.set(later)
		if before != nil {
			before()
		}
	}
	return s
}

// token remembers the token in the Secret, to tell whether it was replaced.
type token struct {
	key  string
	seen string
}

func (k *token) is(want string) func(*unstructured.Unstructured) error {
	return func(obj *unstructured.Unstructured) error {
		value, _ := carvel.SecretValue(obj, k.key)
		current, err := kubeconfig.CurrentContext(value)
		if err != nil {
			return err
		}
		before := k.seen
		k.seen = current.Token
		if same := current.Token == before; same != (want == "the same") {
			return fmt.Errorf("the token is not %s", want)
		}
		return nil
	}
}

func requested(more config.Variables) config.Variables {
	vars := config.Variables{"token_source": config.StringVariable("request"), "expiration_seconds": config.IntegerVariable(1200)}
	maps.Copy(vars, more)
	return vars
}

func TestAccKubeconfigSecret_request(t *testing.T) {
	e, f := fixture(t, "service_account")
	secrets := e.Build(carvel.Secrets, e.Name)
	tokenSecrets := func(n int) resource.TestCheckFunc {
		return e.HasTokenSecrets(e.Name+"-sa", e.Name+"/staging-kubeconfig", n)
	}
	inUse := &token{key: "value"}
	has := func(want string) resource.TestCheckFunc {
		return acctest.Has(secrets, "staging-kubeconfig", inUse.is(want))
	}
	expires := func(check func(string) error) resource.TestCheckFunc {
		return resource.TestCheckResourceAttrWith(address, "expires_at", check)
	}
	var first string
	forced := config.Variables{"force": config.BoolVariable(true)}
	labeled := requested(config.Variables{"force": config.BoolVariable(true), "labels": acctest.ObjectVariable("team", "a")})
	var c clock

	long := f.Step(forced) // a token that does not expire, to change from
	long.Check = resource.ComposeTestCheckFunc(
		tokenSecrets(1), resource.TestCheckNoResourceAttr(address, "expires_at"), has("another"))
	changed := f.Planned(plancheck.ResourceActionUpdate, requested(forced))
	changed.Check = resource.ComposeTestCheckFunc(
		tokenSecrets(0), has("another"), noToken(e),
		acctest.Has(secrets, "staging-kubeconfig", usableAs(e, "value")),
		expires(func(at string) error {
			first = at
			return livesFor(inUse.seen, at, 1200)
		}),
	)
	kept := f.Planned(plancheck.ResourceActionUpdate, labeled)
	kept.Check = resource.ComposeTestCheckFunc(has("the same"), acctest.Has(secrets, "staging-kubeconfig", acctest.Field("a", "metadata", "labels", "team")),
		expires(func(at string) error { return acctest.TextHas(at, []string{first}, nil) }))
	within := f.Quiet(labeled)
	renewed := f.Planned(plancheck.ResourceActionUpdate, labeled)
	renewed.Check = resource.ComposeTestCheckFunc(has("another"), func(*terraform.State) error { c.set(0); return nil })
	edited := f.Planned(plancheck.ResourceActionUpdate, labeled)
	edited.PreConfig = func() { e.Patch(secrets, "staging-kubeconfig", `{"data": {"value": "Z2FyYmFnZQ=="}}`) }
	edited.Check = resource.ComposeTestCheckFunc(has("another"), acctest.Has(secrets, "staging-kubeconfig", usableAs(e, "value")))
	orphaned := f.Planned(plancheck.ResourceActionUpdate, labeled)
	orphaned.PreConfig = func() { e.Delete(e.Staging(carvel.ServiceAccounts, e.Name), e.Name+"-sa") }
	orphaned.Check = resource.ComposeTestCheckFunc(has("another"), acctest.Has(secrets, "staging-kubeconfig", usableAs(e, "value")))
	disappeared := f.Planned(plancheck.ResourceActionCreate, labeled)
	disappeared.PreConfig = func() { e.Delete(secrets, "staging-kubeconfig") }
	disappeared.Check = has("another")
	longer := f.Planned(plancheck.ResourceActionUpdate, requested(config.Variables{"expiration_seconds": config.IntegerVariable(2400)}))
	longer.Check = resource.ComposeTestCheckFunc(has("another"), expires(func(at string) error { return livesFor(inUse.seen, at, 2400) }))
	back := f.Planned(plancheck.ResourceActionUpdate, forced)
	back.Check = resource.ComposeTestCheckFunc(has("another"), tokenSecrets(1), resource.TestCheckNoResourceAttr(address, "expires_at"))

	steps := []resource.TestStep{
		c.step(long, 0), c.step(changed, 0), c.step(f.Quiet(requested(forced)), 0), c.step(kept, 0),
		c.step(within, 400*time.Second), c.step(renewed, 1000*time.Second), c.step(f.Quiet(labeled), 0),
		c.step(f.Imported(e.Name+"/staging-kubeconfig", labeled, "field_manager"), 0),
		c.step(edited, 0), c.step(orphaned, 0), c.step(disappeared, 0), c.step(longer, 0), c.step(back, 0), c.step(f.Quiet(forced), 0),
	}
	resource.Test(t, resource.TestCase{Steps: steps, CheckDestroy: resource.ComposeTestCheckFunc(
		acctest.HasNot(secrets, "staging-kubeconfig"), tokenSecrets(0))})
}

// livesFor checks what a token says of itself against expires_at.
func livesFor(token, expiresAt string, seconds int) error {
	claims, ok := kubeconfig.ReadClaims(token)
	at, err := time.Parse(time.RFC3339, expiresAt)
	if !ok || err != nil {
		return fmt.Errorf("a token of a ServiceAccount: %t; expires_at %q", ok, expiresAt)
	}
	if life := claims.Expires.Sub(claims.Issued); life != time.Duration(seconds)*time.Second {
		return fmt.Errorf("the token lives for %s", life)
	}
	// The API server signs the token and fills in the timestamp one after the other.
	if off := at.Sub(claims.Expires).Abs(); off > time.Minute {
		return fmt.Errorf("expires_at is %s off", off)
	}
	return nil
}

// TestAccKubeconfigSecret_importedRequest goes on with a token whose life only
// the token itself tells.
func TestAccKubeconfigSecret_importedRequest(t *testing.T) {
	e, f := fixture(t, "service_account")
	again := acctest.Fixture{Env: e, Dir: "imported_request", Address: "carvel_kubeconfig_secret.again"}
	secrets := e.Build(carvel.Secrets, e.Name)
	inUse := &token{key: "value"}
	var c clock
	create := f.Step(requested(nil))
	create.Check = acctest.Has(secrets, "staging-kubeconfig", inUse.is("another"))
	imported := again.Planned(plancheck.ResourceActionNoop, nil)
	imported.Check = acctest.Has(secrets, "staging-kubeconfig", inUse.is("the same"))
	renewed := again.Planned(plancheck.ResourceActionUpdate, nil)
	renewed.Check = resource.ComposeTestCheckFunc(
		acctest.Has(secrets, "staging-kubeconfig", inUse.is("another")), func(*terraform.State) error { c.set(0); return nil })
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{c.step(create, 0), c.step(imported, 0), c.step(again.Quiet(nil), 400*time.Second), c.step(renewed, 1000*time.Second)},
		CheckDestroy: acctest.HasNot(secrets, "staging-kubeconfig"),
	})
}
