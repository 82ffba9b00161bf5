package carvel

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestMark(t *testing.T) {
	m := Mark{Creation: "1f", Owner: "acme/prod", Resource: "carvel_app dev/app", Adopted: true}
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetAnnotations(map[string]string{"kept": "yes"})
	marked := m.On(obj)
	if got := MarkOf(marked); got != m || marked.GetAnnotations()["kept"] != "yes" {
		t.Errorf("got %+v on %v", got, marked.Object)
	}
	if MarkOf(obj) != (Mark{}) || MarkOf(nil) != (Mark{}) {
		t.Error("what bears no mark has one")
	}
	for _, text := range []string{"not json", "{}", `{"owner":"acme/prod"}`} {
		if got := ParseMark(text); got.Creation != text || got.Owner != "" {
			t.Errorf("%s: %+v is somebody's", text, got)
		}
	}
}

func TestUsesSecret(t *testing.T) {
	app := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"secretRef": map[string]any{"name": "metadata"}},
		"spec": map[string]any{
			"cluster":  map[string]any{"kubeconfigSecretRef": map[string]any{"name": "kubeconfig"}},
			"fetch":    []any{map[string]any{"git": map[string]any{"secretRef": map[string]any{"name": "git"}}}},
			"template": []any{map[string]any{"sops": map[string]any{"age": map[string]any{"privateKeysSecretRef": map[string]any{"name": "age"}}}}},
			"name":     "spec",
		},
	}}
	for name, want := range map[string]bool{"kubeconfig": true, "git": true, "age": true, "metadata": false, "spec": false, "": false} {
		t.Run(name, func(t *testing.T) {
			if UsesSecret(app, name) != want {
				t.Errorf("%q: want %t", name, want)
			}
		})
	}
}
