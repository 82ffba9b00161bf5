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

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

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
			return &RemainingError{Cluster: c.Name(), Namespace: namespace, Remaining: remaining, Err: err}
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
	var reasons []string
	err := c.WaitGone(ctx, ref, uid, func(obj *unstructured.Unstructured) error {
		reasons = terminationReasons(obj)
		return nil
	})
	if err != nil && len(reasons) > 0 {
		err = &RemainingError{Cluster: c.Name(), Namespace: s.Name, Remaining: reasons, Err: err}
	}
	return nil, err
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
