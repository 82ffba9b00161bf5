package carvel

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Names of the Roles, and of the RoleBindings that grant them, as the delivery
// document has them.
const (
	InstallRoleName = "app-package-and-pkgi-install-role"
	AppRoleName     = "app-cr-role"
)

// RunNamespaceSpec describes a run cluster's namespace that packages are
// delivered to.
type RunNamespaceSpec struct {
	Name                string
	Labels, Annotations map[string]string // of the Namespace alone
	ServiceAccountName  string
	// TanzuApplicationPlatform leaves the app role out: on a Tanzu Application
	// Platform cluster the developer namespace grants what workloads need.
	TanzuApplicationPlatform bool
}

// rule is one rule of a Role.
type rule struct {
	groups, resources, verbs []string
}

var (
	manage          = []string{"get", "list", "create", "update", "delete", "patch"}
	manageUnpatched = []string{"get", "list", "create", "update", "delete"}

	// installRules let kapp deploy Packages, PackageInstalls and their Secrets.
	// The last two rules are not in the delivery document: kapp keeps its own
	// record in ConfigMaps, and lists Pods to show what it waits for.
	installRules = []rule{
		{[]string{"data.packaging.carvel.dev"}, []string{"packages"}, manage},
		{[]string{"packaging.carvel.dev"}, []string{"packageinstalls"}, manage},
		{[]string{""}, []string{"secrets"}, manage},
		{[]string{""}, []string{"configmaps"}, manageUnpatched},
		{[]string{""}, []string{"pods"}, []string{"get", "list", "watch"}},
	}
	// appRules let a PackageInstall deploy the workload of the document's Package.
	appRules = []rule{
		{[]string{"apps"}, []string{"deployments"}, manageUnpatched},
		{[]string{""}, []string{"configmaps", "services"}, manageUnpatched},
		{[]string{"networking.k8s.io"}, []string{"ingresses"}, manageUnpatched},
	}
)

// RunNamespace builds the Namespace, the ServiceAccount, the Roles and the
// RoleBindings, in the order in which they are to be applied.
func RunNamespace(s RunNamespaceSpec) []*unstructured.Unstructured {
	labels := map[string]string{ManagedByLabel: ManagedBy}
	maps.Copy(labels, s.Labels)
	objects := []*unstructured.Unstructured{
		object(Namespaces, "Namespace", "", s.Name, labels, s.Annotations),
		object(ServiceAccounts, "ServiceAccount", s.Name, s.ServiceAccountName, managedBy(), nil),
		role(s.Name, InstallRoleName, installRules),
		roleBinding(s.Name, InstallRoleName, s.ServiceAccountName),
	}
	if !s.TanzuApplicationPlatform {
		objects = append(objects,
			role(s.Name, AppRoleName, appRules),
			roleBinding(s.Name, AppRoleName, s.ServiceAccountName))
	}
	return objects
}

func managedBy() map[string]string { return map[string]string{ManagedByLabel: ManagedBy} }

func role(namespace, name string, rules []rule) *unstructured.Unstructured {
	obj := object(Roles, "Role", namespace, name, managedBy(), nil)
	list := make([]any, len(rules))
	for i, r := range rules {
		list[i] = map[string]any{
			"apiGroups": anySlice(r.groups),
			"resources": anySlice(r.resources),
			"verbs":     anySlice(r.verbs),
		}
	}
	obj.Object["rules"] = list
	return obj
}

func roleBinding(namespace, roleName, serviceAccount string) *unstructured.Unstructured {
	obj := object(RoleBindings, "RoleBinding", namespace, roleName, managedBy(), nil)
	obj.Object["roleRef"] = map[string]any{"apiGroup": Roles.Group, "kind": "Role", "name": roleName}
	obj.Object["subjects"] = []any{
		map[string]any{"kind": "ServiceAccount", "name": serviceAccount, "namespace": namespace},
	}
	return obj
}

// DefaultServiceAccount is the name of a namespace's ServiceAccount where none
// is given.
func DefaultServiceAccount(namespace string) string { return namespace + "-sa" }

// BoundServiceAccount is the ServiceAccount that a RoleBinding grants its Role
// to, "" where it grants it to none or to more than one.
func BoundServiceAccount(binding *unstructured.Unstructured) string {
	if binding == nil {
		return ""
	}
	subjects, _, err := unstructured.NestedSlice(binding.Object, "subjects")
	if err != nil || len(subjects) != 1 {
		return ""
	}
	subject, ok := subjects[0].(map[string]any)
	if !ok || subject["kind"] != "ServiceAccount" {
		return ""
	}
	name, _ := subject["name"].(string)
	return name
}
