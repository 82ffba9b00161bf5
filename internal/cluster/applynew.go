package cluster

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ExistsError: an object that was to be new is there already.
type ExistsError struct {
	Cluster string
	Ref     Ref
	Live    *unstructured.Unstructured
}

func (e *ExistsError) Error() string { return fmt.Sprintf("%s already exists on %s", e.Ref, e.Cluster) }

// noVersion is a resource version that no object has. The API server applies
// an object with a resource version only if that is the live one's; if
// there is no object it makes one.
const noVersion = "9223372036854775807"

// ApplyNew creates an object by server-side apply with one request, and never
// changes one that is there: that is an *ExistsError. It is one too if a try
// whose answer was lost has made the object: the caller tells by what it bears.
func (c *Cluster) ApplyNew(ctx context.Context, ref Ref, obj *unstructured.Unstructured, m Manager) (*unstructured.Unstructured, error) {
	fresh := obj.DeepCopy()
	fresh.SetResourceVersion(noVersion)
	made, err := c.Apply(ctx, ref, fresh, m)
	if !errors.Is(err, ErrChanged) && !errors.As(err, new(*ConflictError)) {
		return made, err
	}
	live, err := c.Get(ctx, ref)
	switch {
	case isNotFound(err): // it has gone
		return c.Apply(ctx, ref, obj, m)
	case err != nil:
		return nil, err
	}
	return nil, &ExistsError{Cluster: c.name, Ref: ref, Live: live}
}

// ApplyOver changes an object by server-side apply if it still is the one
// that was read, to the last field, and is ErrChanged otherwise.
func (c *Cluster) ApplyOver(ctx context.Context, ref Ref, obj, read *unstructured.Unstructured, m Manager) (*unstructured.Unstructured, error) {
	same := obj.DeepCopy()
	same.SetUID(read.GetUID())
	same.SetResourceVersion(read.GetResourceVersion())
	return c.Apply(ctx, ref, same, m)
}
