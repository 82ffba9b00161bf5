package carvel

import (
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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
		if got := c.life.RenewalDue(c.now); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func jwt(payload string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func TestReadTokenClaims(t *testing.T) {
	claims, ok := ReadTokenClaims(jwt(`{"iat": 1000, "exp": 4600, "aud": ["api", "b"], "sub": "system:serviceaccount:apps:apps-sa", "kubernetes.io": {"serviceaccount": {"uid": "u1"}}}`))
	want := TokenClaims{Life{time.Unix(1000, 0), time.Unix(4600, 0)}, "apps", "apps-sa", "u1", []string{"api", "b"}}
	if diff := cmp.Diff(want, claims); !ok || diff != "" {
		t.Errorf("%t: %s", ok, diff)
	}
	if claims, _ := ReadTokenClaims(jwt(`{"aud": "api", "sub": "system:serviceaccount:apps:apps-sa"}`)); !slices.Equal(claims.Audiences, []string{"api"}) {
		t.Errorf("one audience: %+v", claims)
	}
	claims, ok = ReadTokenClaims(jwt(`{"sub": "system:serviceaccount:apps:apps-sa"}`))
	if !ok || !claims.Expires.IsZero() {
		t.Errorf("a token that does not expire: %+v, %t", claims, ok)
	}
	for _, token := range []string{
		"", "s3cret", "a.b.c", "e30.!.e30", jwt(`[]`), jwt(`{"sub": "someone"}`), jwt(`{"sub": "system:serviceaccount:half"}`),
		jwt(`{"exp": 9223372036854775807, "sub": "system:serviceaccount:apps:apps-sa"}`), jwt(`{"exp": -1, "sub": "system:serviceaccount:apps:apps-sa"}`),
		jwt(`{"iat": 253402300800, "exp": 1, "sub": "system:serviceaccount:apps:apps-sa"}`), jwt(`{"exp": 1e30, "sub": "system:serviceaccount:apps:apps-sa"}`),
	} {
		if _, ok := ReadTokenClaims(token); ok {
			t.Errorf("%q is taken for a ServiceAccount's token", token)
		}
	}
}

func answer(spec, status map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"spec": spec, "status": status}}
}

func TestGrantedToken(t *testing.T) {
	spec := map[string]any{"expirationSeconds": int64(3600)} // as granted, whatever was asked for
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	opaque, err := GrantedToken(answer(spec, map[string]any{"token": "opaque", "expirationTimestamp": "2026-11-01T12:00:00Z"}))
	if err != nil || string(opaque.Value) != "opaque" || !opaque.Expires.Equal(at) || !opaque.Issued.Equal(at.Add(-time.Hour)) {
		t.Errorf("got %+v, %v", opaque.Life, err)
	}
	text := jwt(`{"iat": 1000, "exp": 4600, "sub": "system:serviceaccount:apps:apps-sa"}`)
	own, err := GrantedToken(answer(spec, map[string]any{"token": text, "expirationTimestamp": "1970-01-01T01:16:41Z"}))
	if err != nil || own.Life != (Life{time.Unix(1000, 0), time.Unix(4600, 0)}) {
		t.Errorf("got %+v, %v", own.Life, err)
	}
	const endless = int64(1) << 62
	if _, err := GrantedToken(answer(map[string]any{"expirationSeconds": endless}, map[string]any{"token": "opaque", "expirationTimestamp": "2026-11-01T12:00:00Z"})); err == nil {
		t.Error("a life that overflows is taken")
	}
	huge := jwt(`{"iat": 1000, "exp": 9223372036854775807, "sub": "system:serviceaccount:apps:apps-sa"}`)
	if token, err := GrantedToken(answer(spec, map[string]any{"token": huge, "expirationTimestamp": "2026-11-01T12:00:00Z"})); err != nil || !token.Expires.Equal(at) {
		t.Errorf("a token that expires after the end of time: %+v, %v", token.Life, err)
	}
	for name, status := range map[string]map[string]any{
		"no token": {"expirationTimestamp": "2026-11-01T12:00:00Z"}, "no timestamp": {"token": "opaque"}, "not a timestamp": {"token": "opaque", "expirationTimestamp": "soon"},
	} {
		if _, err := GrantedToken(answer(spec, status)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTokenRequest(t *testing.T) {
	request := TokenRequest("apps", "apps-sa", 600, []string{"vault"})
	audiences, _, err := unstructured.NestedStringSlice(request.Object, "spec", "audiences")
	if err != nil || len(audiences) != 1 || request.GetName() != "apps-sa" || request.GetAPIVersion() != "authentication.k8s.io/v1" {
		t.Errorf("%v, %v", request.Object, err)
	}
	if _, found, _ := unstructured.NestedSlice(TokenRequest("apps", "apps-sa", 600, nil).Object, "spec", "audiences"); found {
		t.Error("an empty list of audiences is not the default")
	}
}

func TestIsLoopback(t *testing.T) {
	for server, want := range map[string]bool{
		"https://127.0.0.1:6443": true, "https://127.8.8.8": true, "https://[::1]:6443": true, "https://LOCALHOST.:6443": true,
		"https://api.localhost": true, "https://0.0.0.0:6443": true, "127.0.0.1:6443": true, "https://[::ffff:127.0.0.1]": true,
		"https://10.0.0.1": false, "https://api.example.com": false, "https://localhost.example.com": false, "https://[": false, "": false,
	} {
		if got := IsLoopback(server); got != want {
			t.Errorf("%q: %t", server, got)
		}
	}
}

func TestValidateSecretType(t *testing.T) {
	for kind, ok := range map[string]bool{
		"Opaque": true, "example.com/kubeconfig": true, "": false, "kubernetes.io/tls": false,
		"kubernetes.io/service-account-token": false, "bootstrap.kubernetes.io/token": false,
	} {
		if err := ValidateSecretType(kind); (err == nil) != ok {
			t.Errorf("%q: %v", kind, err)
		}
	}
}
