package gitops

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// askAgain is how long a server that does not answer is left alone by calls whose own time it has
// used up already.
const askAgain = 30 * time.Second

// outage is what is known of a server that does not answer. It is guarded by the engine's lock.
type outage struct {
	since time.Time // of the first attempt without an answer; zero: the server answers
	tried time.Time // when the last one ended
	last  error     // what the last one met; nil: nothing at all came
	given error     // why it was given up, where that was before a call's time was up
}

// SilentError: the server has not answered for as long as the call would wait. It is
// context.DeadlineExceeded as well.
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

// begin notes that the server is asked.
func (o *outage) begin(now time.Time) {
	if o.since.IsZero() {
		o.since = now
	}
}

// end notes what came of it. An answer ends an outage, unless it puts the caller off.
func (o *outage) end(ctx context.Context, now time.Time, err error) {
	putOff := errors.As(err, new(*transientError)) || errors.As(err, new(*briefError)) || errors.As(err, new(*ThrottledError))
	if err == nil || ctx.Err() == nil && !putOff {
		*o = outage{}
		return
	}
	o.tried = now
	if ctx.Err() == nil {
		o.last = err
	}
}

// expired notes that a call which began at a time has used up its time in vain.
func (o *outage) expired(now, began time.Time) {
	if !o.since.IsZero() && !o.since.After(began.Add(time.Second)) {
		o.tried = now
	}
}

// giveUp notes that an error is not waited for any longer.
func (o *outage) giveUp(err error) { o.given = err }

// of is the error of a call that need not ask: others have waited for as long as it would, since
// the server fell silent. Many resources then cost a plan one time-out, and not one each.
func (o *outage) of(ctx context.Context, now time.Time) error {
	if o.since.IsZero() || o.tried.IsZero() || now.Sub(o.tried) > askAgain {
		return nil
	}
	var throttled *ThrottledError
	if o.given != nil && (!errors.As(o.given, &throttled) || throttled.beyond(ctx)) {
		return o.given
	}
	deadline, bounded := ctx.Deadline()
	if bounded && now.Sub(o.since) >= deadline.Sub(now) {
		return &SilentError{Since: o.since, Err: o.last}
	}
	return nil
}
