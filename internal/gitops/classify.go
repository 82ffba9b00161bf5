package gitops

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// transientError is a failure that may pass: the connection, an overloaded server.
type transientError struct{ cause error }

func (e *transientError) Error() string { return e.cause.Error() }
func (e *transientError) Unwrap() error { return e.cause }

// protocolError is an answer that is not the Git protocol, or not whole.
type protocolError struct{ cause error }

func (e *protocolError) Error() string { return e.cause.Error() }
func (e *protocolError) Unwrap() error { return e.cause }

// refusedError is the server's own refusal of a fetch, for example "upload-pack: not our ref ...".
type refusedError struct{ text string }

func (e *refusedError) Error() string { return "the server refuses the fetch: " + e.text }

// turnedAwayError is a push that the server has answered without acting upon it.
type turnedAwayError struct{ cause error }

func (e *turnedAwayError) Error() string { return e.cause.Error() }
func (e *turnedAwayError) Unwrap() error { return e.cause }

// classify turns what a session returned into an error that tells what to do about it.
func classify(ctx context.Context, x *exchange, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return ErrEmptyRepository
	}
	switch {
	case x.status == http.StatusUnauthorized || x.status == http.StatusForbidden:
		return fmt.Errorf("%w (HTTP %d)%s", ErrAuth, x.status, x.text())
	case x.status == http.StatusNotFound || x.status == http.StatusGone:
		return fmt.Errorf("%w (HTTP %d)", ErrRepositoryNotFound, x.status)
	case x.status == http.StatusTooManyRequests || x.status == http.StatusRequestTimeout || x.status >= 500:
		return &transientError{fmt.Errorf("HTTP %d %s%s", x.status, http.StatusText(x.status), x.text())}
	case x.status >= 400:
		return fmt.Errorf("HTTP %d %s%s", x.status, http.StatusText(x.status), x.text())
	}
	if text := x.refusal(); text != "" {
		return &refusedError{text}
	}
	if x.err != nil {
		return connectionError(x.err)
	}
	if x.status == http.StatusOK && strings.HasPrefix(x.kind, "text/html") {
		return errors.New("the server answered with a web page, not with Git; check the URL")
	}
	if x.status == 0 || x.status >= 300 {
		// Neither an answer nor a failure of the connection: a redirect that must not be followed.
		return err
	}
	return &protocolError{err}
}

// text is the server's explanation of an HTTP error on one line, if it is text.
func (x *exchange) text() string {
	if !strings.HasPrefix(x.kind, "text/plain") {
		return ""
	}
	line := strings.Join(strings.Fields(printable(string(x.head))), " ")
	if line == "" {
		return ""
	}
	if len(line) > 300 {
		line = strings.ToValidUTF8(line[:300], "") + "..."
	}
	return ": " + line
}

func connectionError(err error) error {
	var (
		dns         *net.DNSError
		authority   x509.UnknownAuthorityError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, errTooLarge):
		return err
	case errors.As(err, &dns) && dns.IsNotFound, errors.As(err, &authority), errors.As(err, &certificate), errors.As(err, &record):
		return err
	}
	return &transientError{err}
}
