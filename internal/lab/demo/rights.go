package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

var (
	secrets      = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	namespaces   = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	roles        = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}
	rulesReviews = schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "selfsubjectrulesreviews"}
)

// rights uses the kubeconfigs that the Apps deploy with: the run cluster says
// what their bearer may do, and refuses what the Roles do not grant.
func (d *demonstration) rights(ctx context.Context) error {
	for _, cluster := range d.runClusters() {
		if err := d.rightsOn(ctx, cluster); err != nil {
			return fmt.Errorf("cluster %s: %w", cluster.Name, err)
		}
	}
	return nil
}

func (d *demonstration) rightsOn(ctx context.Context, cluster lab.Cluster) error {
	namespace := namespaceOn(cluster)
	bearer, err := d.appClient(ctx, cluster)
	if err != nil {
		return err
	}
	granted, names, err := roleRights(ctx, cluster, namespace)
	if err != nil {
		return err
	}
	here, err := ownRights(ctx, bearer, namespace)
	if err != nil {
		return err
	}
	everyone, err := ownRights(ctx, bearer, "default")
	if err != nil {
		return err
	}
	// Any ServiceAccount may ask what it may do, and the like.
	maps.DeleteFunc(here, func(right string, _ bool) bool { return everyone[right] })
	if !maps.Equal(here, granted) {
		return fmt.Errorf("the kubeconfig may\n%s\nand the Roles grant\n%s", lined(here), lined(granted))
	}
	for right := range granted {
		if everyone[right] {
			return fmt.Errorf("outside of its namespace the kubeconfig may %s", right)
		}
	}
	d.story.line(fmt.Sprintf("%-8s in %s: the %d rights of %s", cluster.Name, namespace, len(here), strings.Join(names, " and ")))
	d.story.line(fmt.Sprintf("%-8s elsewhere: none of them", ""))
	_, err = bearer.Resource(namespaces).List(ctx, metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		return fmt.Errorf("the list of namespaces was not refused: %w", err)
	}
	d.story.line(fmt.Sprintf("%-8s refused: %v", "", err))
	return nil
}

// appClient connects with the kubeconfig that an App's Secret holds.
func (d *demonstration) appClient(ctx context.Context, cluster lab.Cluster) (dynamic.Interface, error) {
	config, err := administrator(d.lab.Build)
	if err != nil {
		return nil, err
	}
	build, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	secret, err := build.Resource(secrets).Namespace("dev").Get(ctx, cluster.Name+"-kubeconfig", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	kubeconfig, err := secretValue(secret, "value")
	if err != nil {
		return nil, err
	}
	config, err = clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	return dynamic.NewForConfig(config)
}

// roleRights are the rights of the Roles of a namespace, and the Roles' names.
func roleRights(ctx context.Context, cluster lab.Cluster, namespace string) (map[string]bool, []string, error) {
	config, err := administrator(cluster)
	if err != nil {
		return nil, nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, nil, err
	}
	found, err := list(ctx, client, roles, namespace)
	if err != nil {
		return nil, nil, err
	}
	rights := map[string]bool{}
	var names []string
	for _, role := range found {
		names = append(names, role.GetName())
		rules, _, err := unstructured.NestedSlice(role.Object, "rules")
		if err != nil {
			return nil, nil, err
		}
		addRights(rights, rules)
	}
	return rights, names, nil
}

// ownRights are the rights of a client's user in a namespace.
func ownRights(ctx context.Context, client dynamic.Interface, namespace string) (map[string]bool, error) {
	review := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1",
		"kind":       "SelfSubjectRulesReview",
		"spec":       map[string]any{"namespace": namespace},
	}}
	answer, err := client.Resource(rulesReviews).Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	rules, found, err := unstructured.NestedSlice(answer.Object, "status", "resourceRules")
	if err != nil {
		return nil, err
	}
	if incomplete, _, _ := unstructured.NestedBool(answer.Object, "status", "incomplete"); !found || incomplete {
		return nil, errors.New("the API server does not list all rights")
	}
	rights := map[string]bool{}
	addRights(rights, rules)
	return rights, nil
}

// addRights takes rules apart, so that two ways to write the same rights are
// the same: "create deployments.apps".
func addRights(rights map[string]bool, rules []any) {
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		verbs, _, _ := unstructured.NestedStringSlice(rule, "verbs")
		groups, _, _ := unstructured.NestedStringSlice(rule, "apiGroups")
		resources, _, _ := unstructured.NestedStringSlice(rule, "resources")
		for _, verb := range verbs {
			for _, group := range groups {
				for _, resource := range resources {
					rights[verb+" "+strings.TrimSuffix(resource+"."+group, ".")] = true
				}
			}
		}
	}
}

func lined(rights map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(rights)), "\n")
}
