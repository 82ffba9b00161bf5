package carvel

import (
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Metadata are labels and annotations.
type Metadata struct {
	Labels, Annotations map[string]string
}

// On adds to an object what it does not have.
func (m Metadata) On(obj *unstructured.Unstructured) {
	if labels := m.Under(obj).Labels; len(labels) > 0 {
		obj.SetLabels(labels)
	}
	if annotations := m.Under(obj).Annotations; len(annotations) > 0 {
		obj.SetAnnotations(annotations)
	}
}

// Under are those of an object over m.
func (m Metadata) Under(obj *unstructured.Unstructured) Metadata {
	return m.With(Metadata{obj.GetLabels(), obj.GetAnnotations()})
}

// With has others over m.
func (m Metadata) With(over Metadata) Metadata {
	return Metadata{overlaid(m.Labels, over.Labels), overlaid(m.Annotations, over.Annotations)}
}

// overlaid is nil if both are.
func overlaid(under, over map[string]string) map[string]string {
	if len(under) == 0 {
		return over
	}
	out := maps.Clone(under)
	maps.Copy(out, over)
	return out
}

// Without are those that others do not have as well.
func (m Metadata) Without(others Metadata) Metadata {
	without := func(all, others map[string]string) map[string]string {
		out := maps.Clone(all)
		maps.DeleteFunc(out, func(key, value string) bool {
			other, found := others[key]
			return found && other == value
		})
		return out
	}
	return Metadata{without(m.Labels, others.Labels), without(m.Annotations, others.Annotations)}
}

// Shared are those that go on what is made beside an object too: an annotation of Carvel
// says something of the one object.
func (m Metadata) Shared() Metadata {
	annotations := maps.Clone(m.Annotations)
	maps.DeleteFunc(annotations, func(key, _ string) bool {
		domain, _, _ := strings.Cut(key, "/")
		for _, of := range []string{"carvel.dev", "k14s.io"} {
			if domain == of || strings.HasSuffix(domain, "."+of) {
				return true
			}
		}
		return false
	})
	return Metadata{m.Labels, annotations}
}
