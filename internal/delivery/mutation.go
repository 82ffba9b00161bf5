package delivery

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// Mutation is a field that a cluster has stored otherwise than it was applied.
type Mutation struct {
	Object string // "Kind/name"
	cluster.Difference
}

func title(obj *unstructured.Unstructured) string { return obj.GetKind() + "/" + obj.GetName() }

// mutations are those of one applied object. What is secret in it is not told.
func mutations(applied, stored *unstructured.Unstructured, m cluster.Manager) []Mutation {
	var all []Mutation
	masked := &unstructured.Unstructured{Object: carvel.MaskApp(stored.Object)}
	for _, d := range cluster.Differences(applied, stored, m) {
		if strings.HasPrefix(d.Field, ".data") {
			d.Value = carvel.Masked
		} else if keys, ok := cluster.FieldOf(masked, d.Field); ok {
			if value, found, err := unstructured.NestedFieldNoCopy(masked.Object, keys...); found && err == nil {
				d.Value = value
			}
		}
		all = append(all, Mutation{Object: title(applied), Difference: d})
	}
	return all
}

// Ignored are fields that are left to others once they are set: "FIELD", or
// "Kind/name FIELD" for one object.
type Ignored []string

// of are the fields of an object that are left to others, each as its keys.
func (i Ignored) of(obj *unstructured.Unstructured) [][]string {
	var fields [][]string
	for _, entry := range i {
		field := entry
		if object, rest, ok := strings.Cut(entry, " "); ok {
			if object != title(obj) {
				continue
			}
			field = rest
		}
		if keys, ok := cluster.FieldOf(obj, field); ok {
			fields = append(fields, keys)
		}
	}
	return fields
}

// preserve gives an object the values that its ignored fields have now.
func (i Ignored) preserve(obj, now *unstructured.Unstructured) {
	for _, keys := range i.of(obj) {
		if now == nil {
			return
		}
		value, found, err := unstructured.NestedFieldCopy(now.Object, keys...)
		if err != nil || !found {
			continue
		}
		if err := unstructured.SetNestedField(obj.Object, value, keys...); err != nil {
			panic(err) // the object has the field
		}
	}
}

// keepText is keep with the object as a state shows it; an empty or damaged text
// has none.
func (i Ignored) keepText(obj *unstructured.Unstructured, text string) {
	now := &unstructured.Unstructured{}
	if text != "" && yaml.Unmarshal([]byte(text), &now.Object) == nil {
		i.preserve(obj, now)
	}
}

// pick keeps the entries of an object's labels or annotations whose keys are
// wanted; nil stays nil. One that is left to others stays as it is wanted.
func (i Ignored) pick(field string, live, wanted map[string]string) map[string]string {
	if wanted == nil {
		return nil
	}
	out := map[string]string{}
	for k, v := range wanted {
		if i.has(".metadata." + field + "." + k) {
			out[k] = v
		} else if v, ok := live[k]; ok {
			out[k] = v
		}
	}
	return out
}

// has reports whether a field is left to others in any object.
func (i Ignored) has(field string) bool {
	return slices.ContainsFunc(i, func(entry string) bool { return entry == field || strings.HasSuffix(entry, " "+field) })
}

// ValidateIgnored checks one entry.
func ValidateIgnored(entry string) error {
	field := entry
	if object, rest, ok := strings.Cut(entry, " "); ok {
		if kind, name, ok := strings.Cut(object, "/"); !ok || kind == "" || name == "" {
			return fmt.Errorf("%q is not Kind/name", object)
		}
		field = rest
	}
	if !strings.HasPrefix(field, ".") || len(field) < 2 {
		return fmt.Errorf("%q does not begin with a dot and a name", field)
	}
	for _, fixed := range []string{".apiVersion", ".kind", ".metadata.name", ".metadata.namespace"} {
		if field == fixed || field == ".metadata" {
			return fmt.Errorf("%s tells which object it is", field)
		}
	}
	return nil
}
