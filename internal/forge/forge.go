// Package forge asks the hosts of Git repositories for what Git itself does not have: pull requests, which some of them call merge
// requests. Each host is a Forge; what one lacks is an *UnsupportedError, told by Check before anything is done.
//
// The clients are plain HTTP. What is hard about six APIs is alike in all of them, and none of their libraries has it: what may be
// asked again and how long a forge wants to be left alone, that a lost answer opens no second request, that credentials stay on their
// host, that no answer is longer than what is needed of it, and that the words of a server are fit to be shown. client does that once,
// in place of in six libraries' own ways, and what is left for a kind is a dozen paths and the fields that are read.
//
// Labels and reviewers are added where they are missing and never taken away: people, rules and other programs add theirs, and
// a request does not tell whose they are. Who has reviewed is not asked again.
package forge

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind is the software or the service behind an API.
type Kind string

// The kinds. Forgejo is a Gitea.
const (
	Gitea       Kind = "gitea"
	GitHub      Kind = "github" // and GitHub Enterprise
	GitLab      Kind = "gitlab"
	Bitbucket   Kind = "bitbucket"             // Bitbucket Cloud
	DataCenter  Kind = "bitbucket_data_center" // Bitbucket Data Center
	AzureDevOps Kind = "azure_devops"
)

// State of a request.
type State string

// The states. A request is merged when its forge says so, whatever has become of its commits.
const (
	Open   State = "open"
	Merged State = "merged"
	Closed State = "closed" // without a merge
)

// Request is a pull request as its forge has it.
type Request struct {
	Number int64
	URL    string // of its page
	State  State
	// Head is the commit that it asks to merge, Base and Source the branches, without refs/heads/.
	Head, Base, Source string
	Title, Body        string
	Draft              bool
	Labels             []string
	Reviewers          []string // who are asked, as far as the forge tells
	AutoMerge          bool     // it is merged by itself once that is allowed
	// Mergeable: nothing keeps it from being merged now, as far as the forge tells. Blocked says what does, in the forge's words.
	Mergeable bool
	Blocked   string
	// MergeCommit is the commit on the base with which it was merged; empty: it is not merged, or the forge does not tell.
	MergeCommit string
}

// Content is what a request is to say. What is nil is left to the forge and to people.
type Content struct {
	Title, Body string
	Labels      []string
	Reviewers   []string // logins; with a forge that has teams, "team:NAME" for one
	Draft       *bool
}

// MergeMethod is how a request gets onto its base.
type MergeMethod string

// The methods. The empty one is the forge's own choice.
const (
	Merge  MergeMethod = "merge"
	Squash MergeMethod = "squash"
	Rebase MergeMethod = "rebase"
)

// AutoMerge asks a forge to merge a request by itself once that is allowed.
type AutoMerge struct {
	Method       MergeMethod
	DeleteBranch bool   // the source branch goes with the merge; GitHub leaves it after a scheduled one, Bitbucket Data Center after any
	Head         string // the commit that is asked to be merged: another one is not
}

// Forge has the requests of one repository. Its methods may be called from many goroutines.
type Forge interface {
	// Check is an *UnsupportedError that names what the forge lacks of this. There is no network access.
	Check(content Content, auto *AutoMerge) error
	// BodyLimit is how many bytes of a body the forge is sure to take. There is no network access.
	BodyLimit() int
	// Find returns the open request from source to base, else the newest of those that are closed or merged; nil: there was none.
	Find(ctx context.Context, source, base string) (*Request, error)
	// Get returns a request by its number. ErrNotFound.
	Get(ctx context.Context, number int64) (*Request, error)
	// Create opens a request. *ExistsError: there is an open one from source to base. Where an answer is lost, the forge is asked for what
	// has become of it, so that there is one request and not two. What is said after it is open may fail: then there is a request as well as
	// an error.
	Create(ctx context.Context, source, base string, content Content) (*Request, error)
	// Update changes what a request says, where that differs. Labels and reviewers that are missing are added, and none are taken away. An
	// empty title is left as it is.
	Update(ctx context.Context, number int64, content Content) (*Request, error)
	// Close closes a request without a merge. One that is closed or merged stays so.
	Close(ctx context.Context, number int64) error
	// AutoMerge schedules the merge, or merges at once if nothing keeps it. To ask again changes the method, where that can be.
	AutoMerge(ctx context.Context, number int64, how AutoMerge) error
	// CancelAutoMerge takes the schedule back. A request that has none stays so.
	CancelAutoMerge(ctx context.Context, number int64) error
}

// ErrNotFound: the forge knows no such request or repository, or hides it from these credentials.
var ErrNotFound = errors.New("not found")

// DeniedError: the forge refuses the credentials (401), or the right to do this (403).
type DeniedError struct {
	Status int
	Text   string // what the forge says
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("the forge refuses this (%d): %s", e.Status, e.Text)
}

// ExistsError: there is such a request already.
type ExistsError struct{ Number int64 } // 0: the forge does not tell which

func (e *ExistsError) Error() string { return "there is an open request for this branch" }

// UnsupportedError: this kind of forge has no such thing.
type UnsupportedError struct {
	Kind Kind
	What string // for example "auto_merge"
}

func (e *UnsupportedError) Error() string { return fmt.Sprintf("%s has no %s", e.Kind, e.What) }

// BusyError: the forge wants fewer requests, or cannot answer now. It may pass.
type BusyError struct {
	After time.Duration // how long to wait at least; 0: not told
	Err   error

	harmless bool // nothing was done: even a change may be asked for again
	gateway  bool // it may be another server than the forge that says so
}

func (e *BusyError) Error() string { return e.Err.Error() }
func (e *BusyError) Unwrap() error { return e.Err }

// RefusedError: the forge does not do this as things are, for example since the branch has nothing to merge.
type RefusedError struct {
	Status int
	Text   string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the forge does not do this (%d): %s", e.Status, e.Text)
}

// RedirectError: the forge sends the client elsewhere, where it does not go with its credentials. Nothing was sent there.
type RedirectError struct {
	From, To string // URLs, without queries
	Status   int

	renamed bool // it is the same server, and a change would become a read
}

func (e *RedirectError) Error() string {
	if e.renamed {
		return fmt.Sprintf("%s redirects (%d) to %s, and a change is not sent after it. If the repository has another name now, set git.url to that",
			e.From, e.Status, e.To)
	}
	return fmt.Sprintf("%s redirects (%d) to %s, and credentials and changes go to the configured API alone. "+
		"If the repository or its forge has moved there, set git.url and git.forge.api_url to that place", e.From, e.Status, e.To)
}

// AnswerError: what answers is not this kind of forge.
type AnswerError struct {
	Kind Kind
	Text string // the beginning of what it says
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the answer is not that of a %s API; check git.forge.kind and git.forge.api_url: %s", e.Kind, e.Text)
}
