package forge

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// AutoMerge schedules the merge. Gitea has one schedule for a request, which is taken back if it is another one. It does not hold
// for a commit: what is pushed to the source later is merged too.
func (g *gitea) AutoMerge(ctx context.Context, number int64, how AutoMerge) error {
	get := func() (*Request, error) { return g.Get(ctx, number) }
	return g.scheduled(ctx, how, get, func(now *Request) (bool, error) {
		method, err := g.method(ctx, how.Method)
		if err != nil {
			return false, err
		}
		merge := call{
			method: http.MethodPost, path: g.pull(number) + "/merge",
			body: struct {
				Do     MergeMethod `json:"Do"`
				Head   string      `json:"head_commit_id,omitempty"`
				Checks bool        `json:"merge_when_checks_succeed"`
				Delete bool        `json:"delete_branch_after_merge"`
			}{method, how.Head, true, how.DeleteBranch},
		}
		err = g.do(ctx, merge)
		if refusedWith(err, http.StatusConflict) {
			// It is scheduled already, or cannot be merged.
			canceled, cancelErr := g.cancel(ctx, number)
			if cancelErr != nil || !canceled {
				return false, errors.Join(err, cancelErr)
			}
			err = g.do(ctx, merge)
		}
		// It may be checked again since it was read, and the answer that says so has no other mark than its text.
		var refused *RefusedError
		later := errors.As(err, &refused) && strings.Contains(refused.Text, "try again later")
		return refusedWith(err, http.StatusMethodNotAllowed) && !now.Draft && (!now.Mergeable || later), err
	})
}

// method is that of the repository where none is asked for: Gitea has to be told one.
func (g *gitea) method(ctx context.Context, asked MergeMethod) (MergeMethod, error) {
	if asked != "" {
		return asked, nil
	}
	var repository struct {
		Style MergeMethod `json:"default_merge_style"`
	}
	if err := g.get(ctx, g.repository(), nil, &repository); err != nil || repository.Style == "" {
		return Merge, err
	}
	return repository.Style, nil
}

// CancelAutoMerge takes the schedule back.
func (g *gitea) CancelAutoMerge(ctx context.Context, number int64) error {
	canceled, err := g.cancel(ctx, number)
	if err == nil && !canceled {
		return g.get(ctx, g.pull(number), nil, nil) // there is no schedule, or no request
	}
	return err
}

// cancel reports whether there was a schedule.
func (g *gitea) cancel(ctx context.Context, number int64) (bool, error) {
	err := g.do(ctx, call{method: http.MethodDelete, path: g.pull(number) + "/merge", again: true})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
