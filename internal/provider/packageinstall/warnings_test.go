package packageinstall_test

import (
	"fmt"
	"strings"
	"testing"
)

// version is a Package with values workload_name and, if it is not empty, another one.
func version(name, version, template, value string) string {
	properties := `workload_name: {type: string, default: ""}`
	if value != "" {
		properties += ", " + value + `: {type: string, default: ""}`
	}
	return fmt.Sprintf(`apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata: {name: %[1]s.%[2]s}
spec:
  refName: %[1]s
  version: %[2]s
  valuesSchema: {openAPIv3: {type: object, additionalProperties: false, properties: {%[4]s}}}
  template: {spec: {template: [{%[3]s: {}}], deploy: [{kapp: {}}]}}
`, name, version, template, properties)
}

// TestAccPackageInstall_warnings: what is not wrong, but may be by tomorrow.
func TestAccPackageInstall_warnings(t *testing.T) {
	s := newScale(t, "warnings", 0)
	const app, chart = "app.default.tap", "chart.default.tap"
	if _, err := s.server.Seed(scaleRepository, "theirs", map[string]string{
		app + "/packages/1.0.0.yaml":      version(app, "1.0.0", "ytt", ""),
		app + "/packages/1.1.0.yaml":      version(app, "1.1.0", "ytt", "color"),
		app + "/packages/2.0.0-rc.1.yaml": version(app, "2.0.0-rc.1", "ytt", "colors"),
		app + "/packages/0.1.0.yaml":      "apiVersion: [",
		app + "/packages/NOTES.md":        "apiVersion: [",
		chart + "/packages/1.0.0.yml":     version(chart, "1.0.0", "helmTemplate", ""),
	}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		vars     []string
		want     []string // in what the plan says
		unwanted []string
	}{
		"a version alone": {
			nil,
			[]string{`resolved_version = "1.0.0"`, "A Package cannot be read", app + "/packages/0.1.0.yaml"},
			[]string{"held back", "do not fit", "NOTES.md", "Error:"},
		},
		"held back": {
			[]string{"version_constraint=>=0.0.0"},
			[]string{`resolved_version = "1.1.0"`, "A newer version is held back, since it is a prerelease", "gets version 1.1.0", "takes 2.0.0-rc.1", "prereleases = {}"},
			[]string{"do not fit", "Error:"},
		},
		"not held back": {
			[]string{"version_constraint=>=0.0.0", "prereleases={}"}, []string{`resolved_version = "2.0.0-rc.1"`}, []string{"held back", "Error:"},
		},
		"the range goes on": {
			[]string{"version_constraint=>=0.0.0", `values={"workload_name":"app","color":"s3cret"}`},
			[]string{`resolved_version = "1.1.0"`, "do not fit every version in the range", "2.0.0-rc.1: color: The schema has no such key. Did you mean colors?"},
			[]string{"1.0.0: color", "Error:"},
		},
		"no schema that is enforced": {
			[]string{"package=" + chart, `values={"workload_nam":"s3cret"}`},
			[]string{"Odd values.workload_nam", "Did you mean workload_name?", "templates may take it all the same"},
			[]string{"Error:"},
		},
		"a cluster that is down": {
			[]string{"source_kind=cluster", `values={"nosuch":1}`},
			[]string{"The versions of app.default.tap are not known", "(known after apply)"},
			[]string{"Error:"},
		},
	} {
		args := []string{"plan", "-no-color"}
		for _, v := range c.vars {
			args = append(args, "-var", v)
		}
		said, out := s.said(args...)
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, out)
			}
		}
		for _, not := range c.unwanted {
			if strings.Contains(said, not) {
				t.Errorf("%s: %q is in\n%s", name, not, out)
			}
		}
		if _, warnings, _ := strings.Cut(said, "Changes to Outputs:"); strings.Contains(warnings, "s3cret") {
			t.Errorf("%s: a warning quotes a value\n%s", name, out)
		}
	}
}

// said is what terraform says, and the same with single spaces: it breaks lines where it likes.
func (s *scale) said(args ...string) (plain, out string) {
	s.Helper()
	out, err := s.run(`exec "$TERRAFORM" "$@"`, args...)
	if err != nil {
		s.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " "), out
}

// TestAccPackageInstall_versionRemoved: if the version that is installed is taken away, the controller stays with it.
func TestAccPackageInstall_versionRemoved(t *testing.T) {
	s := newScale(t, "warnings", 0)
	const app = "app.default.tap"
	higher := app + "/packages/1.1.0.yaml"
	if _, err := s.server.Seed(scaleRepository, "theirs", map[string]string{
		app + "/packages/1.0.0.yaml": version(app, "1.0.0", "ytt", ""), higher: version(app, "1.1.0", "ytt", ""),
	}); err != nil {
		t.Fatal(err)
	}
	const follow = "version_constraint=>=1.0.0"
	s.terraform("apply", "-auto-approve", "-no-color", "-var", follow)
	if _, err := s.server.Seed(scaleRepository, "theirs", nil, higher); err != nil {
		t.Fatal(err)
	}
	said, out := s.said("plan", "-no-color", "-var", follow)
	for _, want := range []string{"A lower version is selected than before", "had version 1.1.0, and now the constraint selects 1.0.0", "allow_downgrade = true"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(said, "carvel_package_install.test will be") {
		t.Errorf("something is planned:\n%s", out)
	}
}
