package gitops

import (
	"context"
	"sync"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// group is a context that ends when every caller's has ended.
type group struct {
	context.Context
	cancel context.CancelCauseFunc

	// lasting ends with the group, but where it is held at that time so much later.
	lasting context.Context
	end     context.CancelCauseFunc

	mu    sync.Mutex
	held  time.Duration
	alive int
	// deadline is the last of the callers'; endless: one has none.
	deadline time.Time
	endless  bool
	stops    []func() bool
}

// newGroup has no callers yet. note is told of failures that are tried again while they wait.
func newGroup(note func(error)) *group {
	parent := wire.Observed(context.Background(), note)
	ctx, cancel := context.WithCancelCause(parent)
	lasting, end := context.WithCancelCause(parent)
	g := &group{cancel: cancel, end: end}
	g.Context, g.lasting = bounded{ctx, g}, bounded{lasting, g}
	return g
}

// bounded tells of the last of the callers' deadlines. It ends with the callers, and not by itself.
type bounded struct {
	context.Context
	g *group
}

func (b bounded) Deadline() (time.Time, bool) {
	b.g.mu.Lock()
	defer b.g.mu.Unlock()
	return b.g.deadline, !b.g.endless && !b.g.deadline.IsZero()
}

// join takes callers in. Once all have ended the group has, and nobody who joins later changes that.
func (g *group) join(callers ...context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alive += len(callers) // all of them, before the first may leave
	for _, ctx := range callers {
		deadline, limited := ctx.Deadline()
		if g.endless = g.endless || !limited; deadline.After(g.deadline) {
			g.deadline = deadline
		}
		g.stops = append(g.stops, context.AfterFunc(ctx, func() { g.leave(context.Cause(ctx)) }))
	}
}

func (g *group) leave(cause error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.alive--; g.alive > 0 {
		return
	}
	g.cancel(cause)
	if g.held == 0 {
		g.end(cause)
		return
	}
	g.stops = append(g.stops, time.AfterFunc(g.held, func() { g.end(cause) }).Stop)
}

// hold says how much longer than the group lasting is.
func (g *group) hold(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = d
}

// release lets go of the callers' contexts.
func (g *group) release() {
	g.mu.Lock()
	stops := g.stops
	g.stops = nil
	g.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
	g.cancel(context.Canceled)
	g.end(context.Canceled)
}
