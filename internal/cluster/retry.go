package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
)

// do runs one request, and again while its error is one that passes, until ctx
// ends.
func (c *Cluster) do(ctx context.Context, verb string, ref Ref,
	request func(dynamic.ResourceInterface) (*unstructured.Unstructured, error),
) (*unstructured.Unstructured, error) {
	conn, err := c.connect()
	if err != nil {
		return nil, &ConnectionError{Cluster: c.name, Err: err}
	}
	var ri dynamic.ResourceInterface = conn.client.Resource(ref.Resource)
	if ref.Namespace != "" {
		ri = conn.client.Resource(ref.Resource).Namespace(ref.Namespace)
	}
	backoff := wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 8, Cap: 10 * time.Second}
	var last error
	renewed := false
	for {
		obj, err := request(ri)
		switch {
		case err == nil:
			return obj, nil
		case conn.renews && !renewed && apierrors.IsUnauthorized(err):
			renewed = true // the credential plugin runs again for the next request
			continue
		case ctx.Err() != nil:
			if last == nil {
				last = err
			}
			return nil, c.gaveUp(ctx, verb, ref, last)
		case !passes(err):
			return nil, c.wrap(verb, ref, err)
		}
		last = err
		select {
		case <-ctx.Done():
			return nil, c.gaveUp(ctx, verb, ref, last)
		case <-time.After(backoff.Step()):
		}
	}
}

// gaveUp is the error of a request that ctx ended, err that of its last try. A
// practitioner who stopped Terraform is not told of a cluster out of reach.
func (c *Cluster) gaveUp(ctx context.Context, verb string, ref Ref, err error) error {
	ended := ctx.Err()
	var status apierrors.APIStatus
	switch {
	case errors.Is(ended, context.Canceled) && errors.Is(err, ended):
		return fmt.Errorf("%s %s on %s: %w", verb, ref, c.name, ended)
	case errors.As(err, &status), errors.Is(ended, context.Canceled):
		return errors.Join(c.wrap(verb, ref, err), ended)
	default:
		return &UnreachableError{Cluster: c.name, Err: err}
	}
}
