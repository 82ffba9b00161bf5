package forge

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Mutations of GraphQL: REST has none for these. https://docs.github.com/en/graphql/reference/mutations
const (
	githubEnable = `mutation($pullRequestId: ID!, $mergeMethod: PullRequestMergeMethod!, $expectedHeadOid: GitObjectID) {` +
		` enablePullRequestAutoMerge(input: {pullRequestId: $pullRequestId, mergeMethod: $mergeMethod, expectedHeadOid: $expectedHeadOid}) { clientMutationId } }`
	githubDisable = `mutation($pullRequestId: ID!) { disablePullRequestAutoMerge(input: {pullRequestId: $pullRequestId}) { clientMutationId } }`
	githubReady   = `mutation($pullRequestId: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $pullRequestId}) { clientMutationId } }`
	githubDraft   = `mutation($pullRequestId: ID!) { convertPullRequestToDraft(input: {pullRequestId: $pullRequestId}) { clientMutationId } }`
)

// mutate asks GraphQL for a change, which answers with 200 and its refusal in the body.
func (g *github) mutate(ctx context.Context, query string, variables map[string]any) error {
	var answer struct {
		Errors []struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	body := struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}{query, variables}
	// All of these say what is to be, so that twice is as good as once.
	if err := g.do(ctx, call{method: http.MethodPost, base: g.graph, body: body, into: &answer, again: true}); err != nil {
		return err
	}
	if len(answer.Errors) == 0 {
		return nil
	}
	kinds, texts := make([]string, 0, len(answer.Errors)), make([]string, 0, len(answer.Errors))
	for _, e := range answer.Errors {
		kinds, texts = append(kinds, e.Type), append(texts, e.Message)
	}
	text := clean(strings.Join(texts, "; "))
	switch {
	case slices.Contains(kinds, "FORBIDDEN"), slices.Contains(kinds, "INSUFFICIENT_SCOPES"):
		return &DeniedError{Status: http.StatusForbidden, Text: text}
	case slices.Contains(kinds, "NOT_FOUND"):
		return &missingError{text}
	case slices.Contains(kinds, "RATE_LIMITED"):
		return &BusyError{Err: &RefusedError{Status: http.StatusTooManyRequests, Text: text}, harmless: true}
	}
	return &RefusedError{Status: http.StatusUnprocessableEntity, Text: text}
}

func (g *github) setDraft(ctx context.Context, node string, draft bool) error {
	query := githubReady
	if draft {
		query = githubDraft
	}
	return g.mutate(ctx, query, map[string]any{"pullRequestId": node})
}

// AutoMerge merges what can be merged, for which GitHub takes no schedule, and schedules the rest. That the source branch goes with
// a scheduled merge is the setting "Automatically delete head branches" of the repository.
func (g *github) AutoMerge(ctx context.Context, number int64, how AutoMerge) error {
	var pull githubPull
	get := func() (*Request, error) {
		var err error
		pull, err = g.read(ctx, number)
		return pull.request(), err
	}
	return g.scheduled(ctx, how, get, func(now *Request) (bool, error) {
		if pull.AutoMerge != nil && (how.Method == "" || pull.AutoMerge.Method == how.Method) {
			return false, nil
		}
		method, err := g.method(ctx, how.Method)
		if err != nil {
			return false, err
		}
		if now.Mergeable {
			return false, g.merge(ctx, now, how, method)
		}
		if pull.AutoMerge != nil {
			if err := g.mutate(ctx, githubDisable, map[string]any{"pullRequestId": pull.Node}); err != nil {
				return false, err
			}
		}
		variables := map[string]any{"pullRequestId": pull.Node, "mergeMethod": strings.ToUpper(string(method))}
		if how.Head != "" {
			variables["expectedHeadOid"] = how.Head
		}
		err = g.mutate(ctx, githubEnable, variables)
		return pull.Mergeable == "unknown" || pull.Mergeable == "", err
	})
}

// merge merges at once: https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request
func (g *github) merge(ctx context.Context, now *Request, how AutoMerge, method MergeMethod) error {
	err := g.do(ctx, call{
		method: http.MethodPut, path: g.pull(now.Number) + "/merge",
		body: struct {
			SHA    string      `json:"sha,omitempty"`
			Method MergeMethod `json:"merge_method"`
		}{how.Head, method},
	})
	if err != nil || !how.DeleteBranch {
		return err
	}
	err = g.do(ctx, call{method: http.MethodDelete, path: g.repository() + "/git/refs/heads/" + escapePath(now.Source), again: true})
	if errors.Is(err, ErrNotFound) || refusedWith(err, http.StatusUnprocessableEntity) {
		return nil // the repository is set to delete it by itself
	}
	return err
}

// escapePath keeps the slashes of a branch.
func escapePath(name string) string {
	return strings.ReplaceAll(url.PathEscape(name), "%2F", "/")
}

// method is one that the repository allows, where none is asked for: GitHub has no default of its own.
func (g *github) method(ctx context.Context, asked MergeMethod) (MergeMethod, error) {
	if asked != "" {
		return asked, nil
	}
	var allows struct {
		Merge  *bool `json:"allow_merge_commit"` // null: these credentials may not see it
		Squash *bool `json:"allow_squash_merge"`
		Rebase *bool `json:"allow_rebase_merge"`
	}
	if err := g.get(ctx, g.repository(), nil, &allows); err != nil {
		return "", err
	}
	yes := func(allowed *bool) bool { return allowed != nil && *allowed }
	switch {
	case yes(allows.Merge):
		return Merge, nil
	case yes(allows.Squash):
		return Squash, nil
	case yes(allows.Rebase):
		return Rebase, nil
	}
	return Merge, nil
}

// CancelAutoMerge takes the schedule back.
func (g *github) CancelAutoMerge(ctx context.Context, number int64) error {
	pull, err := g.read(ctx, number)
	if err != nil || pull.AutoMerge == nil {
		return err
	}
	return g.mutate(ctx, githubDisable, map[string]any{"pullRequestId": pull.Node})
}
