package cluster

import (
	"net/http"
	"sync/atomic"
	"time"
)

// firstAnswer is how long requests wait for the first one's answer.
const firstAnswer = 5 * time.Second

// first lets one request through alone, and the others once it is answered.
// Over HTTP/2 they then share its connection; at the same time each would open
// one of its own, with a handshake that costs more than the request.
type first struct {
	http.RoundTripper
	begun    atomic.Bool
	answered chan struct{}
}

func newFirst(next http.RoundTripper) http.RoundTripper {
	return &first{RoundTripper: next, answered: make(chan struct{})}
}

func (f *first) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.begun.CompareAndSwap(false, true) {
		defer close(f.answered)
		return f.RoundTripper.RoundTrip(r)
	}
	select {
	case <-f.answered:
	default:
		timer := time.NewTimer(firstAnswer)
		defer timer.Stop()
		select {
		case <-f.answered:
		case <-timer.C:
		case <-r.Context().Done(): // which the next one finds as well, and closes the body
		}
	}
	return f.RoundTripper.RoundTrip(r)
}
