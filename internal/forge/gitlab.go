package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// gitlab is gitlab.com and GitLab of one's own: https://docs.gitlab.com/api/merge_requests/
type gitlab struct {
	*client
	project string // with all groups
}

// gitlabPage is the most that a list gives: https://docs.gitlab.com/api/rest/#pagination
const gitlabPage = "100"

// gitlabDrafts: https://docs.gitlab.com/user/project/merge_requests/drafts/
var gitlabDrafts = drafts{"Draft:", "[Draft]", "(Draft)", "WIP:", "[WIP]"}

type gitlabMerge struct {
	IID           int64        `json:"iid"`
	URL           string       `json:"web_url"`
	State         string       `json:"state"` // opened, closed, locked while it is being merged, merged
	SHA           string       `json:"sha"`
	Source        string       `json:"source_branch"`
	Target        string       `json:"target_branch"`
	SourceProject int64        `json:"source_project_id"`
	TargetProject int64        `json:"target_project_id"`
	Title         string       `json:"title"`
	Description   string       `json:"description"`
	Draft         bool         `json:"draft"`
	Labels        []string     `json:"labels"`
	Reviewers     []gitlabUser `json:"reviewers"`
	AutoMerge     bool         `json:"merge_when_pipeline_succeeds"` // of any schedule, whatever it waits for
	Squash        bool         `json:"squash"`
	Status        string       `json:"detailed_merge_status"` // since GitLab 15.6
	OldStatus     string       `json:"merge_status"`
	MergeCommit   string       `json:"merge_commit_sha"`
	SquashCommit  string       `json:"squash_commit_sha"`
	Pipeline      *struct {
		Status string `json:"status"`
	} `json:"head_pipeline"` // not in lists
}

type gitlabUser struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

func (m gitlabMerge) request() *Request {
	r := &Request{Number: m.IID, URL: page(m.URL), State: Open, Head: m.SHA, Base: m.Target, Source: m.Source, Body: m.Description, Labels: m.Labels}
	r.Title, r.Draft = gitlabDrafts.cut(m.Title)
	r.Draft = r.Draft || m.Draft
	for _, user := range m.Reviewers {
		r.Reviewers = append(r.Reviewers, user.Username)
	}
	switch m.State {
	case "merged":
		// A merge by fast-forward has no commit of its own.
		r.State, r.MergeCommit = Merged, m.MergeCommit
		if r.MergeCommit == "" {
			r.MergeCommit = m.SquashCommit
		}
		if r.MergeCommit == "" {
			r.MergeCommit = m.SHA
		}
		return r
	case "closed":
		r.State = Closed
		return r
	}
	r.AutoMerge = m.AutoMerge
	field, status := "detailed_merge_status", m.Status
	if status == "" {
		field, status = "merge_status", m.OldStatus
	}
	if r.Mergeable = !r.Draft && (status == "mergeable" || status == "can_be_merged"); !r.Mergeable {
		r.Blocked = reason(field, status)
		if r.Draft {
			r.Blocked = "it is a draft"
		}
	}
	return r
}

// looking: GitLab has not worked out yet whether it can be merged.
func (m gitlabMerge) looking() bool {
	switch m.Status {
	case "unchecked", "checking", "preparing", "approvals_syncing":
		return true
	}
	return m.Status == "" && m.OldStatus != "can_be_merged" && m.OldStatus != "cannot_be_merged"
}

// running: a pipeline has not ended yet: https://docs.gitlab.com/api/pipelines/#list-project-pipelines
func (m gitlabMerge) running() bool {
	if m.Pipeline == nil {
		return false
	}
	switch m.Pipeline.Status {
	case "created", "waiting_for_resource", "preparing", "pending", "running":
		return true
	}
	return false
}

func (g *gitlab) merges() string { return "/projects/" + url.PathEscape(g.project) + "/merge_requests" }

func (g *gitlab) merge(number int64) string {
	return g.merges() + "/" + strconv.FormatInt(number, 10)
}

func (g *gitlab) get(ctx context.Context, path string, query url.Values, into any) error {
	return g.do(ctx, call{method: http.MethodGet, path: path, query: query, into: into})
}

