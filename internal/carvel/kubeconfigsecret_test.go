package carvel

import (
	"testing"
)

func TestTokenSecretName(t *testing.T) {
	if a, b := TokenSecretName("sa", "dev/a"), TokenSecretName("sa", "dev/b"); a == b {
		t.Error("two kubeconfigs of one ServiceAccount share a token Secret")
	}
}

func TestValidateSecretType(t *testing.T) {
	for kind, ok := range map[string]bool{
		"Opaque": true, "example.com/kubeconfig": true, "": false, "kubernetes.io/tls": false,
		"kubernetes.io/service-account-token": false, "bootstrap.kubernetes.io/token": false,
	} {
		t.Run(kind, func(t *testing.T) {
			if err := ValidateSecretType(kind); (err == nil) != ok {
				t.Errorf("%q: %v", kind, err)
			}
		})
	}
}
