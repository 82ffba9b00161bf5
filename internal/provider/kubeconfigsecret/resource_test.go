package kubeconfigsecret_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

const address = "carvel_kubeconfig_secret.test"

func fixture(t *testing.T, dir string) (*acctest.Env, acctest.Fixture) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	return e, acctest.Fixture{Env: e, Dir: dir, Address: address}
}

func TestAccKubeconfigSecret_serviceAccount(t *testing.T) {
	e, f := fixture(t, "service_account")
	secrets := e.Build(carvel.Secrets, e.Name)
	first := config.Variables{"labels": acctest.ObjectVariable("team", "a")}
	second := config.Variables{"labels": acctest.ObjectVariable("team", "b"), "key": config.StringVariable("kubeconfig")}
	renamed := config.Variables{"secret_name": config.StringVariable("other")}

	create := f.Planned(plancheck.ResourceActionCreate, first)
	create.Check = resource.ComposeTestCheckFunc(
		acctest.Has(secrets, "staging-kubeconfig", acctest.Field("a", "metadata", "labels", "team")),
		acctest.Has(secrets, "staging-kubeconfig", usableAs(e, "value")),
		resource.TestCheckResourceAttr(address, "server", e.Lab.Staging.Server),
		noToken(e),
	)
	update := f.Planned(plancheck.ResourceActionUpdate, second)
	update.Check = acctest.Has(secrets, "staging-kubeconfig", func(obj *unstructured.Unstructured) error {
		if data, _, _ := unstructured.NestedMap(obj.Object, "data"); len(data) != 1 || data["kubeconfig"] == nil {
			return fmt.Errorf("keys %v", len(data))
		}
		return acctest.Field("b", "metadata", "labels", "team")(obj)
	})
	replace := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, renamed)
	replace.Check = resource.ComposeTestCheckFunc(acctest.HasNot(secrets, "staging-kubeconfig"), acctest.Has(secrets, "other", nil))
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			create, f.Quiet(first), update, f.Quiet(second),
			f.Imported(e.Name+"/staging-kubeconfig", second, "field_manager"), replace, f.Quiet(renamed),
		},
		CheckDestroy: resource.ComposeTestCheckFunc(
			acctest.HasNot(secrets, "other"),
			acctest.Has(secrets, "git", nil), // theirs
			e.HasTokenSecrets(e.Name+"-sa", e.Name+"/other", 0),
		),
	})
}

// usableAs checks that the Secret holds a kubeconfig which acts as the
// namespace's ServiceAccount, with its rights and no more.
func usableAs(e *acctest.Env, key string) func(*unstructured.Unstructured) error {
	return func(obj *unstructured.Unstructured) error {
		value, ok := carvel.SecretValue(obj, key)
		if !ok {
			return errors.New("no key " + key)
		}
		portable, err := kubeconfig.Portable(value)
		if err != nil || portable.Server != e.Lab.Staging.Server {
			return fmt.Errorf("server %q: %w", portable.Server, err)
		}
		allowed, err := acctest.Can(value,
			acctest.Access{Verb: "create", Group: "packaging.carvel.dev", Resource: "packageinstalls", Namespace: e.Name},
			acctest.Access{Verb: "update", Resource: "configmaps", Namespace: e.Name},
			acctest.Access{Verb: "get", Resource: "secrets", Namespace: "kube-system"},
			acctest.Access{Verb: "list", Resource: "nodes"},
			acctest.Access{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: e.Name},
			acctest.Access{Verb: "escalate", Group: carvel.Roles.Group, Resource: "roles", Namespace: e.Name},
		)
		if fmt.Sprint(allowed) != "[true true false false false false]" {
			return fmt.Errorf("allowed %v: %w", allowed, err)
		}
		return nil
	}
}

