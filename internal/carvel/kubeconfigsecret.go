package carvel

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// KubeconfigSecretSpec describes the Secret on the build cluster that holds a
// run cluster's kubeconfig.
type KubeconfigSecretSpec struct {
	Namespace, Name     string
	Key                 string
	Type                string            // "": DefaultSecretType
	Labels, Annotations map[string]string // of the token Secret as well
	Defaults            Metadata          // under these
}

// All are the labels and annotations of the Secret.
func (s KubeconfigSecretSpec) All() Metadata {
	return s.Defaults.With(Metadata{s.Labels, s.Annotations})
}

// DefaultSecretType is the type of a Secret for arbitrary data.
const DefaultSecretType = "Opaque"

// ValidateSecretType refuses the types whose content the API server or a
// controller prescribes.
func ValidateSecretType(kind string) error {
	if kind == "" {
		return errors.New("the type is empty")
	}
	for _, prefix := range []string{"kubernetes.io/", "bootstrap.kubernetes.io/"} {
		if strings.HasPrefix(kind, prefix) {
			return fmt.Errorf("the content of type %q is prescribed by Kubernetes, and it is not a kubeconfig", kind)
		}
	}
	return nil
}

// SecretType is the type of a Secret as stored.
func SecretType(obj *unstructured.Unstructured) string {
	kind, _, err := unstructured.NestedString(obj.Object, "type")
	if err != nil || kind == "" {
		return DefaultSecretType
	}
	return kind
}

// KubeconfigSecret builds the Secret.
func KubeconfigSecret(s KubeconfigSecretSpec, kubeconfig kubeconfig.File) *unstructured.Unstructured {
	labels := managedBy()
	maps.Copy(labels, s.Labels)
	obj := object(Secrets, "Secret", s.Namespace, s.Name, labels, s.Annotations)
	obj.Object["type"] = cmp.Or(s.Type, DefaultSecretType)
	// data, not stringData: the API never returns stringData, so that a field
	// manager could not own it.
	obj.Object["data"] = map[string]any{s.Key: base64.StdEncoding.EncodeToString(kubeconfig.YAML)}
	s.Defaults.On(obj)
	return obj
}

// SecretValue is one decoded key of a Secret.
func SecretValue(obj *unstructured.Unstructured, key string) ([]byte, bool) {
	encoded, ok, err := unstructured.NestedString(obj.Object, "data", key)
	if !ok || err != nil {
		return nil, false
	}
	value, err := base64.StdEncoding.DecodeString(encoded)
	return value, err == nil
}

// TokenSecretAnnotation names, on a Secret with a kubeconfig, the token Secret
// on the run cluster that its token is of.
const TokenSecretAnnotation = "carvel-gitops.github.io/token-secret"

// RotatedAnnotation has, on a Secret with a kubeconfig, the fingerprint of what was written
// with a rotated token, so that the resource of the Secret tells that from what somebody
// else has put there.
const RotatedAnnotation = "carvel-gitops.github.io/rotated"

// TokenSecretType is the type of a Secret that Kubernetes fills with a token.
const TokenSecretType = "kubernetes.io/service-account-token"

// TokenSecretName tells apart the kubeconfigs that are made for one account:
// users are what has to differ.
func TokenSecretName(serviceAccount string, users ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(users, "\n")))
	return serviceAccount + "-kubeconfig-" + hex.EncodeToString(sum[:4])
}

// LongestTokenSecretName is as long as the name of a token Secret of the account is at
// most: some random digits may follow what TokenSecretName says.
func LongestTokenSecretName(serviceAccount string) string {
	return TokenSecretName(serviceAccount) + "-" + strings.Repeat("0", 2*TokenSecretRandom)
}

// TokenSecretRandom is how many random bytes make the name of a token Secret one that
// there has never been.
const TokenSecretRandom = 4

// TokenSecret builds the Secret that the run cluster fills with a long-lived
// token of a ServiceAccount.
func TokenSecret(namespace, name, serviceAccount string) *unstructured.Unstructured {
	obj := object(Secrets, "Secret", namespace, name, managedBy(),
		map[string]string{"kubernetes.io/service-account.name": serviceAccount})
	obj.Object["type"] = TokenSecretType
	return obj
}

// IsManaged reports whether the provider made an object.
func IsManaged(obj *unstructured.Unstructured) bool {
	return obj.GetLabels()[ManagedByLabel] == ManagedBy
}

// OnlyKey is the key of a Secret that has just one, else the key that Apps
// read.
func OnlyKey(obj *unstructured.Unstructured) string {
	data, _, err := unstructured.NestedMap(obj.Object, "data")
	if err != nil || len(data) != 1 {
		return DefaultKubeconfigKey
	}
	for key := range data {
		return key
	}
	return DefaultKubeconfigKey
}