// Find lists what there was between the branches, the newest first. There is at most one that is open, besides those of forks.
func (g *gitlab) Find(ctx context.Context, source, base string) (*Request, error) {
	var all []gitlabMerge
	query := url.Values{
		"source_branch": {source}, "target_branch": {base}, "state": {"all"}, "order_by": {"created_at"}, "sort": {"desc"}, "per_page": {gitlabPage},
	}
	if err := g.get(ctx, g.merges(), query, &all); err != nil {
		return nil, err
	}
	var found *Request
	for _, merge := range all {
		if merge.Source != source || merge.Target != base || merge.SourceProject != merge.TargetProject {
			continue
		}
		if r := merge.request(); found == nil || found.State != Open && r.State == Open {
			found = r
		}
	}
	if found == nil || found.State != Open {
		return found, nil
	}
	return g.Get(ctx, found.Number) // a list does not look again whether it can be merged
}

// Get returns a request.
func (g *gitlab) Get(ctx context.Context, number int64) (*Request, error) {
	merge, err := g.read(ctx, number)
	if err != nil {
		return nil, err
	}
	return merge.request(), nil
}

func (g *gitlab) read(ctx context.Context, number int64) (gitlabMerge, error) {
	var merge gitlabMerge
	err := g.get(ctx, g.merge(number), nil, &merge)
	return merge, err
}

// gitlabEdit is what a request is to say; what is empty is left.
type gitlabEdit struct {
	Source      string  `json:"source_branch,omitempty"`
	Target      string  `json:"target_branch,omitempty"`
	Title       string  `json:"title,omitempty"`
	Description *string `json:"description,omitempty"`
	Labels      string  `json:"labels,omitempty"`     // all, when a request is opened
	AddLabels   string  `json:"add_labels,omitempty"` // separated by commas
	Reviewers   []int64 `json:"reviewer_ids,omitempty"`
	State       string  `json:"state_event,omitempty"`
	Squash      *bool   `json:"squash,omitempty"`
}

// Create opens the request with all that it is to say. There may be a request as well as an error.
func (g *gitlab) Create(ctx context.Context, source, base string, content Content) (*Request, error) {
	reviewers, err := g.userIDs(ctx, content.Reviewers)
	if err != nil {
		return nil, err
	}
	create := gitlabEdit{
		Source: source, Target: base, Title: gitlabDrafts.title(content, &Request{}), Description: &content.Body,
		Labels: strings.Join(content.Labels, ","), Reviewers: reviewers,
	}
	made, err := g.settled(ctx, g, source, base, content, func() (*Request, error) {
		var merge gitlabMerge
		err := g.do(ctx, call{method: http.MethodPost, path: g.merges(), body: create, into: &merge})
		if refusedWith(err, http.StatusConflict) {
			return nil, g.existing(ctx, g, source, base, err)
		}
		return merge.request(), err
	})
	if err != nil {
		return nil, err
	}
	return made, lacksReviewers(made, content)
}

// Update changes what differs, in one request.
func (g *gitlab) Update(ctx context.Context, number int64, content Content) (*Request, error) {
	merge, err := g.read(ctx, number)
	if err != nil {
		return nil, err
	}
	now := merge.request()
	var edit gitlabEdit
	if gitlabDrafts.differ(content, now) {
		edit.Title = gitlabDrafts.title(content, now)
	}
	if !sameText(content.Body, now.Body) {
		edit.Description = &content.Body
	}
	edit.AddLabels = strings.Join(missing(now.Labels, content.Labels), ",")
	// Who has reviewed stays a reviewer.
	lacking := missing(now.Reviewers, content.Reviewers)
	if len(lacking) > 0 {
		if edit.Reviewers, err = g.userIDs(ctx, lacking); err != nil {
			return nil, err
		}
		for _, user := range merge.Reviewers {
			edit.Reviewers = append(edit.Reviewers, user.ID)
		}
		slices.Sort(edit.Reviewers)
	}
	if edit.Title == "" && edit.Description == nil && edit.AddLabels == "" && edit.Reviewers == nil {
		return now, nil
	}
	var after gitlabMerge
	if err := g.do(ctx, call{method: http.MethodPut, path: g.merge(number), body: edit, into: &after, again: true}); err != nil {
		return nil, err
	}
	return after.request(), lacksReviewers(after.request(), content)
}

