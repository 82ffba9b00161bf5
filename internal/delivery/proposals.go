package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Pushed is the part of the Git engine about a branch that is to be merged into the one that clusters follow.
type Pushed interface {
	Repository
	Standing(ctx context.Context) (gitops.Standing, error)
	Landed(ctx context.Context, paths ...string) (gitops.Hash, []bool, error)
	Differences(ctx context.Context) ([]gitops.Difference, error)
	Settle(head gitops.Hash, merged bool)
}

// Proposals are the use cases about what is pushed to one branch to be merged into another.
type Proposals struct {
	branch // that clusters follow
	Layout repolayout.Layout
	Pushed Pushed      // nil: commits go to the branch itself
	Forge  forge.Forge // nil: nobody asks for the merge here
	// Removals is how requests are merged by themselves that a delete opens; nil: people merge them.
	Removals *forge.AutoMerge

	mu      sync.Mutex
	asked   bool
	request *forge.Request // as it was found at first
	failure error          // of the forge; nil: it told
	waiting bool           // something was seen that waits for the merge
	number  int64          // of the request that was last proposed in this run; 0: none was
}

// Proposed reports whether commits go to a branch of their own.
func (ps *Proposals) Proposed() bool { return ps.Pushed != nil }

// ErrNotProposed: commits go to the branch that clusters follow, so that there is nothing to merge.
var ErrNotProposed = errors.New("git.push_branch is not set")

// UnmergedError: what was asked for waits for a merge that did not come in time.
type UnmergedError struct {
	What string // continues "waits for", such as "the removal of a/b"
	// Request that would bring it; nil: there is none, or none is known.
	Request      *forge.Request
	Branch, Into string
	// Err is what the forge answered, if it could not be asked.
	Err error
}

func (e *UnmergedError) Error() string {
	text := fmt.Sprintf("%s is on branch %s and not yet on %s", e.What, e.Branch, e.Into)
	if e.Request != nil {
		text += fmt.Sprintf(": %s is %s", e.Request.URL, e.Request.State)
		if e.Request.Blocked != "" {
			text += ", and " + e.Request.Blocked
		}
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *UnmergedError) Unwrap() error { return e.Err }

// forgeTimeout bounds what is asked of a forge beside the work.
const forgeTimeout = 30 * time.Second

// settle asks the forge once what has become of the branch: what was merged in other commits, or turned down, does not wait any more. A
// forge that cannot be asked is no failure: what is on the branch then counts as waiting.
func (ps *Proposals) settle(ctx context.Context) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.asked || ps.Forge == nil {
		return
	}
	standing, err := ps.Pushed.Standing(ctx)
	if err != nil {
		return // the read that comes next tells
	}
	ps.asked = true
	if standing.Head.IsZero() || !standing.Ahead {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, forgeTimeout)
	defer cancel()
	ps.request, ps.failure = ps.Forge.Find(bounded, ps.Location.PushBranch, ps.Location.Branch)
	if r := ps.request; ps.failure == nil && r != nil && r.State != forge.Open && r.Head == standing.Head.String() {
		ps.Pushed.Settle(standing.Head, r.State == forge.Merged)
	}
}

// Waiting is what package installs wait for that were seen to wait for a merge.
type Waiting struct {
	Request *forge.Request // nil: none is known
	Failure error          // of the forge that could not be asked; nil: it told
}

// Waiting is nil as long as nothing was seen that waits.
func (ps *Proposals) Waiting() *Waiting {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if !ps.waiting {
		return nil
	}
	return &Waiting{Request: ps.open(), Failure: ps.failure}
}

// Open is the request of the push branch, if it was found open when the branch was looked at first; nil: it was not.
func (ps *Proposals) Open() *forge.Request {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.open()
}

func (ps *Proposals) open() *forge.Request {
	if ps.request == nil || ps.request.State != forge.Open {
		return nil
	}
	return ps.request
}

func (ps *Proposals) wait() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.waiting = true
}

// Reached is where files have got to.
type Reached struct {
	// Commit of the branch that clusters follow, which has the files; zero: it has not.
	Commit gitops.Hash
	// Pending is the commit of the push branch in which they wait for a merge; zero: they do not.
	Pending gitops.Hash
}

