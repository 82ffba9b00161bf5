package app_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"filippo.io/age"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccApp_kinds writes an App that says everything that one may say, and
// reads all of it back.
func TestAccApp_kinds(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	f := acctest.Fixture{Env: e, Dir: "kinds", Address: address}
	apps := e.Build(carvel.Apps, e.Name)
	edited := config.Variables{"edited": config.BoolVariable(true)}
	create := f.Planned(plancheck.ResourceActionCreate, nil)
	create.Check = resource.ComposeTestCheckFunc(
		acctest.Has(apps, e.Name, acctest.Field("1h30m0s", "spec", "syncPeriod")),
		acctest.Has(apps, e.Name, absent("canceled")),
		acctest.Has(apps, e.Name, element("map[semver:map[prereleases:map[]]]", "fetch", 2, "git", "refSelection")),
		acctest.Has(apps, e.Name, element("0", "fetch", 0, "git", "depth")),
	)
	update := f.Planned(plancheck.ResourceActionUpdate, edited)
	update.Check = acctest.Has(apps, e.Name, element("2", "fetch", 1, "git", "depth"))
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			create, f.Quiet(nil), f.Imported(e.Name+"/"+e.Name, nil, "canceled"), update, f.Quiet(edited),
		},
		CheckDestroy: acctest.HasNot(apps, e.Name),
	})
}

func absent(field string) func(*unstructured.Unstructured) error {
	return func(obj *unstructured.Unstructured) error {
		if _, found, err := unstructured.NestedFieldNoCopy(obj.Object, "spec", field); found || err != nil {
			return fmt.Errorf("spec.%s is written (%w)", field, err)
		}
		return nil
	}
}

// element checks a field of an element of a list in the spec.
func element(want, list string, i int, fields ...string) func(*unstructured.Unstructured) error {
	return func(obj *unstructured.Unstructured) error {
		all, _, err := unstructured.NestedSlice(obj.Object, "spec", list)
		if err != nil || i >= len(all) {
			return fmt.Errorf("spec.%s has %d elements (%w)", list, len(all), err)
		}
		m, _ := all[i].(map[string]any)
		got, _, err := unstructured.NestedFieldNoCopy(m, fields...)
		if text := fmt.Sprint(got); text != want || err != nil {
			return fmt.Errorf("spec.%s[%d].%v is %q, want %q (%w)", list, i, fields, text, want, err)
		}
		return nil
	}
}

// elements checks how many elements a list in the spec has.
func elements(list string, want int) func(*unstructured.Unstructured) error {
	return func(obj *unstructured.Unstructured) error {
		all, _, err := unstructured.NestedSlice(obj.Object, "spec", list)
		if err != nil || len(all) != want {
			return fmt.Errorf("spec.%s has %d elements, want %d (%w)", list, len(all), want, err)
		}
		return nil
	}
}

// withCredentials are the variables of a fixture whose App has Git credentials
// of its own.
// conflict is a field that somebody else has written in the meantime.
var conflict = regexp.MustCompile(`(?s)Another field manager owns.*password`)

func withCredentials(e *acctest.Env, more config.Variables) config.Variables {
	vars := config.Variables{
		"git_username": config.StringVariable(e.Lab.Git.Username), "git_password": config.StringVariable(e.Lab.Git.Password),
	}
	maps.Copy(vars, more)
	return vars
}

