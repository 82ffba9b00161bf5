package cluster

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// FieldEdit sets a field of an object, or removes one that is there if Value is nil.
type FieldEdit struct {
	Path  []string // such as spec, paused
	Value any
}

// patchStep is one of a JSON patch (RFC 6902).
type patchStep struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// pointer is a path as a JSON pointer (RFC 6901).
func pointer(path []string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var text strings.Builder
	for _, field := range path {
		text.WriteString("/" + escape.Replace(field))
	}
	return text.String()
}

// steps are edits as a JSON patch of an object. A map that it lacks on the way is made.
func steps(read *unstructured.Unstructured, edits []FieldEdit) []patchStep {
	var all []patchStep
	made := map[string]bool{}
	for _, e := range edits {
		if e.Value == nil {
			all = append(all, patchStep{Op: "remove", Path: pointer(e.Path)})
			continue
		}
		for n := 1; n < len(e.Path); n++ {
			parent := e.Path[:n]
			at, found, err := unstructured.NestedFieldNoCopy(read.Object, parent...)
			if err == nil && found && at != nil || made[pointer(parent)] {
				continue
			}
			made[pointer(parent)] = true
			all = append(all, patchStep{Op: "add", Path: pointer(parent), Value: map[string]any{}})
		}
		all = append(all, patchStep{Op: "add", Path: pointer(slices.Clone(e.Path)), Value: e.Value})
	}
	return all
}

// Edit changes single fields of an object that was read, and leaves the others as they
// are now. It fails if a field that is to be removed is not there.
func (c *Cluster) Edit(ctx context.Context, ref Ref, read *unstructured.Unstructured, edits []FieldEdit, m Manager) (*unstructured.Unstructured, error) {
	patch, err := json.Marshal(steps(read, edits))
	if err != nil {
		return nil, err
	}
	return c.do(ctx, "patch", ref, func(ctx context.Context, ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return c.checked(ref, nil)(ri.Patch(ctx, ref.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: m.Name}))
	})
}
