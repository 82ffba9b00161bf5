package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// RunNamespace is a namespace on a run cluster, with the rights of its
// ServiceAccount.
type RunNamespace struct {
	Cluster string
	carvel.RunNamespaceSpec
	ForCluster
}

// RunNamespaceReceipt says what is on the run cluster.
type RunNamespaceReceipt struct {
	UID types.UID // of the Namespace; empty: it was not created
	// Objects are the applied objects, "Kind/name" to YAML of the fields that
	// the spec sets.
	Objects map[string]string
	// Labels and Annotations are those of the Namespace that the spec sets, as
	// they are now.
	Labels, Annotations map[string]string
}

// PlannedObjects are the Objects of a receipt once the spec is applied.
func PlannedObjects(s carvel.RunNamespaceSpec) (map[string]string, error) {
	planned := map[string]string{}
	for _, obj := range carvel.RunNamespace(s) {
		if err := show(planned, obj, obj); err != nil {
			return nil, err
		}
	}
	return planned, nil
}

// show adds the fields of live that shape has.
func show(into map[string]string, live, shape *unstructured.Unstructured) error {
	text, err := shown(live, shape)
	into[shape.GetKind()+"/"+shape.GetName()] = text
	return err
}

// shown is the YAML of the fields of live that shape has.
func shown(live, shape *unstructured.Unstructured) (string, error) {
	text, err := yaml.Marshal(cluster.Project(live.Object, shape.Object))
	if err != nil {
		return "", fmt.Errorf("render %s: %w", shape.GetName(), err)
	}
	return string(text), nil
}

// CreateRunNamespace applies the objects one after the other. In a namespace
// that it has just made it need not look for objects that are in the way.
func (d *Delivery) CreateRunNamespace(ctx context.Context, s RunNamespace) (RunNamespaceReceipt, error) {
	var r RunNamespaceReceipt
	c, err := d.run(s.Cluster)
	if err != nil {
		return r, err
	}
	objects := carvel.RunNamespace(s.RunNamespaceSpec)
	namespace, err := create(ctx, c, objects[0], s.ForCluster)
	if err != nil {
		return r, err
	}
	r = s.receipt(namespace)
	if err := show(r.Objects, namespace, objects[0]); err != nil {
		return r, err
	}
	return r, applyAll(ctx, c, objects[1:], s.Manager, r.Objects)
}

func applyAll(ctx context.Context, c *cluster.Cluster, objects []*unstructured.Unstructured, m cluster.Manager, done map[string]string) error {
	for _, obj := range objects {
		live, err := c.Apply(ctx, refOf(obj), obj, m)
		if err != nil {
			return err
		}
		if err := show(done, live, obj); err != nil {
			return err
		}
	}
	return nil
}

func (s RunNamespace) receipt(namespace *unstructured.Unstructured) RunNamespaceReceipt {
	return RunNamespaceReceipt{
		UID:         namespace.GetUID(),
		Objects:     map[string]string{},
		Labels:      pick(namespace.GetLabels(), s.Labels),
		Annotations: pick(namespace.GetAnnotations(), s.Annotations),
	}
}

// pick keeps the entries of live whose keys are in keys; nil stays nil.
func pick(live, keys map[string]string) map[string]string {
	if keys == nil {
		return nil
	}
	out := map[string]string{}
	for k := range keys {
		if v, ok := live[k]; ok {
			out[k] = v
		}
	}
	return out
}

// ReadRunNamespace reads the objects. A missing Namespace is ErrNotFound;
// another that is missing is left out of the receipt.
func (d *Delivery) ReadRunNamespace(ctx context.Context, s RunNamespace) (RunNamespaceReceipt, error) {
	var r RunNamespaceReceipt
	c, err := d.run(s.Cluster)
	if err != nil {
		return r, err
	}
	for i, obj := range carvel.RunNamespace(s.RunNamespaceSpec) {
		live, err := c.Get(ctx, refOf(obj))
		switch {
		case errors.Is(err, cluster.ErrNotFound) && i == 0:
			return r, ErrNotFound
		case errors.Is(err, cluster.ErrNotFound):
			continue
		case err != nil:
			return r, err
		case i == 0 && live.GetDeletionTimestamp() != nil:
			return r, ErrNotFound // it cannot be kept any more
		case i == 0:
			r = s.receipt(live)
		}
		if err := show(r.Objects, live, obj); err != nil {
			return r, err
		}
	}
	return r, nil
}

