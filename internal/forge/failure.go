package forge

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// failure is what an answer that is no success means.
func (c *client) failure(got reply, s secrets) error {
	status, text := got.status, s.words(got)
	limited, after := throttled(got, time.Now())
	said := &RefusedError{Status: status, Text: text}
	switch {
	case limited:
		return &BusyError{After: after, Err: said, harmless: true}
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusProxyAuthRequired:
		return &DeniedError{Status: status, Text: text}
	case status == http.StatusNotFound || status == http.StatusGone:
		return &missingError{text}
	case status >= 500:
		if !slices.Contains(passing, status) {
			return said
		}
		return &BusyError{After: after, Err: said, gateway: true}
	}
	return said
}

// passing are statuses of servers that cannot answer now. 555 is Bitbucket's for what took too long.
var passing = []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 555}

// missingError is ErrNotFound with what the forge says of it.
type missingError struct{ text string }

func (e *missingError) Error() string {
	if strings.EqualFold(e.text, ErrNotFound.Error()) {
		return e.text
	}
	return ErrNotFound.Error() + ": " + e.text
}

func (e *missingError) Is(target error) bool { return target == ErrNotFound }

// connectionError is a failure without an answer. It may pass, unless the server is not the one that it should be.
func connectionError(err error, s secrets) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // the URL is told by who asked
	}
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) || errors.As(err, new(x509.UnknownAuthorityError)) || errors.As(err, new(x509.HostnameError)) {
		return err
	}
	return &BusyError{Err: &lostError{s.cleaned(err)}}
}

// cleaned is an error whose text is fit to be shown.
func (s secrets) cleaned(err error) error {
	if text := s.clean(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// firstEpoch: a smaller number in a header is of seconds from now.
const firstEpoch = 1_000_000_000

// throttled tells a forge that wants fewer requests, and for how long, from one that refuses. GitHub does so with 403:
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
func throttled(got reply, now time.Time) (limited bool, after time.Duration) {
	asked := got.header.Get("Retry-After")
	if asked != "" {
		after = until(asked, now)
	}
	spent := false
	for _, prefix := range []string{"X-RateLimit-", "RateLimit-"} {
		if got.header.Get(prefix+"Remaining") != "0" {
			continue
		}
		if spent = true; asked == "" {
			after = until(got.header.Get(prefix+"Reset"), now)
		}
	}
	switch got.status {
	case http.StatusTooManyRequests:
		return true, after
	case http.StatusForbidden:
		return asked != "" || spent, after
	}
	return false, after
}

// until reads seconds from now, seconds since 1970, or a date of HTTP.
func until(text string, now time.Time) time.Duration {
	text, _, _ = strings.Cut(strings.TrimSpace(text), ".")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		if seconds > firstEpoch {
			return max(time.Unix(seconds, 0).Sub(now), 0)
		}
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

var (
	htmlTitle = regexp.MustCompile(`(?is)<title[^>]*>([^<]{1,200})`)
	isHTML    = regexp.MustCompile(`(?is)^\s*<(!doctype|html|head|body)`)
)

// words are what a server says in an answer that is not the one that was hoped for: a line, without the token.
func (s secrets) words(got reply) string {
	text := s.clean(said(got))
	if text == "" {
		text = http.StatusText(got.status)
	}
	return text
}

func said(got reply) string {
	head := got.body[:min(len(got.body), maxHeadBytes)]
	if strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || isHTML.Match(head) {
		if title := htmlTitle.FindSubmatch(head); title != nil {
			return fmt.Sprintf("a web page (%s)", bytes.TrimSpace(title[1]))
		}
		return "a web page"
	}
	var answer any
	if len(got.body) <= maxWordsBytes && json.Unmarshal(got.body, &answer) == nil {
		return strings.Join(sentences(answer, 0), "; ")
	}
	return string(head)
}

// Bytes of an answer that are searched for what it says: of one that is JSON, and of others.
const (
	maxWordsBytes = 256 << 10
	maxHeadBytes  = 16 << 10
)

// secretLength is how long a text is at least that is taken for a secret.
const secretLength = 6

func (s secrets) clean(text string) string {
	_, sent, _ := strings.Cut(s.authorization, " ")
	for _, secret := range []string{s.token, sent} {
		if len(secret) >= secretLength {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return clean(text)
}

// clean is a text of a server in one line.
func clean(text string) string { return printable.Line(text, maxTextBytes) }

// page is the URL of a request's page as it can be shown.
func page(text string) string { return printable.Line(text, maxURLBytes) }

// noise are fields of errors which say nothing to people.
var noise = []string{
	"$id", "context", "customProperties", "data", "documentation_url", "errorCode", "eventId", "exceptionName", "id", "request_id", "resource",
	"status", "type", "typeKey", "typeName", "url",
}

// maxDepth of an error that is read.
const maxDepth = 4

// sentences are the texts of an error, in the shapes in which the forges send them: {"message": "..."}, {"message": ["..."]},
// {"message": {"FIELD": ["..."]}}, {"error": {"message": "..."}}, {"errors": [{"message": "..."}]}.
func sentences(answer any, depth int) []string {
	if depth > maxDepth {
		return nil
	}
	switch answer := answer.(type) {
	case string:
		return []string{answer}
	case []any:
		var all []string
		for _, one := range answer[:min(len(answer), 10)] {
			all = append(all, sentences(one, depth+1)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(answer)) {
			if slices.Contains(noise, key) {
				continue
			}
			found := sentences(answer[key], depth+1)
			if known := []string{"message", "error", "errors", "error_description", "detail"}; len(found) > 0 && !slices.Contains(known, key) {
				found = []string{key + ": " + strings.Join(found, ", ")}
			}
			all = append(all, found...)
		}
		return all
	}
	return nil
}
