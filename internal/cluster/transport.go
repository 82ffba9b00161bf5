package cluster

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// exchange is one try of a request: what it may take, and what the transport has
// seen of its answer. It travels in the request's context, since client-go makes
// of an answer an error that does not tell most of this.
type exchange struct {
	caller context.Context // the request's own, which a write outlives
	most   limit

	mu          sync.Mutex
	status      int // of the last answer, 0 for none
	contentType string
	retryAfter  time.Duration
	head        []byte // of a body that is not JSON
	broken      error  // that reading the body ended with, nil for its end
	secrets     []string
	large       bool // this one's turn among the large answers
}

// largeAnswers holds a token while an answer is read that is large.
var largeAnswers = make(chan struct{}, 1)

// enterLarge waits until no other large answer is being read.
func (x *exchange) enterLarge() error {
	x.mu.Lock()
	mine := x.large
	x.mu.Unlock()
	if mine {
		return nil
	}
	select {
	case largeAnswers <- struct{}{}:
	case <-x.caller.Done():
		return x.caller.Err()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.large = true
	return nil
}

// leaveLarge lets the next large answer be read, once this one has been decoded.
func (x *exchange) leaveLarge() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.large {
		x.large = false
		<-largeAnswers
	}
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{caller: ctx, most: ofObject}
}

// begin notes a request. Its credentials are in no error, also if the server
// sends them back.
func (x *exchange) begin(r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.status, x.contentType, x.retryAfter, x.head, x.broken = 0, "", 0, nil, nil
	kind, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if credentials == "" {
		return
	}
	x.secrets = []string{credentials}
	if strings.EqualFold(kind, "basic") {
		if pair, err := base64.StdEncoding.DecodeString(credentials); err == nil {
			_, password, _ := strings.Cut(string(pair), ":")
			x.secrets = append(x.secrets, string(pair), password)
		}
	}
}

func (x *exchange) answered(r *http.Response) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.status, x.contentType, x.retryAfter = r.StatusCode, r.Header.Get("Content-Type"), retryAfter(r.Header.Get("Retry-After"))
}

func (x *exchange) read(data []byte, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if more := min(len(data), shownBytes*4-len(x.head)); more > 0 {
		x.head = append(x.head, data[:more]...)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		x.broken = err
	}
}

func (x *exchange) isStatus(status int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.status == status
}

// told is how long the server says to wait, 0 if it does not.
func (x *exchange) told() time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.retryAfter
}

// ended is what reading the body has ended with, nil for its end.
func (x *exchange) ended() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.broken
}

// text is a server's text as it is shown.
func (x *exchange) text(text string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, secret := range x.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "(credentials)")
		}
	}
	return printable.Text(text, printable.Most)
}

// retryAfter is how long a server says to wait, 0 if it does not.
func retryAfter(header string) time.Duration {
	const most = 100 * 365 * 24 * time.Hour
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(most/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// guard stands between client-go and the server.
type guard struct {
	http.RoundTripper
	cluster  string
	answered *atomic.Bool // once by the server
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	x := exchangeOf(r.Context())
	x.begin(r)
	answer, err := g.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	g.answered.Store(true)
	x.answered(answer)
	answer.Header.Del("Retry-After") // client-go would wait for it whatever the time that is left
	if err := g.redirected(r, answer); err != nil {
		answer.Body.Close()
		return nil, err
	}
	answer.Body = &bounded{ReadCloser: answer.Body, exchange: x, cluster: g.cluster}
	if answer.StatusCode < http.StatusMultipleChoices && answer.StatusCode != http.StatusNoContent && !isJSON(answer.Header.Get("Content-Type")) {
		_, _ = io.CopyN(io.Discard, answer.Body, shownBytes) // what can be read of it is shown
		answer.Body.Close()
		return nil, x.notAPI(g.cluster, nil)
	}
	return answer, nil
}

// redirected refuses an answer that leads a request to another server, if its
// token and its body would go along, or that is to send a body again.
func (g *guard) redirected(r *http.Request, answer *http.Response) error {
	switch answer.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	to, err := r.URL.Parse(answer.Header.Get("Location"))
	refused := &RedirectError{Cluster: g.cluster, From: origin(r.URL), To: "an address that cannot be read"}
	if err != nil {
		return refused
	}
	refused.To = printable.Line(origin(to), printable.Name)
	before := 1
	for from := r.Response; from != nil && from.Request != nil; from = from.Request.Response {
		before++
	}
	if r.Method != http.MethodGet || hasBody(r) || before > redirects || !sameOrigin(r.URL, to) {
		return refused
	}
	return nil
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if u.Port() == "" && u.Scheme == "https" {
		return "443"
	}
	if u.Port() == "" && u.Scheme == "http" {
		return "80"
	}
	return u.Port()
}

func isJSON(contentType string) bool { return media(contentType) == "application/json" }

// media is the type of a content, "" if the server does not say.
func media(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(contentType, ";")
	}
	return strings.ToLower(strings.TrimSpace(kind))
}
