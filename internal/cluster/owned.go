package cluster

import (
	"bytes"
	"encoding/json"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// OwnedMetadata are the labels and annotations of an object that a field
// manager has applied; nil if it has applied none.
func OwnedMetadata(obj *unstructured.Unstructured, manager string) (labels, annotations map[string]string) {
	for _, entry := range obj.GetManagedFields() {
		if entry.Manager != manager || entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Metadata struct {
				Labels      map[string]any `json:"f:labels"`
				Annotations map[string]any `json:"f:annotations"`
			} `json:"f:metadata"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			continue // not written by an API server
		}
		labels = owned(fields.Metadata.Labels, obj.GetLabels(), labels)
		annotations = owned(fields.Metadata.Annotations, obj.GetAnnotations(), annotations)
	}
	return labels, annotations
}

func owned(fields map[string]any, live, into map[string]string) map[string]string {
	for field := range fields {
		key := strings.TrimPrefix(field, "f:")
		if value, ok := live[key]; ok {
			if into == nil {
				into = map[string]string{}
			}
			into[key] = value
		}
	}
	return into
}

// AppliedBy is the field manager that has applied a field, "" if none has.
func AppliedBy(obj *unstructured.Unstructured, path ...string) string {
	elements := make([]any, len(path))
	for i, field := range path {
		elements[i] = field
	}
	at, err := fieldpath.MakePath(elements...)
	if err != nil {
		return "" // not a path of fields
	}
	for _, entry := range obj.GetManagedFields() {
		if entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		var set fieldpath.Set
		if err := set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err == nil && set.Has(at) {
			return entry.Manager
		}
	}
	return ""
}

// OwnedData are the keys below data that a field manager has applied and
// nobody else has changed since, in no order.
func OwnedData(obj *unstructured.Unstructured, manager string) []string {
	var keys []string
	for _, entry := range obj.GetManagedFields() {
		if entry.Manager != manager || entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Data map[string]any `json:"f:data"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			continue // not written by an API server
		}
		for field := range fields.Data {
			if key, found := strings.CutPrefix(field, "f:"); found {
				keys = append(keys, key)
			}
		}
	}
	return keys
}
