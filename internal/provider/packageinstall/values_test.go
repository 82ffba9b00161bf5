package packageinstall_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

var one = big.NewFloat(1)

func every(t *testing.T) (*acctest.Env, acctest.Fixture, *acctest.Repository) {
	t.Helper()
	e, f, r := fixture(t)
	f.Dir = "every"
	return e, f, r
}

func texts(list ...string) config.Variable {
	variables := make([]config.Variable, len(list))
	for i, text := range list {
		variables[i] = config.StringVariable(text)
	}
	return config.ListVariable(variables...)
}

// holds checks what the values file says, as ytt reads it.
func holds(r *acctest.Repository, path, want string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		content, _ := r.Read(path)
		secret, err := carvel.ReadSecretFile([]byte(content))
		if err != nil {
			return err
		}
		texts, err := secret.Texts()
		if err != nil {
			return err
		}
		got, err := ytt.ParseValues([]byte(texts[installfiles.ValuesKey]))
		if err != nil {
			return err
		}
		values, err := ytt.ParseValues([]byte(want))
		if err == nil && !ytt.Same(values, got) {
			err = fmt.Errorf("the file holds\n%s\nwant\n%s", content, want)
		}
		return err
	}
}

// TestAccPackageInstall_sources lays the sources of values over each other.
func TestAccPackageInstall_sources(t *testing.T) {
	e, f, r := every(t)
	p := at(e, "staging")
	first := config.Variables{"values_yaml": texts("a: 1\nm: {x: yes, y2: '012'}\nl: [1, 2]\n", "# of prod\na: 2.0\nm: {z: null}\n---\nl: [3]\n")}
	create := f.Planned(plancheck.ResourceActionCreate, first)
	create.ConfigPlanChecks.PreApply = append(create.ConfigPlanChecks.PreApply,
		plancheck.ExpectKnownValue(address, tfjsonpath.New("files"), knownvalue.MapSizeExact(2)))
	create.Check = holds(r, p.params, "{a: 2.0, m: {x: true, y2: '012', z: null}, l: [3]}")

	over := config.Variables{"values_yaml": first["values_yaml"], "values": acctest.ObjectVariable("a", "text", "m", acctest.ObjectVariable("x", false))}
	update := f.Planned(plancheck.ResourceActionUpdate, over)
	update.Check = resource.ComposeTestCheckFunc(holds(r, p.params, "{a: text, m: {x: false, y2: '012', z: null}, l: [3]}"), r.HasCommits(p.dir, 2))

	reordered := config.Variables{"values_yaml": texts("{l: [3], m: {z: null, x: no, y2: '012'}, a: b}"), "values": over["values"]}
	same := f.Planned(plancheck.ResourceActionUpdate, reordered) // other texts that say the same
	same.ConfigPlanChecks.PreApply = append(same.ConfigPlanChecks.PreApply,
		plancheck.ExpectKnownValue(address, tfjsonpath.New("commit"), knownvalue.NotNull()))
	same.Check = r.HasCommits(p.dir, 2)

	drifted := f.Planned(plancheck.ResourceActionUpdate, reordered)
	drifted.PreConfig = func() {
		content, _ := r.Read(p.params)
		r.Write("Edit", map[string]string{p.params: strings.Replace(content, "a: text", "a: theirs", 1)})
	}
	drifted.Check = holds(r, p.params, "{a: text, m: {x: false, y2: '012', z: null}, l: [3]}")

	one := config.Variables{"values_yaml": texts("secret: s3cret\n")}
	alone := f.Planned(plancheck.ResourceActionUpdate, one)
	edited := f.Planned(plancheck.ResourceActionUpdate, one)
	edited.PreConfig = func() {
		content, _ := r.Read(p.params)
		r.Write("Edit", map[string]string{p.params: strings.Replace(content, "s3cret", "theirs", 1)})
	}
	edited.Check = holds(r, p.params, "secret: s3cret")

	extra := config.Variables{"extra_values_secrets": texts("more", "most")}
	without := f.Planned(plancheck.ResourceActionUpdate, extra)
	without.Check = resource.ComposeTestCheckFunc(r.HasNoFile(p.params), r.HasFile(p.install, "name: more"))
	both := config.Variables{"extra_values_secrets": texts("more", "most"), "values": acctest.ObjectVariable("a", 1)}
	with := f.Planned(plancheck.ResourceActionUpdate, both)
	with.Check = func(*terraform.State) error {
		content, _ := r.Read(p.install)
		if !strings.Contains(content, "values:\n  - secretRef:\n      name: "+e.Name+"-values\n  - secretRef:\n      name: more\n  - secretRef:\n      name: most\n") {
			return fmt.Errorf("the Secrets are not in order:\n%s", content)
		}
		return nil
	}
	empty := config.Variables{"values_yaml": texts("")}
	nothing := f.Step(empty)
	nothing.Check = holds(r, p.params, "{}")
	none := config.Variables{"values_yaml": texts(), "extra_values_secrets": texts(), "labels": acctest.ObjectVariable()}
	noFile := f.Step(none)
	noFile.Check = r.HasNoFile(p.params)
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			create, f.Quiet(first), update, f.Quiet(over), same, f.Quiet(reordered), drifted, f.Quiet(reordered), alone, edited, f.Quiet(one),
			without, f.Quiet(extra), with, f.Quiet(both), f.Imported(e.Package()+"/staging", both, "commit", "values.", "values_yaml.", "package_source", "resolved_version"), nothing, f.Quiet(empty), noFile, f.Quiet(none),
		},
		CheckDestroy: r.HasNoFile(p.params),
	})
}

