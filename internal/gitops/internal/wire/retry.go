package wire

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/outage"
)

// Delays between attempts, and how often an answer that is not the Git protocol is asked for again.
const (
	FirstDelay       = 100 * time.Millisecond
	LongestDelay     = 5 * time.Second
	protocolAttempts = 4
)

type retrying struct {
	Remote
	outage *outage.Outage // is told whether the server answers
}

// Retrying is a remote whose reads are repeated, until their contexts end, when they fail for a reason that may pass. outage is told
// whether the server answers. A push goes out once: what has become of one is asked of the branch.
func Retrying(r Remote, outage *outage.Outage) Remote { return &retrying{r, outage} }

type observerKey struct{}

// Observed is a context for reads of a retrying remote that observe is told about: every failure that is tried again.
func Observed(ctx context.Context, observe func(error)) context.Context {
	return context.WithValue(ctx, observerKey{}, observe)
}

func (r *retrying) Tip(ctx context.Context) (at Place, err error) {
	err = r.repeat(ctx, func() error {
		at, err = r.Remote.Tip(ctx)
		return err
	})
	return at, err
}

func (r *retrying) Fetch(ctx context.Context, f FetchRequest) (found map[odb.Hash]odb.Object, err error) {
	err = r.repeat(ctx, func() error {
		if found, err = r.Remote.Fetch(ctx, f); err != nil {
			return err
		}
		return f.check(found)
	})
	return found, err
}

func (r *retrying) repeat(ctx context.Context, attempt func() error) error {
	malformed, began := 0, time.Now()
	for delay := FirstDelay; ; delay = min(2*delay, LongestDelay) {
		err := r.attempt(ctx, attempt)
		var throttled *ThrottledError
		wait := func() error { return Pause(ctx, delay) }
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case errors.As(err, &throttled):
			if throttled.Beyond(ctx) {
				return r.giveUp(err)
			}
			wait = func() error { return throttled.Wait(ctx, delay) }
		case errors.As(err, new(*BriefError)):
			if time.Since(began) > MaxBriefly {
				return r.giveUp(err)
			}
		case errors.As(err, new(*ProtocolError)):
			if malformed++; malformed == protocolAttempts {
				return err
			}
		case !errors.As(err, new(*TransientError)):
			return err
		}
		if observe, ok := ctx.Value(observerKey{}).(func(error)); ok {
			observe(err)
		}
		if err := wait(); err != nil {
			return err
		}
	}
}

// attempt makes one, and remembers whether the server answers.
func (r *retrying) attempt(ctx context.Context, attempt func() error) error {
	r.outage.Begin(time.Now())
	err := attempt()
	putsOff := errors.As(err, new(*TransientError)) || errors.As(err, new(*BriefError)) || errors.As(err, new(*ThrottledError))
	switch {
	case err == nil || ctx.Err() == nil && !putsOff:
		r.outage.Answered()
	case ctx.Err() == nil:
		r.outage.Failed(err)
	}
	return err
}

func (r *retrying) giveUp(err error) error {
	r.outage.GivenUp(time.Now(), err)
	return err
}

// Pause waits for about d, between half and all of it.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d/2 + rand.N(d/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// check finds what was asked for and did not come.
func (f FetchRequest) check(found map[odb.Hash]odb.Object) error {
	if f.Optional {
		return nil
	}
	for _, id := range f.Wants {
		if _, sent := found[id]; !sent {
			return &ProtocolError{fmt.Errorf("the server did not send object %s", id)}
		}
	}
	return nil
}
