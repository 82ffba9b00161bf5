package acctest

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
)

// Access is a request that a user may or may not make.
type Access struct {
	Verb, Group, Resource, Subresource, Namespace string
}

// Can asks a cluster's API server what the user of a kubeconfig may do.
func Can(kubeconfig []byte, accesses ...Access) ([]bool, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	reviews := schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "selfsubjectaccessreviews"}
	var allowed []bool
	for _, a := range accesses {
		review := Object(reviews, "SelfSubjectAccessReview", "", "")
		review.Object["spec"] = map[string]any{"resourceAttributes": map[string]any{
			"verb": a.Verb, "group": a.Group, "resource": a.Resource, "subresource": a.Subresource, "namespace": a.Namespace,
		}}
		answer, err := client.Resource(reviews).Create(context.Background(), review, metav1.CreateOptions{})
		if err != nil {
			return allowed, err
		}
		ok, _, err := unstructured.NestedBool(answer.Object, "status", "allowed")
		if err != nil {
			return allowed, err
		}
		allowed = append(allowed, ok)
	}
	return allowed, nil
}

// PolicyRule is a rule of a Role or ClusterRole.
func PolicyRule(groups, resources []string, verbs ...string) map[string]any {
	list := func(values []string) []any {
		out := make([]any, len(values))
		for i, v := range values {
			out[i] = v
		}
		return out
	}
	return map[string]any{"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}
}

// Limited makes an identity on a cluster with the given rights everywhere, and
// returns a token of it. It is gone at the end of the test.
func (e *Env) Limited(cluster lab.Cluster, rules ...map[string]any) string {
	e.T.Helper()
	return e.limited(cluster, "", rules)
}

// LimitedTo is Limited with the rights in one namespace alone.
func (e *Env) LimitedTo(cluster lab.Cluster, namespace string, rules ...map[string]any) string {
	e.T.Helper()
	return e.limited(cluster, namespace, rules)
}

func (e *Env) limited(cluster lab.Cluster, namespace string, rules []map[string]any) string {
	e.T.Helper()
	const home = "default"
	name := labtest.Name(e.T)
	at := func(resource string, namespace string) dynamic.ResourceInterface {
		group := carvel.Roles.Group
		if resource == "serviceaccounts" {
			group = ""
		}
		return e.client(cluster, schema.GroupVersionResource{Group: group, Version: "v1", Resource: resource}, namespace)
	}
	accounts := at("serviceaccounts", home)
	e.Create(accounts, Object(carvel.ServiceAccounts, "ServiceAccount", home, name))
	kind := "Role"
	roles, bindings := at("roles", namespace), at("rolebindings", namespace)
	if namespace == "" {
		kind = "ClusterRole"
		roles, bindings = at("clusterroles", ""), at("clusterrolebindings", "")
	}
	role := Object(carvel.Roles, kind, namespace, name)
	list := make([]any, len(rules))
	for i, rule := range rules {
		list[i] = rule
	}
	role.Object["rules"] = list
	e.Create(roles, role)
	binding := Object(carvel.Roles, kind+"Binding", namespace, name)
	binding.Object["roleRef"] = map[string]any{"apiGroup": carvel.Roles.Group, "kind": kind, "name": name}
	binding.Object["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": name, "namespace": home}}
	e.Create(bindings, binding)

	request := Object(schema.GroupVersionResource{Group: "authentication.k8s.io", Version: "v1"}, "TokenRequest", home, name)
	request.Object["spec"] = map[string]any{}
	answer, err := accounts.Create(context.Background(), request, metav1.CreateOptions{}, "token")
	if err != nil {
		e.T.Fatal(err)
	}
	token, _, err := unstructured.NestedString(answer.Object, "status", "token")
	if err != nil || token == "" {
		e.T.Fatalf("no token: %v", err)
	}
	return token
}

// As is a client that impersonates a user.
func (e *Env) As(cluster lab.Cluster, user string) dynamic.Interface {
	e.T.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig)
	if err != nil {
		e.T.Fatal(err)
	}
	config.Impersonate.UserName = user
	config.QPS, config.Burst = 100, 200
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		e.T.Fatal(err)
	}
	return client
}
