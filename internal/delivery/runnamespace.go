package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
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

// NamespaceMissingError: the namespace that somebody else was to make is not
// there.
type NamespaceMissingError struct {
	Cluster, Namespace string
}

func (e *NamespaceMissingError) Error() string {
	return fmt.Sprintf("there is no namespace %s on %s", e.Namespace, e.Cluster)
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
	if s.Existing {
		return s.createInExisting(ctx, c, objects)
	}
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

// createInExisting makes the objects in a namespace that may hold others of
// the same name.
func (s RunNamespace) createInExisting(ctx context.Context, c *cluster.Cluster, objects []*unstructured.Unstructured) (RunNamespaceReceipt, error) {
	var r RunNamespaceReceipt
	namespace, err := s.namespace(ctx, c)
	if err != nil {
		return r, err
	}
	if !s.Adopt {
		for _, obj := range objects { // before the first is made
			if err := refuseExisting(ctx, c, refOf(obj)); err != nil {
				return r, err
			}
		}
	}
	r = s.receipt(namespace)
	return r, applyAll(ctx, c, objects, s.Manager, r.Objects)
}

// namespace reads the Namespace that somebody else has made.
func (s RunNamespace) namespace(ctx context.Context, c *cluster.Cluster) (*unstructured.Unstructured, error) {
	namespace, err := find(ctx, c, cluster.Ref{Resource: carvel.Namespaces, Name: s.Name})
	if err == nil && namespace == nil {
		err = &NamespaceMissingError{Cluster: c.Name(), Namespace: s.Name}
	}
	return namespace, err
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
	objects := carvel.RunNamespace(s.RunNamespaceSpec)
	refs := []cluster.Ref{{Resource: carvel.Namespaces, Name: s.Name}}
	for _, obj := range objects {
		refs = append(refs, refOf(obj))
	}
	live, err := findAll(ctx, c, refs)
	if err != nil {
		return r, err
	}
	namespace := live[refs[0]]
	if namespace == nil || namespace.GetDeletionTimestamp() != nil {
		return r, ErrNotFound // one that is being deleted cannot be kept
	}
	r = s.receipt(namespace)
	for _, obj := range objects {
		if live[refOf(obj)] == nil {
			continue
		}
		if err := show(r.Objects, live[refOf(obj)], obj); err != nil {
			return r, err
		}
	}
	return r, nil
}

// UpdateRunNamespace applies the objects and deletes those of before that are
// not wanted any more. The Namespace itself is never deleted.
func (d *Delivery) UpdateRunNamespace(ctx context.Context, before carvel.RunNamespaceSpec, s RunNamespace) (RunNamespaceReceipt, error) {
	var r RunNamespaceReceipt
	c, err := d.run(s.Cluster)
	if err != nil {
		return r, err
	}
	namespace, err := s.namespace(ctx, c)
	if err != nil {
		return r, err
	}
	if before.Existing && !s.Existing && !s.Adopt {
		return r, &ExistsError{Where: c.Name(), What: "namespace " + s.Name}
	}
	r = s.receipt(namespace)
	objects := carvel.RunNamespace(s.RunNamespaceSpec)
	if err := applyAll(ctx, c, objects, s.Manager, r.Objects); err != nil {
		return r, err
	}
	wanted := map[cluster.Ref]bool{{Resource: carvel.Namespaces, Name: s.Name}: true}
	for _, obj := range objects {
		wanted[refOf(obj)] = true
	}
	for _, obj := range slices.Backward(carvel.RunNamespace(before)) {
		if ref := refOf(obj); !wanted[ref] {
			if err := deleteOurs(ctx, c, ref); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// deleteOurs deletes an object that bears the provider's label, and leaves one
// that somebody else has put in its place.
func deleteOurs(ctx context.Context, c *cluster.Cluster, ref cluster.Ref) error {
	live, err := find(ctx, c, ref)
	if err != nil || live == nil || live.GetLabels()[carvel.ManagedByLabel] != carvel.ManagedBy {
		return err
	}
	return c.Delete(ctx, ref, live.GetUID())
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
// namespace, since one that outlives its ServiceAccount is stuck for ever. Then
// it deletes the Namespace with all that is in it, or the objects alone where
// somebody else has made the Namespace.
func (d *Delivery) DeleteRunNamespace(ctx context.Context, s RunNamespace, uid types.UID) error {
	c, err := d.run(s.Cluster)
	if err != nil {
		return err
	}
	for _, resource := range []schema.GroupVersionResource{carvel.PackageInstalls, carvel.Apps} {
		remaining, err := c.WaitNone(ctx, resource, s.Name)
		var notServed *cluster.NotServedError
		switch {
		case errors.As(err, &notServed):
			continue // none can exist
		case len(remaining) > 0:
			return &RemainingError{Cluster: c.Name(), Namespace: s.Name, Remaining: remaining, Err: err}
		case err != nil:
			return err
		}
	}
	if !s.Existing {
		return deleteNamespace(ctx, c, s.Name, uid)
	}
	for _, obj := range slices.Backward(carvel.RunNamespace(s.RunNamespaceSpec)) {
		if err := deleteOurs(ctx, c, refOf(obj)); err != nil {
			return err
		}
	}
	return nil
}

func deleteNamespace(ctx context.Context, c *cluster.Cluster, name string, uid types.UID) error {
	ref := cluster.Ref{Resource: carvel.Namespaces, Name: name}
	if err := c.Delete(ctx, ref, uid); err != nil {
		if errors.Is(err, cluster.ErrReplaced) {
			return nil // ours is gone
		}
		return err
	}
	var reasons []string
	err := c.WaitGone(ctx, ref, uid, func(obj *unstructured.Unstructured) error {
		reasons = terminationReasons(obj)
		return nil
	})
	if err != nil && len(reasons) > 0 {
		return &RemainingError{Cluster: c.Name(), Namespace: name, Remaining: reasons, Err: err}
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
