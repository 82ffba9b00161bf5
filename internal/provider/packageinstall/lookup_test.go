package packageinstall_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// appValues is a schema as ytt makes it.
const appValues = `{
  workload_name: {type: string, default: ""},
  replicas: {type: integer, default: 1, minimum: 1, maximum: 10},
  ingress: {type: object, additionalProperties: false, properties: {
    hosts: {type: array, default: [], items: {type: object, additionalProperties: false, properties: {name: {type: string, default: ""}}}}}},
  password: {type: string, nullable: true, default: null}}`

// lookups is a test's package in versions 1.0.0, 1.1.0 and 2.0.0-rc.1, and a fixture that follows them.
func lookups(t *testing.T) (*acctest.Env, acctest.Fixture, *acctest.Repository) {
	t.Helper()
	t.Parallel()
	e := acctest.New(t)
	r := e.Repository()
	r.Write("Add versions of "+e.Package(), map[string]string{
		e.PackagePath("1.0.0"):      e.PackageFileWithSchema("1.0.0", appValues),
		e.PackagePath("1.1.0"):      e.PackageFileWithSchema("1.1.0", appValues),
		e.PackagePath("2.0.0-rc.1"): e.PackageFileWithSchema("2.0.0-rc.1", appValues),
	})
	e.RemoveDirectory(r, e.Package())
	return e, acctest.Fixture{Env: e, Dir: "lookup", Address: address}, r
}

func text(s string) config.Variable { return config.StringVariable(s) }

// with is the least that the package needs, and more.
func with(pairs ...any) config.Variable {
	return acctest.ObjectVariable(append([]any{"workload_name", "app"}, pairs...)...)
}

func resolves(version string) []statecheck.StateCheck {
	return []statecheck.StateCheck{statecheck.ExpectKnownValue(address, tfjsonpath.New("resolved_version"), knownvalue.StringExact(version))}
}

func plans(version string) plancheck.PlanCheck {
	return plancheck.ExpectKnownValue(address, tfjsonpath.New("resolved_version"), knownvalue.StringExact(version))
}

// TestAccPackageInstall_noMatch: a constraint that no version meets is an error of the plan, with what there is.
func TestAccPackageInstall_noMatch(t *testing.T) {
	e, f, r := lookups(t)
	unchecked := f.Step(config.Variables{"version_constraint": text("9.9.9"), "values": with(), "package_source": text("none")})
	unchecked.ConfigStateChecks = []statecheck.StateCheck{statecheck.ExpectKnownValue(address, tfjsonpath.New("resolved_version"), knownvalue.Null())}
	empty := f.Refused(`There is no Package of `+e.Package()+` in `, config.Variables{"values": with()})
	empty.PreConfig = func() {
		r.Write("Remove", map[string]string{
			e.PackagePath("1.0.0"): "", e.PackagePath("1.1.0"): "", e.PackagePath("2.0.0-rc.1"): "", e.Package() + "/packages/README.md": "none yet\n",
		})
	}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Refused(`No version of .*"9.9.9" matches none of the versions.*Available: 2.0.0-rc.1, 1.1.0, 1.0.0\.`,
			config.Variables{"version_constraint": text("9.9.9"), "values": with()}),
		f.Refused(`Version 2.0.0-rc.1 would match, but it is a prerelease. Set prereleases = {}`,
			config.Variables{"version_constraint": text(">1.1.0"), "values": with()}),
		f.Refused(`There is no directory nosuch.acc.test/packages on branch main.*package_source = "cluster".*"none"`,
			config.Variables{"package_name": text("nosuch.acc.test"), "values": with()}),
		unchecked, f.Quiet(config.Variables{"version_constraint": text("9.9.9"), "values": with(), "package_source": text("none")}),
		empty,
	}})
	if files := r.List(e.Package() + "/staging"); len(files) != 1 {
		t.Errorf("after the destroy %v are left", files)
	}
}

// TestAccPackageInstall_resolvedVersion is known at plan, and follows the repository without a commit.
func TestAccPackageInstall_resolvedVersion(t *testing.T) {
	e, f, r := lookups(t)
	vars := config.Variables{"version_constraint": text(">=1.0.0 <2.0.0-a"), "values": with()}
	create := f.Step(vars)
	create.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plans("1.1.0")}
	create.ConfigStateChecks = resolves("1.1.0")
	newer := f.Quiet(vars)
	newer.PreConfig = func() {
		r.Write("Add 1.2.0", map[string]string{e.PackagePath("1.2.0"): e.PackageFileWithSchema("1.2.0", appValues)})
	}
	newer.ConfigStateChecks = resolves("1.2.0")
	newer.Check = r.HasCommits(e.Package()+"/staging", 1)
	pre := config.Variables{"version_constraint": text(">=1.0.0"), "values": with(), "prereleases": config.ObjectVariable(map[string]config.Variable{})}
	prerelease := f.Planned(plancheck.ResourceActionUpdate, pre)
	prerelease.ConfigStateChecks = resolves("2.0.0-rc.1")
	imported := f.Imported(e.Package()+"/staging", pre, "commit", "values.")
	nowhere := f.Refused(`Missing namespace`, config.Variables{"version_constraint": text(">=1.0.0 <2.0.0-a"), "values": with(), "package_source": text("cluster")})
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{create, f.Quiet(vars), nowhere, newer, prerelease, f.Quiet(pre), imported}})
}

