package forge

import (
	"context"
	"errors"
	"net/http"
)

// AutoMerge schedules the merge. Gitea has one schedule for a request, which is taken back if it is another one. It does not hold
// for a commit: what is pushed to the source later is merged too.
func (g *gitea) AutoMerge(ctx context.Context, number int64, how AutoMerge) error {
	return g.scheduled(ctx, g, number, how, func(*Request) error {
		method := how.Method
		if method == "" {
			var repository struct {
				Style MergeMethod `json:"default_merge_style"`
			}
			if err := g.get(ctx, g.repository(), nil, &repository); err != nil {
				return err
			}
			if method = repository.Style; method == "" {
				method = Merge
			}
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
		err := g.do(ctx, merge)
		if refused := new(RefusedError); !errors.As(err, &refused) || refused.Status != http.StatusConflict {
			return err
		}
		// It is scheduled already, or cannot be merged.
		if canceled, cancelErr := g.cancel(ctx, number); cancelErr != nil || !canceled {
			return errors.Join(err, cancelErr)
		}
		return g.do(ctx, merge)
	})
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