// noToken checks that the state holds no part of the kubeconfig's token.
func noToken(e *acctest.Env) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		for name, value := range s.RootModule().Resources[address].Primary.Attributes {
			if strings.Contains(value, "eyJ") || strings.Contains(value, base64.StdEncoding.EncodeToString([]byte("apiVersion"))) {
				return fmt.Errorf("%s holds a secret of %s", name, e.Name)
			}
		}
		return nil
	}
}

// TestAccKubeconfigSecret_drift edits and deletes with another client.
func TestAccKubeconfigSecret_drift(t *testing.T) {
	e, f := fixture(t, "service_account")
	secrets, tokens := e.Build(carvel.Secrets, e.Name), e.Staging(carvel.Secrets, e.Name)
	forced := config.Variables{"force": config.BoolVariable(true)}
	tokenSecrets := func() []string { return e.TokenSecrets(e.Name+"-sa", e.Name+"/staging-kubeconfig") }
	var before string

	edited := f.Planned(plancheck.ResourceActionUpdate, forced)
	edited.PreConfig = func() { e.Patch(secrets, "staging-kubeconfig", `{"data": {"value": "Z2FyYmFnZQ=="}}`) }
	edited.Check = acctest.Has(secrets, "staging-kubeconfig", usableAs(e, "value"))
	revoked := f.Planned(plancheck.ResourceActionUpdate, forced)
	revoked.PreConfig = func() {
		before = tokenSecrets()[0]
		e.Delete(tokens, before)
	}
	revoked.Check = resource.ComposeTestCheckFunc(acctest.Has(secrets, "staging-kubeconfig", usableAs(e, "value")), func(*terraform.State) error {
		if now := tokenSecrets(); len(now) != 1 || now[0] == before {
			return fmt.Errorf("token Secrets %v after %s was deleted, whose token would be good again", now, before)
		}
		return nil
	})
	disappeared := f.Planned(plancheck.ResourceActionCreate, forced)
	disappeared.PreConfig = func() { e.Delete(secrets, "staging-kubeconfig") }
	disappeared.Check = acctest.Has(secrets, "staging-kubeconfig", usableAs(e, "value"))
	foreign := f.Quiet(forced)
	foreign.PreConfig = func() { e.Patch(secrets, "staging-kubeconfig", `{"metadata": {"labels": {"theirs": "kept"}}}`) }
	foreign.Check = acctest.Has(secrets, "staging-kubeconfig", acctest.Field("kept", "metadata", "labels", "theirs"))
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Step(forced), edited, revoked, disappeared, foreign}})
}

// TestAccKubeconfigSecret_inUse: an App that names the Secret could never be
// deleted without it.
func TestAccKubeconfigSecret_inUse(t *testing.T) {
	e, f := fixture(t, "service_account")
	apps := e.Build(carvel.Apps, e.Name)
	create := f.Step(nil)
	refused := f.Refused(`These Apps still deploy with it: user\..*Delete them first`, nil)
	refused.Destroy = true
	refused.PreConfig = func() {
		app := acctest.Object(carvel.Apps, "App", e.Name, "user")
		app.Object["spec"] = map[string]any{
			"paused":  true,
			"cluster": map[string]any{"kubeconfigSecretRef": map[string]any{"name": "staging-kubeconfig"}},
		}
		e.Create(apps, app)
	}
	last := f.Quiet(nil)
	last.PreConfig = func() { e.Delete(apps, "user") }
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{create, refused, last}})
}

const given = `apiVersion: v1
kind: Config
current-context: a
clusters: [{name: c, cluster: {server: "https://%s.example.com"}}]
users: [{name: u, user: {%s}}, {name: v, user: {token: unused}}]
contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: v}}]
`

func text(host, user string) config.Variable {
	return config.StringVariable(fmt.Sprintf(given, host, user))
}

