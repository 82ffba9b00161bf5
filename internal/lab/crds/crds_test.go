package crds

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestAll(t *testing.T) {
	definitions, err := All()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range definitions {
		names = append(names, d.GetName())
		group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
		plural, _, _ := unstructured.NestedString(d.Object, "spec", "names", "plural")
		if d.GetName() != plural+"."+group {
			t.Errorf("%s is not PLURAL.GROUP", d.GetName())
		}
	}
	slices.Sort(names)
	want := []string{
		"apps.kappctrl.k14s.io",
		"packageinstalls.packaging.carvel.dev",
		"packagemetadatas.data.packaging.carvel.dev",
		"packagerepositories.packaging.carvel.dev",
		"packages.data.packaging.carvel.dev",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

// Whatever a schema leaves untyped would be stored unchecked.
func TestAll_typesEveryField(t *testing.T) {
	definitions, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range definitions {
		for _, version := range d.Object["spec"].(map[string]any)["versions"].([]any) {
			schema, ok, _ := unstructured.NestedMap(version.(map[string]any), "schema", "openAPIV3Schema")
			if !ok {
				t.Fatalf("%s has no schema", d.GetName())
			}
			checkTyped(t, d.GetName(), schema)
		}
	}
}

func checkTyped(t *testing.T, at string, schema map[string]any) {
	t.Helper()
	switch schema["type"] {
	case "object", "array", "string", "integer", "boolean":
	default:
		t.Errorf("%s has the type %v", at, schema["type"])
	}
	if schema["type"] == "array" && schema["items"] == nil {
		t.Errorf("%s has no items", at)
	}
	if schema["x-kubernetes-preserve-unknown-fields"] != nil && at != "packages.data.packaging.carvel.dev.spec.valuesSchema.openAPIv3" {
		t.Errorf("%s keeps unknown fields", at)
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[key].(map[string]any); ok {
			checkTyped(t, at+"[]", inner)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, inner := range properties {
		checkTyped(t, at+"."+name, inner.(map[string]any))
	}
}

func TestResolve(t *testing.T) {
	shared := map[string]any{
		"leaf": map[string]any{"type": "string"},
		"list": map[string]any{"type": "array", "items": map[string]any{"$ref": "leaf"}},
		"loop": map[string]any{"properties": map[string]any{"loop": map[string]any{"$ref": "loop"}}},
	}
	if _, err := resolve(map[string]any{"$ref": "loop"}, shared, 0); err == nil {
		t.Error("a schema that refers to itself was resolved")
	}
	if _, err := resolve(map[string]any{"$ref": "none"}, shared, 0); err == nil {
		t.Error("a schema that does not exist was resolved")
	}
	got, err := resolve(map[string]any{"$ref": "list", "description": "own"}, shared, 0)
	if err != nil {
		t.Fatal(err)
	}
	list := got.(map[string]any)
	if list["description"] != "own" || list["items"].(map[string]any)["type"] != "string" {
		t.Errorf("got %v", list)
	}
}
