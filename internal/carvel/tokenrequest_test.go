package carvel

import (
	"encoding/base64"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

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
	text := unsigned(`{"iat": 1000, "exp": 4600, "sub": "system:serviceaccount:apps:apps-sa"}`)
	own, err := GrantedToken(answer(spec, map[string]any{"token": text, "expirationTimestamp": "1970-01-01T01:16:41Z"}))
	if err != nil || own.Life != (kubeconfig.Life{Issued: time.Unix(1000, 0), Expires: time.Unix(4600, 0)}) {
		t.Errorf("got %+v, %v", own.Life, err)
	}
	const endless = int64(1) << 62
	if _, err := GrantedToken(answer(map[string]any{"expirationSeconds": endless}, map[string]any{"token": "opaque", "expirationTimestamp": "2026-11-01T12:00:00Z"})); err == nil {
		t.Error("a life that overflows is taken")
	}
	huge := unsigned(`{"iat": 1000, "exp": 9223372036854775807, "sub": "system:serviceaccount:apps:apps-sa"}`)
	if token, err := GrantedToken(answer(spec, map[string]any{"token": huge, "expirationTimestamp": "2026-11-01T12:00:00Z"})); err != nil || !token.Expires.Equal(at) {
		t.Errorf("a token that expires after the end of time: %+v, %v", token.Life, err)
	}
	for name, status := range map[string]map[string]any{
		"no token": {"expirationTimestamp": "2026-11-01T12:00:00Z"}, "no timestamp": {"token": "opaque"}, "not a timestamp": {"token": "opaque", "expirationTimestamp": "soon"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := GrantedToken(answer(spec, status)); err == nil {
				t.Errorf("%s: no error", name)
			}
		})
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

// unsigned is a token with claims.
func unsigned(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}
