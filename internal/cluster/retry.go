package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/outage"
)

// grace is how long the answer to a write is waited for once ctx has ended, so
// that what has been done can be recorded.
var grace = 10 * time.Second

// writes are the verbs whose requests change something.
var writes = []string{"apply", "create", "patch", "delete"}

// do runs one request, and again while its error is one that passes, until ctx
// ends. A write that has been sent by then is not broken off.
func (c *Cluster) do(ctx context.Context, verb string, ref Ref,
	request func(context.Context, dynamic.ResourceInterface) (*unstructured.Unstructured, error),
) (*unstructured.Unstructured, error) {
	if ctx.Err() != nil {
		return nil, c.gaveUp(ctx, verb, ref, ctx.Err())
	}
	conn, err := c.connect()
	if err != nil {
		return nil, &ConnectionError{Cluster: c.name, Err: err}
	}
	var ri dynamic.ResourceInterface = conn.client.Resource(ref.Resource)
	if ref.Namespace != "" {
		ri = conn.client.Resource(ref.Resource).Namespace(ref.Namespace)
	}
	began := time.Now()
	if err := c.outage.Of(ctx, began, nil); err != nil {
		return nil, c.silent(err)
	}
	backoff := wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 8, Cap: 10 * time.Second}
	patience := patience{connection: conn, cluster: c.name}
	var last error
	renewed := false
	for {
		c.outage.Begin(time.Now())
		x := &exchange{caller: ctx, most: limitOf(verb)}
		obj, err := send(withExchange(ctx, x), verb, func(ctx context.Context) (*unstructured.Unstructured, error) { return request(ctx, ri) })
		x.leaveLarge()
		err = x.judge(c.name, ref, err)
		switch {
		case err == nil:
			c.outage.Answered()
			return obj, nil
		case conn.renews && !renewed && x.isStatus(http.StatusUnauthorized) && ctx.Err() == nil:
			renewed = true // the credential plugin runs again for the next request
			continue
		case ctx.Err() != nil:
			if last == nil || isOurs(err) {
				last = err
			}
			return nil, c.expired(ctx, verb, ref, began, last)
		case !passes(err):
			c.outage.Answered()
			return nil, c.wrap(verb, ref, err)
		}
		c.outage.Failed(err)
		if over := patience.isOver(err); over != nil {
			c.outage.GivenUp(time.Now(), over)
			return nil, over
		}
		told := x.told()
		if deadline, ok := ctx.Deadline(); ok && told > 0 && time.Until(deadline) < told {
			return nil, &BusyError{Cluster: c.name, After: told, Err: c.wrap(verb, ref, err)}
		}
		pause := max(backoff.Step(), told)
		last = err
		select {
		case <-ctx.Done():
			return nil, c.expired(ctx, verb, ref, began, last)
		case <-time.After(pause):
		}
	}
}

func limitOf(verb string) limit {
	switch verb {
	case "list":
		return ofList
	case "watch":
		return ofWatch
	default:
		return ofObject
	}
}

// patience bounds how long a request is tried again if no server is found.
type patience struct {
	connection *connection
	cluster    string
	since      time.Time // the first error of this kind in a row
	host       bool      // the kind: no such host, else a port that refuses
}

// isOver is the error that a request ends with.
func (p *patience) isOver(err error) error {
	var unknown *net.DNSError
	host := errors.As(err, &unknown) && unknown.IsNotFound
	if !host && !errors.Is(err, syscall.ECONNREFUSED) {
		p.since = time.Time{}
		return nil
	}
	if p.since.IsZero() || p.host != host {
		p.since, p.host = time.Now(), host
	}
	most := portPatience
	switch {
	case host:
		most = hostPatience
	case p.connection.answered.Load():
		most = restartPatience
	}
	switch {
	case time.Since(p.since) < most:
		return nil
	case host:
		return &UnknownHostError{Cluster: p.cluster, Host: unknown.Name, Err: err}
	default:
		return &RefusedError{Cluster: p.cluster, Err: err}
	}
}

// send runs a request. The context of a write ends some time after ctx does.
func send(ctx context.Context, verb string, request func(context.Context) (*unstructured.Unstructured, error)) (*unstructured.Unstructured, error) {
	verb, _, _ = strings.Cut(verb, " ")
	if !slices.Contains(writes, verb) {
		return request(ctx)
	}
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-longer.Done():
		case <-time.After(grace):
			cancel()
		}
	})()
	return request(longer)
}

// silent is the error of a request that is not sent, since others have found no
// server.
func (c *Cluster) silent(err error) error {
	if found := ours(err); found != nil {
		return found
	}
	if !errors.As(err, new(*outage.SilentError)) {
		return err
	}
	return &UnreachableError{Cluster: c.name, Err: err}
}

// expired is gaveUp for a request that began at a time and has been sent.
func (c *Cluster) expired(ctx context.Context, verb string, ref Ref, began time.Time, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		if isOurs(err) {
			c.outage.Failed(err)
		}
		c.outage.Expired(time.Now(), began)
	}
	return c.gaveUp(ctx, verb, ref, err)
}

// gaveUp is the error of a request that ctx ended, err that of its last try. A
// practitioner who stopped Terraform is not told of a cluster out of reach.
func (c *Cluster) gaveUp(ctx context.Context, verb string, ref Ref, err error) error {
	ended := ctx.Err()
	var status apierrors.APIStatus
	switch {
	case errors.Is(ended, context.Canceled) && errors.Is(err, ended):
		return fmt.Errorf("%s %s on %s: %w", verb, ref, c.name, ended)
	case isOurs(err), errors.As(err, &status), errors.Is(ended, context.Canceled):
		return errors.Join(c.wrap(verb, ref, err), ended)
	default:
		return &UnreachableError{Cluster: c.name, Err: err}
	}
}
