package cluster

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestDifferences(t *testing.T) {
	applied := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "a", "labels": map[string]any{"a.b/c": "1", "kept": "1", "gone": "1"}},
		"spec":     map[string]any{"list": []any{map[string]any{"x": "1"}}, "period": "1m"},
	}}
	stored := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "a", "uid": "u", "labels": map[string]any{"a.b/c": "2", "kept": "1", "more": "1"}},
		"spec":     map[string]any{"list": []any{map[string]any{"x": "1", "defaulted": true}}, "period": "2m"},
	}}
	stored.SetManagedFields([]metav1.ManagedFieldsEntry{
		{Manager: "me", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:period":{}}}`)},
		{Manager: "policy", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:period":{}}}`)},
		{Manager: "other", FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{"f:more":{}}}}`)},
	})
	var got []string
	for _, d := range Differences(applied, stored, Manager{Name: "me"}) {
		value, _ := d.Value.(string)
		got = append(got, d.Field+"="+value+" "+strings.Join(d.Owners, ","))
	}
	want := []string{".metadata.labels.a.b/c=2 ", ".metadata.labels.gone= ", ".spec.period=2m policy"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFieldOf(t *testing.T) {
	obj := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"labels": map[string]any{"a.b/c": "1", "a": map[string]any{"x": "1"}}}, "rules": []any{},
	}}
	for field, want := range map[string]string{
		".metadata.labels.a.b/c": "metadata|labels|a.b/c", ".metadata.labels.a.x": "metadata|labels|a|x", ".rules": "rules",
		".metadata.labels.b": "", ".rules.x": "", "rules": "", "": "", ".": "",
	} {
		t.Run(field, func(t *testing.T) {
			keys, ok := FieldOf(obj, field)
			if strings.Join(keys, "|") != want || ok != (want != "") {
				t.Errorf("%s: %q, %t", field, keys, ok)
			}
		})
	}
}
