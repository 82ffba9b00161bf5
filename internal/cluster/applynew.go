package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// ExistsError: an object that was to be new is there already.
type ExistsError struct {
	Cluster string
	Ref     Ref
	Live    *unstructured.Unstructured
}

func (e *ExistsError) Error() string { return fmt.Sprintf("%s already exists on %s", e.Ref, e.Cluster) }

// noVersion is a resource version that no object has. The API server applies
// an object with a resource version only where that is the live one's; where
// there is no object it makes one.
const noVersion = "9223372036854775807"

// ApplyNew creates an object by server-side apply with one request, and never
// changes one that is there: that is an *ExistsError.
func (c *Cluster) ApplyNew(ctx context.Context, ref Ref, obj *unstructured.Unstructured, m Manager) (*unstructured.Unstructured, error) {
	fresh := obj.DeepCopy()
	fresh.SetResourceVersion(noVersion)
	began, tries := time.Now(), 0
	made, err := c.do(ctx, "apply", ref, func(ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		tries++
		return ri.Apply(ctx, ref.Name, fresh, metav1.ApplyOptions{FieldManager: m.Name, Force: m.Force})
	})
	if !apierrors.IsConflict(err) && !errors.As(err, new(*ConflictError)) {
		return made, err
	}
	live, err := c.Get(ctx, ref)
	switch {
	case isNotFound(err): // it has gone
		return c.Apply(ctx, ref, obj, m)
	case err != nil:
		return nil, err
	case tries > 1 && madeSince(live, began, m): // by a try whose answer was lost
		return c.Apply(ctx, ref, obj, m)
	}
	return nil, &ExistsError{Cluster: c.name, Ref: ref, Live: live}
}

// skew is how far the clocks of client and server may be apart.
const skew = 2 * time.Minute

// madeSince tells whether a field manager has applied an object that was not
// there at a time.
func madeSince(live *unstructured.Unstructured, at time.Time, m Manager) bool {
	if live.GetDeletionTimestamp() != nil || live.GetCreationTimestamp().Time.Before(at.Add(-skew)) {
		return false
	}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == m.Name && entry.Operation == metav1.ManagedFieldsOperationApply {
			return true
		}
	}
	return false
}
