package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

var (
	// ErrNotFound: the object does not exist.
	ErrNotFound = errors.New("not found")
	// ErrChanged: the object is not as it was read any more, or is another one of
	// the same name.
	ErrChanged = errors.New("it has changed, or another object of the same name has taken its place")
)

// ConnectionError: the configuration cannot be used, or a file that it names
// cannot be read. No request was sent.
type ConnectionError struct {
	Cluster string
	Err     error
}

func (e *ConnectionError) Error() string {
	return fmt.Sprintf("connect to %s: %v", e.Cluster, e.Err)
}
func (e *ConnectionError) Unwrap() error { return e.Err }

// UnreachableError: the API server did not answer until the context ended.
type UnreachableError struct {
	Cluster string
	Err     error // of the last try
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s cannot be reached: %v", e.Cluster, e.Err)
}
func (e *UnreachableError) Unwrap() error { return e.Err }

// CertificateError: the API server shows a certificate that cannot be verified.
type CertificateError struct {
	Cluster string
	Err     error
}

func (e *CertificateError) Error() string { return fmt.Sprintf("verify %s: %v", e.Cluster, e.Err) }
func (e *CertificateError) Unwrap() error { return e.Err }

// NotServedError: the API server does not know the resource, most often since
// its CustomResourceDefinition is not installed.
type NotServedError struct {
	Cluster, Resource string
}

func (e *NotServedError) Error() string {
	return fmt.Sprintf("%s does not serve %s", e.Cluster, e.Resource)
}

// ConflictError: other field managers own fields that were to be applied.
type ConflictError struct {
	Cluster string
	Ref     Ref
	Fields  []FieldConflict
}

// FieldConflict is one field, as a path such as .spec.fetch, and its owner as
// the API server describes it.
type FieldConflict struct {
	Field, Owner string
}

func (e *ConflictError) Error() string {
	fields := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		fields[i] = fmt.Sprintf("%s (%s)", f.Field, f.Owner)
	}
	return fmt.Sprintf("apply %s to %s: fields owned by another manager: %s", e.Ref, e.Cluster, strings.Join(fields, ", "))
}

// wrap gives an API error the cluster and object that it belongs to, as one of
// the errors above where it is one.
func (c *Cluster) wrap(verb string, ref Ref, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return &CertificateError{Cluster: c.name, Err: err}
	case isNotServed(err):
		return &NotServedError{Cluster: c.name, Resource: ref.Resource.GroupResource().String()}
	case verb != "apply" && apierrors.IsNotFound(err):
		err = ErrNotFound
	case apierrors.IsConflict(err) && len(conflicts(err)) > 0:
		return &ConflictError{Cluster: c.name, Ref: ref, Fields: conflicts(err)}
	case apierrors.IsConflict(err):
		err = fmt.Errorf("%w: %w", ErrChanged, err)
	}
	return fmt.Errorf("%s %s on %s: %w", verb, ref, c.name, err)
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// isNotServed tells the API server's plain 404 page, for a path that nothing
// serves, from the Status that it sends for a missing object.
func isNotServed(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	for _, cause := range status.Status().Details.Causes {
		if cause.Type == metav1.CauseTypeUnexpectedServerResponse {
			return true
		}
	}
	return false
}

func conflicts(err error) []FieldConflict {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var fields []FieldConflict
	for _, cause := range status.Status().Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			fields = append(fields, FieldConflict{Field: cause.Field, Owner: cause.Message})
		}
	}
	return fields
}

// passes tells the errors that may be gone at the next try.
func passes(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		code := status.Status().Code
		return code == http.StatusTooManyRequests || code >= http.StatusInternalServerError
	}
	return isTransport(err)
}

// lostConnections begin the errors of net/http about a connection that was lost
// with a request on it. Most of them have no type, as in
// https://github.com/golang/net/blob/v0.60.0/http2/transport_common.go
var lostConnections = []string{
	"http2: client conn ",       // is closed, not usable, could not be established
	"http2: client connection ", // lost, force closed
	"http2: Transport received Server's graceful shutdown GOAWAY",
	"stream error: ",
	"http: server closed idle connection",
}

// lostAnswer is in the errors of client-go about an answer that ended early, which are
// no *url.Error, as in https://github.com/kubernetes/client-go/blob/v0.37.2/rest/request.go
const lostAnswer = "when reading response body"

// isTransport tells a connection that failed from a certificate, a proxy
// setting or a credential plugin that did, which do not pass by themselves.
func isTransport(err error) bool {
	if errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), lostAnswer) {
		return true
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return !strings.HasSuffix(operation.Op, " error") // an alert of TLS, from there or from here
	}
	var u *url.Error
	if !errors.As(err, &u) {
		return false
	}
	text := u.Err.Error()
	return u.Timeout() || utilnet.IsProbableEOF(u.Err) || strings.HasSuffix(text, "EOF") ||
		slices.ContainsFunc(lostConnections, func(begin string) bool { return strings.HasPrefix(text, begin) })
}
