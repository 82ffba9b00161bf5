package carvel

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Names of the Roles, and of the RoleBindings that grant them, as the delivery
// document has them.
const (
	InstallRoleName = "app-package-and-pkgi-install-role"
	AppRoleName     = "app-cr-role"
	// AdditionalRoleName is the Role of the additional rules.
	AdditionalRoleName = "app-additional-role"
)

// RunNamespaceSpec describes a run cluster's namespace that packages are
// delivered to.
type RunNamespaceSpec struct {
	Name string
	// Existing leaves the Namespace itself to somebody else.
	Existing            bool
	Labels, Annotations map[string]string // of all objects
	Defaults            Metadata          // under these
	ServiceAccountName  string
	ImagePullSecrets    []string // names of Secrets, for the ServiceAccount
	// TanzuApplicationPlatform leaves the app role out: on a Tanzu Application
	// Platform cluster the developer namespace grants what workloads need.
	TanzuApplicationPlatform bool
	// AdditionalRules are for what the packages deploy besides the document's
	// kinds.
	AdditionalRules []Rule
	// Restricted keeps the ServiceAccount from acting as others of the namespace, but
	// for those that Pods may run as.
	Restricted             bool
	AllowedServiceAccounts []string
}

// Rule is one rule of a Role: every verb on every resource of every group.
type Rule struct {
	Groups, Resources, Verbs []string
	Names                    []string // of single objects; none: all
}

var (
	manage          = []string{"get", "list", "create", "update", "delete", "patch"}
	manageUnpatched = []string{"get", "list", "create", "update", "delete"}

	// installRules let kapp deploy Packages, PackageInstalls and their Secrets.
	// The last two rules are not in the delivery document: kapp keeps its own
	// record in ConfigMaps, and lists Pods to show what it waits for.
	installRules = []Rule{
		{Groups: []string{"data.packaging.carvel.dev"}, Resources: []string{"packages"}, Verbs: manage},
		{Groups: []string{"packaging.carvel.dev"}, Resources: []string{"packageinstalls"}, Verbs: manage},
		{Groups: []string{""}, Resources: []string{"secrets"}, Verbs: manage},
		{Groups: []string{""}, Resources: []string{"configmaps"}, Verbs: manageUnpatched},
		{Groups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list", "watch"}},
	}
	// appRules let a PackageInstall deploy the workload of the document's Package.
	appRules = []Rule{
		{Groups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: manageUnpatched},
		{Groups: []string{""}, Resources: []string{"configmaps", "services"}, Verbs: manageUnpatched},
		{Groups: []string{"networking.k8s.io"}, Resources: []string{"ingresses"}, Verbs: manageUnpatched},
	}
)

// RunNamespace builds the Namespace, the ServiceAccount, the Roles and the
// RoleBindings, in the order in which they are to be applied.
func RunNamespace(s RunNamespaceSpec) []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	if !s.Existing {
		labels := managedBy()
		maps.Copy(labels, s.Labels)
		objects = append(objects, object(Namespaces, "Namespace", "", s.Name, labels, s.Annotations))
	}
	objects = append(objects, serviceAccount(s))
	if s.Restricted { // before it has any right
		objects = append(objects, serviceAccountPolicy(s)...)
	}
	grant := func(name string, rules []Rule) {
		objects = append(objects, role(s.Name, name, rules), roleBinding(s.Name, name, s.ServiceAccountName))
	}
	grant(InstallRoleName, installRules)
	if !s.TanzuApplicationPlatform {
		grant(AppRoleName, appRules)
	}
	if len(s.AdditionalRules) > 0 {
		grant(AdditionalRoleName, s.AdditionalRules)
	}
	all := s.Defaults.With(Metadata{s.Labels, s.Annotations}.Shared())
	for _, obj := range objects {
		all.On(obj)
	}
	return objects
}

// GrantedRules are all rules that the ServiceAccount gets.
func GrantedRules(s RunNamespaceSpec) []Rule {
	rules := installRules
	if !s.TanzuApplicationPlatform {
		rules = slices.Concat(rules, appRules)
	}
	return slices.Concat(rules, s.AdditionalRules)
}

func serviceAccount(s RunNamespaceSpec) *unstructured.Unstructured {
	obj := object(ServiceAccounts, "ServiceAccount", s.Name, s.ServiceAccountName, managedBy(), nil)
	if len(s.ImagePullSecrets) > 0 {
		secrets := make([]any, len(s.ImagePullSecrets))
		for i, name := range s.ImagePullSecrets {
			secrets[i] = map[string]any{"name": name}
		}
		obj.Object["imagePullSecrets"] = secrets
	}
	return obj
}

func managedBy() map[string]string { return map[string]string{ManagedByLabel: ManagedBy} }

func role(namespace, name string, rules []Rule) *unstructured.Unstructured {
	obj := object(Roles, "Role", namespace, name, managedBy(), nil)
	list := make([]any, len(rules))
	for i, r := range rules {
		entry := map[string]any{
			"apiGroups": anySlice(r.Groups),
			"resources": anySlice(r.Resources),
			"verbs":     anySlice(r.Verbs),
		}
		if len(r.Names) > 0 {
			entry["resourceNames"] = anySlice(r.Names)
		}
		list[i] = entry
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

// DefaultServiceAccount is the name of a namespace's ServiceAccount if none
// is given.
func DefaultServiceAccount(namespace string) string { return namespace + "-sa" }
