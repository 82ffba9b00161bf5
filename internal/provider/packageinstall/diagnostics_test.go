package packageinstall

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

func TestRefusedVersion(t *testing.T) {
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprintf("%d.0.0", 25-i))
	}
	none := &version.NoMatchError{}
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"many versions": {
			&delivery.NoVersionError{Package: "app.default.tap", Where: "p on branch main", Constraint: "99.x", Available: many, Err: none},
			[]string{`"99.x" matches none of the versions in p on branch main`, "25.0.0, 24.0.0,", "16.0.0 and 15 older.", `package_source = "cluster", or "none"`},
		},
		"no directory": {
			&delivery.NoVersionError{Package: "app.default.tap", Where: "p on branch main", Err: delivery.ErrNotFound},
			[]string{"There is no directory p on branch main", "Correct package, or commit its Packages there", `"none"`},
		},
		"a cluster": {
			&delivery.NoVersionError{Package: "app.default.tap", Where: "w", Err: none, Source: delivery.PackageSource{Kind: delivery.FromCluster}},
			[]string{"There is no Package of app.default.tap in w", "deliver the Package to the cluster first", `package_source = "repository"`},
		},
		"a prerelease": {
			&delivery.NoVersionError{Where: "w", Constraint: ">1.0.0", Available: many[:1], HeldBack: "25.0.0-rc.1", Err: none},
			[]string{"25.0.0-rc.1 would match", "prereleases = {}"},
		},
		"a downgrade": {
			fmt.Errorf("check: %w", &delivery.DowngradeError{Package: "app.default.tap", RunCluster: "prod", From: "2.0.0", To: "1.0.0"}),
			[]string{"installs version 2.0.0 on prod", "down to 1.0.0", "allow_downgrade = true"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, ok := refusedVersion(c.err)
			if !ok {
				t.Errorf("%s: no diagnostic", name)
				return
			}
			if at, _ := d.(diag.DiagnosticWithPath); at == nil || !at.Path().Equal(path.Root("version_constraint")) {
				t.Errorf("%s is not about version_constraint", name)
			}
			for _, want := range c.want {
				if !strings.Contains(d.Detail(), want) {
					t.Errorf("%s: %q is missing in\n%s", name, want, d.Detail())
				}
			}
		})
	}
	if _, ok := refusedVersion(errors.New("something else")); ok {
		t.Error("an error of another kind was taken for a missing version")
	}
}
