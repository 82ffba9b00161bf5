package cluster

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// Difference is a field that is stored with another value than it was applied
// with.
type Difference struct {
	Field  string // as the API server writes it, such as .spec.syncPeriod
	Value  any    // that is stored; nil: none
	Owners []string
}

// Differences are the fields of an applied object that are stored otherwise.
// Owners are the other field managers that say they have set the field; a policy
// or webhook that changes objects on their way in is none.
func Differences(applied, stored *unstructured.Unstructured, m Manager) []Difference {
	var all []Difference
	compare(nil, applied.Object, stored.Object, func(path []string, value any) {
		all = append(all, Difference{Field: "." + strings.Join(path, "."), Value: value, Owners: owners(stored, path, m)})
	})
	return all
}

func compare(path []string, applied, stored any, differs func([]string, any)) {
	want, ok := applied.(map[string]any)
	have, isMap := stored.(map[string]any)
	if !ok || !isMap {
		if !reflect.DeepEqual(Project(stored, applied), applied) {
			differs(path, stored)
		}
		return
	}
	for _, field := range slices.Sorted(maps.Keys(want)) {
		compare(append(slices.Clone(path), field), want[field], have[field], differs)
	}
}

func owners(stored *unstructured.Unstructured, path []string, m Manager) []string {
	elements := make([]any, len(path))
	for i, field := range path {
		elements[i] = field
	}
	at, err := fieldpath.MakePath(elements...)
	if err != nil {
		return nil // not a path of fields
	}
	var names []string
	for _, entry := range stored.GetManagedFields() {
		if entry.Manager == m.Name || entry.FieldsV1 == nil {
			continue
		}
		var set fieldpath.Set
		if err := set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err == nil && set.Has(at) {
			names = append(names, printable.Line(entry.Manager, printable.Name))
		}
	}
	return names
}

// FieldOf finds the keys that a field such as .metadata.labels.a.b/c names in an
// object, since a key may have dots. ok is false if the object has no such
// field.
func FieldOf(obj *unstructured.Unstructured, field string) (keys []string, ok bool) {
	rest, dotted := strings.CutPrefix(field, ".")
	if !dotted {
		return nil, false
	}
	return fieldIn(obj.Object, rest)
}

func fieldIn(value any, rest string) ([]string, bool) {
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, false
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if key == rest {
			return []string{key}, true
		}
		if below, ok := strings.CutPrefix(rest, key+"."); ok {
			if keys, ok := fieldIn(fields[key], below); ok {
				return append([]string{key}, keys...), true
			}
		}
	}
	return nil, false
}
