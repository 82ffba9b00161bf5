package gitops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// readCall is one caller that waits for its lookups.
type readCall struct {
	ctx     context.Context
	lookups []*lookup
	tip     Hash // as of which the lookups were answered
	err     error
	last    error // the last failure that was retried; guarded by the engine's lock
	done    chan struct{}
}

func (c *readCall) finish(err error) {
	c.err = err
	close(c.done)
}

// Prefetch brings the files at the paths in, so that reading them costs nothing. Of a directory it brings the files that are directly
// in it. What is missing is not an error.
func (e *Engine) Prefetch(ctx context.Context, paths ...string) error {
	_, err := e.look(ctx, lookup{data: true, files: true, ahead: true}, paths)
	return err
}

// Read returns a file at the tip. ErrNotExist: there is none. *PathError: the path is bad, or is not a file.
func (e *Engine) Read(ctx context.Context, path string) (File, error) {
	segments, err := splitPath(path, false)
	if err != nil {
		return File{}, err
	}
	l := &lookup{path: segments, data: true, ahead: true}
	if _, err := e.lookUp(ctx, l); err != nil {
		return File{}, err
	}
	if l.entry.Hash.IsZero() {
		return File{}, fmt.Errorf("%s: %w", path, ErrNotExist)
	}
	if kind := l.entry.Irregular(); kind != "" {
		return File{}, &PathError{Path: path, Reason: "is " + kind}
	}
	return File{Data: l.blob, Blob: l.entry.Hash}, nil
}

// Stat returns what is at a path at the tip without its content, which saves a request if the blob's id is enough: BlobHash tells
// the id that a content would have. ErrNotExist: there is nothing.
func (e *Engine) Stat(ctx context.Context, path string) (Entry, error) {
	segments, err := splitPath(path, false)
	if err != nil {
		return Entry{}, err
	}
	l := &lookup{path: segments, ahead: true}
	if _, err := e.lookUp(ctx, l); err != nil {
		return Entry{}, err
	}
	if l.entry.Hash.IsZero() {
		return Entry{}, fmt.Errorf("%s: %w", path, ErrNotExist)
	}
	return l.entry, nil
}

// List returns the entries of a directory at the tip in Git's order. The empty path is the root.
// ErrNotExist: there is no such directory.
func (e *Engine) List(ctx context.Context, dir string) ([]Entry, error) {
	segments, err := splitPath(dir, true)
	if err != nil {
		return nil, err
	}
	l := &lookup{path: segments, data: true}
	if _, err := e.lookUp(ctx, l); err != nil {
		return nil, err
	}
	if !l.entry.Dir() {
		return nil, fmt.Errorf("directory %q: %w", dir, ErrNotExist)
	}
	return slices.Clone(l.entries), nil
}

// ListAll is List of many directories, whose trees are fetched together. What is no directory has no entries.
func (e *Engine) ListAll(ctx context.Context, dirs ...string) ([][]Entry, error) {
	lookups, err := e.look(ctx, lookup{data: true, dirs: true}, dirs)
	if err != nil {
		return nil, err
	}
	lists := make([][]Entry, len(dirs))
	for i, l := range lookups {
		lists[i] = slices.Clone(l.entries)
	}
	return lists, nil
}

// Entries returns what is at each of the paths at a commit without its content, the zero Entry where there is nothing. The zero commit is
// the tip; the empty path is the root. What it costs depends on how deep the paths are, and not on how many.
// ErrCommitNotFound: the server does not give the commit.
func (e *Engine) Entries(ctx context.Context, commit Hash, paths ...string) ([]Entry, error) {
	lookups, err := e.look(ctx, lookup{commit: commit}, paths)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(paths))
	for i, l := range lookups {
		entries[i] = l.entry
	}
	return entries, nil
}

// fewPaths is how many paths may be asked for at once so that others like them are brought along: who names more of them knows what
// there is to ask for, and what is like many things is most of the repository.
const fewPaths = 100

// look makes a lookup like this one for each of the paths, and resolves them together.
func (e *Engine) look(ctx context.Context, like lookup, paths []string) ([]*lookup, error) {
	lookups := make([]*lookup, len(paths))
	like.ahead = like.ahead && len(paths) <= fewPaths
	for i, path := range paths {
		segments, err := splitPath(path, true)
		if err != nil {
			return nil, err
		}
		l := like
		l.path = segments
		lookups[i] = &l
	}
	if len(lookups) == 0 {
		return nil, nil
	}
	_, err := e.lookUp(ctx, lookups...)
	return lookups, err
}

// Tip returns the commit that reads are answered from; the zero Hash in an empty repository.
func (e *Engine) Tip(ctx context.Context) (Hash, error) {
	return e.lookUp(ctx)
}

