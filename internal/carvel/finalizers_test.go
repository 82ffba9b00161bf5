package carvel

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestReadTermination(t *testing.T) {
	condition := func(kind, status, message string) any {
		return map[string]any{"type": kind, "status": status, "reason": "R", "message": message}
	}
	namespace := func(deleted bool, finalizers []any, conditions ...any) *unstructured.Unstructured {
		metadata := map[string]any{"name": "n", "finalizers": finalizers}
		if deleted {
			metadata["deletionTimestamp"] = "2026-11-01T12:00:00Z"
		}
		return &unstructured.Unstructured{Object: map[string]any{"metadata": metadata, "status": map[string]any{"conditions": conditions}}}
	}
	const discovery = "Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1, custom.metrics.k8s.io/v1beta2: the server is currently unable to handle the request"
	const content = "Some resources are remaining: configmaps. has 1 resource instances, widgets.example.com has 12 resource instances"
	const finalizers = "Some content in the namespace has finalizers remaining: example.com/cleanup in 12 resource instances, foregroundDeletion in 1 resource instances"
	for name, c := range map[string]struct {
		namespace *unstructured.Unstructured
		want      Termination
	}{
		"none":        {nil, Termination{}},
		"not deleted": {namespace(false, []any{"a.example.com/x"}, condition("NamespaceContentRemaining", "True", content)), Termination{}},
		"an API that is down": {
			namespace(true, nil, condition("NamespaceDeletionDiscoveryFailure", "True", discovery), condition("NamespaceContentRemaining", "False", "All content successfully removed")),
			Termination{APIs: []string{"custom.metrics.k8s.io/v1beta2", "metrics.k8s.io/v1beta1"}, Messages: []string{discovery}},
		},
		"finalizers of its content": {
			namespace(true, nil, condition("NamespaceFinalizersRemaining", "True", finalizers), condition("NamespaceContentRemaining", "True", content)),
			Termination{Content: []string{"example.com/cleanup", "foregroundDeletion"}, Kinds: []string{"configmaps (1)", "widgets.example.com (12)"}, Messages: []string{finalizers, content}},
		},
		"a finalizer of its own": {namespace(true, []any{"controller.example.com/namespace"}), Termination{Finalizers: []string{"controller.example.com/namespace"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ReadTermination(c.namespace), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFinalizerOwner(t *testing.T) {
	for finalizer, want := range map[string]string{
		"finalizers.packageinstall.packaging.carvel.dev/delete": "kapp-controller", "finalizers.kapp-ctrl.k14s.io/delete": "kapp-controller",
		"example.com/cleanup": "the controller of example.com", "widgets.example.com": "the controller of widgets.example.com", "cleanup": "whichever controller has set it",
	} {
		if got := FinalizerOwner(finalizer); got != want {
			t.Errorf("%s: %s", finalizer, got)
		}
	}
	if got := APIService("metrics.k8s.io/v1beta1"); got != "v1beta1.metrics.k8s.io" {
		t.Error(got)
	}
}
