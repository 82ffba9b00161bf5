package deliverytest

import (
	"encoding/base64"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// plain converts no object into another version: each kind has one here.
type plain struct{}

func (plain) Convert(_, _, _ any) error { return nil }

func (plain) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

func (plain) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

func (plain) Default(runtime.Object) {}

func (plain) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetGroupVersionKind(kind)
	return obj, nil
}

// applied is an object with what a field manager applies, by the code of API servers. Of
// lists it knows that each belongs to one manager as a whole.
func applied(live, obj *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error) {
	kind := obj.GroupVersionKind()
	manager, err := managedfields.NewDefaultCRDFieldManager(managedfields.NewDeducedTypeConverter(), plain{}, plain{}, plain{}, kind, kind.GroupVersion(), "", nil)
	if err != nil {
		return nil, err
	}
	if live == nil {
		live = &unstructured.Unstructured{Object: map[string]any{}}
		live.SetGroupVersionKind(kind)
		live.SetName(obj.GetName())
		live.SetNamespace(obj.GetNamespace())
	}
	bare := obj.DeepCopy()
	bare.SetUID("")
	bare.SetResourceVersion("")
	merged, err := manager.Apply(live.DeepCopy(), bare, m.Name, m.Force)
	if err != nil {
		return nil, err
	}
	out, ok := merged.(*unstructured.Unstructured)
	if !ok {
		return nil, fmt.Errorf("the field manager gives a %T", merged)
	}
	return out, nil
}

// Token is one of a ServiceAccount that nobody has signed.
func Token(namespace, name string, issued time.Time, lives time.Duration) string {
	claims := fmt.Sprintf(`{"iat":%d,"exp":%d,"sub":"system:serviceaccount:%s:%s"}`, issued.Unix(), issued.Add(lives).Unix(), namespace, name)
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}
