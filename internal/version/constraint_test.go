package version_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

func TestValidateConstraint_accepts(t *testing.T) {
	for _, constraint := range []string{
		"", ">=0.0.0", ">= 0.0.0", "1.2.3", "=1.2.3", "==1.2.3", "!1.2.3", "!=1.2.3", "20230321004057.0.0",
		">1.0.0 <2.0.0 || >3.0.0 !4.2.1", "1.x", "1.2.x", ">=1.x", "<1.x", "<=1.2.x", ">1.x", "1.x || >=3.0.0",
		"1.0.0-rc.1", ">=1.0.0-rc.1", ">=1.0.0-next", ">=1.0.0-next.1 <1.0.0-next.1.0", "<1.0.0-next.2",
		"1.0.0+b.1", "1.2.3+vmware.2-tkg.1", ">1.0.0 <1.0.1", "18446744073709551615.0.0", " 1.0.0 ",
	} {
		if err := version.ValidateConstraint(constraint); err != nil {
			t.Errorf("%q: %v", constraint, err)
		}
	}
}

func TestValidateConstraint_refuses(t *testing.T) {
	for constraint, instead := range map[string]string{
		"~> 1.0":                   `write ">=1.0.0 <2.0.0"`,
		"~> 1.2.3":                 `write ">=1.2.3 <1.3.0"`,
		"~1.2.0":                   `write ">=1.2.0 <1.3.0"`,
		"~1":                       `write ">=1.0.0 <2.0.0"`,
		"^1.2":                     `write ">=1.2.0 <2.0.0"`,
		"^1.2.0":                   `write ">=1.2.0 <2.0.0"`,
		"^0.2.3":                   `write ">=0.2.3 <0.3.0"`,
		"^0.0.3":                   `write ">=0.0.3 <0.0.4"`,
		"^1.x":                     `write ">=1.0.0 <2.0.0"`,
		"~1.2.x":                   `write ">=1.2.0 <1.3.0"`,
		"1.2":                      `write "1.2.x"`,
		"1":                        `write "1.x"`,
		">=1.2":                    `write ">=1.2.0"`,
		"v1.0.0":                   `write "1.0.0"`,
		">=v1.0.0":                 `write ">=1.0.0"`,
		"v1.x":                     `write "1.x"`,
		"*":                        `write ">=0.0.0"`,
		"x":                        `write ">=0.0.0"`,
		">=x":                      `write ">=0.0.0"`,
		"1.*":                      `write "1.x"`,
		"!=1.x":                    `write "<1.0.0 || >=2.0.0"`,
		"!1.2.x":                   `write "<1.2.0 || >=1.3.0"`,
		"1.0.0 - 2.0.0":            `write ">=1.0.0 <=2.0.0"`,
		"(1.0.0)":                  `write "1.0.0"`,
		"01.0.0":                   `write "1.0.0"`,
		">=1.02.0":                 `write ">=1.2.0"`,
		">=1.0.0,<2.0.0":           `write ">=1.0.0 <2.0.0"`,
		">=1.0.0, <2.0.0":          `write ">=1.0.0 <2.0.0"`,
		"1.0.0-next.1":             `write ">=1.0.0-next.1 <1.0.0-next.1.0"`,
		"<=1.0.0-next.1":           `write "<1.0.0-next.1.0"`,
		">1.0.0-next.1":            `write ">=1.0.0-next.1.0"`,
		"not a version":            `write for example "1.2.3"`,
		"latest":                   `write for example "1.2.3"`,
		"=>1.0.0":                  `use =, !=, >, >=, < or <=`,
		"||":                       "First element in range",
		"1.0.0 || || 2.0.0":        "nothing between two ||",
		"1.0.0 ||":                 "Last element in range",
		"|| 1.0.0":                 "First element in range",
		"1.0.0 | 2.0.0":            `" || "`,
		"1.0.0 2.0.0":              `" || "`,
		">2.0.0 <1.0.0":            `" || "`,
		">1.0.0 <=1.0.0":           `" || "`,
		"  ":                       "leave it empty",
		"1.0.0\n2.0.0":             "only plain spaces",
		"99999999999999999999.0.0": "out of range",
		"1.0.0-":                   "write for example",
		"1.2.3.4":                  "write for example",
	} {
		t.Run(constraint, func(t *testing.T) {
			err := version.ValidateConstraint(constraint)
			if err == nil {
				t.Errorf("%q was accepted", constraint)
				return
			}
			if !strings.Contains(err.Error(), instead) || strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("%q: %v, want %q", constraint, err, instead)
			}
		})
	}
}

// What an error says to write instead is itself valid.
func TestValidateConstraint_advice(t *testing.T) {
	for _, constraint := range []string{
		"~> 1.0", "~1.2.0", "^1.2", "^0.0.3", "1.2", "1", ">=1.2", "v1.0.0", "*", "!=1.x", "1.0.0 - 2.0.0", "(1.0.0)",
		"01.0.0", ">=1.0.0,<2.0.0", "1.0.0-next.1", "<=1.0.0-next.1", ">1.0.0-next.1", "1.*", "1-rc.1",
	} {
		err := version.ValidateConstraint(constraint)
		if err == nil {
			t.Errorf("%q was accepted", constraint)
			continue
		}
		_, advice, _ := strings.Cut(err.Error(), `write "`)
		advice, _, _ = strings.Cut(advice, `"`)
		if advice == "" || version.ValidateConstraint(advice) != nil {
			t.Errorf("%q: the advice %q is not valid: %v", constraint, advice, err)
		}
	}
}

