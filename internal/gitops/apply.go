package gitops

import (
	"context"
	"slices"
	"time"
)

// writeCall is one caller that waits for its change to be on the branch.
type writeCall struct {
	ctx     context.Context
	change  Change
	paths   [][]string // the segments of every edit's path
	lookups []*lookup  // one for every edit
	last    error      // the last failure that was retried; guarded by the engine's lock
	sent    bool       // a commit with the change may be on the branch, or get there yet; guarded by the engine's lock

	commit Commit
	err    error
	done   chan struct{}
}

func (c *writeCall) finish(commit Commit, err error) {
	c.commit, c.err = commit, err
	close(c.done)
}

// ended reports whether the caller has left, or would like to.
func (c *writeCall) ended() bool { return c.ctx.Err() != nil }

// Apply puts a change on the branch and returns when the server has it. Changes of callers that come while a push is under way
// share the next commit. A deadline of ctx bounds how long it contends with other writers; nothing else does.
//
// When ctx ends, nothing more is sent for the change. If nothing has been, Apply returns the context's error at once. What has been sent
// may get onto the branch all the same, so Apply waits for its outcome, for at most ten seconds, and returns that: the commit without an
// error if the branch has it, the context's error if it does not, and ErrOutcomeUnknown besides that if it could not be told by then.
//
// Errors: *PathError, *LimitError, *PreconditionError, *HookDeclinedError, *RejectedError, ErrAuth, ErrRepositoryNotFound, ErrBranchNotFound,
// ErrEmptyRepository, ErrBranchMoved; the context's error. The change is not on the branch then, unless ErrOutcomeUnknown is among them.
func (e *Engine) Apply(ctx context.Context, change Change) (Commit, error) {
	if err := checkEdits(change.Edits); err != nil {
		return Commit{}, err
	}
	call := &writeCall{ctx: ctx, change: change, done: make(chan struct{})}
	for _, edit := range change.Edits {
		segments, err := splitPath(edit.Path, false)
		if err != nil {
			return Commit{}, err
		}
		call.paths = append(call.paths, segments)
	}
	if err := ctx.Err(); err != nil {
		return Commit{}, e.locate(context.Cause(ctx))
	}
	e.mu.Lock()
	if refused := e.writeRefusedLocked(); refused != nil {
		e.mu.Unlock()
		return Commit{}, e.locate(refused)
	}
	e.writes, e.queued = append(e.writes, call), time.Now()
	change.Expected.endLocked()
	select {
	case e.arrived <- struct{}{}:
	default:
	}
	e.startLocked()
	e.mu.Unlock()
	select {
	case <-call.done:
		return call.commit, call.err
	case <-ctx.Done():
	}
	return e.abandon(call)
}

// abandon takes a call whose time is up out of the queue, or waits for what has become of it.
func (e *Engine) abandon(call *writeCall) (Commit, error) {
	e.mu.Lock()
	if call.sent {
		e.mu.Unlock()
		timeout := time.NewTimer(e.grace)
		defer timeout.Stop()
		select {
		case <-call.done:
		case <-timeout.C:
		}
		e.mu.Lock()
	}
	defer e.mu.Unlock()
	select {
	case <-call.done:
		return call.commit, call.err
	default:
	}
	e.writes = slices.DeleteFunc(e.writes, func(c *writeCall) bool { return c == call })
	err := interrupted(call.ctx, call.last)
	if call.sent {
		err = unknown(err)
	}
	return Commit{}, e.locate(err)
}

// writeRefusedLocked is the remembered refusal of a login or of all changes, if any.
func (e *Engine) writeRefusedLocked() error {
	if e.refused != nil {
		return e.refused
	}
	return e.barred
}
