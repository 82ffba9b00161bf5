// Package outage remembers that a server does not answer, so that many calls
// to it cost one time-out, and not one each: once a call has waited in vain, the
// calls that would wait no longer than that fail at once, for a while. It is
// pure but for its lock: it asks nobody and has no clock.
package outage

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// AskAgain is how long a server is left alone after a call has waited for it in
// vain.
const AskAgain = 10 * time.Second

// slack is the time that may pass between the beginning of a call and its first
// attempt.
const slack = time.Second

// Outage is what is known of a server that does not answer. The zero value is one
// that does. It is safe for concurrent use.
type Outage struct {
	mu    sync.Mutex
	since time.Time // of the first attempt without an answer; zero: the server answers
	over  time.Time // when a call last ended in vain; zero: none has
	last  error     // what the last attempt met; nil: nothing at all came
	given error     // what a call was given up with before its time was up
}

// SilentError: the server has not answered for as long as the call would wait. It
// is context.DeadlineExceeded as well.
type SilentError struct {
	Since time.Time
	Err   error // of the last attempt; nil: nothing at all came
}

func (e *SilentError) Error() string {
	text := fmt.Sprintf("the server has not answered since %s", e.Since.UTC().Format(time.TimeOnly))
	if e.Err != nil {
		text += fmt.Sprintf("; the last attempt: %v", e.Err)
	}
	return text
}

func (e *SilentError) Unwrap() []error {
	if e.Err == nil {
		return []error{context.DeadlineExceeded}
	}
	return []error{context.DeadlineExceeded, e.Err}
}

// Begin notes that the server is asked.
func (o *Outage) Begin(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		o.since = now
	}
}

// Answered notes an answer, which may be a refusal, and forgets the outage.
func (o *Outage) Answered() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.since, o.over, o.last, o.given = time.Time{}, time.Time{}, nil, nil
}

// Failed notes what an attempt met in place of an answer.
func (o *Outage) Failed(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = err
}

// Expired notes that a call which began at a time has used up its time in vain.
func (o *Outage) Expired(now, began time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() && !o.since.After(began.Add(slack)) {
		o.over, o.given = now, nil
	}
}

// GivenUp notes that a call ended before its time was up, since more of it would
// not have helped.
func (o *Outage) GivenUp(now time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over, o.given = now, err
}

// Of is the error of a call that need not ask, nil for one that asks. holds tells
// whether the error that another call was given up with is this one's as well; nil
// is for always.
func (o *Outage) Of(ctx context.Context, now time.Time, holds func(error) bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() || o.over.IsZero() || now.Sub(o.over) > AskAgain {
		return nil
	}
	if o.given != nil && (holds == nil || holds(o.given)) {
		return o.given
	}
	deadline, bounded := ctx.Deadline()
	if bounded && now.Sub(o.since)+slack >= deadline.Sub(now) {
		return &SilentError{Since: o.since, Err: o.last}
	}
	return nil
}
