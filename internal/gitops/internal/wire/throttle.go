package wire

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ThrottledError: the host wants fewer requests. Nothing was done, and the credentials are good for all that is known.
type ThrottledError struct {
	// Status of HTTP.
	Status int
	// Until when the host wants to be left alone. Zero: it did not say.
	Until time.Time
	// Text is what the host said, in one line. It may be empty.
	Text string
}

func (e *ThrottledError) Error() string {
	text := fmt.Sprintf("the Git host wants fewer requests (HTTP %d)", e.Status)
	if !e.Until.IsZero() {
		text += ", and to be left alone until " + e.Until.UTC().Format(time.RFC3339)
	}
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

// Beyond reports whether the host wants to be left alone for longer than a context lasts.
func (e *ThrottledError) Beyond(ctx context.Context) bool {
	deadline, limited := ctx.Deadline()
	return limited && e.Until.After(deadline)
}

// Wait waits as long as the host wants, or about delay if it did not say. The error is this one when that is longer than ctx lasts.
func (e *ThrottledError) Wait(ctx context.Context, delay time.Duration) error {
	if e.Beyond(ctx) {
		return e
	}
	if left := time.Until(e.Until); left > 0 {
		delay += left
	}
	return Pause(ctx, delay)
}

// epochs are above this: a smaller number in a header is of seconds from now.
const firstEpoch = 1_000_000_000

// throttled tells a host that wants fewer requests from one that refuses: nil.
func (x *exchange) throttled(now time.Time) *ThrottledError {
	e := &ThrottledError{Status: x.status, Text: x.line()}
	asked := x.header.Get("Retry-After")
	if asked != "" {
		e.Until = moment(asked, now)
	}
	limited := asked != ""
	for _, prefix := range []string{"X-Ratelimit-", "Ratelimit-", "X-Rate-Limit-"} {
		remaining, reset := x.header.Get(prefix+"Remaining"), x.header.Get(prefix+"Reset")
		if remaining != "" && remaining != "0" || remaining == "" && reset == "" {
			continue
		}
		if limited = true; asked == "" {
			e.Until = moment(reset, now)
		}
	}
	switch x.status {
	case http.StatusTooManyRequests:
		return e
	case http.StatusForbidden, http.StatusServiceUnavailable:
		if limited {
			return e
		}
	}
	return nil
}

// moment reads seconds from now, seconds since 1970, or a date of HTTP; the zero time: none of them.
func moment(text string, now time.Time) time.Time {
	text, _, _ = strings.Cut(strings.TrimSpace(text), ".")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		if seconds > firstEpoch {
			return time.Unix(seconds, 0)
		}
		return now.Add(time.Duration(max(seconds, 0)) * time.Second)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	return at
}
