package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// Proposal is a pull request as it is to be.
type Proposal struct {
	Title     string // empty: made of what it changes
	Body      string // of people; what it changes comes below
	Labels    []string
	Reviewers []string
	Draft     bool
	AutoMerge *forge.AutoMerge // nil: people merge
	Wait      Wait
}

// Wait is what an apply waits for.
type Wait string

// The waits.
const (
	WaitNone      Wait = "none"
	WaitMergeable Wait = "mergeable"
	WaitMerged    Wait = "merged"
)

// ProposalReceipt says what there is of a request.
type ProposalReceipt struct {
	Request *forge.Request // nil: there is nothing to merge, and none was open
	Head    gitops.Hash    // of the push branch; zero: it is not there
	// Unfinished is why a wait has ended before its time, or by it; nil: what was waited for is so, or nothing was.
	Unfinished error
}

// CheckProposal is an *forge.UnsupportedError that names what the forge lacks of a proposal. There is no network access.
func (ps *Proposals) CheckProposal(p Proposal) error {
	switch {
	case !ps.Proposed():
		return ErrNotProposed
	case ps.Forge == nil:
		return &MissingPartError{Part: PartForge}
	}
	return ps.Forge.Check(p.content(""), p.AutoMerge)
}

func (p Proposal) content(summary string) forge.Content {
	return forge.Content{Title: p.Title, Body: summary, Labels: p.Labels, Reviewers: p.Reviewers, Draft: &p.Draft}
}

// UnfinishedError: a request is open, and is not yet all that it is to be.
type UnfinishedError struct {
	URL string
	Err error
}

func (e *UnfinishedError) Error() string { return fmt.Sprintf("%s is open: %v", e.URL, e.Err) }
func (e *UnfinishedError) Unwrap() error { return e.Err }

// Propose opens the request that brings the push branch onto the branch that clusters follow, or changes the one that is open, and waits for
// what is asked. If there is nothing to merge, none is opened and an open one is closed. A wait that fails or takes too long is no error:
// the request is there.
func (ps *Proposals) Propose(ctx context.Context, p Proposal) (ProposalReceipt, error) {
	if err := ps.CheckProposal(p); err != nil {
		return ProposalReceipt{}, err
	}
	request, err := ps.ask(ctx, p)
	r := ProposalReceipt{Request: request}
	ps.holds(request)
	if standing, standingErr := ps.Pushed.Standing(ctx); standingErr == nil {
		r.Head = standing.Head
	}
	switch {
	case err != nil && request != nil && request.State == forge.Open:
		return r, &UnfinishedError{URL: request.URL, Err: err}
	case err != nil || request == nil || request.State != forge.Open:
		return r, err
	}
	if err := ps.schedule(ctx, request, p.AutoMerge); err != nil {
		return r, &UnfinishedError{URL: request.URL, Err: err}
	}
	if again, err := ps.Forge.Get(ctx, request.Number); err == nil {
		r.Request = again
	}
	r.Request, r.Unfinished = ps.await(ctx, r.Request, p.Wait)
	if r.Request.State == forge.Merged {
		ps.refresh()
	}
	return r, nil
}

// schedule has a request merged by itself, or not any more.
func (ps *Proposals) schedule(ctx context.Context, request *forge.Request, auto *forge.AutoMerge) error {
	switch {
	case auto != nil:
		how := *auto
		how.Head = request.Head
		if err := ps.Forge.AutoMerge(ctx, request.Number, how); err != nil {
			return fmt.Errorf("have it merged by itself: %w", err)
		}
	case request.AutoMerge:
		if err := ps.Forge.CancelAutoMerge(ctx, request.Number); err != nil {
			return fmt.Errorf("keep it from being merged by itself: %w", err)
		}
	}
	return nil
}

// refresh has the branches looked at again after a merge.
func (ps *Proposals) refresh() {
	ps.mu.Lock()
	ps.asked = false
	ps.mu.Unlock()
	ps.Pushed.Invalidate()
	ps.Repository.Invalidate()
}

// await looks at a request until it is as it is waited for.
func (ps *Proposals) await(ctx context.Context, request *forge.Request, wait Wait) (*forge.Request, error) {
	for pause := firstLook; ; pause = min(2*pause, slowestLook) {
		switch {
		case wait != WaitMergeable && wait != WaitMerged, request.State == forge.Merged, wait == WaitMergeable && request.Mergeable:
			return request, nil
		case request.State == forge.Closed:
			return request, errors.New("it was closed without a merge")
		}
		select {
		case <-ctx.Done():
			reason := "it is still open"
			if request.Blocked != "" {
				reason += ": " + request.Blocked
			}
			return request, errors.New(reason)
		case <-time.After(pause):
		}
		now, err := ps.Forge.Get(ctx, request.Number)
		switch {
		case err == nil:
			request = now
		case ctx.Err() == nil && !errors.As(err, new(*forge.BusyError)):
			return request, err
		}
	}
}

