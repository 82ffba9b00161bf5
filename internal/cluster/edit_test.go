package cluster

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestSteps(t *testing.T) {
	read := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "a"}, "spec": map[string]any{"paused": true}}}
	for _, c := range []struct {
		name  string
		edits []FieldEdit
		want  string
	}{
		{"set", []FieldEdit{{[]string{"spec", "paused"}, true}}, `[{"op":"add","path":"/spec/paused","value":true}]`},
		{"remove", []FieldEdit{{[]string{"spec", "paused"}, nil}}, `[{"op":"remove","path":"/spec/paused"}]`},
		{
			"in maps that are missing, once each",
			[]FieldEdit{{[]string{"metadata", "annotations", "a/b~c"}, "x"}, {[]string{"metadata", "annotations", "d"}, "y"}},
			`[{"op":"add","path":"/metadata/annotations","value":{}},{"op":"add","path":"/metadata/annotations/a~1b~0c","value":"x"},{"op":"add","path":"/metadata/annotations/d","value":"y"}]`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := json.Marshal(steps(read, c.edits))
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}