// TestAccPackageInstall_downgrade needs a permission, which is committed with the version.
func TestAccPackageInstall_downgrade(t *testing.T) {
	e, f, r := lookups(t)
	high := config.Variables{"version_constraint": text("1.1.0"), "values": with()}
	low := config.Variables{"version_constraint": text("1.0.0"), "values": with()}
	allowed := config.Variables{"version_constraint": text("1.0.0"), "values": with(), "allow_downgrade": config.BoolVariable(true)}
	down := f.Planned(plancheck.ResourceActionUpdate, allowed)
	down.ConfigPlanChecks.PreApply = append(down.ConfigPlanChecks.PreApply, plans("1.0.0"))
	down.Check = r.HasFile(e.Package()+"/staging/packageinstall.yaml", "constraints: 1.0.0", `packaging.carvel.dev/downgradable: ""`)
	byHand := f.Refused(`Downgrade of .*installs version 1.1.0 on staging.*goes down to 1.0.0`, low)
	byHand.PreConfig = func() {
		path := e.Package() + "/staging/packageinstall.yaml"
		content, _ := r.Read(path)
		r.Write("Edit", map[string]string{path: strings.ReplaceAll(content, "constraints: 1.0.0", "constraints: 1.1.0")})
	}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Step(high), f.Refused(`Downgrade of .*installs version 1.1.0 on staging.*goes down to 1.0.0.*allow_downgrade = true`, low),
		down, f.Quiet(allowed), byHand, f.Planned(plancheck.ResourceActionUpdate, allowed),
	}})
}

// refusedValues are values that the package does not take, each with the attribute and the reason that the plan names.
func refusedValues(t *testing.T, cases map[string]config.Variables) {
	t.Helper()
	_, f, _ := lookups(t)
	var steps []resource.TestStep
	for pattern, vars := range cases {
		steps = append(steps, f.Refused(pattern, vars))
	}
	resource.Test(t, resource.TestCase{Steps: steps})
}

func TestAccPackageInstall_unknownKey(t *testing.T) {
	host := config.ObjectVariable(map[string]config.Variable{"nam": text("a.example.com")})
	refusedValues(t, map[string]config.Variables{
		`Invalid values.replica\b.*Did you mean replicas\?.*values schema of .* 1.1.0`: {"values": with("replica", 2)},
		`Invalid values.ingress.hosts\[0\].nam\b.*Did you mean name\?`:                 {"values": with("ingress", config.ObjectVariable(map[string]config.Variable{"hosts": config.ListVariable(host)}))},
		`Invalid values_yaml\[1\].replica\b.*Did you mean replicas\?`:                  {"values_yaml": config.ListVariable(text("workload_name: app"), text("replica: 2"))},
		`Invalid values_wo.passwrd\b.*Did you mean password\?`:                         {"values": with(), "values_wo": acctest.ObjectVariable("passwrd", "s3cret")},
		`Invalid values.replica\b.*values schema of .* 1.0.0`:                          {"values": with("replica", 2), "version_constraint": text("1.0.0")},
		`Invalid values.extra\b`: {"values": with("extra", 2), "extra_values_secrets": config.ListVariable(text("more"))},
	})
}

func TestAccPackageInstall_wrongType(t *testing.T) {
	refusedValues(t, map[string]config.Variables{
		`Invalid values.replicas\b.*wants an integer; this is a string. Write it without quotes`: {"values": with("replicas", "2")},
		`Invalid values.workload_name\b.*wants a string; this is an integer. Quote it`:           {"values": acctest.ObjectVariable("workload_name", 5)},
		`Invalid values.replicas\b.*nothing above 10`:                                            {"values": with("replicas", 11)},
		`Invalid values_yaml\[0\].replicas\b.*written as a float`:                                {"values": with(), "values_yaml": config.ListVariable(text("replicas: 2.0"))},
		`Invalid values_wo.password\b.*wants a string; this is a boolean`:                        {"values": with(), "values_wo": acctest.ObjectVariable("password", true)},
	})
}

func TestAccPackageInstall_null(t *testing.T) {
	refusedValues(t, map[string]config.Variables{
		`Invalid values_yaml\[0\].replicas\b.*does not allow null`: {"values": with(), "values_yaml": config.ListVariable(text("replicas: null\npassword: null"))},
	})
}

