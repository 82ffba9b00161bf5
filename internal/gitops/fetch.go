package gitops

import (
	"context"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

func (e *Engine) knownTip() Hash {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.at.Tip
}

// readTip asks the server for the tip and remembers it, or a refusal that lasts.
func (e *Engine) readTip(ctx context.Context) (wire.Place, error) {
	e.mu.Lock()
	epoch, refused := e.epoch, e.refused
	before, made := e.at.Tip, e.proposal.local(e.at.Tip)
	e.mu.Unlock()
	if refused != nil {
		return wire.Place{}, refused
	}
	at, err := e.remote.Tip(ctx)
	if err == nil {
		at, err = e.propose(ctx, at)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		if lasts(err) && epoch == e.epoch {
			e.refused = err
		}
		return wire.Place{}, err
	}
	if at.Tip != e.at.Tip {
		e.rounds = 0
	}
	e.standAtLocked(at, epoch)
	if at.Tip != before && before != odb.NoCommit && e.store.Has(before) && !e.proposal.local(at.Tip) && !made {
		e.before = before
	}
	return at, nil
}

// standAtLocked remembers where the branch is.
func (e *Engine) standAtLocked(at wire.Place, epoch int) {
	e.at, e.tipFrom = at, epoch
	e.store.Shrink(at.Tip)
	if at.Tip == odb.NoCommit {
		e.store.Put(odb.NoCommit, odb.EmptyCommit)
	}
}

// fetchCommit brings a commit with as much of its snapshot as the narrowest filter that the server knows gives.
func (e *Engine) fetchCommit(ctx context.Context, commit Hash) error {
	if err := e.discovered(ctx); err != nil {
		return err
	}
	if e.remote.Known() && !e.remote.Supports(capability.Filter) {
		e.ladder.noFilters()
	}
	if e.broughtLocally(commit) {
		return nil
	}
	tip := e.knownTip()
	if commit == tip && !e.before.IsZero() {
		if done, err := e.fetchNews(ctx, tip); done || err != nil {
			return err
		}
	}
	for {
		request := wire.FetchRequest{Wants: []Hash{commit}, Filter: e.ladder.commit()}
		if e.remote.Supports(capability.Shallow) {
			request.Depth = 1
		}
		err := e.fetch(ctx, request)
		if !errors.As(err, new(*wire.RefusedError)) {
			return err
		}
		if commit != tip {
			return err // about the commit, as far as one can tell
		}
		if now, err := e.readTip(ctx); err != nil || now.Tip != tip {
			return err // the caller looks again
		}
		if !e.ladder.down() {
			return err
		}
	}
}

// fetchNews brings what has changed since the tip before, with one request for all levels of trees. If the server does not give that,
// or only at a length that asks for the whole history, as after a force-push, done is false.
func (e *Engine) fetchNews(ctx context.Context, tip Hash) (done bool, err error) {
	request := wire.FetchRequest{
		Wants: []Hash{tip}, Haves: []Hash{e.before}, Shallows: []Hash{e.before}, Filter: e.ladder.news(), Limit: wire.NewsBound,
		Optional: true, // a tip that the one before has in its history is not sent
	}
	e.before = Hash{}
	if !e.remote.Supports(capability.Shallow) {
		request.Shallows = nil
	}
	err = e.fetch(ctx, request)
	if errors.As(err, new(*wire.RefusedError)) || errors.As(err, new(*wire.ProtocolError)) || errors.As(err, new(*LimitError)) {
		return false, nil
	}
	return err == nil && e.has(request.Wants), err
}

// discovered makes sure that the server's capabilities are known.
func (e *Engine) discovered(ctx context.Context) error {
	if e.remote.Known() {
		return nil
	}
	_, err := e.readTip(ctx)
	return err
}

// fetchObjects brings trees and blobs by their ids in one request.
func (e *Engine) fetchObjects(ctx context.Context, ids []Hash) error {
	if err := e.discovered(ctx); err != nil {
		return err
	}
	if ids = e.withoutLocal(ids); len(ids) == 0 {
		return nil
	}
	if e.ladder.branchesAlone {
		return e.fetchSnapshot(ctx, ids)
	}
	request := wire.FetchRequest{Wants: ids, Filter: e.ladder.rest()}
	err := e.fetch(ctx, request)
	if !errors.As(err, new(*wire.RefusedError)) {
		return err
	}
	// The tip may have been thrown away with what it reached; or the server gives commits alone, as stock Git does over SSH.
	before := e.knownTip()
	now, tipErr := e.readTip(ctx)
	if tipErr != nil || now.Tip != before {
		return tipErr
	}
	e.ladder.noIDs()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.store.ForgetCommits() // to be fetched again, now with all their trees
	return nil
}

// fetchSnapshot brings objects of the tip with everything else.
func (e *Engine) fetchSnapshot(ctx context.Context, ids []Hash) error {
	e.mu.Lock()
	request := wire.FetchRequest{Wants: e.servedLocked(), Keep: ids}
	e.mu.Unlock()
	if e.remote.Supports(capability.Shallow) {
		request.Depth = 1
	}
	if err := e.fetch(ctx, request); err != nil {
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
	return !slices.ContainsFunc(ids, func(id Hash) bool { return !e.store.Has(id) })
}

// fetch puts what the server sends into the store.
func (e *Engine) fetch(ctx context.Context, request wire.FetchRequest) error {
	e.mu.Lock()
	request.Spare = e.store.Spare()
	e.mu.Unlock()
	objects, err := e.remote.Fetch(ctx, request)
	if err != nil {
		return e.rememberRefusal(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, o := range objects {
		e.store.Put(id, o)
	}
	return e.store.Check()
}

// lasts reports whether a failure is that of every other request of the run: a refused login, or a repository that is not there or has
// moved to another host, or cannot be used.
func lasts(err error) bool {
	return errors.Is(err, ErrAuth) || errors.Is(err, ErrRepositoryNotFound) || errors.As(err, new(*RedirectError)) ||
		errors.As(err, new(*WebPageError)) || errors.As(err, new(*ClientCertificateError)) || errors.As(err, new(*ObjectFormatError))
}

// rememberRefusal keeps what lasts from being tried for every read.
func (e *Engine) rememberRefusal(err error) error {
	if lasts(err) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.refused = err
	}
	return err
}
