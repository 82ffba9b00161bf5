package gitops

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// filters a server may know, the narrowest first. The last one, none, fetches whole snapshots.
var filters = []string{"tree:1", "tree:0", "blob:none", ""}

const treesOnly, wholeSnapshot = 2, 3

// Delays between attempts, and how often an answer that is not the Git protocol is asked for again.
const (
	firstDelay       = 100 * time.Millisecond
	longestDelay     = 5 * time.Second
	protocolAttempts = 4
)

// retry repeats reads that fail for a reason that may pass, until the context ends.
type retry struct {
	note func(error) // is told of every failure that is retried, under the engine's lock
	e    *Engine
}

func (e *Engine) retry(note func(error)) *retry { return &retry{note, e} }

func (r *retry) do(ctx context.Context, attempt func() error) error {
	malformed, began := 0, time.Now()
	for delay := firstDelay; ; delay = min(2*delay, longestDelay) {
		err := r.attempt(ctx, attempt)
		var throttled *ThrottledError
		wait := func() error { return pause(ctx, delay) }
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case errors.As(err, &throttled):
			if throttled.beyond(ctx) {
				return r.giveUp(err)
			}
			wait = func() error { return throttled.wait(ctx, delay) }
		case errors.As(err, new(*briefError)):
			if time.Since(began) > maxBriefly {
				return r.giveUp(err)
			}
		case errors.As(err, new(*protocolError)):
			if malformed++; malformed == protocolAttempts {
				return err
			}
		case !errors.As(err, new(*transientError)):
			return err
		}
		r.e.mu.Lock()
		r.note(err)
		r.e.mu.Unlock()
		if err := wait(); err != nil {
			return err
		}
	}
}

// attempt makes one, and remembers whether the server answers.
func (r *retry) attempt(ctx context.Context, attempt func() error) error {
	r.e.outage.Begin(time.Now())
	err := attempt()
	putsOff := errors.As(err, new(*transientError)) || errors.As(err, new(*briefError)) || errors.As(err, new(*ThrottledError))
	switch {
	case err == nil || ctx.Err() == nil && !putsOff:
		r.e.outage.Answered()
	case ctx.Err() == nil:
		r.e.outage.Failed(err)
	}
	return err
}

func (r *retry) giveUp(err error) error {
	r.e.outage.GivenUp(time.Now(), err)
	return err
}

// pause waits for about d, between half and all of it.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d/2 + rand.N(d/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *Engine) knownTip() Hash {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tip
}