// ask makes sure that there is a request for what is on the push branch, and that it says that. Of what it is to say, the zero proposal
// leaves what people have set. It is nil if there is nothing to merge and none is open.
func (ps *Proposals) ask(ctx context.Context, p Proposal) (*forge.Request, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	source, base := ps.Location.PushBranch, ps.Location.Branch
	changes, err := ps.changes(ctx)
	if err != nil {
		return nil, err
	}
	request, err := ps.Forge.Find(ctx, source, base)
	if err != nil {
		return nil, err
	}
	open := request != nil && request.State == forge.Open
	if len(changes.files) == 0 {
		if !open {
			return request, nil
		}
		if err := ps.Forge.Close(ctx, request.Number); err != nil {
			return request, err
		}
		return ps.Forge.Get(ctx, request.Number)
	}
	if standing, err := ps.Pushed.Standing(ctx); err == nil && standing.Behind {
		// Some forges merge nothing that lacks commits of its base.
		if _, err := ps.Pushed.Apply(ctx, gitops.Change{Summary: "Catch up with " + base, CatchUp: true}); err != nil {
			return request, err
		}
	}
	part := changes.body(p.Body, ps.Forge.BodyLimit())
	content := p.content(withChanges(p.Body, part))
	if content.Title == "" {
		content.Title = changes.title()
	}
	if !open {
		request, err = ps.Forge.Create(ctx, source, base, content)
		var exists *forge.ExistsError
		if !errors.As(err, &exists) {
			return request, err
		}
		if request, err = ps.Forge.Find(ctx, source, base); err != nil || request == nil {
			return request, errors.Join(exists, err)
		}
	}
	if p.isZero() {
		content = forge.Content{Title: request.Title, Body: withChanges(request.Body, part)}
	}
	return ps.Forge.Update(ctx, request.Number, content)
}

func (p Proposal) isZero() bool {
	return p.Title == "" && p.Body == "" && p.Labels == nil && p.Reviewers == nil && p.AutoMerge == nil && p.Wait == ""
}

// Look reads the request of the push branch: the one with this number, or without it the open or the last one. changed reports whether the
// branch has something that the request, if it is open, does not ask for, or that none asks for.
func (ps *Proposals) Look(ctx context.Context, number int64) (request *forge.Request, changed bool, err error) {
	if err := ps.CheckProposal(Proposal{}); err != nil {
		return nil, false, err
	}
	ps.settle(ctx)
	request, err = ps.Forge.Find(ctx, ps.Location.PushBranch, ps.Location.Branch)
	if err == nil && number != 0 && (request == nil || request.Number != number && request.State != forge.Open) {
		request, err = ps.Forge.Get(ctx, number)
	}
	if errors.Is(err, forge.ErrNotFound) {
		request, err = nil, nil
	}
	if err != nil {
		return request, false, err
	}
	standing, err := ps.Pushed.Standing(ctx)
	if err != nil {
		return request, false, err
	}
	open := request != nil && request.State == forge.Open
	switch {
	case standing.Head.IsZero() || !standing.Ahead:
		return request, open, nil
	case open && request.Head == standing.Head.String() && !standing.Behind:
		return request, false, nil
	}
	differences, err := ps.Pushed.Differences(ctx)
	return request, (len(differences) > 0) != open || standing.Behind, err
}

// holds notes that a resource of this run has a request.
func (ps *Proposals) holds(request *forge.Request) {
	if request == nil {
		return
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.number = request.Number
}

// Withdraw closes a request, if it is open. What it was for is not turned down by that: it is left to its package installs. One that was
// proposed in the same run stays: another resource has it, as after a rename or with create_before_destroy.
func (ps *Proposals) Withdraw(ctx context.Context, number int64) error {
	if err := ps.CheckProposal(Proposal{}); err != nil {
		return err
	}
	ps.mu.Lock()
	held := ps.number == number
	ps.mu.Unlock()
	if held {
		return nil
	}
	ps.settle(ctx)
	err := ps.Forge.Close(ctx, number)
	if errors.Is(err, forge.ErrNotFound) {
		return nil
	}
	return err
}

// EmptyRequestError: everything was done but that the request, if one is open with nothing left to merge, was not closed.
type EmptyRequestError struct{ Err error }

func (e *EmptyRequestError) Error() string { return e.Err.Error() }
func (e *EmptyRequestError) Unwrap() error { return e.Err }

// closeEmpty closes the request of a branch on which nothing is left to merge.
func (ps *Proposals) closeEmpty(ctx context.Context) error {
	if ps.Forge == nil {
		return nil
	}
	differences, err := ps.Pushed.Differences(ctx)
	if err != nil || len(differences) > 0 {
		return err
	}
	request, err := ps.Forge.Find(ctx, ps.Location.PushBranch, ps.Location.Branch)
	if err != nil || request == nil || request.State != forge.Open {
		return err
	}
	return ps.Forge.Close(ctx, request.Number)
}

// Marks of the part of a body that is written here.
const changesBegin, changesEnd = "<!-- changes of package installs -->", "<!-- end of changes -->"

// withChanges puts a part between the marks into a body, in the place of the one that is there.
func withChanges(body, part string) string {
	if before, rest, found := strings.Cut(body, changesBegin); found {
		_, after, _ := strings.Cut(rest, changesEnd)
		return before + part + after
	}
	if body = strings.TrimSpace(body); body != "" {
		body += "\n\n"
	}
	return body + part
}
