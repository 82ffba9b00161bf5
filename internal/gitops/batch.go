package gitops

import (
	"slices"
	"time"
)

// batch is a set of changes on their way into one commit.
type batch struct {
	*group
	e     *Engine
	calls []*writeCall
	grows bool // takes calls in that arrive before the commit is made
	began time.Time
	retry *retry

	// confirmed: the tip was read after the last call had come. A verdict without a push needs that.
	confirmed bool
}

// commitBatch brings the changes of the calls onto the branch and finishes every call.
func (e *Engine) commitBatch(calls []*writeCall, grows bool) {
	b := &batch{group: newGroup(), e: e, grows: grows, began: time.Now()}
	b.retry = e.retry(b.note)
	b.add(calls)
	for len(b.calls) > 0 {
		err := b.attempt()
		ended := b.Err() != nil
		b.drop()
		if err != nil && !ended {
			b.fail(err)
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
	b.group = newGroup()
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

// note remembers, for every call, why it is still waiting. The engine's lock is held.
func (b *batch) note(err error) {
	for _, call := range b.calls {
		call.last = err
	}
}

// drop forgets the calls whose callers have gone.
func (b *batch) drop() {
	b.calls = slices.DeleteFunc(b.calls, func(c *writeCall) bool { return c.ctx.Err() != nil })
}

func (b *batch) fail(err error) {
	for _, call := range b.calls {
		call.finish(Commit{}, b.e.locate(err))
	}
	b.calls = nil
}

// settle finishes some of the calls.
func (b *batch) settle(calls []*writeCall, outcome func(*writeCall) (Commit, error)) {
	for _, call := range calls {
		call.finish(outcome(call))
	}
	b.calls = slices.DeleteFunc(b.calls, func(c *writeCall) bool { return slices.Contains(calls, c) })
}

// attempt makes one commit on the tip and pushes it. An error is about all calls; nil with calls left: try again on the tip as it is now.
func (b *batch) attempt() error {
	e := b.e
	e.mu.Lock()
	refused := e.writeRefused()
	e.mu.Unlock()
	if refused != nil {
		return refused
	}
	if err := b.prepare(); err != nil {
		return err
	}
	b.drop()
	e.mu.Lock()
	d, err := newDraft(e.target, e.store, e.place, b.calls)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if (len(d.rejected) > 0 || d.id.IsZero() || d.unborn) && !b.confirmed {
		// What is known of the branch may be old: ask before anybody is turned down, or told that there is nothing to do, and before
		// a branch is begun at what was the default branch's tip.
		_, err := e.readTip(b, b.retry)
		b.confirmed = err == nil
		return err
	}
	for call, err := range d.rejected {
		b.settle([]*writeCall{call}, func(*writeCall) (Commit, error) { return Commit{}, e.locate(err) })
	}
	if d.id.IsZero() {
		b.settle(d.same, func(*writeCall) (Commit, error) { return Commit{Hash: reported(d.tip)}, nil })
		return nil
	}
	return b.push(d)
}

// maxBatch is how many changes a commit takes in.
const maxBatch = 1000

// prepare brings in the trees on the way to every edit, and takes in the calls that have come meanwhile.
func (b *batch) prepare() error {
	for {
		grows := b.grows && len(b.calls) < maxBatch
		if grows {
			b.add(b.e.takeWrites())
		}
		missing := b.missing()
		if len(missing) == 0 {
			if grows && b.linger() {
				continue
			}
			return nil
		}
		if err := b.e.bring(b, missing, b.retry, func(Hash, error) {}); err != nil {
			return err
		}
		b.confirmed = b.confirmed || slices.Contains(missing, tipWanted)
	}
}

func (b *batch) missing() []want {
	e := b.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tip.IsZero() {
		return []want{tipWanted}
	}
	var missing []want
	if root, _ := e.store.root(e.tip); root.IsZero() {
		missing = append(missing, want{id: e.tip, commit: true})
	}
	for _, call := range b.calls {
		for _, l := range call.lookups {
			l.done = false
			missing = append(missing, l.resolve(e.store, e.tip)...)
		}
	}
	return missing
}
