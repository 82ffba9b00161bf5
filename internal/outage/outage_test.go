package outage

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

var errDown = errors.New("down")

// silent is a server that a call has waited for since a minute.
func silent(now time.Time) *Outage {
	o := &Outage{}
	o.Begin(now.Add(-time.Minute))
	o.Failed(errDown)
	o.Expired(now, now.Add(-time.Minute))
	return o
}

func TestOf(t *testing.T) {
	now := time.Now()
	within := func(d time.Duration) context.Context {
		ctx, cancel := context.WithDeadline(t.Context(), now.Add(d))
		t.Cleanup(cancel)
		return ctx
	}
	fresh := &Outage{}
	fresh.Begin(now.Add(-time.Hour))
	fresh.Failed(errDown)
	later := silent(now)
	later.Expired(now.Add(AskAgain), now.Add(-30*time.Second))
	unrelated := &Outage{}
	unrelated.Begin(now.Add(-time.Second))
	unrelated.Expired(now, now.Add(-time.Minute))
	answered := silent(now)
	answered.Answered()
	answered.Begin(now)
	given := &Outage{}
	given.Begin(now.Add(-time.Second))
	given.GivenUp(now, errDown)
	hangs := &Outage{}
	hangs.Begin(now.Add(-time.Minute))
	hangs.GivenUp(now.Add(-time.Minute), errors.New("given up"))
	hangs.Failed(errDown)
	hangs.Expired(now, now.Add(-time.Minute))
	for name, c := range map[string]struct {
		of    *Outage
		ctx   context.Context
		at    time.Time
		holds func(error) bool
		asks  bool
	}{
		"one that would wait as long":      {of: silent(now), ctx: within(time.Minute), at: now},
		"one with more time":               {of: silent(now), ctx: within(2 * time.Minute), at: now, asks: true},
		"one without an end":               {of: silent(now), ctx: t.Context(), at: now, asks: true},
		"after a while":                    {of: silent(now), ctx: within(time.Minute), at: now.Add(AskAgain + 1), asks: true},
		"after a while, and another since": {of: later, ctx: within(time.Minute), at: now.Add(AskAgain + 1)},
		"while nobody has waited in vain":  {of: fresh, ctx: within(time.Second), at: now, asks: true},
		"where the outage began later":     {of: unrelated, ctx: within(time.Millisecond), at: now, asks: true},
		"after an answer":                  {of: answered, ctx: within(time.Second), at: now, asks: true},
		"given up, and hanging since":      {of: hangs, ctx: within(time.Minute), at: now},
		"given up":                         {of: given, ctx: within(time.Hour), at: now},
		"given up for another reason":      {of: given, ctx: within(time.Hour), at: now, holds: func(error) bool { return false }, asks: true},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.of.Of(c.ctx, c.at, c.holds)
			if (err == nil) != c.asks {
				t.Fatalf("got %v", err)
			}
			if err != nil && (!errors.Is(err, errDown) || !strings.Contains(err.Error(), "down")) {
				t.Errorf("%v does not tell what was met", err)
			}
			if late := new(SilentError); errors.As(err, &late) && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v is not about time", err)
			}
		})
	}
}
