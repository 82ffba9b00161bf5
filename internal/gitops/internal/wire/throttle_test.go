package wire

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestThrottled(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, test := range []struct {
		status int
		header string
		until  time.Time
		is     bool
	}{
		{429, "", time.Time{}, true},
		{429, "Retry-After: 7", now.Add(7 * time.Second), true},
		{403, "", time.Time{}, false},
		{403, "Retry-After: 0", now, true},
		{403, "Retry-After: -5", now, true},
		{403, "Retry-After: soon", time.Time{}, true},
		{503, "", time.Time{}, false},
		{503, "Retry-After: Tue, 14 Nov 2023 22:14:20 GMT", time.Unix(1_700_000_060, 0), true},
		{403, "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1700000030", now.Add(30 * time.Second), true},
		{403, "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 1700000030", time.Time{}, false},
		{403, "RateLimit-Remaining: 0\nRateLimit-Reset: 30", now.Add(30 * time.Second), true},
		{403, "RateLimit-Reset: 30", now.Add(30 * time.Second), true},
		{403, "RateLimit-Remaining: 0\nRateLimit-Reset: 30\nRetry-After: 5", now.Add(5 * time.Second), true},
		{401, "Retry-After: 7", time.Time{}, false},
		{500, "Retry-After: 7", time.Time{}, false},
	} {
		t.Run(test.header, func(t *testing.T) {
			x := &exchange{status: test.status, header: http.Header{}}
			for text := range strings.Lines(test.header) {
				name, value, _ := strings.Cut(strings.TrimSpace(text), ": ")
				x.header.Set(name, value)
			}
			got := x.throttled(now)
			if (got != nil) != test.is || got != nil && !got.Until.Equal(test.until) {
				t.Errorf("%d with %q: %+v, want %t until %s", test.status, test.header, got, test.is, test.until)
			}
		})
	}
}
