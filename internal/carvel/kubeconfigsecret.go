package carvel

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// KubeconfigSecretSpec describes the Secret on the build cluster that holds a
// run cluster's kubeconfig.
type KubeconfigSecretSpec struct {
	Namespace, Name     string
	Key                 string
	Labels, Annotations map[string]string
}

// KubeconfigSecret builds the Secret.
func KubeconfigSecret(s KubeconfigSecretSpec, kubeconfig Kubeconfig) *unstructured.Unstructured {
	labels := managedBy()
	maps.Copy(labels, s.Labels)
	obj := object(Secrets, "Secret", s.Namespace, s.Name, labels, s.Annotations)
	obj.Object["type"] = "Opaque"
	// data, not stringData: the API never returns stringData, so that a field
	// manager could not own it.
	obj.Object["data"] = map[string]any{s.Key: base64.StdEncoding.EncodeToString(kubeconfig.YAML)}
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

// TokenSecret builds the Secret that the run cluster fills with a long-lived
// token of a ServiceAccount. owner tells apart the kubeconfigs that are made
// for one account.
func TokenSecret(namespace, serviceAccount, owner string) *unstructured.Unstructured {
	sum := sha256.Sum256([]byte(owner))
	name := serviceAccount + "-kubeconfig-" + hex.EncodeToString(sum[:4])
	obj := object(Secrets, "Secret", namespace, name, managedBy(),
		map[string]string{"kubernetes.io/service-account.name": serviceAccount})
	obj.Object["type"] = "kubernetes.io/service-account-token"
	return obj
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
