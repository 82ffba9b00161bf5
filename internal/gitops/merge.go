package gitops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// A branch with a base is read and changed as it is once it is merged: where both have moved, upon a merge of the two that is made here
// and pushed with the first change. Nothing but what has been merged, or turned down and is all our own, is ever left behind by a push.

// proposal is what a branch is to its base, at one place of the two.
type proposal struct {
	at      wire.Place // as the server has it
	settled settled
	tip     Hash // that changes build upon

	// merge has what the server has not of the tip, if that is a merge made here: the commit last.
	merge []odb.Packed
	// barred is why nothing can be pushed to the branch as it is; nil: it can.
	barred error
}

// settled is what is known of a branch from elsewhere: up to a commit it has been merged, or turned down.
type settled struct {
	head   Hash
	merged bool
}

// ConflictError: a branch and its base have both changed some files. Nothing can be pushed to the branch until somebody has merged them.
type ConflictError struct {
	Branch, Base string
	Paths        []string // at least one, in Git's order
}

func (e *ConflictError) Error() string {
	shown, more := e.Paths, ""
	if len(shown) > maxShownPaths {
		shown, more = shown[:maxShownPaths], fmt.Sprintf(" and %d more", len(e.Paths)-maxShownPaths)
	}
	return fmt.Sprintf("both %s and %s have changed %s%s", e.Branch, e.Base, strings.Join(shown, ", "), more)
}

const maxShownPaths = 5

// ForeignError: a branch has commits of others that are not merged and are not to be, and that no push of this client removes.
type ForeignError struct {
	Branch  string
	Commits []Hash
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s has %d commits that others have made, such as %s", e.Branch, len(e.Commits), e.Commits[0])
}

// Settle tells what has become of the branch up to a commit that it was at: its base has it, whatever its commits are called there, or it
// was turned down and is not to get there. What it holds up to there then does not count any more, and the next change begins at the base
// again. There is no network access.
func (e *Engine) Settle(head Hash, merged bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := (settled{head, merged}); now != e.settled {
		e.settled = now
		e.epoch++
	}
}

// errParted: a branch has moved while it was being compared with its base.
var errParted = errors.New("the branches kept moving while they were being compared")

// mostLooks is how often branches that move are compared again.
const mostLooks = 5

// propose finds the commit that changes build upon, for a branch with a base.
func (e *Engine) propose(ctx context.Context, at wire.Place) (wire.Place, error) {
	if at.Base.IsZero() {
		return at, nil
	}
	var err error
	for range mostLooks {
		e.mu.Lock()
		p := e.proposal
		known := p != nil && p.at == at && p.settled == e.settled
		if !known {
			p = &proposal{at: at, settled: e.settled, tip: at.Tip}
		}
		e.mu.Unlock()
		if !known && !at.Unborn() && at.Ref != at.Base {
			err = e.compose(ctx, p)
		}
		if err == nil {
			e.adopt(p)
			at.Tip = p.tip
			return at, nil
		}
		now, tipErr := e.remote.Tip(ctx)
		if !errors.As(err, new(*wire.RefusedError)) || tipErr != nil || now == at {
			return wire.Place{}, err
		}
		at, err = now, nil
	}
	return wire.Place{}, errParted
}

// adopt has the engine read and change by a proposal.
func (e *Engine) adopt(p *proposal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.proposal = p
	e.bringLocalLocked()
}

// compose looks at the commits that lead apart.
func (e *Engine) compose(ctx context.Context, p *proposal) error {
	ahead, err := e.between(ctx, p.at.Base, p.at.Ref)
	if err != nil || len(ahead) == 0 {
		p.tip = p.at.Base // which has all of the branch
		return err
	}
	foreign := e.foreign(ahead)
	if p.settled.head == p.at.Ref {
		if !p.settled.merged && len(foreign) > 0 {
			p.barred = &ForeignError{Branch: e.target.Branch, Commits: foreign}
		}
		p.tip = p.at.Base
		return nil
	}
	behind, err := e.between(ctx, p.at.Ref, p.at.Base)
	if err != nil || len(behind) == 0 {
		return err // the branch has all of the base
	}
	bases := common(ahead, behind)
	if _, within := ahead[p.settled.head]; within && p.settled.merged {
		bases = []Hash{p.settled.head}
	}
	merged, err := e.mergeTrees(ctx, p, bases, max(len(ahead), len(behind))+1)
	if err != nil {
		return err
	}
	root, err := e.rootOf(p.at.Base)
	switch {
	case err != nil:
		return err
	case len(merged.Conflicts) > 0:
		p.barred = &ConflictError{Branch: e.target.Branch, Base: e.target.Base, Paths: merged.Conflicts}
		return nil
	case merged.Tree == root && len(foreign) == 0:
		p.tip = p.at.Base // where all of it is, by other commits
		return nil
	}
	commit, err := e.target.commit(merged.Tree, []Hash{p.at.Ref, p.at.Base}, e.target.message([]string{
		fmt.Sprintf("Merge branch '%s' into %s", e.target.Base, e.target.Branch),
	}), time.Now())
	p.tip = commit.Hash()
	p.merge = slices.Concat(merged.Objects, []odb.Packed{{Object: commit, ID: p.tip}})
	return err
}

// between are the commits that one has in its history and the other has not.
func (e *Engine) between(ctx context.Context, without, from Hash) (map[Hash]odb.Object, error) {
	objects, err := e.descend(ctx, func() wire.FetchRequest {
		return wire.FetchRequest{Wants: []Hash{from}, Haves: []Hash{without}, Filter: e.ladder.rest(), Optional: true, Limit: wire.HistoryBound}
	})
	if errors.As(err, new(*LimitError)) {
		return nil, fmt.Errorf("%s and %s have gone too far apart for a merge here: %w", e.target.Branch, e.target.Base, err)
	}
	maps.DeleteFunc(objects, func(_ Hash, o odb.Object) bool { return o.Kind != plumbing.CommitObject })
	return objects, err
}

