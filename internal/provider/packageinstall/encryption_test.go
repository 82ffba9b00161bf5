package packageinstall_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/sops"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func ageKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func recipients(keys ...*age.X25519Identity) config.Variable {
	var list []config.Variable
	for _, k := range keys {
		list = append(list, config.StringVariable(k.Recipient().String()))
	}
	return config.ListVariable(list...)
}

// decrypts checks what the owner of a key reads in a file, and that nobody else does.
func decrypts(r *acctest.Repository, path string, key *age.X25519Identity, texts ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		file, ok := r.Read(path)
		if !ok {
			return fmt.Errorf("%s is not in the repository", path)
		}
		if err := acctest.TextHas(file, []string{"kind: Secret", "ENC[AES256_GCM,"}, texts); err != nil {
			return err
		}
		plain, err := sops.Decrypt([]byte(file), key.String())
		if err != nil {
			return err
		}
		return acctest.TextHas(string(plain), texts, []string{"ENC["})
	}
}

// TestAccPackageInstall_encryption: the values are encrypted, written again only when they or their readers change, and replaced when
// somebody else has written the file.
func TestAccPackageInstall_encryption(t *testing.T) {
	e, f, r := fixture(t)
	f.Dir = "encryption"
	e.CommitPackages(r)
	one, two := ageKey(t), ageKey(t)
	p := at(e, "staging")
	encrypted := p.dir + "/params.sops.yaml"
	with := func(replicas int, keys config.Variable, more config.Variables) config.Variables {
		vars := config.Variables{"values": acctest.ObjectVariable("workload_name", "app", "replicas", replicas)}
		if keys != nil {
			vars["recipients"] = keys
		}
		maps.Copy(vars, more)
		return vars
	}
	wo := config.Variables{"values_wo": acctest.ObjectVariable("password", "s3cret")}

	create := f.Planned(plancheck.ResourceActionCreate, with(1, recipients(one), nil))
	create.ConfigPlanChecks.PreApply = append(create.ConfigPlanChecks.PreApply,
		plancheck.ExpectKnownValue(address, tfjsonpath.New("files").AtMapKey(encrypted), knownvalue.StringRegexp(regexp.MustCompile(`values\.yaml: \(sensitive value\)`))))
	create.ConfigStateChecks = []statecheck.StateCheck{statecheck.ExpectKnownValue(address, tfjsonpath.New("files"), knownvalue.MapSizeExact(2))}
	create.Check = resource.ComposeTestCheckFunc(
		decrypts(r, encrypted, one, "replicas: 1", "workload_name: app"), r.HasNoFile(p.params), r.HasFile(p.install, "name: "+e.Name+"-values"))
	var before string
	bumped := with(1, recipients(one), config.Variables{"version_constraint": config.StringVariable(">=1.0.0 <1.1.0")})
	bump := f.Planned(plancheck.ResourceActionUpdate, bumped) // of the other file
	bump.PreConfig = func() { before, _ = r.Read(encrypted) }
	bump.Check = func(*terraform.State) error {
		if after, _ := r.Read(encrypted); after != before {
			return errors.New("values that did not change were encrypted again")
		}
		return r.HasFile(p.install, "<1.1.0")(nil)
	}
	readers := f.Planned(plancheck.ResourceActionUpdate, with(1, recipients(one, two), nil))
	readers.Check = resource.ComposeTestCheckFunc(decrypts(r, encrypted, two, "replicas: 1"), decrypts(r, encrypted, one, "replicas: 1"), r.HasCommits(p.dir, 3))
	secret := f.Planned(plancheck.ResourceActionUpdate, with(1, recipients(one, two), wo))
	secret.Check = decrypts(r, encrypted, one, "password: s3cret")
	hashed := f.Planned(plancheck.ResourceActionUpdate, with(2, recipients(one, two), config.Variables{"hash_values_name": config.BoolVariable(true), "values_wo": wo["values_wo"]}))
	hashed.Check = resource.ComposeTestCheckFunc(decrypts(r, encrypted, one, "replicas: 2"), r.HasFile(encrypted, "name: "+e.Name+"-values-"))
	theirs := f.Planned(plancheck.ResourceActionUpdate, with(1, recipients(one), nil))
	theirs.PreConfig = func() {
		file, err := sops.Encrypt([]byte("apiVersion: v1\nkind: Secret\nmetadata:\n  name: "+e.Name+"-values\nstringData:\n  values.yaml: theirs\n"),
			[]string{two.Recipient().String()}, testTime)
		if err != nil {
			t.Fatal(err)
		}
		r.Write("Encrypt for myself", map[string]string{encrypted: string(file)})
	}
	theirs.Check = decrypts(r, encrypted, one, "replicas: 1")
	open := f.Planned(plancheck.ResourceActionUpdate, with(1, nil, nil))
	open.Check = resource.ComposeTestCheckFunc(r.HasNoFile(encrypted), r.HasFile(p.params, "replicas: 1"))
	again := f.Planned(plancheck.ResourceActionUpdate, with(1, recipients(one), nil))
	again.Check = resource.ComposeTestCheckFunc(r.HasNoFile(p.params), decrypts(r, encrypted, one, "replicas: 1"))
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			create, f.Quiet(with(1, recipients(one), nil)),
			// What only a configuration can tell is not imported.
			f.Imported(e.Package()+"/staging", with(1, recipients(one), nil), "values", "commit", "timeouts"),
			bump, f.Quiet(bumped), readers, f.Quiet(with(1, recipients(one, two), nil)),
			secret, f.Quiet(with(1, recipients(one, two), wo)),
			hashed,
			f.Planned(plancheck.ResourceActionUpdate, with(1, recipients(one), nil)), theirs, f.Quiet(with(1, recipients(one), nil)),
			open, again, f.Quiet(with(1, recipients(one), nil)),
		},
		CheckDestroy: resource.ComposeTestCheckFunc(r.HasNoFile(encrypted), r.HasNoFile(p.install), r.HasFile(p.keep)),
	})
}

func TestAccPackageInstall_encryptionRefused(t *testing.T) {
	_, f, _ := fixture(t)
	f.Dir = "encryption"
	values := acctest.ObjectVariable("workload_name", "app")
	key := ageKey(t)
	refused := f.Refused(`Problem: this is a private key`, config.Variables{"values": values, "recipients": config.ListVariable(config.StringVariable(key.String()))})
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Refused(`encryption.age_recipients.*Problem: "age1nobody" is not an age recipient`,
			config.Variables{"values": values, "recipients": config.ListVariable(config.StringVariable("age1nobody"))}),
		refused,
	}})
	if strings.Contains(fmt.Sprint(refused.ExpectError), "AGE-SECRET") {
		t.Error("the key is expected in the error")
	}
}
