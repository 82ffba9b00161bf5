package kubeconfigsecret

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
)

func TestOutdated(t *testing.T) {
	issued := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	written := record{Fingerprint: "a", Issued: issued, Expires: issued.AddDate(0, 0, 30)}
	for name, c := range map[string]struct {
		fingerprint string
		written     record
		now         time.Time
		want        bool
	}{
		"new":                       {"a", written, issued, false},
		"a third is left":           {"a", written, issued.AddDate(0, 0, 20), false},
		"less than a third is left": {"a", written, issued.AddDate(0, 0, 20).Add(time.Second), true},
		"expired":                   {"a", written, issued.AddDate(0, 2, 0), true},
		"changed by someone else":   {"b", written, issued, true},
		"its key was removed":       {"", written, issued, true},
		"nothing is on record":      {"a", record{}, issued, true},
		"its life is not on record": {"a", record{Fingerprint: "a"}, issued, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := &kubeconfigSecret{now: func() time.Time { return c.now }}
			if got := r.outdated(&model{Fingerprint: types.StringValue(c.fingerprint)}, c.written); got != c.want {
				t.Errorf("%s: %t", name, got)
			}
		})
	}
}

func TestSameToken(t *testing.T) {
	account := func(change func(*delivery.ServiceAccount)) *delivery.ServiceAccount {
		a := &delivery.ServiceAccount{Namespace: "apps", Name: "apps-sa", TokenSeconds: 3600}
		change(a)
		return a
	}
	same := account(func(*delivery.ServiceAccount) {})
	for name, c := range map[string]struct {
		other *delivery.ServiceAccount
		want  bool
	}{
		"the same":          {account(func(*delivery.ServiceAccount) {}), true},
		"another server":    {account(func(a *delivery.ServiceAccount) { a.Server = "https://other.example.com" }), true},
		"another life":      {account(func(a *delivery.ServiceAccount) { a.TokenSeconds = 7200 }), false},
		"from a Secret":     {account(func(a *delivery.ServiceAccount) { a.TokenSeconds = 0 }), false},
		"another account":   {account(func(a *delivery.ServiceAccount) { a.Name = "other" }), false},
		"another namespace": {account(func(a *delivery.ServiceAccount) { a.Namespace = "other" }), false},
		"another source":    {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sameToken(same, c.other); got != c.want {
				t.Errorf("%s: %t", name, got)
			}
		})
	}
}