// reached is where the paths have got to that a commit has written.
func (ps *Proposals) reached(ctx context.Context, commit gitops.Commit, paths []string) Reached {
	if !ps.Proposed() {
		return Reached{Commit: commit.Hash}
	}
	base, landed, err := ps.landed(ctx, paths)
	switch {
	case err == nil && landed:
		return Reached{Commit: base}
	case !commit.Changed && err == nil:
		if standing, err := ps.Pushed.Standing(ctx); err == nil {
			return Reached{Pending: standing.Head}
		}
	}
	return Reached{Pending: commit.Hash} // also if the base could not be looked at: the next read tells
}

// landed reports whether the branch that clusters follow has all of the paths as they are to be.
func (ps *Proposals) landed(ctx context.Context, paths []string) (base gitops.Hash, all bool, err error) {
	base, landed, err := ps.Pushed.Landed(ctx, paths...)
	all = true
	for _, is := range landed {
		all = all && is
	}
	return base, all, err
}

// deployed reports whether the branch that clusters follow has a directory.
func (ps *Proposals) deployed(ctx context.Context, dir string) (bool, error) {
	if !ps.Proposed() {
		return true, nil
	}
	standing, err := ps.Pushed.Standing(ctx)
	if err != nil {
		return false, err
	}
	found, err := ps.Pushed.Entries(ctx, standing.Base, dir)
	return err == nil && !found[0].Hash.IsZero(), err
}

// How often a merge is looked for.
const (
	firstLook, slowestLook = 2 * time.Second, 15 * time.Second
)

// awaitMerge returns when the branch that clusters follow has the paths as they are to be. What they are is said by what, for the error,
// which is an *UnmergedError once the time is up or the request is closed. With a forge there is a request for it by then.
func (ps *Proposals) awaitMerge(ctx context.Context, what string, paths []string) error {
	unmerged := &UnmergedError{What: what, Branch: ps.Location.PushBranch, Into: ps.Location.Branch}
	asked := false
	for pause := firstLook; ; pause = min(2*pause, slowestLook) {
		_, landed, err := ps.landed(ctx, paths)
		if err == nil && landed {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		if ps.Forge != nil && ctx.Err() == nil {
			asked = ps.look(ctx, unmerged, asked)
		}
		if r := unmerged.Request; r != nil && r.State == forge.Closed {
			return unmerged
		}
		select {
		case <-ctx.Done():
			return unmerged
		case <-time.After(pause):
		}
		ps.Pushed.Invalidate()
	}
}

// look asks for the merge the first time, and then how it stands. What the forge does not do at first is asked for again.
func (ps *Proposals) look(ctx context.Context, unmerged *UnmergedError, asked bool) (done bool) {
	var request *forge.Request
	if unmerged.Request == nil {
		request, unmerged.Err = ps.ask(ctx, Proposal{})
	} else {
		request, unmerged.Err = ps.Forge.Get(ctx, unmerged.Request.Number)
	}
	if request != nil {
		unmerged.Request = request
	}
	if unmerged.Err != nil || request == nil || request.State != forge.Open || asked || ps.Removals == nil {
		return asked
	}
	unmerged.Err = ps.schedule(ctx, request, ps.Removals)
	return unmerged.Err == nil
}

// proposed is the push branch to the use cases: as it is once it is known what the forge has made of it.
type proposed struct {
	Pushed
	proposals *Proposals
}

func (p proposed) Prefetch(ctx context.Context, paths ...string) error {
	p.proposals.settle(ctx)
	return p.Pushed.Prefetch(ctx, paths...)
}

func (p proposed) List(ctx context.Context, dir string) ([]gitops.Entry, error) {
	p.proposals.settle(ctx)
	return p.Pushed.List(ctx, dir)
}

func (p proposed) ListAll(ctx context.Context, dirs ...string) ([][]gitops.Entry, error) {
	p.proposals.settle(ctx)
	return p.Pushed.ListAll(ctx, dirs...)
}

func (p proposed) Read(ctx context.Context, path string) (gitops.File, error) {
	p.proposals.settle(ctx)
	return p.Pushed.Read(ctx, path)
}

func (p proposed) Apply(ctx context.Context, change gitops.Change) (gitops.Commit, error) {
	p.proposals.settle(ctx)
	return p.Pushed.Apply(ctx, change)
}

func (p proposed) Entries(ctx context.Context, commit gitops.Hash, paths ...string) ([]gitops.Entry, error) {
	p.proposals.settle(ctx)
	return p.Pushed.Entries(ctx, commit, paths...)
}

func (p proposed) Tip(ctx context.Context) (gitops.Hash, error) {
	p.proposals.settle(ctx)
	return p.Pushed.Tip(ctx)
}
