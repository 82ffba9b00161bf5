package packageinstall_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

const overlay = "#@ load(\"@ytt:overlay\", \"overlay\")\n#@overlay/match by=overlay.all\n---\n#@overlay/match missing_ok=True\nmetadata:\n  labels: {team: apps}\n"

func everything() config.Variables {
	text, yes := config.StringVariable, config.BoolVariable(true)
	return config.Variables{
		"values": acctest.ObjectVariable("replicas", 2), "values_secret_name": text("their-values"), "extra_values_secrets": texts("more"),
		"service_account_name": config.StringVariable("sa"), "namespace": text("apps"), "install_name": text("web"),
		"labels": acctest.ObjectVariable("team", "yes"), "annotations": acctest.ObjectVariable("ext.packaging.carvel.dev/ytt-paths-from-secret-name.more", "overlays-that-exist"),
		"prereleases": acctest.ObjectVariable("identifiers", texts("rc")), "allow_downgrade": yes, "sync_period": text("1m0s"),
		"paused": yes, "canceled": yes, "noop_delete": yes, "default_namespace": text("there"),
		"ytt_overlays": acctest.ObjectVariable("labels.yaml", overlay, "more.yaml", "\tno block\n"),
		"extensions": acctest.ObjectVariable(
			"ignore_kubernetes_version_selection", yes, "ignore_kapp_controller_version_selection", yes, "ytt_data_values_overlays", yes,
			"helm_template_name", "release", "helm_template_namespace", "helm", "helm_template_values_secrets", texts("helm-a", "helm-b"),
			"fetch_secrets", acctest.ObjectVariable("0", "registry", "2", "mirror")),
	}
}

// TestAccPackageInstall_everything sets every field and annotation of a
// PackageInstall, and imports what that gives.
func TestAccPackageInstall_everything(t *testing.T) {
	e, f, r := every(t)
	p := at(e, "staging")
	overlays := p.dir + "/overlays.yaml"
	create := f.Planned(plancheck.ResourceActionCreate, everything())
	create.ConfigPlanChecks.PreApply = append(create.ConfigPlanChecks.PreApply,
		plancheck.ExpectKnownValue(address, tfjsonpath.New("files"), knownvalue.MapSizeExact(3)))
	create.ConfigStateChecks = []statecheck.StateCheck{
		statecheck.ExpectKnownValue(address, tfjsonpath.New("files").AtMapKey(overlays), knownvalue.StringFunc(func(text string) error {
			return acctest.TextHas(text, []string{"labels.yaml: (sensitive value)"}, []string{"team: apps"})
		})),
	}
	create.Check = resource.ComposeTestCheckFunc(
		r.HasCommits(p.dir, 1),
		r.HasFile(p.install, "name: web\n", "namespace: apps\n", `team: "yes"`, "paused: true", "canceled: true", "noopDelete: true", "syncPeriod: 1m0s", "defaultNamespace: there", "- rc\n",
			"name: their-values\n  - secretRef:\n      name: more\n", `packaging.carvel.dev/downgradable: ""`,
			`packaging.carvel.dev/ignore-kubernetes-version-selection: ""`, `packaging.carvel.dev/ignore-kapp-controller-version-selection: ""`,
			`ext.packaging.carvel.dev/ytt-data-values-overlays: ""`, "ext.packaging.carvel.dev/ytt-paths-from-secret-name: web-overlays\n",
			"ext.packaging.carvel.dev/ytt-paths-from-secret-name.more: overlays-that-exist\n", "ext.packaging.carvel.dev/helm-template-name: release\n",
			"ext.packaging.carvel.dev/helm-template-namespace: helm\n", "ext.packaging.carvel.dev/helm-template-values-from-secret-name.0: helm-a\n",
			"ext.packaging.carvel.dev/helm-template-values-from-secret-name.1: helm-b\n",
			"ext.packaging.carvel.dev/fetch-0-secret-name: registry\n", "ext.packaging.carvel.dev/fetch-2-secret-name: mirror\n"),
		r.HasFile(p.params, "  values.yaml: |\n    #@data/values\n    ---\n    replicas: 2\n"),
		r.HasFile(overlays, "name: web-overlays\n", "namespace: apps\n", "  labels.yaml: |\n    "+strings.ReplaceAll(strings.TrimSuffix(overlay, "\n"), "\n", "\n    ")+"\n"),
	)
	imported := f.Imported(e.Package()+"/staging", everything(), "commit", "values.", "package_source", "resolved_version")
	drifted := f.Planned(plancheck.ResourceActionUpdate, everything())
	drifted.PreConfig = func() {
		content, _ := r.Read(overlays)
		r.Write("Edit", map[string]string{overlays: strings.Replace(content, "team: apps", "team: theirs", 1)})
	}
	drifted.Check = r.HasFile(overlays, "team: apps")
	unreferred := f.Planned(plancheck.ResourceActionUpdate, everything())
	unreferred.PreConfig = func() {
		content, _ := r.Read(p.install)
		r.Write("Edit", map[string]string{p.install: strings.Replace(content, "    ext.packaging.carvel.dev/ytt-paths-from-secret-name: web-overlays\n", "", 1)})
	}
	unreferred.Check = r.HasFile(p.install, "ytt-paths-from-secret-name: web-overlays")
	broken := f.Planned(plancheck.ResourceActionUpdate, everything())
	broken.PreConfig = func() { r.Write("Break", map[string]string{p.install: "kind: [\n"}) }
	broken.Check = resource.ComposeTestCheckFunc(r.HasFile(p.install, "web-overlays"), r.HasFile(overlays, "team: apps"))
	less := everything()
	delete(less, "ytt_overlays")
	without := f.Planned(plancheck.ResourceActionUpdate, less)
	without.Check = resource.ComposeTestCheckFunc(r.HasNoFile(overlays), r.HasFile(p.params))
	theirs := f.Quiet(less)
	theirs.PreConfig = func() { r.Write("Add overlays", map[string]string{overlays: "theirs\n"}) }
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			create, f.Quiet(everything()), imported, drifted, unreferred, broken, f.Quiet(everything()), without, f.Quiet(less), theirs,
			f.Refused(`overlays.yaml already exists|overlays.yaml is not what the plan saw`, everything()), f.Quiet(less),
		},
		CheckDestroy: resource.ComposeTestCheckFunc(r.HasNoFile(p.install), r.HasNoFile(p.params), r.HasFile(overlays, "theirs"), r.HasFile(p.keep)),
	})
}

