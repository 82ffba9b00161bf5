package lab

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/crds"
)

var (
	crdResource            = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	namespaceResource      = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	secretResource         = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	serviceAccountResource = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
)

func (c *cluster) establishCRDs(ctx context.Context) error {
	definitions, err := crds.All()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, definition := range definitions {
		group.Go(func() error {
			_, err := c.client.Resource(crdResource).Create(ctx, definition, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
			if err != nil {
				return fmt.Errorf("create the CRD %s: %w", definition.GetName(), err)
			}
			return c.await(ctx, crdResource, "", definition.GetName(), established)
		})
	}
	return group.Wait()
}

func established(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	for _, c := range conditions {
		if condition, ok := c.(map[string]any); ok && condition["type"] == "Established" && condition["status"] == "True" {
			return true
		}
	}
	return false
}

// await reads an object until it exists and is as wanted.
func (c *cluster) await(ctx context.Context, resource schema.GroupVersionResource, namespace, name string, wanted func(*unstructured.Unstructured) bool) error {
	for {
		object, err := c.client.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
		if err == nil && wanted(object) {
			return nil
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s %s: %w", resource.Resource, name, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *cluster) create(ctx context.Context, resource schema.GroupVersionResource, o *unstructured.Unstructured) error {
	_, err := c.client.Resource(resource).Namespace(o.GetNamespace()).Create(ctx, o, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create the %s %s on cluster %s: %w", o.GetKind(), o.GetName(), c.name, err)
	}
	return nil
}

func object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}
