package kubeconfigsecret_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccKubeconfigSecret_type: the API does not let a Secret's type change.
func TestAccKubeconfigSecret_type(t *testing.T) {
	e, f := fixture(t, "kubeconfig")
	secrets := e.Build(carvel.Secrets, e.Name)
	typed := func(name string) config.Variables {
		return config.Variables{"kubeconfig": text("one", "token: s3cret"), "type": config.StringVariable(name)}
	}
	is := func(want string) resource.TestCheckFunc {
		return acctest.Has(secrets, "elsewhere-kubeconfig", acctest.Field(want, "type"))
	}
	create := f.Step(typed("example.com/a"))
	create.Check = is("example.com/a")
	replaced := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, typed("example.com/b"))
	replaced.Check = is("example.com/b")
	theirs := f.Refused(`already exists.*this resource did not make it`, typed("example.com/b"))
	theirs.PreConfig = func() {
		e.Delete(secrets, "elsewhere-kubeconfig")
		e.Create(secrets, acctest.Object(carvel.Secrets, "Secret", e.Name, "elsewhere-kubeconfig"))
	}
	again := f.Planned(plancheck.ResourceActionCreate, typed("example.com/b"))
	again.PreConfig = func() { e.Delete(secrets, "elsewhere-kubeconfig") }
	again.Check = is("example.com/b")
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			f.Refused(`not a kubeconfig`, typed("kubernetes.io/tls")),
			create, f.Quiet(typed("example.com/a")), f.Imported(e.Name+"/elsewhere-kubeconfig", typed("example.com/a"), "kubeconfig", "run_cluster"),
			replaced, theirs, again, f.Quiet(typed("example.com/b")),
		},
		CheckDestroy: acctest.HasNot(secrets, "elsewhere-kubeconfig"),
	})
}

// TestAccKubeconfigSecret_kept changes something else than the kubeconfig: what
// was written stays, also if the configuration has another now.
func TestAccKubeconfigSecret_kept(t *testing.T) {
	e, f := fixture(t, "kubeconfig")
	secrets := e.Build(carvel.Secrets, e.Name)
	with := func(host, team string) config.Variables {
		return config.Variables{
			"kubeconfig_wo": text(host, "token: s3cret"), "kubeconfig_wo_version": config.StringVariable("1"), "labels": acctest.ObjectVariable("team", team),
		}
	}
	update := f.Planned(plancheck.ResourceActionUpdate, with("two", "b"))
	update.Check = resource.ComposeTestCheckFunc(
		acctest.Has(secrets, "elsewhere-kubeconfig", acctest.Field("b", "metadata", "labels", "team")),
		resource.TestCheckResourceAttr(address, "server", "https://one.example.com"))
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Step(with("one", "a")), update, f.Quiet(with("two", "b"))}})
}

// TestAccKubeconfigSecret_failedWrite: a token that was made for a kubeconfig
// that could not be written is revoked.
func TestAccKubeconfigSecret_failedWrite(t *testing.T) {
	e, f := fixture(t, "service_account")
	nowhere := e.Name + "-nosuch"
	refused := f.Refused(`Unable to create kubeconfig secret.*namespaces.*not found`, config.Variables{"build_namespace": config.StringVariable(nowhere)})
	fixed := f.Planned(plancheck.ResourceActionCreate, nil)
	fixed.PreConfig = func() {
		if err := e.HasTokenSecrets(e.Name+"-sa", nowhere+"/staging-kubeconfig", 0)(nil); err != nil {
			t.Error(err)
		}
	}
	fixed.Check = acctest.Has(e.Build(carvel.Secrets, e.Name), "staging-kubeconfig", usableAs(e, "value"))
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{refused, fixed, f.Quiet(nil)}})
}

// TestAccKubeconfigSecret_findings: each thing that is wrong has a message of
// its own, at plan or, for what is not known then, at apply.
func TestAccKubeconfigSecret_findings(t *testing.T) {
	_, f := fixture(t, "kubeconfig")
	unknown, account := f, f
	unknown.Dir, account.Dir = "unknown", "service_account"
	const wrong = "tokenFile: /t, client-certificate: /c, exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}"
	const three = `Error: The kubeconfig cannot be used.*exec plugin.*Error: The kubeconfig cannot be used.*tokenFile.*Error: The kubeconfig cannot be used.*client-certificate`
	source := config.StringVariable("request")
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Refused(three, config.Variables{"kubeconfig": text("one", wrong)}),
		f.Refused(three, config.Variables{"kubeconfig_wo": text("one", wrong), "kubeconfig_wo_version": config.StringVariable("1")}),
		unknown.Refused(three, config.Variables{"kubeconfig_wo": text("one", wrong)}),
		account.Refused(`does not expire`, config.Variables{"expiration_seconds": config.IntegerVariable(3600)}),
		account.Refused(`between 600`, config.Variables{"expiration_seconds": config.IntegerVariable(599), "token_source": source}),
		account.Refused(`token_source`, config.Variables{"token_source": config.StringVariable("file")}),
	}})
}
