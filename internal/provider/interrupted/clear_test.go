package interrupted_test

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// clearClusters deletes what is left on the clusters. What an App has deployed
// goes with its namespace: the App may not be able to delete it any more.
func (w *world) clearClusters(ctx context.Context) {
	if w.at == absent && len(differences(w.expected(absent), w.look())) == 0 {
		return
	}
	w.patchEach(ctx, carvel.Apps.Resource, `{"spec":{"noopDelete":true}}`)
	w.deleteEach(ctx, carvel.Apps.Resource)
	w.deleteEach(ctx, carvel.PackageInstalls.Resource)
	eventually(appsGone, func() (left []string) {
		w.each(ctx, carvel.Apps.Resource, func(_ dynamic.ResourceInterface, obj *unstructured.Unstructured) error {
			if obj.GetNamespace() == w.Name {
				left = append(left, obj.GetName())
			}
			return nil
		})
		return left
	})
	for _, resource := range []string{carvel.PackageInstalls.Resource, carvel.Apps.Resource} {
		w.patchEach(ctx, resource, `{"metadata":{"finalizers":null}}`)
	}
	w.deleteEach(ctx, carvel.Namespaces.Resource)
}

// each does something with all of the world's objects of a resource.
func (w *world) each(ctx context.Context, resource string, do func(at dynamic.ResourceInterface, obj *unstructured.Unstructured) error) {
	for _, k := range w.kinds() {
		if k.Resource != resource {
			continue
		}
		list, err := k.client.List(ctx, metav1.ListOptions{})
		if err != nil {
			w.T.Error(err)
			continue
		}
		for i := range list.Items {
			obj := &list.Items[i]
			if !w.has(k, obj) {
				continue
			}
			var at dynamic.ResourceInterface = k.client
			if obj.GetNamespace() != "" {
				at = k.client.Namespace(obj.GetNamespace())
			}
			if err := do(at, obj); err != nil && !apierrors.IsNotFound(err) {
				w.T.Errorf("clear %s %s: %v", obj.GetKind(), obj.GetName(), err)
			}
		}
	}
}

func (w *world) patchEach(ctx context.Context, resource, patch string) {
	w.each(ctx, resource, func(at dynamic.ResourceInterface, obj *unstructured.Unstructured) error {
		_, err := at.Patch(ctx, obj.GetName(), types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		return err
	})
}

func (w *world) deleteEach(ctx context.Context, resource string) {
	w.each(ctx, resource, func(at dynamic.ResourceInterface, obj *unstructured.Unstructured) error {
		return at.Delete(ctx, obj.GetName(), metav1.DeleteOptions{})
	})
}