// TestAccPackageInstall_otherCluster deploys what the package holds elsewhere.
func TestAccPackageInstall_otherCluster(t *testing.T) {
	e, f, r := every(t)
	p := at(e, "staging")
	null := config.Variables{"service_account_name": null{}}
	ref := acctest.ObjectVariable("namespace", "there", "kubeconfig_secret_ref", acctest.ObjectVariable("name", "other", "key", "value.yaml"))
	vars := config.Variables{"cluster": ref, "service_account_name": null["service_account_name"]}
	create := f.Step(vars)
	create.Check = r.HasFile(p.install, "  cluster:\n    kubeconfigSecretRef:\n      key: value.yaml\n      name: other\n    namespace: there\n")
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		f.Refused(`service_account_name.*cluster|cluster.*service_account_name`, null), f.Refused(`service_account_name.*cluster`, config.Variables{"cluster": ref}),
		create, f.Quiet(vars), f.Imported(e.Package()+"/staging", vars, "commit", "values.", "package_source", "resolved_version"),
	}})
}

// null is a variable that is not set, over its default.
type null struct{ config.Variable }

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// TestAccPackageInstall_annotations refuses those that an attribute stands for.
func TestAccPackageInstall_annotations(t *testing.T) {
	e, f, r := every(t)
	var steps []resource.TestStep
	for annotation, attribute := range map[string]string{
		"packaging.carvel.dev/downgradable":                              "allow_downgrade",
		"packaging.carvel.dev/ignore-kubernetes-version-selection":       "extensions.ignore_kubernetes_version_selection",
		"ext.packaging.carvel.dev/fetch-3-secret-name":                   "extensions.fetch_secrets",
		"ext.packaging.carvel.dev/helm-template-values-from-secret-name": "extensions.helm_template_values_secrets",
	} {
		steps = append(steps, f.Refused(`is set by the attribute `+attribute, config.Variables{"annotations": acctest.ObjectVariable(annotation, "x")}))
	}
	steps = append(steps,
		f.Refused(`set by the attribute ytt_overlays`, config.Variables{
			"annotations": acctest.ObjectVariable("ext.packaging.carvel.dev/ytt-paths-from-secret-name", "x"), "ytt_overlays": acctest.ObjectVariable("a.yaml", "a: 1\n"),
		}),
		f.Refused(`Invalid ytt_overlays.*ytt would pass it over`, config.Variables{"ytt_overlays": acctest.ObjectVariable("a.json", "{}")}),
		f.Refused(`Invalid ytt_overlays`, config.Variables{"ytt_overlays": acctest.ObjectVariable("../a.yaml", "{}")}),
		f.Refused(`Invalid extensions.fetch_secrets`, config.Variables{"extensions": acctest.ObjectVariable("fetch_secrets", acctest.ObjectVariable("01", "x"))}))
	resource.Test(t, resource.TestCase{Steps: steps})
	if files := r.List(e.Package() + "/staging"); len(files) > 0 {
		t.Errorf("refused input left %v", files)
	}
}

