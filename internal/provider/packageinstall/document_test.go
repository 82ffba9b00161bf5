package packageinstall_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
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

// handWritten are the files of the delivery document, comments and all, with
// the names of a test.
func handWritten(t *testing.T, e *acctest.Env) (install, params string) {
	t.Helper()
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join("..", "..", "installfiles", "testdata", "document", name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.NewReplacer("app.default.tap", e.Package(), "RUN-CLUSTER-NS-SA", "sa", "name: app-values", "name: "+e.Name+"-values", "  name: app\n", "  name: "+e.Name+"\n").Replace(string(data))
	}
	return read("packageinstall.yaml"), read("params.yaml")
}

func documented() config.Variables {
	return config.Variables{
		"version_constraint": config.StringVariable("20230321004057.0.0"),
		"values":             acctest.ObjectVariable("workload_name", "app", "replicas", 2, "hostname", "app.mycompany.com"),
	}
}

// TestAccPackageInstall_importDocument takes over files that were written by
// hand, and changes nothing about them.
func TestAccPackageInstall_importDocument(t *testing.T) {
	e, f, r := every(t)
	p := at(e, "staging")
	install, params := handWritten(t, e)
	r.Write("By hand", map[string]string{p.install: install, p.params: params})
	untouched := resource.ComposeTestCheckFunc(r.HasCommits(p.dir, 1), r.HasFile(p.install, install), r.HasFile(p.params, params))

	imported := f.Step(documented())
	imported.ResourceName, imported.ImportState, imported.ImportStateId, imported.ImportStatePersist = address, true, e.Package()+"/staging", true
	first := f.Planned(plancheck.ResourceActionUpdate, documented()) // the commit is not known to an import
	first.ConfigPlanChecks.PreApply = append(first.ConfigPlanChecks.PreApply,
		plancheck.ExpectKnownValue(address, tfjsonpath.New("files").AtMapKey(p.install), knownvalue.StringExact(install)))
	first.Check = untouched
	bumped := documented()
	bumped["version_constraint"] = config.StringVariable(">=0.0.0")
	update := f.Planned(plancheck.ResourceActionUpdate, bumped)
	update.ConfigPlanChecks.PreApply = append(update.ConfigPlanChecks.PreApply,
		plancheck.ExpectKnownValue(address, tfjsonpath.New("files").AtMapKey(p.install), knownvalue.StringFunc(func(text string) error {
			return acctest.TextHas(text, []string{"constraints: '>=0.0.0'"}, []string{"#"})
		})))
	update.Check = resource.ComposeTestCheckFunc(r.HasFile(p.install, "constraints: '>=0.0.0'"), r.HasCommits(p.dir, 2))
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{imported, first, f.Quiet(documented()), update, f.Quiet(bumped), f.Imported(e.Package()+"/staging", bumped, "commit", "values.", "package_source", "resolved_version")},
		CheckDestroy: resource.ComposeTestCheckFunc(r.HasNoFile(p.install), r.HasNoFile(p.params), r.HasFile(p.keep)),
	})
}

