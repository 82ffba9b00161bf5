package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// Sizes and times of connections.
const (
	headBytes        = 4 << 10   // of an answer that are kept to tell what it is
	drainBytes       = 256 << 10 // read on before closing, so that the connection can be used again
	idleConnTimeout  = 3 * time.Second
	handshakeTimeout = 30 * time.Second
)

// exchange is what one HTTP request brought, beyond what go-git's session tells. It travels in the request's context.
// go-git does not close every body it has read; finish does.
type exchange struct {
	limit  odb.Bound
	status int
	kind   string      // content type
	header http.Header // of an HTTP answer
	head   []byte
	err    error // of the connection
	bodies []*cappedBody

	server  *Server  // over HTTP
	asked   *url.URL // where the last request went
	unnamed bool     // without credentials

	sending func() error // is asked before the request's body goes out; may be nil
	reports bool         // the answer is a report on a push
}

type exchangeKey struct{}

func newExchange(ctx context.Context, limit odb.Bound) (context.Context, *exchange) {
	x := &exchange{limit: limit}
	return context.WithValue(ctx, exchangeKey{}, x), x
}

// allow sets the limit for what is left of the answer.
func (x *exchange) allow(limit odb.Bound) {
	for _, body := range x.bodies {
		body.limit, body.left = limit, limit.Most
	}
}

// finish reads what is left of the answer under a cap, for a short time, and closes it.
func (x *exchange) finish() {
	for _, body := range x.bodies {
		late := time.AfterFunc(maxDrain, func() { _ = body.Close() })
		_, _ = io.CopyN(io.Discard, body.ReadCloser, drainBytes)
		late.Stop()
		_ = body.Close()
	}
}

// refusal is the text of the ERR packet that a Git server sends in place of an answer.
func (x *exchange) refusal() string {
	head := x.head
	for len(head) >= 4 {
		size, err := strconv.ParseUint(string(head[:4]), 16, 16)
		switch {
		case err != nil:
			return ""
		case size == 0:
			head = head[4:]
			continue
		case size < 4 || int(size) > len(head):
			return ""
		}
		if text, found := strings.CutPrefix(string(head[4:size]), "ERR "); found {
			return printable.Text(strings.TrimSpace(text), MaxTextBytes)
		}
		head = head[size:]
	}
	return ""
}

// offersMultiACK: go-git takes multi_ack_detailed out of the advertised list; Azure DevOps turns clients away that do not ask for it.
func (x *exchange) offersMultiACK() bool {
	return bytes.Contains(x.head, []byte(" multi_ack_detailed"))
}

// cappedBody stops at a limit and remembers the first bytes and the failure.
type cappedBody struct {
	io.ReadCloser
	exchange *exchange
	limit    odb.Bound
	left     int64
	failing  bool // an HTTP error: its text ends at the limit without an error
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if b.failing {
			return 0, io.EOF
		}
		b.exchange.err = b.limit.Exceeded()
		return 0, b.exchange.err
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if room := headBytes - len(b.exchange.head); room > 0 {
		b.exchange.head = append(b.exchange.head, p[:min(n, room)]...)
	}
	if err != nil && !errors.Is(err, io.EOF) && b.exchange.err == nil {
		b.exchange.err = err
	}
	return n, err
}

// roundTripper bounds the answers of its base and records them in the request's exchange.
type roundTripper struct {
	server    Server
	base      func() *http.Transport
	userAgent string
}

func (t *roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	x, _ := request.Context().Value(exchangeKey{}).(*exchange)
	request = request.Clone(request.Context())
	request.Header.Set("User-Agent", t.userAgent)
	if source := t.server.HTTP.Source; source != nil && sameOrigin(t.server.Endpoint, request.URL) {
		password, err := source(request.Context())
		if err != nil {
			if x != nil {
				x.err = &CredentialsError{err}
			}
			return nil, &CredentialsError{err}
		}
		request.SetBasicAuth(t.server.HTTP.Username, password)
	}
	if x != nil && x.sending != nil {
		guard(request, x.sending)
	}
	response, err := t.base().RoundTrip(request)
	if x == nil {
		return response, err
	}
	if err != nil {
		x.err = err
		return nil, err
	}
	x.asked, x.unnamed = request.URL, request.Header.Get("Authorization") == ""
	x.status, x.kind, x.header, x.head = response.StatusCode, response.Header.Get("Content-Type"), response.Header, nil
	if x.reports {
		response.Body = &reportBody{ReadCloser: response.Body, left: maxReportBytes}
	}
	body := &cappedBody{ReadCloser: response.Body, exchange: x, limit: x.limit, left: x.limit.Most}
	if body.failing = response.StatusCode >= 300; body.failing {
		body.left = maxErrorBytes
	}
	x.bodies = append(x.bodies, body)
	response.Body = body
	return response, nil
}

// guardedBody is read when there is a connection to send it on, and not before it may be sent. Without it the request's head says nothing.
type guardedBody struct {
	io.ReadCloser
	sending func() error
}

func (b *guardedBody) Read(p []byte) (int, error) {
	if err := b.sending(); err != nil {
		return 0, err
	}
	return b.ReadCloser.Read(p)
}

func guard(request *http.Request, sending func() error) {
	request.Body = &guardedBody{request.Body, sending}
	if again := request.GetBody; again != nil {
		request.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			return &guardedBody{body, sending}, err
		}
	}
}

// newTransport has connections of its own, which close by themselves when they are idle. It reads the system's certificate
// authorities if others are trusted besides them.
func newTransport(login HTTPLogin) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: maxHeaderBytes,
		IdleConnTimeout:        idleConnTimeout,
		TLSHandshakeTimeout:    handshakeTimeout,
		ExpectContinueTimeout:  time.Second,
		TLSClientConfig:        &tls.Config{RootCAs: login.roots(), GetClientCertificate: login.certificate, MinVersion: tls.VersionTLS12},
	}
}
