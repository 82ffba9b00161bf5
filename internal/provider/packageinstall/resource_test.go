package packageinstall_test

import (
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

const address = "carvel_package_install.test"

// paths are where a test's package install is in the repository.
type paths struct{ dir, install, params, keep string }

func at(e *acctest.Env, cluster string) paths {
	dir := e.Package() + "/" + cluster
	return paths{dir, dir + "/packageinstall.yaml", dir + "/params.yaml", dir + "/.gitkeep"}
}

func fixture(t *testing.T) (*acctest.Env, acctest.Fixture, *acctest.Repository) {
	t.Parallel()
	e := acctest.New(t)
	r := e.Repository()
	e.CommitPackages(r)
	return e, acctest.Fixture{Env: e, Dir: "package_install", Address: address}, r
}

func values(replicas int) config.Variable {
	return acctest.ObjectVariable("workload_name", "app", "replicas", replicas, "password", "s3cret", "answer", "yes")
}

func TestAccPackageInstall_lifecycle(t *testing.T) {
	e, f, r := fixture(t)
	staging, prod := at(e, "staging"), at(e, "prod")
	first := config.Variables{"values": values(1), "sync_period": config.StringVariable("60s")}
	second := config.Variables{
		"values": values(2), "sync_period": config.StringVariable("1m0s"),
		"version_constraint": config.StringVariable(">=1.0.0 <2.0.0"), "allow_downgrade": config.BoolVariable(true),
	}
	bare := config.Variables{"version_constraint": config.StringVariable("1.1.0")}
	moved := config.Variables{"run_cluster": config.StringVariable("prod"), "values": values(1)}

	create := f.Planned(plancheck.ResourceActionCreate, first)
	create.ConfigPlanChecks.PreApply = append(create.ConfigPlanChecks.PreApply,
		plancheck.ExpectKnownValue(address, tfjsonpath.New("files"), knownvalue.MapSizeExact(2)),
		plancheck.ExpectUnknownValue(address, tfjsonpath.New("commit")))
	create.ConfigStateChecks = []statecheck.StateCheck{
		statecheck.ExpectKnownValue(address, tfjsonpath.New("path"), knownvalue.StringExact(staging.dir)),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("name"), knownvalue.StringExact(e.Name)),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("files").AtMapKey(staging.params), knownvalue.StringFunc(masked)),
	}
	create.Check = resource.ComposeTestCheckFunc(
		r.HasFile(staging.install, "refName: "+e.Package(), "constraints: 1.0.0", "syncPeriod: 1m0s", "serviceAccountName: "+e.Name+"-sa", "name: "+e.Name+"-values"),
		r.HasFile(staging.params, "name: "+e.Name+"-values", "replicas: 1", "password: s3cret", `answer: "yes"`),
		func(*terraform.State) error {
			return r.LastMessageHas(staging.install, e.Package(), "staging", "Provider:", "Appendix of the test.")
		},
	)
	update := f.Planned(plancheck.ResourceActionUpdate, second)
	update.Check = resource.ComposeTestCheckFunc(
		r.HasFile(staging.install, "constraints: '>=1.0.0 <2.0.0'", `packaging.carvel.dev/downgradable: ""`),
		r.HasFile(staging.params, "replicas: 2"),
		r.HasCommits(staging.dir, 2),
	)
	without := f.Planned(plancheck.ResourceActionUpdate, bare)
	without.Check = resource.ComposeTestCheckFunc(
		r.HasFile(staging.install, "constraints: 1.1.0"), r.HasNoFile(staging.params),
	)
	imported := f.Imported(e.Package()+"/staging", second, "commit", "values.", "sync_period")
	replace := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, moved)
	replace.Check = resource.ComposeTestCheckFunc(
		r.HasNoFile(staging.install), r.HasNoFile(staging.params), r.HasFile(staging.keep), r.HasFile(prod.install),
	)
	theirs := f.Quiet(moved)
	theirs.PreConfig = func() { r.Write("Add a note", map[string]string{prod.dir + "/NOTES.md": "theirs\n"}) }
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{create, f.Quiet(first), update, f.Quiet(second), imported, without, f.Quiet(bare), replace, theirs},
		CheckDestroy: resource.ComposeTestCheckFunc(
			r.HasNoFile(prod.install), r.HasNoFile(prod.params), r.HasFile(prod.keep), r.HasFile(prod.dir+"/NOTES.md", "theirs"),
		),
	})
}

func masked(text string) error {
	return acctest.TextHas(text, []string{"password: (sensitive value)", "replicas: (sensitive value)"}, []string{"s3cret"})
}

