package gitops

import (
	"fmt"
	"slices"
	"time"
)

// batch is a set of changes on their way into one commit.
type batch struct {
	*group
	e     *Engine
	calls []*writeCall // whose changes are to get onto the branch
	part  part
	began time.Time

	// confirmed: the tip was read after the last call had come. A verdict without a push needs that.
	confirmed bool

	// open is what was sent and may be on the branch, or get there yet; lost is why that is not known. All of it is upon the place where
	// the branch was last seen, so that at most one of them gets there, and none when another commit does.
	open []*draft
	lost error
	// leaving are callers whose contexts have ended since their changes were sent. Nothing is sent for them any more.
	leaving []*writeCall
}

// commitBatch brings the changes of the calls onto the branch and finishes every call.
func (e *Engine) commitBatch(calls []*writeCall, of part) {
	b := &batch{e: e, part: of, began: time.Now()}
	b.group = newGroup(b.note)
	b.add(calls)
	for len(b.calls) > 0 {
		err := b.attempt()
		ended := b.Err() != nil
		b.drop()
		if err != nil && !ended {
			b.fail(err)
		}
		if ended || len(b.calls) == 0 {
			b.await()
		}
		if ended {
			b.regroup()
		}
	}
	b.release()
}

// regroup goes on for callers who came when all before them had left.
func (b *batch) regroup() {
	b.release()
	b.group = newGroup(b.note)
	for _, call := range b.calls {
		b.join(call.ctx)
	}
}

// add takes calls in.
func (b *batch) add(calls []*writeCall) {
	for _, call := range calls {
		call.lookups = nil
		for i := range call.change.Edits {
			call.lookups = append(call.lookups, &lookup{path: call.paths[i]})
		}
		b.join(call.ctx)
	}
	b.calls = append(b.calls, calls...)
	b.confirmed = b.confirmed && len(calls) == 0
}

// note remembers, for every call, why it is still waiting.
func (b *batch) note(err error) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	b.noteLocked(err)
}

func (b *batch) noteLocked(err error) {
	for _, call := range slices.Concat(b.calls, b.leaving) {
		call.last = err
	}
}

// drop goes on without the calls whose callers have left, and reports whether there were any.
func (b *batch) drop() bool {
	var left []*writeCall
	b.e.mu.Lock()
	for _, call := range b.calls {
		switch {
		case !call.ended():
		case call.sent:
			b.leaving = append(b.leaving, call)
		default:
			left = append(left, call)
		}
	}
	b.e.mu.Unlock()
	b.settle(left, b.turnBack)
	before := len(b.calls)
	b.calls = slices.DeleteFunc(b.calls, func(c *writeCall) bool { return slices.Contains(b.leaving, c) })
	return len(left) > 0 || len(b.calls) < before
}

func (b *batch) fail(err error) {
	b.settle(slices.Clone(b.calls), func(*writeCall) (Commit, error) { return Commit{}, b.e.locate(err) })
}

// settle finishes some of the calls, those that are not finished yet.
func (b *batch) settle(calls []*writeCall, outcome func(*writeCall) (Commit, error)) {
	finish := func(call *writeCall) bool {
		if !slices.Contains(calls, call) {
			return false
		}
		call.finish(outcome(call))
		return true
	}
	b.calls, b.leaving = slices.DeleteFunc(b.calls, finish), slices.DeleteFunc(b.leaving, finish)
}

// attempt makes one commit on the tip and pushes it. An error is about all calls; nil with calls left: try again on the tip as it is now.
func (b *batch) attempt() error {
	e := b.e
	e.mu.Lock()
	refused := e.writeRefusedLocked()
	e.mu.Unlock()
	if refused != nil {
		return refused
	}
	if err := b.prepare(); err != nil {
		return err
	}
	if b.drop(); len(b.calls) == 0 {
		return nil
	}
	e.mu.Lock()
	d, err := newDraft(e.target, e.store, e.at, e.proposal, b.calls)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if len(b.open) > 0 && d.Ref != b.open[0].Ref { // perhaps to what is open
		if _, err := b.resolve(b.lasting); err != nil {
			return unknown(fmt.Errorf("%w; %w", b.lost, err))
		}
		return nil
	}
	if (len(d.rejected) > 0 || d.id.IsZero() || d.Unborn() || d.barred != nil) && !b.confirmed {
		// What is known of the branch may be old: ask before anybody is turned down, or told that there is nothing to do, and before
		// a branch is begun at what was the default branch's tip.
		_, err := e.readTip(b.Context)
		b.confirmed = err == nil
		return err
	}
	for call, err := range d.rejected {
		b.settle([]*writeCall{call}, func(*writeCall) (Commit, error) { return Commit{}, e.locate(err) })
	}
	if d.id.IsZero() {
		b.settle(d.same, func(*writeCall) (Commit, error) { return Commit{Hash: d.served}, nil })
		return nil
	}
	if d.barred != nil {
		return d.barred
	}
	return b.push(d)
}

// maxBatch is how many changes a commit takes in.
const maxBatch = 1000

// prepare brings in the trees on the way to every edit, and takes in the calls that have come meanwhile.
func (b *batch) prepare() error {
	for {
		grows := b.part == wholeBatch && len(b.calls) < maxBatch
		if grows {
			b.add(b.e.takeWrites())
		}
		missing := b.missing()
		if len(missing) == 0 {
			if grows && b.linger() || b.Err() == nil && b.e.rest(b.Context) {
				continue
			}
			return nil
		}
		if err := b.e.bring(b.Context, missing, func(Hash, error) {}); err != nil {
			return err
		}
		b.confirmed = b.confirmed || slices.Contains(missing, tipWanted)
	}
}

func (b *batch) missing() []want {
	e := b.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.at.Tip.IsZero() || e.target.Base != "" && !e.freshLocked() {
		return []want{tipWanted} // a push does not tell that the base has moved
	}
	var missing []want
	if root, _ := e.store.Root(e.at.Tip); root.IsZero() {
		missing = append(missing, want{id: e.at.Tip, commit: true})
	}
	for _, call := range b.calls {
		for _, l := range call.lookups {
			l.done = false
			missing = append(missing, l.resolve(e.store, e.at.Tip)...)
		}
	}
	return missing
}