// lacksReviewers: without a subscription, GitLab takes one reviewer and says nothing of the others:
// https://docs.gitlab.com/user/project/merge_requests/reviews/
func lacksReviewers(r *Request, content Content) error {
	if lacking := missing(r.Reviewers, content.Reviewers); len(lacking) > 0 {
		return &RefusedError{Status: http.StatusOK, Text: fmt.Sprintf("of the reviewers %s are not asked; without a subscription GitLab takes one",
			strings.Join(lacking, ", "))}
	}
	return nil
}

// userIDs looks users up: https://docs.gitlab.com/api/users/#list-users
func (g *gitlab) userIDs(ctx context.Context, names []string) ([]int64, error) {
	var ids []int64
	for _, name := range names {
		var users []gitlabUser
		if err := g.get(ctx, "/users", url.Values{"username": {name}}, &users); err != nil {
			return nil, err
		}
		if len(users) != 1 {
			return nil, &RefusedError{Status: http.StatusNotFound, Text: fmt.Sprintf("there is no user %q", name)}
		}
		ids = append(ids, users[0].ID)
	}
	return ids, nil
}

// Close closes a request that is open.
func (g *gitlab) Close(ctx context.Context, number int64) error {
	merge, err := g.read(ctx, number)
	if err != nil || merge.request().State != Open {
		return err
	}
	err = g.do(ctx, call{method: http.MethodPut, path: g.merge(number), body: gitlabEdit{State: "close"}, again: true})
	if err != nil {
		if now, again := g.read(ctx, number); again == nil && now.request().State != Open {
			return nil // it was merged meanwhile
		}
	}
	return err
}

// AutoMerge merges what can be merged, and schedules the rest. It waits for a pipeline that runs, also where none is required, as
// GitLab's own button does. The method of a merge, other than whether commits are squashed, is a setting of the
// project. https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request
func (g *gitlab) AutoMerge(ctx context.Context, number int64, how AutoMerge) error {
	var merge gitlabMerge
	get := func() (*Request, error) {
		var err error
		merge, err = g.read(ctx, number)
		return merge.request(), err
	}
	return g.scheduled(ctx, how, get, func(now *Request) (bool, error) {
		squash := merge.Squash
		if how.Method != "" {
			squash = how.Method == Squash
		}
		if now.AutoMerge {
			if squash == merge.Squash {
				return false, nil
			}
			if err := g.cancel(ctx, number); err != nil {
				return false, err
			}
		}
		if merge.Squash && !squash { // the merge itself does not take that back
			if err := g.do(ctx, call{method: http.MethodPut, path: g.merge(number), body: gitlabEdit{Squash: &squash}, again: true}); err != nil {
				return false, err
			}
		}
		later := !now.Mergeable || merge.running()
		body := struct {
			SHA       string `json:"sha,omitempty"`
			Squash    bool   `json:"squash"`
			Remove    bool   `json:"should_remove_source_branch"`
			AutoMerge bool   `json:"auto_merge,omitempty"`
			Old       bool   `json:"merge_when_pipeline_succeeds,omitempty"` // before GitLab 17.11
		}{how.Head, squash, how.DeleteBranch, later, later}
		err := g.do(ctx, call{method: http.MethodPut, path: g.merge(number) + "/merge", body: body})
		refused := refusedWith(err, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusUnprocessableEntity)
		return refused && (merge.looking() || merge.running()), err
	})
}

// CancelAutoMerge takes the schedule back.
func (g *gitlab) CancelAutoMerge(ctx context.Context, number int64) error {
	merge, err := g.read(ctx, number)
	if err != nil || !merge.request().AutoMerge {
		return err
	}
	return g.cancel(ctx, number)
}

func (g *gitlab) cancel(ctx context.Context, number int64) error {
	err := g.do(ctx, call{method: http.MethodPost, path: g.merge(number) + "/cancel_merge_when_pipeline_succeeds", again: true})
	if refusedWith(err, http.StatusMethodNotAllowed, http.StatusNotAcceptable) {
		if now, again := g.read(ctx, number); again != nil || now.request().AutoMerge {
			return errors.Join(err, again)
		}
		return nil // it is merged or closed, or nothing is scheduled any more
	}
	return err
}
