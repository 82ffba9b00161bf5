package providerdata

import (
	"errors"
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
		t.Run(name, func(t *testing.T) {
			var claims Claims
			accepted := 0
			for _, call := range c.calls {
				if claims.Claim("app.default.tap/staging", tftypes.NewValue(tftypes.String, call.config), call.prior) == nil {
					accepted++
				}
			}
			if accepted != c.accepted {
				t.Errorf("%s: %d calls accepted, want %d", name, accepted, c.accepted)
			}
			if claims.Claim("app.default.tap/prod", tftypes.NewValue(tftypes.String, "a"), false) != nil {
				t.Errorf("%s: another path was refused", name)
			}
		})
	}
}

// TestRenamed: a resource that is destroyed and another one that is created in
// its place belong to one resource that was renamed, in whichever order they are
// planned.
func TestRenamed(t *testing.T) {
	const place = "app.default.tap/staging"
	create := func(c *Claims) error { return c.Claim(place, tftypes.NewValue(tftypes.String, "new"), false) }
	var claims Claims
	if claims.Claimed(place) || create(&claims) != nil || !claims.Claimed(place) || claims.Claimed("other") {
		t.Error("what is claimed is not told from what is not")
	}
	for name, test := range map[string]struct {
		calls []func(*Claims) error // the last one's answer counts
		want  error
	}{
		"destroyed, then created":        {[]func(*Claims) error{func(c *Claims) error { return c.Destroy(place) }, create}, ErrRenamed},
		"created, then destroyed":        {[]func(*Claims) error{create, func(c *Claims) error { return c.Destroy(place) }}, ErrRenamed},
		"created before it is destroyed": {[]func(*Claims) error{create, func(c *Claims) error { c.Made(place); return c.Destroy(place) }}, nil},
		"a retry beside an older one":    {[]func(*Claims) error{func(c *Claims) error { c.Retried(place); return c.Destroy(place) }, create}, nil},
		"destroyed elsewhere":            {[]func(*Claims) error{func(c *Claims) error { return c.Destroy("other") }, create}, nil},
		"destroyed alone":                {[]func(*Claims) error{func(c *Claims) error { return c.Destroy(place) }}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var claims Claims
			var got error
			for _, call := range test.calls {
				got = call(&claims)
			}
			if !errors.Is(got, test.want) {
				t.Errorf("%s: %v, want %v", name, got, test.want)
			}
		})
	}
}
