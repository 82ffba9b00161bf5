package examples_test

import (
	"encoding/base64"
	"testing"

	"filippo.io/age"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccEncryptedDelivery: the guide about encrypted values. What is unreadable in Git is readable where it is used.
func TestAccEncryptedDelivery(t *testing.T) {
	e, r := prepared(t)
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	f := acctest.Fixture{Env: e, Dir: "encrypted", Address: "carvel_app.test"}
	dir := e.Package() + "/staging/"
	vars := func(password string) config.Variables {
		return config.Variables{
			"recipient": config.StringVariable(key.Recipient().String()),
			"age_key":   config.StringVariable(key.String()),
			"password":  config.StringVariable(password),
		}
	}
	arrived := func(texts ...string) resource.TestCheckFunc {
		return acctest.Has(e.Staging(carvel.Secrets, e.Name), e.Name+"-values", func(secret *unstructured.Unstructured) error {
			text, _, err := unstructured.NestedString(secret.Object, "data", installfiles.ValuesKey)
			if err != nil {
				return err
			}
			plain, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return err
			}
			return acctest.TextHas(string(plain), texts, nil)
		})
	}
	create := f.Planned(plancheck.ResourceActionCreate, vars("first"))
	create.Check = resource.ComposeTestCheckFunc(
		arrived("hostname: app.example.com", "password: first"),
		r.HasFile(dir+"params.sops.yaml", "ENC[AES256_GCM,"), r.HasNoFile(dir+"params.yaml"),
		acctest.Has(e.Staging(acctest.ConfigMaps, e.Name), e.Name, acctest.Field("1.0.0", "data", "version")),
	)
	update := f.Planned(plancheck.ResourceActionUpdate, vars("second"))
	update.Check = arrived("password: second")
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{create, f.Quiet(vars("first")), update, f.Quiet(vars("second"))},
		CheckDestroy: resource.ComposeTestCheckFunc(r.HasNoFile(dir+"params.sops.yaml"), r.HasFile(dir+".gitkeep")),
	})
}