// TestAccPackageInstall_sourcesRefused names the text that cannot be used, at plan.
func TestAccPackageInstall_sourcesRefused(t *testing.T) {
	e, f, r := every(t)
	var steps []resource.TestStep
	for pattern, text := range map[string]string{
		`Invalid values_yaml\[1\].*line 1: a ytt comment \(#@\)`:      "#@ load('x')\na: 1",
		`Invalid values_yaml\[1\].*line 2: the key "a" comes twice`:   "a: 1\na: 2",
		`Invalid values_yaml\[1\].*top level of values must be a map`: "- a",
		`Invalid values_yaml\[1\].*not YAML`:                          "a: [",
		`Invalid values_yaml\[1\].*put it in quotes`:                  "on: a",
	} {
		steps = append(steps, f.Refused(pattern, config.Variables{"values_yaml": texts("a: 1", text)}))
	}
	refuse := func(pattern string, vars config.Variables) { steps = append(steps, f.Refused(pattern, vars)) }
	refuse(`Invalid values_wo.*must be an object`, config.Variables{"values_wo": config.StringVariable("s3cret")})
	refuse(`values_wo`, config.Variables{"values_wo_version": config.StringVariable("1")})
	refuse(`1.8e308`, config.Variables{"values": acctest.ObjectVariable("a", huge{})})
	resource.Test(t, resource.TestCase{Steps: steps})
	if files := r.List(e.Package() + "/staging"); len(files) > 0 {
		t.Errorf("refused input left %v", files)
	}
}

// huge is a number that no YAML reader can hold.
type huge struct{ config.Variable }

func (huge) MarshalJSON() ([]byte, error) { return []byte("1" + strings.Repeat("0", 400)), nil }