// An accepted constraint is one that the controller's library parses.
func FuzzValidateConstraint(f *testing.F) {
	for _, seed := range []string{"", ">=1.0.0 <2.0.0", "1.x || !=2.0.0-rc.1+b", "~> 1.0", "1.0.0 - 2.0.0", ">= 1.2.x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, constraint string) {
		err := version.ValidateConstraint(constraint)
		_, selectErr := version.Select([]string{"1.0.0", "2.0.0-rc.1"}, version.Selection{Constraint: constraint})
		var none *version.NoMatchError
		if err == nil && selectErr != nil && !errors.As(selectErr, &none) {
			t.Errorf("%q is accepted, but %v", constraint, selectErr)
		}
	})
}

func TestSelectVersion(t *testing.T) {
	all := []string{"1.0.0", "1.2.0", "2.0.0-rc.1", "2.0.0-beta.5", "nonsense", "1.10.0"}
	any := &version.Prereleases{}
	for _, c := range []struct {
		versions   []string
		constraint string
		pre        *version.Prereleases
		want       string
	}{
		{all, "", nil, "1.10.0"},
		{all, ">=0.0.0", nil, "1.10.0"},
		{all, ">=0.0.0", any, "2.0.0-rc.1"},
		{all, ">=0.0.0", &version.Prereleases{Identifiers: []string{"beta"}}, "2.0.0-beta.5"},
		{all, ">=0.0.0", &version.Prereleases{Identifiers: []string{"5", "1"}}, "1.10.0"}, // numbers are no identifiers
		{all, "2.0.0-beta.5", nil, "2.0.0-beta.5"},                                        // exactly one prerelease implies them
		{all, "<1.10.0", nil, "1.2.0"},
		{all, "1.0.0 || 1.2.0", nil, "1.2.0"},
		{all, "!=1.10.0", nil, "1.2.0"},
		{[]string{"v1.0.0", "v1.1.0"}, "1.x", nil, "v1.1.0"},
		{[]string{"20230321004057.0.0", "20230402120000.0.0"}, ">=0.0.0", nil, "20230402120000.0.0"},
		{[]string{"1.0.0+b.1", "1.0.0"}, "1.x", nil, "1.0.0+b.1"},
		{[]string{"1.0.0+vmware.10-tkg.1", "1.0.0+vmware.2-tkg.1"}, "1.x", nil, "1.0.0+vmware.2-tkg.1"},
		{[]string{"1.0.0+b.2", "1.0.0+b.10"}, "1.x", nil, "1.0.0+b.10"},
	} {
		t.Run(c.constraint, func(t *testing.T) {
			got, err := version.Select(c.versions, version.Selection{Constraint: c.constraint, Prereleases: c.pre})
			if err != nil || got != c.want {
				t.Errorf("%v %q: got %q, %v, want %q", c.versions, c.constraint, got, err, c.want)
			}
		})
	}
}

func TestSelectVersion_none(t *testing.T) {
	for _, c := range []struct {
		versions   []string
		constraint string
		want       string
	}{
		{[]string{"1.0.0", "2.0.0"}, ">=3.0.0", "Expected to find at least one version, but did not (details: all=2 -> after-prereleases-filter=2 -> after-kapp-controller-version-check=2 -> after-constraints-filter=0)"},
		{[]string{"1.0.0-rc.1", "x"}, ">=0.0.0", "Expected to find at least one version, but did not (details: all=1 -> after-prereleases-filter=0 -> after-kapp-controller-version-check=0 -> after-constraints-filter=0)"},
		// These two parse, and match nothing.
		{[]string{"1.0.0", "2.0.0", "0.1.0"}, "!=1.x", "Expected to find at least one version, but did not (details: all=3 -> after-prereleases-filter=3 -> after-kapp-controller-version-check=3 -> after-constraints-filter=0)"},
		{[]string{"1.0.0", "1.5.0", "2.0.0"}, "1.0.0 - 2.0.0", "Expected to find at least one version, but did not (details: all=3 -> after-prereleases-filter=3 -> after-kapp-controller-version-check=3 -> after-constraints-filter=0)"},
	} {
		t.Run(c.constraint, func(t *testing.T) {
			_, err := version.Select(c.versions, version.Selection{Constraint: c.constraint})
			var none *version.NoMatchError
			if !errors.As(err, &none) || err.Error() != c.want {
				t.Errorf("%v %q: got %v", c.versions, c.constraint, err)
			}
		})
	}
	_, err := version.Select([]string{"1.0.0"}, version.Selection{Constraint: "not a version"})
	if want := `Selecting versions: Parsing version constraint 'not a version': Could not get version from string: "not"`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0.0", "1.0.0", 0},
		{"1.0.0", "v1.0.0", 0},
		{"1.2.0", "1.10.0", -1},
		{"1.0.0", "1.0.0-rc.1", 1},
		{"20230402120000.0.0", "20230321004057.0.0", 1},
		{"1.0.0+b.1", "1.0.0", 1},
		{"1.0.0+vmware.2-tkg.1", "1.0.0+vmware.10-tkg.1", 1},
		{"1.0.0+b", "1.0.0+b.1", -1},
		{"1.0.0+1", "1.0.0+a", -1},
	} {
		t.Run(c.a, func(t *testing.T) {
			got, err := version.Compare(c.a, c.b)
			back, backErr := version.Compare(c.b, c.a)
			if err != nil || backErr != nil || got != c.want || back != -c.want {
				t.Errorf("%s, %s: got %d and %d, %v", c.a, c.b, got, back, err)
			}
		})
	}
	for _, bad := range []string{"", "1.2", "latest"} {
		if _, err := version.Compare("1.0.0", bad); err == nil {
			t.Errorf("%q was compared", bad)
		}
	}
}
