package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// Limits on an answer, and on how long it is waited for where a context has no end.
const (
	maxAnswerBytes = 8 << 20
	maxHeaderBytes = 256 << 10
	maxTextBytes   = 1000 // of what a server says in an error
	maxURLBytes    = 300
	answerTimeout  = 2 * time.Minute
)

// Bounds on trying again.
const (
	maxTries     = 5
	firstDelay   = 200 * time.Millisecond
	longestDelay = 5 * time.Second
	maxHops      = 5
	// longestWait that a server asks for and is waited where a context has no end.
	longestWait = time.Minute
)

// client speaks with one API. It is the part that all kinds share: what a request may cost, when it is made again, and what a failure means.
type client struct {
	kind      Kind
	api       *url.URL
	http      *http.Client
	token     func(context.Context) (string, error)
	authorize func(request *http.Request, token string)
	header    http.Header // of every request
	pause     func(context.Context, time.Duration) error
}

// call is a request to an API.
type call struct {
	method string
	base   *url.URL // nil: the API's
	path   string   // below base, escaped
	query  url.Values
	body   any  // is sent as JSON; nil: none
	into   any  // what the answer is read into; nil: nothing of it is needed
	again  bool // a change that may be made twice: it says what is to be, not what is to be done
}

// lostError: no answer came, so that nobody knows whether the request got there.
type lostError struct{ cause error }

func (e *lostError) Error() string { return "no answer: " + e.cause.Error() }
func (e *lostError) Unwrap() error { return e.cause }

// isLost reports whether a change may have been made although it failed: without an answer, or with a gateway's in place of the forge's.
func isLost(err error) bool {
	var busy *BusyError
	return errors.As(err, new(*lostError)) || errors.As(err, &busy) && busy.gateway
}

// do makes a request, again where it may be and where the failure may pass.
func (c *client) do(ctx context.Context, r call) error {
	delay := firstDelay
	for try := 1; ; try++ {
		err := c.once(ctx, r)
		if err == nil {
			return nil
		}
		var busy *BusyError
		switch {
		case ctx.Err() != nil && errors.As(err, new(*lostError)):
			return fmt.Errorf("%s: %w", c.name(r), errors.Join(context.Cause(ctx), err))
		case !errors.As(err, &busy) || try == maxTries || !busy.harmless && !r.repeatable():
			return fmt.Errorf("%s: %w", c.name(r), err)
		}
		wait := max(busy.After, delay/2+rand.N(delay/2))
		if wait > patience(ctx) {
			return fmt.Errorf("%s: %w", c.name(r), err)
		}
		if err := c.pause(ctx, wait); err != nil {
			return fmt.Errorf("%s: %w", c.name(r), errors.Join(err, busy))
		}
		delay = min(2*delay, longestDelay)
	}
}

// patience is for how long a context has one wait.
func patience(ctx context.Context) time.Duration {
	if deadline, limited := ctx.Deadline(); limited {
		return time.Until(deadline)
	}
	return longestWait
}

func (r call) repeatable() bool { return r.again || r.method == http.MethodGet }

// name is a request as errors name it.
func (c *client) name(r call) string {
	where, _ := c.locate(r)
	return r.method + " " + public(where)
}

// public is a URL without what may be secret: the user and the query.
func public(u *url.URL) string {
	shown := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return printable.Line(shown.String(), maxURLBytes)
}

func (c *client) locate(r call) (*url.URL, error) {
	base := r.base
	if base == nil {
		base = c.api
	}
	at, err := url.Parse(base.String() + r.path)
	if err != nil {
		return base, fmt.Errorf("the path of the request: %w", err)
	}
	at.RawQuery = r.query.Encode()
	return at, nil
}

// once makes a request and follows redirects within the server.
func (c *client) once(ctx context.Context, r call) error {
	at, err := c.locate(r)
	if err != nil {
		return err
	}
	var body []byte
	if r.body != nil {
		if body, err = json.Marshal(r.body); err != nil {
			return err
		}
	}
	token, err := c.token(ctx)
	if err != nil {
		return fmt.Errorf("the credentials for %s: %w", at.Host, err)
	}
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return &ConfigError{Field: fieldToken, Reason: "must be one line that is not empty"}
	}
	secrets := c.secrets(token)
	for range maxHops {
		got, err := c.send(ctx, r.method, at, body, secrets)
		if err != nil {
			return err
		}
		if got.status < 300 {
			return c.read(r, got, secrets)
		}
		next, err := c.redirect(r.method, at, got)
		if err != nil {
			return err
		}
		if next == nil {
			return c.failure(got, secrets)
		}
		at = next
	}
	return &RefusedError{Status: http.StatusLoopDetected, Text: "redirects do not end"}
}

// secrets are the texts of a request which nothing shows that a server sends back.
type secrets struct{ token, authorization string }

func (c *client) secrets(token string) secrets {
	request := &http.Request{Header: http.Header{}}
	c.authorize(request, token)
	return secrets{token, request.Header.Get("Authorization")}
}

// reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send makes one exchange. Its error is of the connection.
func (c *client) send(ctx context.Context, method string, at *url.URL, body []byte, s secrets) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header = c.header.Clone()
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", s.authorization)
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, connectionError(err, s)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	switch {
	case len(data) > maxAnswerBytes:
		return reply{}, &lostError{fmt.Errorf("the answer is longer than %d MiB", maxAnswerBytes>>20)}
	case err != nil:
		return reply{}, connectionError(err, s)
	}
	return reply{response.StatusCode, response.Header, data}, nil
}

// read takes what is needed of an answer.
func (c *client) read(r call, got reply, s secrets) error {
	if got.status == http.StatusNonAuthoritativeInfo {
		// Azure DevOps answers so, with its page for signing in, where the credentials are no good.
		return &DeniedError{Status: got.status, Text: s.words(got)}
	}
	if r.into == nil {
		return nil
	}
	if err := json.Unmarshal(got.body, r.into); err != nil {
		return &AnswerError{Kind: c.kind, Text: s.words(got)}
	}
	return nil
}

// redirect is where to go on; nil: nowhere, the answer is a failure.
func (c *client) redirect(method string, at *url.URL, got reply) (*url.URL, error) {
	location := got.header.Get("Location")
	if got.status >= 400 || location == "" {
		return nil, nil
	}
	to, err := at.Parse(location)
	if err != nil {
		return nil, &RefusedError{Status: got.status, Text: "redirects to what is no URL"}
	}
	if c.kind == AzureDevOps && strings.Contains(to.Path, "_signin") {
		return nil, &DeniedError{Status: http.StatusUnauthorized, Text: "redirects to the page for signing in"}
	}
	keeps := got.status == http.StatusTemporaryRedirect || got.status == http.StatusPermanentRedirect
	same := sameOrigin(at, to)
	if !same || !keeps && method != http.MethodGet {
		return nil, &RedirectError{From: public(at), To: public(to), Status: got.status, renamed: same}
	}
	return to, nil
}

func sameOrigin(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