// TestAccPackageInstall_writeOnly keeps values out of the state, and sees all the
// same that they change: in the configuration, without a new version, and in Git.
func TestAccPackageInstall_writeOnly(t *testing.T) {
	e, f, r := every(t)
	p := at(e, "staging")
	with := func(password string) config.Variables {
		return config.Variables{
			"values": acctest.ObjectVariable("replicas", 1), "values_wo": acctest.ObjectVariable("password", password), "hash_values_name": config.BoolVariable(true),
		}
	}
	noSecret := statecheck.ExpectKnownValue(address, tfjsonpath.New("values"), knownvalue.ObjectExact(map[string]knownvalue.Check{"replicas": knownvalue.NumberExact(one)}))
	step := func(action plancheck.ResourceActionType, password string) resource.TestStep {
		s := f.Planned(action, with(password))
		s.ConfigPlanChecks.PreApply = append(s.ConfigPlanChecks.PreApply,
			plancheck.ExpectKnownValue(address, tfjsonpath.New("files"), knownvalue.MapSizeExact(2)),
			plancheck.ExpectUnknownValue(address, tfjsonpath.New("commit")))
		s.ConfigStateChecks = []statecheck.StateCheck{noSecret, statecheck.ExpectKnownValue(address, tfjsonpath.New("values_wo"), knownvalue.Null())}
		s.Check = holds(r, p.params, "{replicas: 1, password: "+password+"}")
		return s
	}
	edited := step(plancheck.ResourceActionUpdate, "s3cret2")
	edited.PreConfig = func() {
		content, _ := r.Read(p.params)
		r.Write("Edit", map[string]string{p.params: strings.Replace(content, "s3cret2", "theirs", 1)})
	}
	removed := step(plancheck.ResourceActionUpdate, "s3cret2")
	removed.PreConfig = func() { r.Write("Remove", map[string]string{p.params: ""}) }
	replaced := step(plancheck.ResourceActionDestroyBeforeCreate, "s3cret2")
	replaced.Taint = []string{address}
	versioned := with("s3cret2")
	versioned["values_wo_version"] = config.StringVariable("2")
	version := f.Planned(plancheck.ResourceActionUpdate, versioned) // the same values: no commit
	version.ConfigPlanChecks.PreApply = append(version.ConfigPlanChecks.PreApply,
		plancheck.ExpectKnownValue(address, tfjsonpath.New("commit"), knownvalue.NotNull()))
	open := config.Variables{"values": acctest.ObjectVariable("replicas", 1, "password", "s3cret2"), "hash_values_name": config.BoolVariable(true)}
	opened := f.Planned(plancheck.ResourceActionUpdate, open)
	closed := step(plancheck.ResourceActionUpdate, "s3cret2")
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			step(plancheck.ResourceActionCreate, "s3cret1"), f.Quiet(with("s3cret1")), step(plancheck.ResourceActionUpdate, "s3cret2"), f.Quiet(with("s3cret2")),
			edited, f.Quiet(with("s3cret2")), removed, f.Quiet(with("s3cret2")), replaced, f.Quiet(with("s3cret2")), version, f.Quiet(versioned),
			opened, f.Quiet(open), f.Imported(e.Package()+"/staging", open, "commit", "values.", "values_yaml.", "package_source", "resolved_version"), closed, f.Quiet(with("s3cret2")),
		},
		CheckDestroy: resource.ComposeTestCheckFunc(r.HasNoFile(p.params), r.HasFile(p.keep)),
	})
}

// TestAccPackageInstall_toWriteOnly takes values that are the same out of the
// state, without a commit.
func TestAccPackageInstall_toWriteOnly(t *testing.T) {
	e, f, r := every(t)
	p := at(e, "staging")
	secret := func(password string) config.Variable { return acctest.ObjectVariable("password", password) }
	open, closed := config.Variables{"values": secret("s3cret1")}, config.Variables{"values_wo": secret("s3cret1")}
	kept := func(vars config.Variables) resource.TestStep {
		s := f.Planned(plancheck.ResourceActionUpdate, vars)
		s.ConfigPlanChecks.PreApply = append(s.ConfigPlanChecks.PreApply, plancheck.ExpectKnownValue(address, tfjsonpath.New("commit"), knownvalue.NotNull()))
		s.Check = r.HasCommits(p.dir, 1)
		return s
	}
	changed := f.Planned(plancheck.ResourceActionUpdate, config.Variables{"values_wo": secret("s3cret2")})
	changed.Check = holds(r, p.params, "password: s3cret2")
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Step(open), kept(closed), f.Quiet(closed), kept(open), f.Quiet(open), kept(closed), changed, f.Quiet(config.Variables{"values_wo": secret("s3cret2")}),
	}})
}

// TestAccPackageInstall_unknownWriteOnly has values that are known at apply alone.
func TestAccPackageInstall_unknownWriteOnly(t *testing.T) {
	e, f, r := fixture(t)
	f.Dir = "unknown"
	p := at(e, "staging")
	vars := func(password string) config.Variables {
		return config.Variables{"password": config.StringVariable(password)}
	}
	step := func(action plancheck.ResourceActionType, password string) resource.TestStep {
		s := f.Planned(action, vars(password))
		s.ConfigPlanChecks.PreApply = append(s.ConfigPlanChecks.PreApply, plancheck.ExpectUnknownValue(address, tfjsonpath.New("files")))
		s.Check = holds(r, p.params, "password: "+password)
		return s
	}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		step(plancheck.ResourceActionCreate, "s3cret1"), f.Quiet(vars("s3cret1")), step(plancheck.ResourceActionUpdate, "s3cret2"), f.Quiet(vars("s3cret2")),
	}})
}
