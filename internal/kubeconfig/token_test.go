package kubeconfig

import (
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRenewalDue(t *testing.T) {
	issued := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	life := Life{Issued: issued, Expires: issued.Add(30 * time.Hour)}
	for name, c := range map[string]struct {
		life Life
		now  time.Time
		want bool
	}{
		"just issued":               {life, issued, false},
		"a clock that runs behind":  {life, issued.Add(-time.Hour), false},
		"two thirds, to the second": {life, issued.Add(20 * time.Hour), false},
		"less than a third is left": {life, issued.Add(20*time.Hour + time.Second), true},
		"expired":                   {life, issued.Add(31 * time.Hour), true},
		"nothing is known of it":    {Life{}, issued, true},
		"other time zone":           {life, issued.Add(time.Hour).In(time.FixedZone("", 11*3600)), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.life.RenewalDue(c.now); got != c.want {
				t.Errorf("%s: %t", name, got)
			}
		})
	}
}

func jwt(payload string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func TestReadTokenClaims(t *testing.T) {
	claims, ok := ReadClaims(jwt(`{"iat": 1000, "exp": 4600, "aud": ["api", "b"], "sub": "system:serviceaccount:apps:apps-sa", "kubernetes.io": {"serviceaccount": {"uid": "u1"}}}`))
	want := Claims{Life{time.Unix(1000, 0), time.Unix(4600, 0)}, "apps", "apps-sa", "u1", []string{"api", "b"}}
	if diff := cmp.Diff(want, claims); !ok || diff != "" {
		t.Errorf("%t: %s", ok, diff)
	}
	if claims, _ := ReadClaims(jwt(`{"aud": "api", "sub": "system:serviceaccount:apps:apps-sa"}`)); !slices.Equal(claims.Audiences, []string{"api"}) {
		t.Errorf("one audience: %+v", claims)
	}
	claims, ok = ReadClaims(jwt(`{"sub": "system:serviceaccount:apps:apps-sa"}`))
	if !ok || !claims.Expires.IsZero() {
		t.Errorf("a token that does not expire: %+v, %t", claims, ok)
	}
	for _, token := range []string{
		"", "s3cret", "a.b.c", "e30.!.e30", jwt(`[]`), jwt(`{"sub": "someone"}`), jwt(`{"sub": "system:serviceaccount:half"}`),
		jwt(`{"exp": 9223372036854775807, "sub": "system:serviceaccount:apps:apps-sa"}`), jwt(`{"exp": -1, "sub": "system:serviceaccount:apps:apps-sa"}`),
		jwt(`{"iat": 253402300800, "exp": 1, "sub": "system:serviceaccount:apps:apps-sa"}`), jwt(`{"exp": 1e30, "sub": "system:serviceaccount:apps:apps-sa"}`),
	} {
		if _, ok := ReadClaims(token); ok {
			t.Errorf("%q is taken for a ServiceAccount's token", token)
		}
	}
}