func TestAccKubeconfigSecret_kubeconfig(t *testing.T) {
	e, f := fixture(t, "kubeconfig")
	secrets := e.Build(carvel.Secrets, e.Name)
	server := func(want string) resource.TestCheckFunc {
		return acctest.Has(secrets, "elsewhere-kubeconfig", func(obj *unstructured.Unstructured) error {
			value, _ := carvel.SecretValue(obj, "value")
			return acctest.TextHas(string(value), []string{want, "token: s3cret"}, []string{"unused"})
		})
	}
	first := config.Variables{"kubeconfig": text("one", "token: s3cret")}
	second := config.Variables{"kubeconfig": text("two", "token: s3cret")}
	written := func(host, version string) config.Variables {
		return config.Variables{"kubeconfig_wo": text(host, "token: s3cret"), "kubeconfig_wo_version": config.StringVariable(version)}
	}
	create, update := f.Step(first), f.Planned(plancheck.ResourceActionUpdate, second)
	create.Check, update.Check = server("https://one.example.com"), server("https://two.example.com")
	writeOnly := f.Planned(plancheck.ResourceActionUpdate, written("three", "1"))
	writeOnly.Check = resource.ComposeTestCheckFunc(
		server("https://three.example.com"),
		resource.TestCheckNoResourceAttr(address, "kubeconfig_wo"), resource.TestCheckNoResourceAttr(address, "kubeconfig"),
	)
	again := f.Planned(plancheck.ResourceActionUpdate, written("four", "2"))
	again.Check = server("https://four.example.com")
	edited := f.Planned(plancheck.ResourceActionUpdate, written("four", "2"))
	edited.PreConfig = func() { e.Patch(secrets, "elsewhere-kubeconfig", `{"data": {"value": null}}`) }
	edited.Check = server("https://four.example.com")
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			create, f.Quiet(first), update, f.Quiet(second), writeOnly, f.Quiet(written("three", "1")),
			f.Quiet(written("ignored", "1")), again, edited,
		},
		CheckDestroy: acctest.HasNot(secrets, "elsewhere-kubeconfig"),
	})
}

// TestAccKubeconfigSecret_refused is bad input, none of which writes anything.
func TestAccKubeconfigSecret_refused(t *testing.T) {
	e, f := fixture(t, "kubeconfig")
	const plugin = "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}"
	var steps []resource.TestStep
	for pattern, vars := range map[string]config.Variables{
		`cannot be used from the build cluster.*exec plugin`:                                         {"kubeconfig": text("one", plugin)},
		`with carvel_kubeconfig_secret.test.*kubeconfig_wo .*exec plugin|kubeconfig_wo.*exec plugin`: {"kubeconfig_wo": text("one", plugin), "kubeconfig_wo_version": config.StringVariable("1")},
		`tokenFile is a file path`: {"kubeconfig": text("one", "tokenFile: /var/run/token")},
		`not a kubeconfig`:         {"kubeconfig": config.StringVariable("s3cret: [")},
		`Exactly one of kubeconfig, kubeconfig_wo and service_account`: {},
		`Invalid namespace`: {"namespace": config.StringVariable("../x"), "kubeconfig": text("one", "token: s3cret")},
	} {
		steps = append(steps, f.Refused(pattern, vars))
	}
	exists := f.Refused(`already exists.*adopt_existing`, config.Variables{"kubeconfig": text("one", "token: s3cret")})
	exists.PreConfig = func() {
		e.Create(e.Build(carvel.Secrets, e.Name), acctest.Object(carvel.Secrets, "Secret", e.Name, "elsewhere-kubeconfig"))
	}
	resource.Test(t, resource.TestCase{Steps: append(steps, exists)})
}

// TestAccKubeconfigSecret_failedCreate: nothing is left in the state if
// nothing was made.
func TestAccKubeconfigSecret_failedCreate(t *testing.T) {
	e, f := fixture(t, "kubeconfig")
	vars := config.Variables{"kubeconfig": text("one", "token: s3cret"), "namespace": config.StringVariable(e.Name + "-nosuch")}
	fixed := config.Variables{"kubeconfig": text("one", "token: s3cret")}
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			f.Refused(`Unable to create kubeconfig secret.*namespaces.*not found`, vars),
			f.Planned(plancheck.ResourceActionCreate, fixed),
		},
	})
}