// TestAccPackageInstall_drift: what somebody else commits shows in the plan and
// is put right by the apply.
func TestAccPackageInstall_drift(t *testing.T) {
	e, f, r := fixture(t)
	p := at(e, "staging")
	vars := config.Variables{"values": values(1)}

	edited := f.Planned(plancheck.ResourceActionUpdate, vars)
	edited.PreConfig = func() {
		content, _ := r.Read(p.install)
		r.Write("Edit", map[string]string{p.install: "# a comment\n" + strings.Replace(content, "constraints: 1.0.0", "constraints: 9.9.9", 1)})
	}
	edited.Check = r.HasFile(p.install, "constraints: 1.0.0")
	unknown := f.Planned(plancheck.ResourceActionUpdate, vars)
	unknown.PreConfig = func() {
		content, _ := r.Read(p.install)
		r.Write("Add a field", map[string]string{p.install: content + "  theirs: true\n"})
	}
	params := f.Planned(plancheck.ResourceActionUpdate, vars)
	params.PreConfig = func() {
		content, _ := r.Read(p.params)
		r.Write("Edit", map[string]string{p.params: strings.Replace(content, "replicas: 1", "replicas: 7", 1)})
	}
	params.Check = r.HasFile(p.params, "replicas: 1")
	broken := f.Planned(plancheck.ResourceActionUpdate, vars)
	broken.PreConfig = func() { r.Write("Break", map[string]string{p.install: "kind: [\n"}) }
	broken.Check = r.HasFile(p.install, "constraints: 1.0.0")
	half := f.Planned(plancheck.ResourceActionUpdate, vars)
	half.PreConfig = func() { r.Write("Remove", map[string]string{p.params: ""}) }
	half.Check = r.HasFile(p.params, "replicas: 1")
	other := f.Planned(plancheck.ResourceActionUpdate, vars)
	other.PreConfig = func() { r.Write("Remove", map[string]string{p.install: ""}) }
	other.Check = r.HasFile(p.install, "constraints: 1.0.0")
	disappeared := f.Planned(plancheck.ResourceActionCreate, vars)
	disappeared.PreConfig = func() { r.Write("Remove", map[string]string{p.install: "", p.params: ""}) }
	disappeared.Check = r.HasFile(p.install, "constraints: 1.0.0")
	reformatted := f.Quiet(vars)
	reformatted.PreConfig = func() {
		content, _ := r.Read(p.params)
		r.Write("Reformat", map[string]string{p.params: "# the same values\n" + content})
	}
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{f.Step(vars), edited, unknown, params, broken, half, other, disappeared, reformatted},
	})
}

// TestAccPackageInstall_replace makes the files anew at the same place.
func TestAccPackageInstall_replace(t *testing.T) {
	e, f, r := fixture(t)
	vars := config.Variables{"values": values(1)}
	replace := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, vars)
	replace.Taint = []string{address}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Step(vars), replace, f.Quiet(vars)}, CheckDestroy: r.HasNoFile(at(e, "staging").install)})
}

// TestAccPackageInstall_existing: files that are there are not overwritten
// unless that is asked for.
func TestAccPackageInstall_existing(t *testing.T) {
	e, f, r := fixture(t)
	p := at(e, "staging")
	refused := f.Refused(`packageinstall.yaml already exists in branch.*adopt_existing`, nil)
	refused.PreConfig = func() { r.Write("By hand", map[string]string{p.install: "by: hand\n"}) }
	untouched := f.Refused(`packageinstall.yaml already exists`, nil)
	untouched.PreConfig = func() {
		if err := r.HasFile(p.install, "by: hand")(nil); err != nil {
			t.Error(err)
		}
	}
	adopt := config.Variables{"adopt_existing": config.BoolVariable(true)}
	adopted := f.Step(adopt)
	adopted.Check = r.HasFile(p.install, "refName: "+e.Package())
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{refused, untouched, adopted, f.Quiet(adopt)},
		CheckDestroy: r.HasNoFile(p.install),
	})
}

// TestAccPackageInstall_refused is bad input, none of which commits anything.
func TestAccPackageInstall_refused(t *testing.T) {
	e, f, r := fixture(t)
	var steps []resource.TestStep
	refuse := func(pattern, name, value string) {
		steps = append(steps, f.Refused(pattern, config.Variables{name: config.StringVariable(value)}))
	}
	for _, value := range []string{"..", "../../etc.x.y", "a/b.c.d", "App.default.tap", strings.Repeat("a.b.c", 60), "app"} {
		refuse(`Invalid package`, "package_name", value)
	}
	for _, value := range []string{"..", "a/b", "Staging", strings.Repeat("a", 300), "packages"} {
		refuse(`Invalid run_cluster`, "run_cluster", value)
	}
	for _, value := range []string{"~> 1.0", "^1.2", "1.2", "v1.0.0", "*", "!=1.x", "1.0.0 - 2.0.0", "not a version"} {
		refuse(`Invalid version_constraint`, "version_constraint", value)
	}
	refuse(`Invalid sync_period`, "sync_period", "banana")
	refuse(`Run cluster "nosuch" is not configured.*prod, staging`, "run_cluster", "nosuch")
	refuse(`refused the credentials.*git.http.password`, "git_password", "wrong")
	steps = append(steps, f.Refused(`Invalid values.*must be an object`, config.Variables{"values": config.StringVariable("text")}))
	resource.Test(t, resource.TestCase{Steps: steps})
	if files := r.List(e.Package()); len(files) > 2 {
		t.Errorf("refused input left %v", files)
	}
}

// TestAccPackageInstall_noGit needs an environment without a repository, so it
// is the one test that is not parallel.
func TestAccPackageInstall_noGit(t *testing.T) {
	e := acctest.New(t)
	t.Setenv("CARVEL_GIT_URL", "")
	f := acctest.Fixture{Env: e, Dir: "no_git", Address: address}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Refused(`No GitOps repository is configured.*git.url`, nil)}})
}
