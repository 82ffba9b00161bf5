package cluster

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// CreateSubresource posts obj to a subresource of the object that ref names,
// such as token of a ServiceAccount, and returns the answer. ErrNotFound if
// there is no such object. obj must bear the object's name.
func (c *Cluster) CreateSubresource(ctx context.Context, ref Ref, subresource string, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.do(ctx, "create "+subresource+" of", ref, func(ctx context.Context, ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return ri.Create(ctx, obj, metav1.CreateOptions{}, subresource)
	})
}