// TestAccPackageInstall_additions: what somebody adds to the files, which no
// attribute stands for, shows in the state and is removed by the plan.
func TestAccPackageInstall_additions(t *testing.T) {
	e, f, r := every(t)
	p := at(e, "staging")
	install, params := handWritten(t, e)
	for name, c := range map[string]struct {
		path, text  string
		shown, gone string
		hidden      string
	}{
		"a field":            {p.install, install + "  theirs: true\n", "theirs: true", "theirs", ""},
		"a key of a field":   {p.install, install + "      key: values.yaml\n", "key: values.yaml", "key:", ""},
		"metadata":           {p.install, strings.Replace(install, "metadata:\n", "metadata:\n  finalizers: [theirs]\n", 1), "theirs", "theirs", ""},
		"a key":              {p.params, params + "  more.yaml: 'theirs: s3cret'\n", "more.yaml: (sensitive value)", "more", "s3cret"},
		"a key in base64":    {p.params, params + "data:\n  more.yaml: dGhlaXJzOiBzM2NyZXQ=\n", "more.yaml: (sensitive value)", "more", "dGhlaX"},
		"a type":             {p.params, params + "type: theirs\n", "type: (sensitive value)", "theirs", "theirs"},
		"an annotation":      {p.params, strings.Replace(params, "metadata:\n", "metadata:\n  annotations: {theirs: s3cret}\n", 1), "theirs: (sensitive value)", "theirs", "s3cret"},
		"values in no order": {p.params, params + "    z: s3cret\n", "z: (sensitive value)", "z:", "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			mended := f.Planned(plancheck.ResourceActionUpdate, documented())
			mended.PreConfig = func() { r.Write("Add "+name, map[string]string{p.install: install, p.params: params, c.path: c.text}) }
			mended.ConfigPlanChecks.PreApply = append(mended.ConfigPlanChecks.PreApply, fileChange{c.path, func(before, after string) error {
				return errors.Join(
					acctest.TextHas(before, []string{c.shown}, hidden(c.hidden)),
					acctest.TextHas(after, nil, append(hidden(c.hidden), c.gone)))
			}})
			mended.ConfigStateChecks = []statecheck.StateCheck{statecheck.ExpectKnownValue(address, tfjsonpath.New("files").AtMapKey(c.path), knownvalue.StringFunc(func(text string) error {
				return acctest.TextHas(text, nil, []string{c.gone})
			}))}
			mended.Check = func(*terraform.State) error {
				content, _ := r.Read(c.path)
				return acctest.TextHas(content, nil, []string{c.gone})
			}
			adopt := documented()
			adopt["adopt_existing"] = config.BoolVariable(true)
			resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Step(adopt), mended, f.Quiet(documented())}})
		})
	}
}

// TestAccPackageInstall_documents: documents that somebody adds to the files are theirs: the plan refuses to lose them, names them, and
// goes on once they are elsewhere.
func TestAccPackageInstall_documents(t *testing.T) {
	e, f, r := every(t)
	p := at(e, "staging")
	install, params := handWritten(t, e)
	const secret = "kind: Secret\nmetadata:\n  name: other\nstringData:\n  k: s3cret\n"
	for name, c := range map[string]struct{ path, text, told string }{
		"a document": {p.install, install + "---\nkind: ConfigMap\nmetadata:\n  name: theirs\n", "ConfigMap theirs"},
		"a Secret":   {p.install, install + "---\n" + secret, "Secret other"},
	} {
		t.Run(name, func(t *testing.T) {
			adopt := documented()
			adopt["adopt_existing"] = config.BoolVariable(true)
			changed := maps.Clone(adopt)
			changed["sync_period"] = config.StringVariable("17m")
			refused := f.Refused("have more in them than the package install.*"+filepath.Base(c.path)+" line [0-9]+: "+c.told, changed)
			refused.PreConfig = func() { r.Write("Add "+name, map[string]string{p.install: install, p.params: params, c.path: c.text}) }
			mended := f.Quiet(adopt)
			mended.PreConfig = func() {
				if content, _ := r.Read(c.path); content != c.text {
					t.Errorf("%s holds %q", c.path, content)
				}
				r.Write("Move it", map[string]string{p.install: install, p.params: params})
			}
			resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Step(adopt), refused, mended}})
		})
	}
}

// fileChange checks what a plan shows of a file.
type fileChange struct {
	path  string
	check func(before, after string) error
}

func (c fileChange) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	for _, change := range req.Plan.ResourceChanges {
		text := func(attributes any) string {
			all, _ := attributes.(map[string]any)
			files, _ := all["files"].(map[string]any)
			content, _ := files[c.path].(string)
			return content
		}
		if change.Address == address {
			resp.Error = c.check(text(change.Change.Before), text(change.Change.After))
			return
		}
	}
	resp.Error = fmt.Errorf("no change of %s", address)
}

func hidden(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