// TestAccPackageInstall_samePath: two resources do not write the same files, in
// whatever way they come to it.
func TestAccPackageInstall_samePath(t *testing.T) {
	e, f, r := fixture(t)
	p := at(e, "staging")
	f.Dir, f.Address = "same_path", "carvel_package_install.one[0]"
	replicas := func(one, two int, more ...string) config.Variables {
		vars := config.Variables{"one": config.IntegerVariable(one)}
		if two > 0 {
			vars["two"] = config.IntegerVariable(two)
		}
		for _, name := range more {
			vars[name] = config.BoolVariable(true)
		}
		return vars
	}
	one := replicas(1, 0)
	const same = `Two package installs in [^ ]*/staging.*another carvel_package_install with the same package and run_cluster`
	untouched := f.Refused(same, replicas(1, 2))
	untouched.PreConfig = func() {
		if err := r.HasNoFile(p.install)(nil); err != nil {
			t.Error(err)
		}
	}
	tainted := f.Planned(plancheck.ResourceActionDestroyBeforeCreate, one)
	tainted.Taint = []string{f.Address}
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			f.Refused(same, replicas(1, 1)), untouched, f.Step(one), f.Quiet(one),
			f.Refused(same+`|already exists`, replicas(1, 2)), f.Refused(same, replicas(1, 2, "adopt_existing")), tainted, f.Quiet(one),
		},
		CheckDestroy: r.HasNoFile(p.install),
	})
}

// meanwhile is what somebody else does between plan and apply.
type meanwhile func()

func (m meanwhile) CheckPlan(context.Context, plancheck.CheckPlanRequest, *plancheck.CheckPlanResponse) {
	m()
}

// TestAccPackageInstall_failedApply: an apply that fails leaves the repository
// and the state as they were.
func TestAccPackageInstall_failedApply(t *testing.T) {
	for _, name := range []string{"values", "values_wo"} {
		t.Run(name, func(t *testing.T) {
			e, f, r := every(t)
			p := at(e, "staging")
			vars := func(replicas int) config.Variables {
				return config.Variables{name: acctest.ObjectVariable("replicas", replicas)}
			}
			theirs := func(step resource.TestStep, path, content string) resource.TestStep {
				step.ConfigPlanChecks.PreApply = append(step.ConfigPlanChecks.PreApply, meanwhile(func() {
					r.Write("Put there by hand", map[string]string{path: content})
				}))
				return step
			}
			by := ""
			if r.Filters() { // else the last change cannot be looked up without all files of the history
				by = ".*changed by Somebody Else.*Put there by hand"
			}
			const byHand = "kind: Secret\nmetadata: {name: by-hand}\nstringData: {a: 'by: hand'}\n"
			create := theirs(f.Refused(`params.yaml already exists`+by, vars(1)), p.params, byHand)
			again := f.Planned(plancheck.ResourceActionCreate, vars(1)) // nothing is in the state
			again.PreConfig = func() {
				if err := resource.ComposeTestCheckFunc(r.HasNoFile(p.install), r.HasFile(p.params, "by-hand"))(nil); err != nil {
					t.Error(err)
				}
				r.Write("Remove", map[string]string{p.params: ""})
			}
			update := theirs(f.Refused(`params.yaml is not what the plan saw`+by, vars(2)), p.params, byHand)
			removed := theirs(f.Refused(`params.yaml is not what the plan saw`, vars(3)), p.params, "")
			mended := f.Planned(plancheck.ResourceActionUpdate, vars(3))
			mended.Check = holds(r, p.params, "replicas: 3")
			resource.Test(t, resource.TestCase{
				Steps: []resource.TestStep{create, again, update, removed, mended, f.Quiet(vars(3))},
				CheckDestroy: func(*terraform.State) error {
					if files := r.List(p.dir); len(files) != 1 {
						return fmt.Errorf("left: %v", files)
					}
					return nil
				},
			})
		})
	}
}
