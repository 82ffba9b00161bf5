package acctest

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

// Access is a request that a user may or may not make.
type Access struct {
	Verb, Group, Resource, Subresource, Namespace string
}

// Can asks a cluster's API server what the user of a kubeconfig may do.
func Can(kubeconfig []byte, accesses ...Access) ([]bool, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	reviews := schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "selfsubjectaccessreviews"}
	var allowed []bool
	for _, a := range accesses {
		review := Object(reviews, "SelfSubjectAccessReview", "", "")
		review.Object["spec"] = map[string]any{"resourceAttributes": map[string]any{
			"verb": a.Verb, "group": a.Group, "resource": a.Resource, "subresource": a.Subresource, "namespace": a.Namespace,
		}}
		answer, err := client.Resource(reviews).Create(context.Background(), review, metav1.CreateOptions{})
		if err != nil {
			return allowed, err
		}
		ok, _, err := unstructured.NestedBool(answer.Object, "status", "allowed")
		if err != nil {
			return allowed, err
		}
		allowed = append(allowed, ok)
	}
	return allowed, nil
}