// TestAccApp_packages delivers a package by its name, with Git credentials that
// the App brings along.
func TestAccApp_packages(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	r := e.Repository()
	e.CommitPackages(r)
	f := acctest.Fixture{Env: e, Dir: "packages", Address: address}
	apps, secrets := e.Build(carvel.Apps, e.Name), e.Build(carvel.Secrets, e.Name)
	name := e.Name + "-app" // the PackageInstall has the test's
	own := name + "-git"
	paths := "[" + e.Package() + "/packages " + e.Package() + "/staging]"
	first := withCredentials(e, nil)
	second := withCredentials(e, config.Variables{"credentials_version": config.StringVariable("2")})

	create := f.Planned(plancheck.ResourceActionCreate, first)
	create.Check = resource.ComposeTestCheckFunc(
		acctest.Has(apps, name, element("<nil>", "fetch", 0, "git", "subPath")),
		acctest.Has(apps, name, element(own, "fetch", 0, "git", "secretRef", "name")),
		acctest.Has(apps, name, element(paths, "template", 0, "ytt", "paths")),
		acctest.Has(apps, name, elements("fetch", 1)),
		acctest.Has(secrets, own, acctest.Field("Opaque", "type")),
		acctest.Has(e.Staging(acctest.ConfigMaps, e.Name), e.Name, acctest.Field(acctest.FirstVersion, "data", "version")),
		resource.TestCheckResourceAttr(address, "secrets."+own, "password, username"),
		resource.TestCheckNoResourceAttr(address, "git_credentials.password_wo"),
	)
	edited := f.Planned(plancheck.ResourceActionUpdate, second)
	edited.PreConfig = func() { e.Patch(secrets, own, `{"data": {"password": "d3Jvbmc="}}`) }
	edited.ExpectError = conflict
	deleted := f.Planned(plancheck.ResourceActionUpdate, second)
	deleted.PreConfig = func() { e.Delete(secrets, own) }
	deleted.Check = acctest.Has(secrets, own, func(secret *unstructured.Unstructured) error {
		if got, _ := carvel.SecretValue(secret, "password"); string(got) != e.Lab.Git.Password {
			return errors.New("the Secret was not written again")
		}
		return nil
	})
	third := maps.Clone(second)
	third["fetch_per_package"] = config.BoolVariable(true)
	each := f.Planned(plancheck.ResourceActionUpdate, third)
	each.Check = resource.ComposeTestCheckFunc(
		acctest.Has(apps, name, element(e.Package()+"/packages", "fetch", 0, "git", "subPath")),
		acctest.Has(apps, name, element(e.Package()+"/staging", "fetch", 1, "git", "subPath")),
		acctest.Has(apps, name, element(own, "fetch", 1, "git", "secretRef", "name")),
		acctest.Has(apps, name, element("map[]", "template", 0, "ytt")),
	)
	together := f.Planned(plancheck.ResourceActionUpdate, second)
	together.Check = acctest.Has(apps, name, elements("fetch", 1))
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			create, f.Quiet(first), edited, deleted, f.Quiet(second), each, f.Quiet(third),
			f.Imported(e.Name+"/"+name, third, "field_manager", "status", "git_credentials", "git_secret_ref", "secrets", "wait_for_commits"), together,
			f.Imported(e.Name+"/"+name, second, "field_manager", "status", "git_credentials", "git_secret_ref", "secrets", "wait_for_commits"),
		},
		CheckDestroy: resource.ComposeTestCheckFunc(
			acctest.HasNot(apps, name), acctest.HasNot(secrets, own), acctest.Has(secrets, "git", nil),
		),
	})
}

// TestAccApp_sops delivers encrypted values with an age key that the App brings
// along. A key that is none of the values' recipients fails with the
// controller's words.
func TestAccApp_sops(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	r := e.Repository()
	e.CommitPackages(r)
	f := acctest.Fixture{Env: e, Dir: "sops", Address: address}
	identity := func() *age.X25519Identity {
		key, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	key, other := identity(), identity()
	with := func(key *age.X25519Identity, version string) config.Variables {
		return config.Variables{
			"recipient": config.StringVariable(key.Recipient().String()), "age_key": config.StringVariable(key.String()), "age_key_version": config.StringVariable(version),
		}
	}
	good, wrong := with(key, "1"), with(key, "2")
	wrong["age_key"] = config.StringVariable(other.String())
	name := e.Name + "-app"
	paths := "[" + e.Package() + "/packages " + e.Package() + "/staging]"
	create := f.Planned(plancheck.ResourceActionCreate, good)
	create.Check = resource.ComposeTestCheckFunc(
		acctest.Has(e.Build(carvel.Apps, e.Name), name, element(name+"-sops-age", "template", 0, "sops", "age", "privateKeysSecretRef", "name")),
		acctest.Has(e.Build(carvel.Apps, e.Name), name, element(paths, "template", 0, "sops", "paths")),
		acctest.Has(e.Build(carvel.Apps, e.Name), name, element(paths, "template", 1, "ytt", "paths")),
		acctest.Has(e.Staging(carvel.Secrets, e.Name), e.Name+"-values", nil),
		resource.TestCheckNoResourceAttr(address, "sops_age_key_wo"),
	)
	rotated := f.Refused(`Unable to update app.*failed in the template stage`, wrong)
	mended := f.Planned(plancheck.ResourceActionUpdate, with(key, "3"))
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{create, f.Quiet(good), rotated, mended, f.Quiet(with(key, "3"))},
		CheckDestroy: acctest.HasNot(e.Build(carvel.Secrets, e.Name), name+"-sops-age"),
	})
}

// TestAccApp_createDirectories: an App of packages that nobody has committed yet fails,
// and says what is missing; with create_directories it succeeds. Destroying it leaves the
// directories.
func TestAccApp_createDirectories(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	r := e.Repository()
	e.RemoveDirectory(r, e.Package())
	f := acctest.Fixture{Env: e, Dir: "directories", Address: address}
	made := config.Variables{"create_directories": config.BoolVariable(true)}
	kept := func(*terraform.State) error {
		if got := r.List(e.Package()); !slices.Equal(got, []string{e.Package() + "/packages/.gitkeep", e.Package() + "/staging/.gitkeep"}) {
			return fmt.Errorf("the branch has %q", got)
		}
		return nil
	}
	failed := f.Refused(`Unable to create app.*failed in the template stage.*Checking file.*no such file or directory.*lacks: `+
		e.Package()+`/packages, `+e.Package()+`/staging.*create_directories = true`, nil)
	mended := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, made)
	mended.Check = kept
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{failed, mended, f.Quiet(made)}, CheckDestroy: kept})
}