// TestAccPackageInstall_workloadName: the value that every package of a supply chain needs.
func TestAccPackageInstall_workloadName(t *testing.T) {
	_, f, _ := lookups(t)
	elsewhere := config.Variables{"values": acctest.ObjectVariable("replicas", 2), "extra_values_secrets": config.ListVariable(text("more"))}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Refused(`Invalid values.workload_name\b.*needs a value for it`, nil),
		f.Refused(`Invalid values.workload_name\b.*needs a value for it`, config.Variables{"values": acctest.ObjectVariable("replicas", 2)}),
		f.Refused(`Invalid values.workload_name\b.*needs a value for it`, config.Variables{"values": acctest.ObjectVariable("workload_name", "")}),
		f.Step(elsewhere), f.Quiet(elsewhere),
	}})
}

// TestAccPackageInstall_decidedAtApply: what the plan cannot know is checked before anything is written.
func TestAccPackageInstall_decidedAtApply(t *testing.T) {
	e, f, r := lookups(t)
	later := func(constraint string, values config.Variable) config.Variables {
		return config.Variables{"later": config.BoolVariable(true), "version_constraint": text(constraint), "values": values}
	}
	good := f.Step(later("1.0.0", with("replicas", 3)))
	good.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectUnknownValue(address, tfjsonpath.New("resolved_version"))}
	good.ConfigStateChecks = resolves("1.0.0")
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Refused(`"9.9.9" matches none`, later("9.9.9", with())),
		f.Refused(`Invalid values.replica\b`, later("1.0.0", with("replica", 3))),
		{PreConfig: func() {
			if files := r.List(e.Package() + "/staging"); len(files) > 0 {
				t.Errorf("a refused apply left %v", files)
			}
		}, ProtoV6ProviderFactories: good.ProtoV6ProviderFactories, ConfigDirectory: good.ConfigDirectory, ConfigVariables: good.ConfigVariables, Destroy: true},
		good, f.Quiet(later("1.0.0", with("replicas", 3))),
	}})
}

// TestAccPackageInstall_packageSourceCluster looks at what the run cluster offers.
func TestAccPackageInstall_packageSourceCluster(t *testing.T) {
	e, f, _ := lookups(t)
	e.Create(e.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
	for _, version := range []string{"3.0.0", "3.1.0"} {
		var obj unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(e.PackageFileWithSchema(version, appValues)), &obj.Object); err != nil {
			t.Fatal(err)
		}
		e.Create(e.Staging(carvel.Packages, e.Name), &obj)
	}
	vars := func(pairs config.Variables) config.Variables {
		all := config.Variables{"package_source": text("cluster"), "namespace": text(e.Name), "values": with()}
		maps.Copy(all, pairs)
		return all
	}
	found := f.Step(vars(nil))
	found.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plans("3.1.0")}
	found.ConfigStateChecks = resolves("3.1.0")
	down := f.Step(vars(config.Variables{"package_source": text("down")}))
	down.ConfigStateChecks = []statecheck.StateCheck{statecheck.ExpectKnownValue(address, tfjsonpath.New("resolved_version"), knownvalue.Null())}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Refused(`Missing namespace.*package_source = "cluster"`, config.Variables{"package_source": text("cluster"), "values": with()}),
		f.Refused(`"1.x" matches none of the versions in namespace .* of run cluster staging. Available: 3.1.0, 3.0.0`, vars(config.Variables{"version_constraint": text("1.x")})),
		f.Refused(`Invalid values.replica\b.* 3.1.0`, vars(config.Variables{"values": with("replica", 2)})),
		found, f.Quiet(vars(nil)),
		down, f.Quiet(vars(config.Variables{"package_source": text("down")})),
	}})
}

// TestAccPackageInstall_repositoryAhead: a version that the values do not fit is no error if nothing is committed, so that it stops
// neither other changes nor a destroy; it is one again for a change.
func TestAccPackageInstall_repositoryAhead(t *testing.T) {
	e, f, r := lookups(t)
	vars := config.Variables{"version_constraint": text(">=1.0.0 <2.0.0-a"), "values": with("replicas", 2)}
	changed := config.Variables{"version_constraint": text(">=1.0.0 <2.0.0-a"), "values": with("replicas", 3)}
	ahead := f.Quiet(vars)
	ahead.PreConfig = func() {
		r.Write("Add 1.2.0", map[string]string{e.PackagePath("1.2.0"): e.PackageFileWithSchema("1.2.0", strings.ReplaceAll(appValues, "replicas", "instances"))})
	}
	ahead.ConfigStateChecks = resolves("1.2.0")
	destroy := f.Step(vars)
	destroy.Destroy = true
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Step(vars), ahead, f.Refused(`Invalid values.replicas`, changed), destroy,
	}, CheckDestroy: r.HasNoFile(e.Package() + "/staging/packageinstall.yaml")})
}
