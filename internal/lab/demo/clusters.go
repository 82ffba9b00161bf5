package demo

import (
	"context"
	"encoding/base64"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

func administrator(cluster lab.Cluster) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 400
	config.WarningHandler = rest.NoWarnings{} // of kinds that are listed and deprecated
	return config, nil
}

// list returns the objects of a kind in a namespace.
func list(ctx context.Context, client dynamic.Interface, kind schema.GroupVersionResource, namespace string) ([]unstructured.Unstructured, error) {
	found, err := client.Resource(kind).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return found.Items, nil
}

// secretValue decodes a key of a Secret.
func secretValue(secret *unstructured.Unstructured, key string) ([]byte, error) {
	encoded, found, err := unstructured.NestedString(secret.Object, "data", key)
	if err != nil || !found {
		return nil, fmt.Errorf("the Secret %s has no key %s", secret.GetName(), key)
	}
	return base64.StdEncoding.DecodeString(encoded)
}
