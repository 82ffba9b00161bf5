package acctest

import (
	"regexp"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
)

// Fixture is a directory of Terraform files that a test applies with one set
// of variables after the other.
type Fixture struct {
	Env     *Env
	Dir     string // below testdata
	Address string // of the resource under test
}

// Step applies the fixture.
func (f Fixture) Step(vars config.Variables) resource.TestStep {
	return resource.TestStep{
		ProtoV6ProviderFactories: Providers,
		ConfigDirectory:          config.StaticDirectory("testdata/" + f.Dir),
		ConfigVariables:          f.Env.Vars(vars),
	}
}

// Planned applies the fixture and expects an action on the resource.
func (f Fixture) Planned(action plancheck.ResourceActionType, vars config.Variables) resource.TestStep {
	s := f.Step(vars)
	s.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(f.Address, action)}
	return s
}

// Quiet applies the fixture and expects that there is nothing to do.
func (f Fixture) Quiet(vars config.Variables) resource.TestStep {
	s := f.Step(vars)
	s.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}
	return s
}

// Refused expects an error that matches the pattern, white space aside, since
// Terraform breaks lines where it likes.
func (f Fixture) Refused(pattern string, vars config.Variables) resource.TestStep {
	s := f.Step(vars)
	s.ExpectError = regexp.MustCompile(`(?s)` + regexp.MustCompile(` +`).ReplaceAllString(pattern, `[\s│]+`))
	return s
}

// Imported imports the resource and compares it with the state, but for the
// attributes that only a configuration can tell.
func (f Fixture) Imported(id string, vars config.Variables, but ...string) resource.TestStep {
	s := f.Step(vars)
	s.ResourceName, s.ImportState, s.ImportStateId = f.Address, true, id
	s.ImportStateVerify, s.ImportStateVerifyIgnore = true, but
	return s
}

// ObjectVariable is a variable of an object type, from pairs of names and values.
func ObjectVariable(pairs ...any) config.Variable {
	m := map[string]config.Variable{}
	for i := 0; i < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		switch v := pairs[i+1].(type) {
		case string:
			m[name] = config.StringVariable(v)
		case bool:
			m[name] = config.BoolVariable(v)
		case int:
			m[name] = config.IntegerVariable(v)
		case config.Variable:
			m[name] = v
		default:
			panic("acctest: no variable for this type")
		}
	}
	return config.ObjectVariable(m)
}

// Identified applies the fixture and checks the resource's identity: pairs of
// names and values; a test with such a step needs Identity.
func (f Fixture) Identified(vars config.Variables, pairs ...string) resource.TestStep {
	s := f.Step(vars)
	identity := map[string]knownvalue.Check{}
	for i := 0; i < len(pairs); i += 2 {
		identity[pairs[i]] = knownvalue.StringExact(pairs[i+1])
	}
	s.ConfigStateChecks = []statecheck.StateCheck{statecheck.ExpectIdentity(f.Address, identity)}
	return s
}

// ImportedByIdentity imports the resource with an import block that names its
// identity, and expects that nothing is left to do.
func (f Fixture) ImportedByIdentity(vars config.Variables) resource.TestStep {
	s := f.Step(vars)
	s.ResourceName, s.ImportState, s.ImportStateKind = f.Address, true, resource.ImportBlockWithResourceIdentity
	return s
}