// readTip asks the server for the tip and remembers it, or that the server refuses the login.
func (e *Engine) readTip(ctx context.Context, retry *retry) (place, error) {
	e.mu.Lock()
	epoch, refused := e.epoch, e.refused
	e.mu.Unlock()
	if refused != nil {
		return place{}, refused
	}
	var at place
	err := retry.do(ctx, func() (err error) {
		at, err = e.remote.tip(ctx)
		return err
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		if errors.Is(err, ErrAuth) && epoch == e.epoch {
			e.refused = err
		}
		return place{}, err
	}
	if at.tip != e.tip {
		e.rounds = 0
	}
	before := e.tip
	e.standAt(at, epoch)
	if at.tip != before && before != noCommit && e.store.has(before) {
		e.before = before
	}
	return at, nil
}

// standAt remembers where the branch is. The lock is held.
func (e *Engine) standAt(at place, epoch int) {
	e.place, e.tipFrom = at, epoch
	e.store.shrink(at.tip)
	if at.tip == noCommit {
		e.store.put(noCommit, emptyCommit)
	}
}

// fetchCommit brings a commit with as much of its snapshot as the narrowest filter that the server knows gives.
func (e *Engine) fetchCommit(ctx context.Context, commit Hash, retry *retry) error {
	if err := e.discovered(ctx, retry); err != nil {
		return err
	}
	if e.remote.known() && !e.remote.supports(capability.Filter) {
		e.filter = wholeSnapshot
	}
	var refusal error
	tip := e.knownTip()
	if commit == tip && !e.before.IsZero() {
		if done, err := e.fetchNews(ctx, tip, retry); done || err != nil {
			return err
		}
	}
	for ; e.filter < len(filters); e.filter++ {
		request := fetchRequest{wants: []Hash{commit}, filter: filters[e.filter]}
		if e.remote.supports(capability.Shallow) {
			request.depth = 1
		}
		err := e.fetch(ctx, request, retry)
		if !errors.As(err, new(*refusedError)) {
			return err
		}
		if commit != tip {
			return err // about the commit, as far as one can tell
		}
		if now, err := e.readTip(ctx, retry); err != nil || now.tip != tip {
			return err // the caller looks again
		}
		refusal = err
	}
	e.filter = 0
	return refusal
}

// fetchNews brings what has changed since the tip before, with one request for all levels of trees. Where the server does not give that,
// or only at a length that asks for the whole history, as after a force-push, done is false.
func (e *Engine) fetchNews(ctx context.Context, tip Hash, retry *retry) (done bool, err error) {
	request := fetchRequest{wants: []Hash{tip}, haves: []Hash{e.before}, shallows: []Hash{e.before}, limit: newsBound}
	e.before = Hash{}
	if !e.remote.supports(capability.Shallow) {
		request.shallows = nil
	}
	if e.filter != wholeSnapshot {
		request.filter = filters[treesOnly]
	}
	err = retry.do(ctx, func() error {
		err := e.fetchOnce(ctx, request)
		if errors.As(err, new(*protocolError)) { // a tip that the one before has in its history is not sent
			return &refusedError{err.Error()}
		}
		return err
	})
	if errors.As(err, new(*refusedError)) || errors.As(err, new(*LimitError)) {
		return false, nil
	}
	return err == nil, e.rememberRefusal(err)
}

// discovered makes sure that the server's capabilities are known.
func (e *Engine) discovered(ctx context.Context, retry *retry) error {
	if e.remote.known() {
		return nil
	}
	_, err := e.readTip(ctx, retry)
	return err
}

// fetchObjects brings trees and blobs by their ids in one request.
func (e *Engine) fetchObjects(ctx context.Context, ids []Hash, retry *retry) error {
	if err := e.discovered(ctx, retry); err != nil {
		return err
	}
	if e.noIDs {
		return e.fetchSnapshot(ctx, ids, retry)
	}
	request := fetchRequest{wants: ids}
	switch filters[e.filter] {
	case "tree:1", "tree:0":
		request.filter = "tree:0"
	case "blob:none":
		request.filter = "blob:none"
	}
	err := e.fetch(ctx, request, retry)
	if !errors.As(err, new(*refusedError)) {
		return err
	}
	// The tip may have been thrown away with what it reached; or the server gives commits alone, as stock Git does over SSH.
	before := e.knownTip()
	now, tipErr := e.readTip(ctx, retry)
	if tipErr != nil || now.tip != before {
		return tipErr
	}
	e.noIDs = true
	e.filter = max(e.filter, treesOnly)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.store.forgetCommits() // to be fetched again, now with all their trees
	return nil
}

// fetchSnapshot brings objects of the tip with everything else.
func (e *Engine) fetchSnapshot(ctx context.Context, ids []Hash, retry *retry) error {
	request := fetchRequest{wants: []Hash{e.knownTip()}, keep: ids}
	if e.remote.supports(capability.Shallow) {
		request.depth = 1
	}
	if err := e.fetch(ctx, request, retry); err != nil {
		return err
	}
	if !e.has(ids) {
		return errors.New("the server gives neither the objects nor the snapshot that holds them")
	}
	return nil
}

func (e *Engine) has(ids []Hash) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !slices.ContainsFunc(ids, func(id Hash) bool { return !e.store.has(id) })
}

// fetch puts what the server sends into the store. What was asked for must be there afterwards.
func (e *Engine) fetch(ctx context.Context, request fetchRequest, retry *retry) error {
	return e.rememberRefusal(retry.do(ctx, func() error { return e.fetchOnce(ctx, request) }))
}

func (e *Engine) fetchOnce(ctx context.Context, request fetchRequest) error {
	e.mu.Lock()
	request.spare = max(0, e.store.limit-e.store.size)
	e.mu.Unlock()
	objects, err := e.remote.fetch(ctx, request)
	if err != nil {
		return err
	}
	for _, id := range request.wants {
		if _, sent := objects[id]; !sent {
			return &protocolError{fmt.Errorf("the server did not send object %s", id)}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, o := range objects {
		e.store.put(id, o)
	}
	if e.store.size > maxStoreBytes {
		return storeBound.exceeded()
	}
	return nil
}

// rememberRefusal keeps a refused login from being tried for every read.
func (e *Engine) rememberRefusal(err error) error {
	if errors.Is(err, ErrAuth) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.refused = err
	}
	return err
}
