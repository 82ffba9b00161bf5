package providerdata

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// TestClaim gives the calls that Terraform makes for resources at one path, and
// how many of them are accepted.
func TestClaim(t *testing.T) {
	type call struct {
		config string
		prior  bool
	}
	for name, c := range map[string]struct {
		calls    []call
		accepted int
	}{
		"a new one":                         {[]call{{"a", false}}, 1},
		"an existing one":                   {[]call{{"a", true}}, 1},
		"one that is replaced":              {[]call{{"a", true}, {"a", false}}, 2},
		"two new ones":                      {[]call{{"a", false}, {"a", false}}, 1},
		"two existing ones":                 {[]call{{"a", true}, {"a", true}}, 1},
		"an existing and another new one":   {[]call{{"a", true}, {"b", false}}, 1},
		"a new one and an existing one":     {[]call{{"a", false}, {"a", true}}, 1},
		"one that is replaced, and another": {[]call{{"a", true}, {"a", false}, {"a", false}}, 2},
	} {
		var claims Claims
		accepted := 0
		for _, call := range c.calls {
			if claims.Claim("app.default.tap/staging", tftypes.NewValue(tftypes.String, call.config), call.prior) {
				accepted++
			}
		}
		if accepted != c.accepted {
			t.Errorf("%s: %d calls accepted, want %d", name, accepted, c.accepted)
		}
		if !claims.Claim("app.default.tap/prod", tftypes.NewValue(tftypes.String, "a"), false) {
			t.Errorf("%s: another path was refused", name)
		}
	}
}
