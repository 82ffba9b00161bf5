package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// RemainingError: PackageInstalls or Apps that must go first were still there when the
// time was up.
type RemainingError struct {
	Cluster, Namespace string
	Remaining          []Remaining
	Err                error
}

// Remaining is an object that is still there.
type Remaining struct {
	What       string // "kind name"
	Deleting   bool
	Finalizers []string
	Message    string // of its controller
}

func (e *RemainingError) Error() string {
	names := make([]string, len(e.Remaining))
	for i, r := range e.Remaining {
		names[i] = r.What
	}
	return fmt.Sprintf("namespace %s on %s still holds %s: %v", e.Namespace, e.Cluster, strings.Join(names, ", "), e.Err)
}
func (e *RemainingError) Unwrap() error { return e.Err }

// TerminatingError: the Namespace itself is being deleted, and was still there when the
// time was up.
type TerminatingError struct {
	Cluster, Namespace string
	carvel.Termination
	Err error
}

func (e *TerminatingError) Error() string {
	return fmt.Sprintf("namespace %s on %s is still being deleted: %v", e.Namespace, e.Cluster, e.Err)
}
func (e *TerminatingError) Unwrap() error { return e.Err }

// Delete waits until no PackageInstall and no App is left in the
// namespace, since one that outlives its ServiceAccount is stuck for ever. Then
// it deletes the Namespace with all that is in it, or the objects alone if
// somebody else has made the Namespace or it was adopted. It returns what it has
// left, and why.
func (ns *Namespaces) Delete(ctx context.Context, s RunNamespace, uid types.UID) ([]Left, error) {
	c, err := ns.run(s.Cluster)
	if err != nil {
		return nil, err
	}
	anchor, err := find(ctx, c, refOf(carvel.RunNamespace(s.RunNamespaceSpec)[0]))
	if err != nil {
		return nil, err
	}
	if !s.Existing && (anchor == nil || uid != "" && anchor.GetUID() != uid) {
		return nil, nil // ours is gone
	}
	if theirs := carvel.MarkOf(anchor); anchor != nil {
		reason := ns.leaves(s.resource(), theirs, s.Hold)
		if reason == "" && s.Retried && theirs.Adopted && !s.DeleteAdopted {
			reason = LeftForReplacement // it is not deleted, so that it cannot be made anew
		}
		if reason != "" {
			return []Left{ns.left(c.Name(), refOf(anchor).String(), reason, theirs)}, nil
		}
	}
	if err := waitEmpty(ctx, c, s.Name); err != nil {
		return nil, err
	}
	if !s.Existing && (s.DeleteAdopted || !carvel.MarkOf(anchor).Adopted) {
		left, err := ns.deleteClusterWide(ctx, c, s)
		if err != nil {
			return left, err
		}
		more, err := ns.deleteNamespace(ctx, c, s, uid)
		return append(left, more...), err
	}
	var left []Left
	for _, obj := range slices.Backward(carvel.RunNamespace(s.RunNamespaceSpec)) {
		more, err := ns.removeOrDelete(ctx, c, refOf(obj), s)
		left = append(left, more...)
		if err != nil {
			return left, err
		}
	}
	return left, nil
}

// deleteClusterWide deletes what does not go with the Namespace. It is first, since
// nothing tells of it once the Namespace is gone.
func (ns *Namespaces) deleteClusterWide(ctx context.Context, c Cluster, s RunNamespace) ([]Left, error) {
	var left []Left
	for _, obj := range slices.Backward(carvel.RunNamespace(s.RunNamespaceSpec)) {
		if ref := refOf(obj); ref.Namespace == "" && ref.Resource != carvel.Namespaces {
			more, err := ns.removeOrDelete(ctx, c, ref, s)
			if left = append(left, more...); err != nil {
				return left, err
			}
		}
	}
	return left, nil
}

// removeOrDelete is remove, and deletes also what was adopted if the
// practitioner has said so.
func (ns *Namespaces) removeOrDelete(ctx context.Context, c Cluster, ref cluster.Ref, s RunNamespace) ([]Left, error) {
	if !s.DeleteAdopted || ref.Resource == carvel.Namespaces {
		return ns.remove(ctx, c, ref, s.resource(), s.ForCluster)
	}
	live, err := find(ctx, c, ref)
	if err != nil || live == nil || !carvel.IsManaged(live) || ns.leaves(s.resource(), carvel.MarkOf(live), s.Hold) != "" {
		return nil, err
	}
	return nil, c.Delete(ctx, ref, live)
}

func waitEmpty(ctx context.Context, c Cluster, namespace string) error {
	for _, resource := range []schema.GroupVersionResource{carvel.PackageInstalls, carvel.Apps} {
		remaining, err := c.WaitNone(ctx, resource, namespace)
		var notServed *cluster.NotServedError
		switch {
		case errors.As(err, &notServed):
			continue // none can exist
		case len(remaining) > 0:
			return &RemainingError{Cluster: c.Name(), Namespace: namespace, Remaining: lookAt(ctx, c, resource, namespace, remaining), Err: err}
		case err != nil:
			return err
		}
	}
	return nil
}

// deleteNamespace deletes the Namespace with this uid, unless another resource
// has taken it over now.
func (ns *Namespaces) deleteNamespace(ctx context.Context, c Cluster, s RunNamespace, uid types.UID) ([]Left, error) {
	ref := cluster.Ref{Resource: carvel.Namespaces, Name: s.Name}
	for err := cluster.ErrChanged; errors.Is(err, cluster.ErrChanged); {
		var live *unstructured.Unstructured
		if live, err = find(ctx, c, ref); err != nil || live == nil || uid != "" && live.GetUID() != uid {
			return nil, err
		}
		theirs := carvel.MarkOf(live)
		if reason := ns.leaves(s.resource(), theirs, s.Hold); reason != "" {
			return []Left{ns.left(c.Name(), ref.String(), reason, theirs)}, nil
		}
		if err = c.Delete(ctx, ref, live); err != nil && !errors.Is(err, cluster.ErrChanged) {
			return nil, err
		}
	}
	var why carvel.Termination
	err := c.WaitGone(ctx, ref, uid, func(obj *unstructured.Unstructured) error {
		why = carvel.ReadTermination(obj)
		return nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = &TerminatingError{Cluster: c.Name(), Namespace: s.Name, Termination: why, Err: err}
	}
	return nil, err
}

// lookAt tells what objects that are left wait for, as far as the run cluster lets it be
// seen. The time of the wait is up.
func lookAt(ctx context.Context, c Cluster, resource schema.GroupVersionResource, namespace string, names []string) []Remaining {
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
	defer cancel()
	var left []Remaining
	var items []unstructured.Unstructured
	var err error
	if !interrupted { // after that nothing more is sent
		items, err = c.List(ctx, resource, namespace)
	}
	if err != nil || len(items) == 0 {
		for _, name := range names {
			left = append(left, Remaining{What: name})
		}
		return left
	}
	for i := range items {
		r := Remaining{
			What: items[i].GetKind() + " " + items[i].GetName(), Deleting: items[i].GetDeletionTimestamp() != nil, Finalizers: items[i].GetFinalizers(),
		}
		if status, err := carvel.ReadAppStatus(&items[i]); err == nil { // of the same form for both kinds
			r.Message = status.Message()
		}
		left = append(left, r)
	}
	return left
}