// lookUp resolves lookups at one tip, from what is known or through the loop, and returns that tip.
func (e *Engine) lookUp(ctx context.Context, lookups ...*lookup) (Hash, error) {
	if ctx.Err() != nil {
		return Hash{}, e.locate(context.Cause(ctx))
	}
	call := &readCall{ctx: ctx, lookups: lookups, done: make(chan struct{})}
	began := time.Now()
	e.mu.Lock()
	silent := e.outage.Of(ctx, began, func(err error) bool {
		var throttled *ThrottledError
		return !errors.As(err, &throttled) || throttled.Beyond(ctx)
	})
	switch {
	case e.answerLocked(call):
	case e.refused != nil:
		call.finish(e.locate(e.refused))
	case silent != nil:
		call.finish(e.locate(silent))
	default:
		e.reads = append(e.reads, call)
		e.startLocked()
	}
	e.mu.Unlock()
	select {
	case <-call.done:
		if call.err != nil {
			e.expired(ctx, began)
		}
	case <-ctx.Done():
		e.expired(ctx, began)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.reads = slices.DeleteFunc(e.reads, func(c *readCall) bool { return c == call })
		return Hash{}, e.locate(interrupted(ctx, call.last))
	}
	for _, l := range lookups {
		if call.err == nil {
			call.err = l.err
		}
	}
	return call.tip, call.err
}

// expired notes that a call which began at a time has failed, if its time is up.
func (e *Engine) expired(ctx context.Context, began time.Time) {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.outage.Expired(time.Now(), began)
	}
}

// interrupted tells what a caller was waiting for when its time was up.
func interrupted(ctx context.Context, last error) error {
	if last == nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w; the last attempt: %w", context.Cause(ctx), last)
}

// answerLocked finishes a call if that needs no network.
func (e *Engine) answerLocked(call *readCall) bool {
	return len(e.missingLocked(call)) == 0
}

// tipWanted stands for the branch's tip among the objects that a call misses.
var tipWanted = want{}

// missingLocked resolves a call's lookups as far as the store reaches and finishes it when nothing is missing.
func (e *Engine) missingLocked(call *readCall) []want {
	var missing []want
	atTip := len(call.lookups) == 0
	for _, l := range call.lookups {
		if l.done {
			continue
		}
		if l.commit.IsZero() && !e.freshLocked() {
			atTip = true
			continue
		}
		missing = append(missing, l.resolve(e.store, e.at.Tip)...)
	}
	if atTip && !e.freshLocked() {
		return append(missing, tipWanted)
	}
	if len(missing) == 0 {
		call.tip = reported(e.at.Tip)
		call.finish(nil)
	}
	return missing
}

// answerReads answers reads together: every round fetches all that any of them misses next.
func (e *Engine) answerReads(calls []*readCall) {
	e.fetched = false
	defer func() {
		if e.fetched {
			e.rounds++
		}
	}()
	for len(calls) > 0 {
		waiting := slices.Clone(calls)
		g := newGroup(func(err error) {
			e.mu.Lock()
			defer e.mu.Unlock()
			for _, call := range waiting {
				call.last = err
			}
		})
		for _, call := range calls {
			g.join(call.ctx)
		}
		calls = e.serveGroup(g, calls)
		g.release()
	}
}

// serveGroup returns the calls that are left when the group has ended: those whose callers are waiting all the same.
func (e *Engine) serveGroup(g *group, calls []*readCall) []*readCall {
	waiting := func() []*readCall {
		return slices.DeleteFunc(calls, func(c *readCall) bool { return c.ctx.Err() != nil })
	}
	for {
		calls = waiting()
		var missing []want
		e.mu.Lock()
		calls = slices.DeleteFunc(calls, func(c *readCall) bool {
			wants := e.missingLocked(c)
			missing = append(missing, wants...)
			return len(wants) == 0
		})
		e.mu.Unlock()
		if len(calls) == 0 {
			return nil
		}
		err := e.bring(g, missing, func(commit Hash, err error) { failCommit(calls, commit, err) })
		if err != nil && g.Err() != nil {
			return waiting()
		}
		if err != nil {
			for _, call := range calls {
				call.finish(e.locate(err))
			}
			return nil
		}
	}
}

// failCommit ends the lookups that are about a commit which the server does not give.
func failCommit(calls []*readCall, commit Hash, err error) {
	for _, call := range calls {
		for _, l := range call.lookups {
			if l.commit == commit && !l.done {
				l.err, l.done = err, true
			}
		}
	}
}

// bring fetches the tip if it is missing, else the objects. refused is told of a commit that the server does not give.
func (e *Engine) bring(ctx context.Context, missing []want, refused func(Hash, error)) error {
	if slices.Contains(missing, tipWanted) {
		_, err := e.readTip(ctx)
		return err
	}
	var ids []Hash
	for _, w := range dedupe(missing) {
		if !w.commit {
			ids = append(ids, w.id)
			continue
		}
		err := e.fetchCommit(ctx, w.id)
		if refusal := (*wire.RefusedError)(nil); errors.As(err, &refusal) && w.id != e.knownTip() {
			refused(w.id, fmt.Errorf("commit %s: %w: %w", w.id, ErrCommitNotFound, err))
			err = nil
		}
		if err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return nil
	}
	e.mu.Lock()
	ids = append(ids, e.aheadLocked(missing)...)
	e.mu.Unlock()
	e.fetched = true
	return e.fetchObjects(ctx, ids)
}

func dedupe(wants []want) []want {
	seen := make(map[want]bool, len(wants))
	return slices.DeleteFunc(wants, func(w want) bool {
		if seen[w] {
			return true
		}
		seen[w] = true
		return false
	})
}
