package packageinstall_test

import (
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

const offered = "app.default.tap/packages/"

// versioned is a set of one package, whose versions are looked up.
func versioned(constraint string, others ...attributes) attributes {
	app := entries{"version_constraint": constraint, "values": entries{"replicas": 1}}
	return set(append([]attributes{{"package_source": nil, "packages": entries{"app.default.tap": app}}}, others...)...)
}

// applied is the set after an apply, with these versions in the repository.
func applied(t *testing.T, c attributes, files map[string]string) (*deliverytest.World, *protocoltest.Resource) {
	t.Helper()
	w, r := setInMemory(t)
	w.Repository.Write("somebody", files)
	if diags := r.Apply(c); diags.Failed() {
		t.Fatal(diags)
	}
	w.Calls.Forget()
	return w, r
}

func twoVersions() map[string]string {
	return map[string]string{offered + "1.0.0.yaml": packageFile("1.0.0"), offered + "1.2.0.yaml": packageFile("1.2.0")}
}

// looks reports whether the versions of the package were looked at.
func looks(w *deliverytest.World) bool {
	defer w.Calls.Forget()
	return strings.Contains(strings.Join(w.Calls.Made(), "\n"), "git List "+strings.TrimSuffix(offered, "/"))
}

// TestSet_offer: a plan looks at versions again once their files are others, or what the
// set says of the package, and then tells what there is to tell.
func TestSet_offer(t *testing.T) {
	c := versioned(">=1.0.0")
	for name, row := range map[string]struct {
		write   map[string]string
		then    attributes
		looks   bool
		action  protocoltest.Action
		version string
		says    string
	}{
		"nothing":         {then: c, action: protocoltest.None, version: "1.2.0"},
		"other files":     {write: map[string]string{"app.default.tap/README.md": "x", "db.default.tap/packages/1.0.0.yaml": "x"}, then: c, action: protocoltest.None, version: "1.2.0"},
		"a package more":  {then: set(attributes{"package_source": nil, "packages": entries{"app.default.tap": c["packages"].(entries)["app.default.tap"], "db.default.tap": entries{"version_constraint": "1.0.0", "package_source": "none"}}}), action: protocoltest.Update, version: "1.2.0"},
		"what they share": {then: versioned(">=1.0.0", attributes{"sync_period": "5m"}), looks: true, action: protocoltest.Update, version: "1.2.0"},
		"a version":       {write: map[string]string{offered + "1.3.0.yaml": packageFile("1.3.0")}, then: c, looks: true, action: protocoltest.None, version: "1.3.0"},
		"no version":      {write: map[string]string{offered + "1.0.0.yaml": "", offered + "1.2.0.yaml": ""}, then: c, looks: true, action: protocoltest.None, version: "1.2.0", says: "app.default.tap/packages"},
		"another schema": {
			write: map[string]string{offered + "1.2.0.yaml": strings.Replace(packageFile("1.2.0"), ", replicas: {type: integer}", "", 1)}, then: c, looks: true, action: protocoltest.None, version: "1.2.0",
			says: `packages["app.default.tap"].values.replicas`,
		},
		"a file that is none":   {write: map[string]string{offered + "below/x.yaml": "a: ["}, then: c, looks: true, action: protocoltest.None, version: "1.2.0", says: "below/x.yaml"},
		"another constraint":    {then: versioned("<1.1.0", attributes{"allow_downgrade": true}), looks: true, action: protocoltest.Update, version: "1.0.0"},
		"values that are wrong": {then: set(attributes{"package_source": nil, "packages": entries{"app.default.tap": entries{"version_constraint": ">=1.0.0", "values": entries{"nosuch": 1}}}}), looks: true, says: "nosuch"},
		"write-only values":     {then: versioned(">=1.0.0", attributes{"values_wo": entries{"app.default.tap": entries{"nosuch": 1}}}), looks: true, says: "nosuch"},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := applied(t, c, twoVersions())
			w.Repository.Write("somebody", row.write)
			p, diags := r.Plan(row.then)
			if got := looks(w); got != row.looks {
				t.Errorf("the versions were looked at: %t, want %t", got, row.looks)
			}
			if !strings.Contains(diags.String(), row.says) || row.says == "" && len(diags) > 0 {
				t.Errorf("want %q in: %s", row.says, diags)
			}
			if row.version == "" {
				if !diags.Failed() {
					t.Error("it is planned")
				}
				return
			}
			if got := p.Attribute("resolved_versions"); diags.Failed() || p.Action != row.action || got != `{"app.default.tap":"`+row.version+`"}` {
				t.Errorf("%s %s %s", p.Action, got, diags)
			}
		})
	}
}

