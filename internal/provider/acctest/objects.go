package acctest

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// Kinds that the tests look at and the provider does not.
var (
	ConfigMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	Packages   = schema.GroupVersionResource{Group: "data.packaging.carvel.dev", Version: "v1alpha1", Resource: "packages"}
)

// Object is an object with nothing but its identity.
func Object(resource schema.GroupVersionResource, kind, namespace, name string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetAPIVersion(resource.GroupVersion().String())
	obj.SetKind(kind)
	obj.SetName(name)
	if namespace != "" {
		obj.SetNamespace(namespace)
	}
	return obj
}

// Create makes an object as somebody else, and deletes it at the end.
func (e *Env) Create(at dynamic.ResourceInterface, obj *unstructured.Unstructured) {
	e.T.Helper()
	if _, err := at.Create(context.Background(), obj, metav1.CreateOptions{FieldManager: "somebody-else"}); err != nil {
		e.T.Fatal(err)
	}
	e.T.Cleanup(func() {
		if err := at.Delete(context.Background(), obj.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			e.T.Errorf("clean up %s %s: %v", obj.GetKind(), obj.GetName(), err)
		}
	})
}

// Patch edits an object as somebody else, by a JSON merge patch.
func (e *Env) Patch(at dynamic.ResourceInterface, name, patch string) {
	e.T.Helper()
	_, err := at.Patch(context.Background(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "somebody-else"})
	if err != nil {
		e.T.Fatal(err)
	}
}

// Delete deletes an object as somebody else and waits until it is gone.
func (e *Env) Delete(at dynamic.ResourceInterface, name string) {
	e.T.Helper()
	if err := at.Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
		e.T.Fatal(err)
	}
	e.Gone(at, name)
}

// Gone waits until an object is gone that something deletes.
func (e *Env) Gone(at dynamic.ResourceInterface, name string) {
	e.T.Helper()
	e.Eventually(name+" is gone", func(ctx context.Context) (bool, error) { return gone(ctx, at, name) })
}

func gone(ctx context.Context, at dynamic.ResourceInterface, name string) (bool, error) {
	_, err := at.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	return false, err
}

// Has checks that an object is there and looks as it should.
func Has(at dynamic.ResourceInterface, name string, check func(obj *unstructured.Unstructured) error) resource.TestCheckFunc {
	return func(*terraform.State) error {
		obj, err := at.Get(context.Background(), name, metav1.GetOptions{})
		if err != nil || check == nil {
			return err
		}
		return check(obj)
	}
}

// HasNot checks that there is no such object.
func HasNot(at dynamic.ResourceInterface, name string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		ok, err := gone(context.Background(), at, name)
		if err == nil && !ok {
			err = fmt.Errorf("%s is still there", name)
		}
		return err
	}
}

// Field checks a field of an object against its text as fmt prints it.
func Field(want string, fields ...string) func(*unstructured.Unstructured) error {
	return func(obj *unstructured.Unstructured) error {
		got, _, err := unstructured.NestedFieldNoCopy(obj.Object, fields...)
		if err != nil {
			return err
		}
		if text := fmt.Sprint(got); text != want {
			return fmt.Errorf("%s: %v is %q, want %q", obj.GetName(), fields, text, want)
		}
		return nil
	}
}
