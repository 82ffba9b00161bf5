package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// LackingRightsError: the identity that applies does not hold rights that it
// is to grant, which the API server refuses.
type LackingRightsError struct {
	Cluster, Namespace string
	Lacking            []string // "verbs on resource.group"
}

func (e *LackingRightsError) Error() string {
	return fmt.Sprintf("rights in namespace %s on %s that are to be granted and are not held: %s",
		e.Namespace, e.Cluster, strings.Join(e.Lacking, "; "))
}

// right is one verb on one resource.
type right struct {
	verb, group, resource, name string
}

// CheckRights is a *LackingRightsError if the Roles of a run namespace would
// grant what the applying identity lacks. It asks for the list of its rights
// first, and about each that is not on it, since the list need not be complete.
func (ns *Namespaces) CheckRights(ctx context.Context, s RunNamespace) error {
	c, err := ns.run(s.Cluster)
	if err != nil {
		return err
	}
	if everything, err := ns.holdsEverything(ctx, c); err != nil || everything {
		return err
	}
	held, err := rulesReview(ctx, c, s.Name)
	if err != nil {
		return err
	}
	roles := carvel.Roles.GroupResource()
	if held.cover(right{"escalate", roles.Group, roles.Resource, ""}) && held.cover(right{"bind", roles.Group, roles.Resource, ""}) {
		return nil
	}
	var missing []right
	for _, r := range rights(carvel.GrantedRules(s.RunNamespaceSpec)) {
		if !held.cover(r) {
			missing = append(missing, r)
		}
	}
	lacking, err := denied(ctx, c, s.Name, missing)
	if err != nil || len(lacking) == 0 {
		return err
	}
	return &LackingRightsError{Cluster: c.Name(), Namespace: s.Name, Lacking: describe(lacking)}
}

// holdsEverything reports whether the identity is a cluster's administrator. It
// is asked once, so that a plan of many namespaces costs one request.
func (ns *Namespaces) holdsEverything(ctx context.Context, c Cluster) (bool, error) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if everything, ok := ns.administrator[c]; ok {
		return everything, nil
	}
	no, err := denied(ctx, c, "", []right{{"*", "*", "*", ""}})
	if err != nil {
		return false, err
	}
	if ns.administrator == nil {
		ns.administrator = map[Cluster]bool{}
	}
	ns.administrator[c] = len(no) == 0
	return ns.administrator[c], nil
}

// CheckInstalls is a *cluster.NotServedError if a run cluster does not know
// PackageInstalls, so that nothing could be delivered to it. It is asked once.
func (ns *Namespaces) CheckInstalls(ctx context.Context, runCluster, namespace string) error {
	c, err := ns.run(runCluster)
	if err != nil {
		return err
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if err, ok := ns.served[c]; ok {
		return err
	}
	err = c.Served(ctx, carvel.PackageInstalls, namespace)
	var notServed *cluster.NotServedError
	if err != nil && !errors.As(err, &notServed) {
		return err
	}
	if ns.served == nil {
		ns.served = map[Cluster]error{}
	}
	ns.served[c] = err
	return err
}

// rights are the single rights of rules.
func rights(rules []carvel.Rule) []right {
	var all []right
	for _, rule := range rules {
		names := rule.Names
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range rule.Groups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					for _, name := range names {
						all = append(all, right{verb, group, resource, name})
					}
				}
			}
		}
	}
	return all
}

type heldRules []struct {
	Verbs         []string `json:"verbs"`
	APIGroups     []string `json:"apiGroups"`
	Resources     []string `json:"resources"`
	ResourceNames []string `json:"resourceNames"`
}

func (h heldRules) cover(r right) bool {
	holds := func(list []string, want string) bool {
		return slices.Contains(list, "*") || slices.Contains(list, want)
	}
	for _, rule := range h {
		if holds(rule.Verbs, r.verb) && holds(rule.APIGroups, r.group) && holds(rule.Resources, r.resource) &&
			(len(rule.ResourceNames) == 0 || r.name != "" && slices.Contains(rule.ResourceNames, r.name)) {
			return true
		}
	}
	return false
}

func review(resource, kind string, spec map[string]any) (cluster.Ref, *unstructured.Unstructured) {
	gvr := schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: resource}
	obj := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	obj.SetAPIVersion(gvr.GroupVersion().String())
	obj.SetKind(kind)
	return cluster.Ref{Resource: gvr}, obj
}

func rulesReview(ctx context.Context, c Cluster, namespace string) (heldRules, error) {
	ref, obj := review("selfsubjectrulesreviews", "SelfSubjectRulesReview", map[string]any{"namespace": namespace})
	answer, err := c.Create(ctx, ref, obj)
	if err != nil {
		return nil, err
	}
	var read struct {
		Status struct {
			ResourceRules heldRules `json:"resourceRules"`
		} `json:"status"`
	}
	err = runtime.DefaultUnstructuredConverter.FromUnstructured(answer.Object, &read)
	return read.Status.ResourceRules, err
}

// denied are the rights that the API server says no to.
func denied(ctx context.Context, c Cluster, namespace string, asked []right) ([]right, error) {
	answers := make([]bool, len(asked))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(10)
	for i, r := range asked {
		group.Go(func() error {
			ref, obj := review("selfsubjectaccessreviews", "SelfSubjectAccessReview", map[string]any{"resourceAttributes": map[string]any{
				"namespace": namespace, "verb": r.verb, "group": r.group, "resource": r.resource, "name": r.name,
			}})
			answer, err := c.Create(ctx, ref, obj)
			if err != nil {
				return err
			}
			answers[i], _, err = unstructured.NestedBool(answer.Object, "status", "allowed")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var no []right
	for i, allowed := range answers {
		if !allowed {
			no = append(no, asked[i])
		}
	}
	return no, nil
}

// describe gathers rights by resource, each with its verbs.
func describe(list []right) []string {
	var order []string
	verbs := map[string][]string{}
	for _, r := range list {
		on := schema.GroupResource{Group: r.group, Resource: r.resource}.String()
		if r.name != "" {
			on += " " + r.name
		}
		if _, seen := verbs[on]; !seen {
			order = append(order, on)
		}
		verbs[on] = append(verbs[on], r.verb)
	}
	for i, on := range order {
		order[i] = strings.Join(slices.Compact(slices.Sorted(slices.Values(verbs[on]))), ", ") + " on " + on
	}
	return order
}
