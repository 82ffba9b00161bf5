package delivery

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// PrivilegedNeighbors are the other ServiceAccounts of a run namespace that have rights
// of their own, each with its roles: whoever may write Secrets there can have a token
// made for them, or run Pods as them, but for what a policy refuses. What the provider may not look at has none.
func (ns *Namespaces) PrivilegedNeighbors(ctx context.Context, s RunNamespace) ([]string, error) {
	c, err := ns.run(s.Cluster)
	if err != nil {
		return nil, err
	}
	inside, err := lookedAt(c.List(ctx, carvel.RoleBindings, s.Name))
	if err != nil {
		return nil, err
	}
	everywhere, err := ns.clusterRoleBindings(ctx, c)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, binding := range slices.Concat(inside, everywhere) {
		kind, name, err := roleOf(binding)
		if err != nil {
			return nil, err
		}
		where := "in the whole cluster"
		if binding.GetNamespace() != "" {
			where = "in the namespace"
		}
		for _, account := range accountsOf(binding, s.Name) {
			if account != s.ServiceAccountName && (!s.Restricted || account == "default" || slices.Contains(s.AllowedServiceAccounts, account)) {
				found = append(found, fmt.Sprintf("%s: %s %s %s", account, kind, name, where))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// clusterRoleBindings are asked for once, so that a plan of many namespaces costs one
// request.
func (ns *Namespaces) clusterRoleBindings(ctx context.Context, c Cluster) ([]unstructured.Unstructured, error) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if bindings, asked := ns.everywhere[c]; asked {
		return bindings, nil
	}
	bindings, err := lookedAt(c.List(ctx, carvel.ClusterRoleBindings, ""))
	if err != nil {
		return nil, err
	}
	if ns.everywhere == nil {
		ns.everywhere = map[Cluster][]unstructured.Unstructured{}
	}
	ns.everywhere[c] = bindings
	return bindings, nil
}

func lookedAt(items []unstructured.Unstructured, err error) ([]unstructured.Unstructured, error) {
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	return items, err
}

func roleOf(binding unstructured.Unstructured) (kind, name string, err error) {
	if kind, _, err = unstructured.NestedString(binding.Object, "roleRef", "kind"); err == nil {
		name, _, err = unstructured.NestedString(binding.Object, "roleRef", "name")
	}
	return kind, name, err
}

// accountsOf are the ServiceAccounts of a namespace that a binding names.
func accountsOf(binding unstructured.Unstructured, namespace string) []string {
	subjects, _, err := unstructured.NestedSlice(binding.Object, "subjects")
	if err != nil {
		return nil // the API server takes no other
	}
	var names []string
	for _, subject := range subjects {
		fields, _ := subject.(map[string]any)
		if name, isText := fields["name"].(string); isText && fields["kind"] == "ServiceAccount" && fields["namespace"] == namespace {
			names = append(names, name)
		}
	}
	return names
}
