package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// TransientError is a failure that may pass: the connection, an overloaded server.
type TransientError struct{ cause error }

func (e *TransientError) Error() string { return e.cause.Error() }
func (e *TransientError) Unwrap() error { return e.cause }

// BriefError is a failure that is most often lasting, and may be that of a server which is starting.
type BriefError struct{ cause error }

func (e *BriefError) Error() string { return e.cause.Error() }
func (e *BriefError) Unwrap() error { return e.cause }

// ProtocolError is an answer that is not the Git protocol, or not whole. Its text quotes the answer.
type ProtocolError struct{ cause error }

func (e *ProtocolError) Error() string { return printable.Line(e.cause.Error(), MaxLineBytes) }
func (e *ProtocolError) Unwrap() error { return e.cause }

// RefusedError is the server's own refusal of a fetch, for example "upload-pack: not our ref ...".
type RefusedError struct{ text string }

func (e *RefusedError) Error() string { return "the server refuses the fetch: " + e.text }

// TurnedAwayError is a push that the server has answered without acting upon it.
type TurnedAwayError struct{ cause error }

func (e *TurnedAwayError) Error() string { return e.cause.Error() }
func (e *TurnedAwayError) Unwrap() error { return e.cause }

// classify turns what a session returned into an error that tells what to do about it.
func classify(ctx context.Context, x *exchange, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var redirect *RedirectError
	var limit *odb.LimitError
	var credentials *CredentialsError
	switch {
	case errors.As(err, &credentials):
		return credentials
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return ErrEmptyRepository
	case errors.As(err, &redirect):
		return redirect
	}
	if throttled := x.throttled(time.Now()); throttled != nil {
		return throttled
	}
	switch {
	case (x.status == http.StatusUnauthorized || x.status == http.StatusForbidden) && x.server != nil && x.unnamed:
		return x.unsent()
	case x.status == http.StatusUnauthorized || x.status == http.StatusForbidden:
		return fmt.Errorf("%w (HTTP %d)%s", ErrAuth, x.status, x.text())
	case x.status == http.StatusNotFound || x.status == http.StatusGone:
		return fmt.Errorf("%w (HTTP %d)", ErrRepositoryNotFound, x.status)
	case x.status == http.StatusRequestTimeout || x.status >= 500:
		return &TransientError{fmt.Errorf("HTTP %d %s%s", x.status, http.StatusText(x.status), x.text())}
	case x.status == http.StatusBadRequest && x.server != nil && bytes.Contains(x.head, []byte("SSL certificate")): // nginx
		return x.certificate(fmt.Errorf("HTTP %d %s", x.status, http.StatusText(x.status)))
	case x.status >= 400:
		return fmt.Errorf("HTTP %d %s%s", x.status, http.StatusText(x.status), x.text())
	case errors.As(err, &limit):
		return limit
	}
	if text := x.refusal(); text != "" {
		return &RefusedError{text}
	}
	if x.err != nil {
		if x.server != nil && aboutCertificate(x.err) {
			return x.certificate(x.err)
		}
		return connectionError(x.err)
	}
	if err := x.checkFormat(); err != nil {
		return err
	}
	if page := x.page(); page != nil {
		return page
	}
	if x.status == 0 || x.status >= 300 {
		// Neither an answer nor a failure of the connection: a redirect that must not be followed.
		return err
	}
	return &ProtocolError{err}
}

// unsent is the refusal of a request without credentials.
func (x *exchange) unsent() *UnsentError {
	to := x.server.redirected(x.asked)
	e := &UnsentError{Status: x.status, From: to.From, To: to.To, URL: to.URL, Configured: !x.server.HTTP.anonymous(), Text: x.line()}
	if sameOrigin(x.server.Endpoint, x.asked) {
		e.To = e.From
	}
	return e
}

// page is what the answer is if it is for people: HTML, or what a redirect has led to that is no repository. Nil: it is none.
func (x *exchange) page() *WebPageError {
	if x.status != http.StatusOK && x.status != http.StatusNonAuthoritativeInfo || x.server == nil || x.asked == nil {
		return nil
	}
	away := !ofRepository(x.asked)
	if !away && !strings.HasPrefix(x.kind, "text/html") && !strings.HasPrefix(x.kind, "application/xhtml") {
		return nil
	}
	to := x.server.redirected(x.asked)
	return &WebPageError{
		From: to.From, Page: to.URL, Configured: !x.server.HTTP.anonymous(), Redirected: away || !sameOrigin(x.server.Endpoint, x.asked),
	}
}

func (x *exchange) certificate(err error) *ClientCertificateError {
	at := x.server.Endpoint
	if x.asked != nil {
		at = x.asked
	}
	return &ClientCertificateError{Host: origin(at).String(), Configured: x.server.HTTP.Certificate != nil, Err: err}
}

// aboutCertificate reports whether a server has ended the connection for want of a client certificate that it takes. Some say no more then
// than that the handshake has failed.
func aboutCertificate(err error) bool {
	var operation *net.OpError
	if !errors.As(err, &operation) || operation.Op != "remote error" {
		return false
	}
	code := reflect.ValueOf(operation.Err) // of a type that crypto/tls does not export
	if code.Kind() != reflect.Uint8 {
		return false
	}
	alert := code.Uint()
	const handshakeFailure, badCertificate, certificateUnknown, unknownAuthority, accessDenied, certificateRequired = 40, 42, 46, 48, 49, 116
	return alert == handshakeFailure || alert >= badCertificate && alert <= certificateUnknown || alert == unknownAuthority ||
		alert == accessDenied || alert == certificateRequired
}

// line is the server's explanation of an HTTP error on one line, if it is text.
func (x *exchange) line() string {
	if !strings.HasPrefix(x.kind, "text/plain") {
		return ""
	}
	return printable.Line(string(x.head), MaxLineBytes)
}

// text continues a sentence with the line.
func (x *exchange) text() string {
	if line := x.line(); line != "" {
		return ": " + line
	}
	return ""
}

// checkFormat refuses a repository whose ids are not those that this client knows.
func (x *exchange) checkFormat() error {
	if format := objectFormat(x.head); format != "" && format != "sha1" {
		return &ObjectFormatError{Format: format}
	}
	return nil
}

// connectionError tells the failures of a connection that may pass from those that do not.
func connectionError(err error) error {
	var (
		dns         *net.DNSError
		authority   x509.UnknownAuthorityError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		operation   *net.OpError
		network     net.Error
		limit       *odb.LimitError
	)
	switch {
	case errors.As(err, &limit):
		return limit
	case errors.As(err, &dns) && dns.IsNotFound, errors.As(err, &authority), errors.As(err, &certificate), errors.As(err, &record),
		errors.Is(err, http.ErrSchemeMismatch):
		return err
	case errors.As(err, &operation) && operation.Op == "remote error": // an alert of TLS, for example that a client certificate is required
		return err
	case errors.As(err, &dns):
		return &TransientError{err}
	case errors.As(err, &operation) && operation.Op == "dial" && !operation.Timeout(): // refused, or no way to the host
		return &BriefError{err}
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return &TransientError{err}
	}
	return &BriefError{err}
}
