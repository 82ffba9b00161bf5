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
	"reflect"
	"slices"
	"strings"
	"time"

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

// RefusedError: no process listens at the API server's address, or a firewall
// says so, for as long as a server takes to restart.
type RefusedError struct {
	Cluster string
	Err     error
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refuses connections: %v", e.Cluster, e.Err)
}
func (e *RefusedError) Unwrap() error { return e.Err }

// UnknownHostError: the host of the API server, or of the proxy, has no address.
type UnknownHostError struct {
	Cluster, Host string
	Err           error
}

func (e *UnknownHostError) Error() string {
	return fmt.Sprintf("find the host %s of %s: %v", e.Host, e.Cluster, e.Err)
}
func (e *UnknownHostError) Unwrap() error { return e.Err }

// NotTLSError: what answers at an https address does not speak TLS.
type NotTLSError struct {
	Cluster string
	Err     error
}

func (e *NotTLSError) Error() string {
	return fmt.Sprintf("%s does not speak TLS: %v", e.Cluster, e.Err)
}
func (e *NotTLSError) Unwrap() error { return e.Err }

// ClientCertificateError: the API server ends the connection since it demands a
// client certificate, or does not take the one that it got.
type ClientCertificateError struct {
	Cluster string
	Err     error
}

func (e *ClientCertificateError) Error() string {
	return fmt.Sprintf("%s demands another client certificate: %v", e.Cluster, e.Err)
}
func (e *ClientCertificateError) Unwrap() error { return e.Err }

// RedirectError: the API server's answer leads to another server, or asks for a
// body to be sent again. Nothing was sent there.
type RedirectError struct {
	Cluster, From, To string
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("%s redirects from %s to %s, which is not followed", e.Cluster, e.From, e.To)
}

// LimitError: an answer, or what a credential plugin prints, is larger than
// anything that it should be.
type LimitError struct {
	Cluster, What string
	Most          int64
	Unit          string // bytes, or values in JSON
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s of %s is larger than the limit of %d %s", e.What, e.Cluster, e.Most, e.Unit)
}

// NotAnAPIServerError: an answer that no API server gives, such as a login page.
type NotAnAPIServerError struct {
	Cluster     string
	Status      int // of HTTP; 0: the answer is not even that
	ContentType string
	Start       string // of the answer
	Err         error  // nil for an answer that stays the same at the next try
}

func (e *NotAnAPIServerError) Error() string {
	text := fmt.Sprintf("%s does not answer as a Kubernetes API server: ", e.Cluster)
	if e.Status == 0 {
		return text + fmt.Sprint(e.Err)
	}
	kind := e.ContentType
	if kind == "" {
		kind = "no content type"
	}
	text += fmt.Sprintf("status %d, %s", e.Status, kind)
	if e.Start != "" {
		text += ": " + e.Start
	}
	return text
}
func (e *NotAnAPIServerError) Unwrap() error { return e.Err }

// WrongAnswerError: the API server answers with something else than was asked for.
type WrongAnswerError struct {
	Cluster string
	Ref     Ref
	Got     string
}

func (e *WrongAnswerError) Error() string {
	return fmt.Sprintf("%s was asked for %s and answers with %s", e.Cluster, e.Ref, e.Got)
}

// BusyError: the API server says to come back at a time at which the context has
// ended.
type BusyError struct {
	Cluster string
	After   time.Duration
	Err     error
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("%s says to come back in %s: %v", e.Cluster, e.After, e.Err)
}
func (e *BusyError) Unwrap() error { return e.Err }

// UnknownFieldError: the schema of a resource does not have fields that were to be
// applied. Nothing was written.
type UnknownFieldError struct {
	Cluster string
	Ref     Ref
	Fields  []string // such as .spec.defaultNamespace
	Err     error
}

func (e *UnknownFieldError) Error() string {
	return fmt.Sprintf("apply %s to %s: %v", e.Ref, e.Cluster, e.Err)
}
func (e *UnknownFieldError) Unwrap() error { return e.Err }

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
// the errors above if it is one.
func (c *Cluster) wrap(verb string, ref Ref, err error) error {
	var alert *net.OpError
	var header tls.RecordHeaderError
	switch {
	case err == nil:
		return nil
	case isOurs(err):
		return ours(err)
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return &CertificateError{Cluster: c.name, Err: err}
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &header):
		return &NotTLSError{Cluster: c.name, Err: err}
	case errors.As(err, &alert) && isAboutClientCertificate(alert):
		return &ClientCertificateError{Cluster: c.name, Err: err}
	case isNotHTTP(err):
		return &NotAnAPIServerError{Cluster: c.name, Err: err}
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

// ours is the error of this package that has passed through client-go, nil for
// another one.
func ours(err error) error {
	var plugin *PluginError
	var redirect *RedirectError
	var limit *LimitError
	var notAPI *NotAnAPIServerError
	var wrong *WrongAnswerError
	var field *UnknownFieldError
	switch {
	case errors.As(err, &plugin):
		return plugin
	case errors.As(err, &redirect):
		return redirect
	case errors.As(err, &limit):
		return limit
	case errors.As(err, &notAPI):
		return notAPI
	case errors.As(err, &wrong):
		return wrong
	case errors.As(err, &field):
		return field
	}
	return nil
}

func isOurs(err error) bool { return ours(err) != nil }

// isAboutClientCertificate tells the alerts of TLS with which a server turns a
// client's certificate down, or that there is none. crypto/tls has a type for
// them that it does not export; see
// https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-6
func isAboutClientCertificate(err *net.OpError) bool {
	const handshakeFailure, badCertificate, unknownAuthority, accessDenied, certificateRequired = 40, 42, 48, 49, 116
	alert := reflect.ValueOf(err.Err)
	if err.Op != "remote error" || alert.Kind() != reflect.Uint8 {
		return false
	}
	code := alert.Uint()
	return code == handshakeFailure || code >= badCertificate && code <= 46 || code == unknownAuthority || code == accessDenied || code == certificateRequired
}

// notHTTP are in the errors of net/http about an answer that is not HTTP, such as
// an alert of TLS, or has more headers than it reads. They have no type, as in
// https://github.com/golang/go/blob/go1.26.0/src/net/http/response.go
var notHTTP = []string{
	"malformed HTTP ", "malformed MIME header", "server response headers exceeded",
	"http2: response header list larger than advertised limit",
}

func isNotHTTP(err error) bool {
	var u *url.Error
	return errors.As(err, &u) && slices.ContainsFunc(notHTTP, func(part string) bool { return strings.Contains(u.Err.Error(), part) })
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// isNotServed tells the API server's plain 404 page, for a path that nothing
// serves, from the Status that it sends for a missing object.
func isNotServed(err error) bool {
	var status *apierrors.StatusError
	return apierrors.IsNotFound(err) && errors.As(err, &status) && hasCause(&status.ErrStatus, metav1.CauseTypeUnexpectedServerResponse)
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
	var notAPI *NotAnAPIServerError
	if found := ours(err); found != nil && (!errors.As(found, &notAPI) || notAPI.Err == nil) {
		return false
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return comesAgain(int(status.Status().Code))
	}
	return !isNotHTTP(err) && isTransport(err)
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