// UpdateRunNamespace applies the objects and deletes those of before that are
// not wanted any more.
func (d *Delivery) UpdateRunNamespace(ctx context.Context, before carvel.RunNamespaceSpec, s RunNamespace) (RunNamespaceReceipt, error) {
	var r RunNamespaceReceipt
	c, err := d.run(s.Cluster)
	if err != nil {
		return r, err
	}
	objects := carvel.RunNamespace(s.RunNamespaceSpec)
	namespace, err := c.Apply(ctx, refOf(objects[0]), objects[0], s.Manager)
	if err != nil {
		return r, err
	}
	r = s.receipt(namespace)
	if err := show(r.Objects, namespace, objects[0]); err != nil {
		return r, err
	}
	if err := applyAll(ctx, c, objects[1:], s.Manager, r.Objects); err != nil {
		return r, err
	}
	wanted := map[cluster.Ref]bool{}
	for _, obj := range objects {
		wanted[refOf(obj)] = true
	}
	for _, obj := range slices.Backward(carvel.RunNamespace(before)) {
		if ref := refOf(obj); !wanted[ref] {
			if err := c.Delete(ctx, ref, ""); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// RemainingError: objects that must go first were still there when the time
// was up.
type RemainingError struct {
	Cluster, Namespace string
	Remaining          []string // "kind name"
	Err                error
}

func (e *RemainingError) Error() string {
	return fmt.Sprintf("namespace %s on %s still holds %s: %v",
		e.Namespace, e.Cluster, strings.Join(e.Remaining, ", "), e.Err)
}
func (e *RemainingError) Unwrap() error { return e.Err }

// DeleteRunNamespace waits until no PackageInstall and no App is left in the
// namespace, since one that outlives its ServiceAccount is stuck for ever, and
// deletes the Namespace with all that is in it.
func (d *Delivery) DeleteRunNamespace(ctx context.Context, clusterName, namespace string, uid types.UID) error {
	c, err := d.run(clusterName)
	if err != nil {
		return err
	}
	for _, resource := range []cluster.Ref{
		{Resource: carvel.PackageInstalls, Namespace: namespace},
		{Resource: carvel.Apps, Namespace: namespace},
	} {
		remaining, err := c.WaitNone(ctx, resource.Resource, namespace)
		var notServed *cluster.NotServedError
		switch {
		case errors.As(err, &notServed):
			continue // none can exist
		case len(remaining) > 0:
			return &RemainingError{Cluster: c.Name(), Namespace: namespace, Remaining: remaining, Err: err}
		case err != nil:
			return err
		}
	}
	ref := cluster.Ref{Resource: carvel.Namespaces, Name: namespace}
	if err := c.Delete(ctx, ref, uid); err != nil {
		if errors.Is(err, cluster.ErrReplaced) {
			return nil // ours is gone
		}
		return err
	}
	var reasons []string
	err = c.WaitGone(ctx, ref, uid, func(obj *unstructured.Unstructured) error {
		reasons = terminationReasons(obj)
		return nil
	})
	if err != nil && len(reasons) > 0 {
		return &RemainingError{Cluster: c.Name(), Namespace: namespace, Remaining: reasons, Err: err}
	}
	return err
}

// terminationReasons are the messages of a terminating Namespace's conditions
// that say what it waits for.
func terminationReasons(namespace *unstructured.Unstructured) []string {
	conditions, _, err := unstructured.NestedSlice(namespace.Object, "status", "conditions")
	if err != nil {
		return nil // no conditions to report
	}
	reasons := map[string]bool{}
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok && m["status"] == "True" {
			if text, ok := m["message"].(string); ok {
				reasons[text] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(reasons))
}
