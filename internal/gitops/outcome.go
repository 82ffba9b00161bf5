package gitops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// outcomeGrace is how much longer than its callers the engine waits for the outcome of what it has sent.
const outcomeGrace = 10 * time.Second

var (
	errLeft     = errors.New("a caller left before the push went out")
	errOver     = errors.New("the push is over")
	errNoAnswer = errors.New("the server has not answered")
)

// gate lets a push out if nobody has left whose change is in it. It is shut when the push is over: a transport may return before a
// goroutine of its own has noticed that.
type gate struct {
	mu   sync.Mutex
	mark func() error
	open bool
	err  error
}

func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open && g.err == nil {
		g.err = g.mark()
		g.open = g.err == nil
	}
	return g.err
}

// shut reports whether the server may have got something to act upon, and whether that was kept from it because a caller had left.
func (g *gate) shut() (sent, left bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	left = g.err != nil
	g.err = errOver
	return g.open, left
}

// mark records that the changes are on their way, unless a caller has left: from then on a caller who leaves waits for the outcome.
func (b *batch) mark() error {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	if slices.ContainsFunc(b.calls, (*writeCall).ended) {
		return errLeft
	}
	b.hold(b.e.grace)
	for _, call := range b.calls {
		call.sent = true
	}
	return nil
}

// send pushes the draft once. What that leaves open is among what has been sent then.
func (b *batch) send(d *draft, pack []byte) (wire.Report, error) {
	way := &gate{mark: b.mark}
	began := time.Now()
	answer, failure := b.e.remote.Push(b.lasting, d.Ref, d.id, pack, way.pass)
	b.e.pushTime, b.e.pushed = time.Since(began), began
	sent, left := way.shut()
	switch {
	case failure == nil && answer.Accepted:
		return answer, nil
	case left:
		failure = errLeft
	case failure != nil && sent && !errors.As(failure, new(*wire.TurnedAwayError)):
		if b.lasting.Err() != nil {
			failure = errNoAnswer
		}
		if b.lost = failure; !slices.Contains(b.open, d) {
			b.open = append(b.open, d)
		}
	}
	b.track()
	return answer, failure
}

// track records whose changes may be on the branch, or get there yet, by what has been sent.
func (b *batch) track() {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	for _, call := range b.calls {
		call.sent = slices.ContainsFunc(b.open, func(d *draft) bool {
			return slices.Contains(d.changed, call) || slices.Contains(d.same, call)
		})
	}
	if len(b.open) == 0 {
		b.hold(0)
	}
}

// findLanded reads the tip and tells which of the drafts has landed there. If an outcome is open it looks as well among the commits that
// lead from the drafts' parent to the tip: the server took the push, its answer was lost, and somebody has pushed on top.
func (b *batch) findLanded(ctx context.Context, drafts []*draft) (now wire.Place, landed *draft, err error) {
	if now, err = b.e.readTip(ctx); err != nil {
		return wire.Place{}, nil, err
	}
	for _, d := range drafts {
		if now.Ref == d.id {
			return now, d, nil
		}
	}
	from := drafts[0].Place
	if now.Unborn() || now.Ref == from.Ref || len(b.open) == 0 {
		return now, nil, nil
	}
	have := from.Ref
	if from.Unborn() {
		have = from.Tip
	}
	objects, err := b.since(ctx, have, now.Ref)
	for _, d := range drafts {
		if _, found := objects[d.id]; found {
			landed = d
		}
	}
	return now, landed, err
}

// resolve asks the branch what has become of what is open. done is false if that cannot be told yet: the branch has not moved.
func (b *batch) resolve(ctx context.Context) (done bool, err error) {
	epoch := b.e.currentEpoch()
	now, landed, err := b.findLanded(ctx, b.open)
	switch {
	case err != nil:
		return false, err
	case landed != nil:
		b.accept(landed, now, epoch)
	case now.Ref != b.open[0].Ref:
		b.moved()
	default:
		return false, nil
	}
	return true, nil
}

// await finds out for callers who have left what has become of their changes, as far as that can be told in time.
func (b *batch) await() {
	ctx, cancel := context.WithTimeout(b.lasting, b.e.grace)
	defer cancel()
	for delay := wire.FirstDelay; len(b.open) > 0 && len(b.leaving) > 0; delay = min(2*delay, wire.LongestDelay) {
		done, err := b.resolve(ctx)
		if done {
			return
		}
		if err == nil && wire.Pause(ctx, delay) == nil {
			continue
		}
		reason := b.lost
		if err != nil && ctx.Err() == nil {
			reason = fmt.Errorf("%w; %w", b.lost, err)
		}
		b.settle(slices.Clone(b.leaving), func(call *writeCall) (Commit, error) {
			return Commit{}, b.e.locate(unknown(interrupted(call.ctx, reason)))
		})
	}
	b.closed()
}

// accept remembers the commit's objects and tells the callers.
func (b *batch) accept(d *draft, now wire.Place, epoch int) {
	e := b.e
	e.mu.Lock()
	for _, o := range d.objects {
		if len(o.Data) <= odb.KeptBlob {
			e.store.Put(o.ID, o.Object)
		}
	}
	e.standAtLocked(now, epoch)
	e.objection = objection{}
	waiting := len(e.writes)
	e.mu.Unlock()
	e.callers = len(b.calls) + waiting
	e.announced = slices.ContainsFunc(b.calls, func(c *writeCall) bool { return c.change.Expected != nil })
	b.settle(d.changed, func(*writeCall) (Commit, error) { return Commit{Hash: d.id, Changed: true}, nil })
	b.settle(d.same, func(*writeCall) (Commit, error) { return Commit{Hash: d.id}, nil })
	b.closed()
}

// moved records that somebody else's commit is where the batch's would be.
func (b *batch) moved() {
	b.confirmed = true
	b.note(ErrBranchMoved)
	b.closed()
}

// closed records that nothing that was sent can get onto the branch any more, but for the changes of callers who know it now.
func (b *batch) closed() {
	b.open, b.lost = nil, nil
	b.track()
	b.settle(slices.Clone(b.leaving), b.turnBack)
}

// turnBack is the outcome of a caller who has left and whose change is not on the branch.
func (b *batch) turnBack(call *writeCall) (Commit, error) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	return Commit{}, b.e.locate(interrupted(call.ctx, call.last))
}

func unknown(err error) error { return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err) }