// TestSet_offerApplied: an apply that writes nothing but notes a version, too, spares the
// next plan the look.
func TestSet_offerApplied(t *testing.T) {
	c := versioned(">=1.0.0")
	w, r := applied(t, c, twoVersions())
	w.Repository.Write("somebody", map[string]string{offered + "1.3.0.yaml": packageFile("1.3.0")})
	c = versioned(">=1.0.0", attributes{"timeouts": entries{"read": "2m"}})
	commits := w.Repository.Commits()
	if diags := r.Apply(c); diags.Failed() || !looks(w) || w.Repository.Commits() != commits {
		t.Fatal(diags)
	}
	if p, diags := r.Plan(c); len(diags) > 0 || p.Action != protocoltest.None || looks(w) {
		t.Errorf("%s %s", p.Action, diags)
	}
}

// TestSet_offerTold: what there is to tell about a package is told in every plan.
func TestSet_offerTold(t *testing.T) {
	for name, more := range map[string]map[string]string{
		"a newer prerelease":  {offered + "2.0.0-rc.1.yaml": packageFile("2.0.0-rc.1")},
		"a file that is none": {offered + "x.yaml": "a: ["},
	} {
		t.Run(name, func(t *testing.T) {
			c := versioned(">=1.0.0")
			w, r := applied(t, c, twoVersions())
			w.Repository.Write("somebody", more)
			for range 3 {
				if p, diags := r.Plan(c); diags.Failed() || len(diags) == 0 || p.Action != protocoltest.None {
					t.Errorf("%s: %s", p.Action, diags)
				}
				if diags := r.Apply(versioned(">=1.0.0", attributes{"values_wo_version": nil})); diags.Failed() || len(diags) == 0 {
					t.Error(diags)
				}
			}
			// Nor does an apply that writes files forget it.
			c = versioned(">=1.0.0", attributes{"sync_period": "5m"})
			if diags := r.Apply(c); diags.Failed() {
				t.Fatal(diags)
			}
			if _, diags := r.Plan(c); len(diags) == 0 {
				t.Error("nothing is told any more")
			}
		})
	}
}

// TestSet_offerVersion: another version of the provider looks itself.
func TestSet_offerVersion(t *testing.T) {
	c := versioned(">=1.0.0")
	w, r := applied(t, c, twoVersions())
	r.In(func() *providerdata.Data {
		data := protocoltest.Data(w)()
		data.Provider = "terraform-provider-carvel/next"
		return data
	})
	if diags := r.Refresh(); len(diags) > 0 || !looks(w) {
		t.Errorf("a refresh: %s", diags)
	}
	if p, diags := r.Plan(c); len(diags) > 0 || p.Action != protocoltest.None || !looks(w) {
		t.Errorf("%s %s", p.Action, diags)
	}
}

// TestSet_offerBetween: a version that comes after the plan of an apply is not taken for
// the one that was planned.
func TestSet_offerBetween(t *testing.T) {
	w, r := setInMemory(t)
	w.Repository.Write("somebody", twoVersions())
	c := versioned(">=1.0.0")
	p, diags := r.Plan(c)
	if diags.Failed() {
		t.Fatal(diags)
	}
	late := func(_ int, call string) error {
		if call == "git Entries 1" {
			w.Repository.Write("somebody", map[string]string{offered + "1.3.0.yaml": packageFile("1.3.0")})
		}
		return nil
	}
	w.Calls.Fails = late
	if diags := p.Apply(); diags.Failed() || r.Attribute("resolved_versions") != `{"app.default.tap":"1.2.0"}` {
		t.Fatal(r.Attribute("resolved_versions"), diags)
	}
	w.Calls.Mend()
	if diags := r.Refresh(); diags.Failed() || r.Attribute("resolved_versions") != `{"app.default.tap":"1.3.0"}` {
		t.Errorf("%s %s", r.Attribute("resolved_versions"), diags)
	}
}

// TestSet_offerDrift: what somebody has changed in a file selects another version.
func TestSet_offerDrift(t *testing.T) {
	w, r := applied(t, versioned(">=1.0.0"), twoVersions())
	w.Repository.Write("somebody", map[string]string{install: strings.Replace(w.Repository.Files()[install], "'>=1.0.0'", "'<1.1.0'", 1)})
	if diags := r.Refresh(); diags.Failed() || !looks(w) || r.Attribute("resolved_versions") != `{"app.default.tap":"1.0.0"}` {
		t.Errorf("%s %s", r.Attribute("resolved_versions"), diags)
	}
	if _, diags := r.Plan(versioned(">=1.0.0")); diags.Failed() || !looks(w) {
		t.Error(diags)
	}
}
