// Package carvel builds and reads the Kubernetes objects of the GitOps
// delivery flow: the run cluster's namespace and rights, PackageInstall and
// values Secret, kubeconfig Secret and App. It is pure: no file, no network,
// no clock.
package carvel

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The fixed API resources of the flow, so that no discovery is needed.
var (
	Namespaces      = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	ServiceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	ConfigMaps      = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	Secrets         = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	Roles           = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}
	// ClusterRoleBindings are looked at alone.
	ClusterRoleBindings = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"}
	RoleBindings        = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"}
	Apps                = schema.GroupVersionResource{Group: "kappctrl.k14s.io", Version: "v1alpha1", Resource: "apps"}
	PackageInstalls     = schema.GroupVersionResource{Group: "packaging.carvel.dev", Version: "v1alpha1", Resource: "packageinstalls"}
	resourcesOfKinds    = map[schema.GroupKind]schema.GroupVersionResource{
		{Kind: "Namespace"}:                                                        Namespaces,
		{Kind: "ServiceAccount"}:                                                   ServiceAccounts,
		{Kind: "Secret"}:                                                           Secrets,
		{Group: Roles.Group, Kind: "Role"}:                                         Roles,
		{Group: RoleBindings.Group, Kind: "RoleBinding"}:                           RoleBindings,
		{Group: Apps.Group, Kind: "App"}:                                           Apps,
		{Group: AdmissionPolicies.Group, Kind: "ValidatingAdmissionPolicy"}:        AdmissionPolicies,
		{Group: AdmissionPolicies.Group, Kind: "ValidatingAdmissionPolicyBinding"}: AdmissionPolicyBindings,
		{Group: PackageInstalls.Group, Kind: "PackageInstall"}:                     PackageInstalls,
	}
)

const (
	// ManagedByLabel is the recommended label of Kubernetes for the tool that
	// manages an object.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	// ManagedBy is its value on the objects that the provider made, and the
	// default field manager.
	ManagedBy = "terraform-provider-carvel"
)

// Resource is the API resource of an object that this package built. It
// panics for any other kind, which is a programming error.
func Resource(obj *unstructured.Unstructured) schema.GroupVersionResource {
	gvr, ok := resourcesOfKinds[obj.GroupVersionKind().GroupKind()]
	if !ok {
		panic(fmt.Sprintf("carvel: no resource for %s", obj.GroupVersionKind()))
	}
	return gvr
}

func object(gvr schema.GroupVersionResource, kind, namespace, name string, labels, annotations map[string]string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetAPIVersion(gvr.GroupVersion().String())
	obj.SetKind(kind)
	obj.SetName(name)
	if namespace != "" {
		obj.SetNamespace(namespace)
	}
	if len(labels) > 0 {
		obj.SetLabels(labels)
	}
	if len(annotations) > 0 {
		obj.SetAnnotations(annotations)
	}
	return obj
}

func anySlice[T any](in []T) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out
}

func cloneOrMake(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return maps.Clone(m)
}