// descend fetches, with less of a filter each time that the server refuses one. A refusal of whatever filter is about something else.
func (e *Engine) descend(ctx context.Context, request func() wire.FetchRequest) (map[Hash]odb.Object, error) {
	if !e.remote.Supports(capability.Filter) {
		e.ladder.noFilters()
	}
	before := e.ladder
	for {
		objects, err := e.remote.Fetch(ctx, request())
		if !errors.As(err, new(*wire.RefusedError)) {
			return objects, err
		}
		if e.ladder.at == wholeSnapshot {
			e.ladder = before
			return nil, err
		}
		e.ladder.down()
	}
}

// foreign are the commits that others have made.
func (e *Engine) foreign(commits map[Hash]odb.Object) (theirs []Hash) {
	for id, o := range commits {
		header, message := parseCommit(o)
		if _, email, _ := person(header["committer"]); email != e.target.AuthorEmail || !strings.Contains(message, "\n"+providerTrailer+": ") {
			theirs = append(theirs, id)
		}
	}
	slices.SortFunc(theirs, func(a, b Hash) int { return strings.Compare(a.String(), b.String()) })
	return theirs
}

// common are the commits at which two histories part: each way from either side leads to one of them.
func common(ahead, behind map[Hash]odb.Object) (bases []Hash) {
	from := parting(ahead)
	for id := range parting(behind) {
		if from[id] {
			bases = append(bases, id)
		}
	}
	slices.SortFunc(bases, func(a, b Hash) int { return strings.Compare(a.String(), b.String()) })
	return bases
}

// parting are the parents of commits that are not among them.
func parting(commits map[Hash]odb.Object) map[Hash]bool {
	out := map[Hash]bool{}
	for _, o := range commits {
		for _, id := range parents(o) {
			if _, within := commits[id]; !within {
				out[id] = true
			}
		}
	}
	return out
}

func parents(commit odb.Object) (ids []Hash) {
	head, _, _ := strings.Cut(string(commit.Data), "\n\n")
	for line := range strings.Lines(head) {
		if text, found := strings.CutPrefix(strings.TrimSpace(line), "parent "); found {
			if id, err := ParseHash(text); err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func (e *Engine) rootOf(commit Hash) (Hash, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.store.Root(commit)
}

// mergeTrees brings what the merge needs: the commits, and the trees that have changed on both sides, a level with each request. A server
// that gives nothing by its id gives the last commits of both branches, so many of them that they reach where they part.
func (e *Engine) mergeTrees(ctx context.Context, p *proposal, bases []Hash, depth int) (odb.Merged, error) {
	commits := append(slices.Clone(bases), p.at.Ref, p.at.Base)
	bring := func(ids []Hash, f wire.FetchRequest) error {
		if e.has(ids) {
			return nil
		}
		f.Wants = slices.Clone(ids) // which go-git sorts
		err := e.fetch(ctx, f)
		if !errors.As(err, new(*wire.RefusedError)) {
			return err
		}
		return e.fetch(ctx, wire.FetchRequest{Wants: []Hash{p.at.Ref, p.at.Base}, Keep: ids, Depth: depth, Filter: e.ladder.news()})
	}
	first := wire.FetchRequest{Filter: e.ladder.commit()}
	if e.remote.Supports(capability.Shallow) {
		first.Depth = 1
	}
	if err := bring(commits, first); err != nil {
		return odb.Merged{}, err
	}
	for {
		e.mu.Lock()
		roots := make([]Hash, len(commits))
		var err error
		for i, commit := range commits {
			root, rootErr := e.store.Root(commit)
			roots[i], err = root, errors.Join(err, rootErr)
		}
		if slices.ContainsFunc(roots, Hash.IsZero) {
			err = errors.Join(err, errors.New("the server does not give the commits at which the branches part"))
		}
		var merged odb.Merged
		if err == nil {
			merged, err = odb.Merge(e.store, roots[:len(bases)], roots[len(bases)], roots[len(bases)+1])
		}
		e.mu.Unlock()
		if err != nil || len(merged.Missing) == 0 {
			return merged, err
		}
		if err := bring(merged.Missing, wire.FetchRequest{Filter: e.ladder.rest()}); err != nil {
			return odb.Merged{}, err
		}
		if !e.has(merged.Missing) {
			return odb.Merged{}, errors.New("the server does not give the trees that have changed on both branches")
		}
	}
}

// bringLocalLocked puts what the server does not have into the store.
func (e *Engine) bringLocalLocked() {
	if e.proposal == nil {
		return
	}
	for _, o := range e.proposal.merge {
		e.store.Put(o.ID, o.Object)
	}
}

// local reports whether a commit is a merge that was made here and is not on the server.
func (p *proposal) local(commit Hash) bool {
	return p != nil && len(p.merge) > 0 && p.tip == commit
}

// servedLocked are the commits of the server that hold what the tip holds.
func (e *Engine) servedLocked() []Hash {
	if e.proposal.local(e.at.Tip) {
		return []Hash{e.at.Ref, e.at.Base}
	}
	return []Hash{e.at.Tip}
}

// broughtLocally puts a commit into the store if it was made here.
func (e *Engine) broughtLocally(commit Hash) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.proposal.local(commit) {
		return false
	}
	e.bringLocalLocked()
	return true
}

// withoutLocal are the objects that only the server has; the others are put into the store.
func (e *Engine) withoutLocal(ids []Hash) []Hash {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bringLocalLocked()
	if e.proposal == nil || len(e.proposal.merge) == 0 {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), e.store.Has)
}
