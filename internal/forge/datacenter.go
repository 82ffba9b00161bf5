package forge

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// datacenter is Bitbucket Data Center: https://developer.atlassian.com/server/bitbucket/rest/v905/api-group-pull-requests/
type datacenter struct {
	*client
	key, slug string // of the project and of the repository
}

// datacenterPage is how many entries are asked for; a server has page.max.pull-requests, 100 by default.
const datacenterPage = "100"

// branchRef is what Data Center and Azure DevOps have before the name of a branch.
const branchRef = "refs/heads/"

type datacenterPull struct {
	ID          int64            `json:"id"`
	Version     int              `json:"version"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	State       string           `json:"state"` // OPEN, DECLINED, MERGED
	Draft       bool             `json:"draft"` // since 8.18
	From        datacenterRef    `json:"fromRef"`
	To          datacenterRef    `json:"toRef"`
	Reviewers   []datacenterUser `json:"reviewers"`
	Links       struct {
		Self []struct {
			Href string `json:"href"`
		} `json:"self"`
	} `json:"links"`
	Properties struct {
		MergeCommit struct {
			ID string `json:"id"`
		} `json:"mergeCommit"`
	} `json:"properties"`
}

type (
	datacenterRef struct {
		ID         string `json:"id"`
		Commit     string `json:"latestCommit,omitempty"`
		Repository struct {
			Slug    string `json:"slug"`
			Project struct {
				Key string `json:"key"`
			} `json:"project"`
		} `json:"repository"`
	}
	datacenterUser struct {
		User struct {
			Name string `json:"name"`
		} `json:"user"`
	}
)

func newDataCenter(c *client, p place) *datacenter {
	// What changes something must not be taken for a form of a web page:
	// https://confluence.atlassian.com/kb/rest-api-calls-with-a-browser-user-agent-header-may-fail-csrf-checks-802591455.html
	c.header.Set("X-Atlassian-Token", "no-check")
	return &datacenter{client: c, key: p.owner, slug: p.name}
}

func (p datacenterPull) request() *Request {
	r := &Request{
		Number: p.ID, State: Open, Head: p.From.Commit, Base: strings.TrimPrefix(p.To.ID, branchRef), Source: strings.TrimPrefix(p.From.ID, branchRef),
		Title: p.Title, Body: p.Description, Draft: p.Draft,
	}
	if len(p.Links.Self) > 0 {
		r.URL = page(p.Links.Self[0].Href)
	}
	for _, reviewer := range p.Reviewers {
		r.Reviewers = append(r.Reviewers, reviewer.User.Name)
	}
	switch p.State {
	case "MERGED":
		r.State, r.MergeCommit = Merged, p.Properties.MergeCommit.ID
	case "DECLINED":
		r.State = Closed
	}
	return r
}

func (d *datacenter) pulls() string {
	return "/projects/" + url.PathEscape(d.key) + "/repos/" + url.PathEscape(d.slug) + "/pull-requests"
}

func (d *datacenter) pull(number int64) string {
	return d.pulls() + "/" + strconv.FormatInt(number, 10)
}

func (d *datacenter) get(ctx context.Context, path string, query url.Values, into any) error {
	return d.do(ctx, call{method: http.MethodGet, path: path, query: query, into: into})
}

// Find lists what there was from the branch, the newest first. There is at most one that is open for each base.
func (d *datacenter) Find(ctx context.Context, source, base string) (*Request, error) {
	query := url.Values{"at": {branchRef + source}, "direction": {"OUTGOING"}, "state": {"ALL"}, "order": {"NEWEST"}, "limit": {datacenterPage}}
	var page struct {
		Values []datacenterPull `json:"values"`
	}
	if err := d.get(ctx, d.pulls(), query, &page); err != nil {
		return nil, err
	}
	var found *datacenterPull
	for i, pull := range page.Values {
		from, to := pull.From.Repository, pull.To.Repository
		ours := from.Slug == to.Slug && from.Project.Key == to.Project.Key
		if ours && pull.From.ID == branchRef+source && pull.To.ID == branchRef+base && (found == nil || found.State != "OPEN" && pull.State == "OPEN") {
			found = &page.Values[i]
		}
	}
	if found == nil {
		return nil, nil
	}
	return d.whole(ctx, *found)
}

// Get returns a request.
func (d *datacenter) Get(ctx context.Context, number int64) (*Request, error) {
	pull, err := d.read(ctx, number)
	if err != nil {
		return nil, err
	}
	return d.whole(ctx, pull)
}

func (d *datacenter) read(ctx context.Context, number int64) (datacenterPull, error) {
	var pull datacenterPull
	err := d.get(ctx, d.pull(number), nil, &pull)
	return pull, err
}

// whole adds whether a request can be merged and whether that is scheduled, which have answers of their own.
func (d *datacenter) whole(ctx context.Context, pull datacenterPull) (*Request, error) {
	r := pull.request()
	if r.State != Open {
		return r, nil
	}
	var merge struct {
		Conflicted bool `json:"conflicted"`
		Vetoes     []struct {
			Summary string `json:"summaryMessage"`
		} `json:"vetoes"`
	}
	switch err := d.get(ctx, d.pull(r.Number)+"/merge", nil, &merge); {
	case refusedWith(err, http.StatusConflict):
		return d.Get(ctx, r.Number) // it is not open any more
	case err != nil:
		return nil, err
	}
	var reasons []string
	if r.Draft {
		reasons = append(reasons, "it is a draft")
	}
	if merge.Conflicted {
		reasons = append(reasons, "it has conflicts")
	}
	for _, veto := range merge.Vetoes {
		reasons = append(reasons, clean(veto.Summary))
	}
	r.Mergeable, r.Blocked = len(reasons) == 0, strings.Join(reasons, "; ")
	method, err := d.schedule(ctx, r.Number)
	r.AutoMerge = method != nil
	return r, err
}

// schedule is the strategy with which a request is to be merged by itself; nil: it is not. Servers before 8.15 do not know the path.
func (d *datacenter) schedule(ctx context.Context, number int64) (*string, error) {
	var request struct {
		Strategy string `json:"strategyId"`
	}
	err := d.get(ctx, d.pull(number)+"/auto-merge", nil, &request)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return &request.Strategy, err
}

// datacenterEdit is what a request is to say. An edit takes away what it does not name.
type datacenterEdit struct {
	Version     *int             `json:"version,omitempty"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Draft       bool             `json:"draft,omitempty"`
	Reviewers   []datacenterUser `json:"reviewers,omitempty"`
	From        *datacenterRef   `json:"fromRef,omitempty"`
	To          *datacenterRef   `json:"toRef,omitempty"`
}

func datacenterUsers(names []string) []datacenterUser {
	users := make([]datacenterUser, len(names))
	for i, name := range names {
		users[i].User.Name = name
	}
	return users
}

func (d *datacenter) ref(branch string) *datacenterRef {
	ref := &datacenterRef{ID: branchRef + branch}
	ref.Repository.Slug, ref.Repository.Project.Key = d.slug, d.key
	return ref
}

// Create opens the request with all that it is to say.
func (d *datacenter) Create(ctx context.Context, source, base string, content Content) (*Request, error) {
	create := datacenterEdit{
		Title: content.Title, Description: content.Body, Draft: content.Draft != nil && *content.Draft, Reviewers: datacenterUsers(content.Reviewers),
		From: d.ref(source), To: d.ref(base),
	}
	return d.settled(ctx, d, source, base, content, func() (*Request, error) {
		var pull datacenterPull
		err := d.do(ctx, call{method: http.MethodPost, path: d.pulls(), body: create, into: &pull})
		if refusedWith(err, http.StatusConflict) {
			// Among the reasons is that there is one.
			return nil, d.existing(ctx, d, source, base, err)
		}
		if err != nil {
			return nil, err
		}
		return d.whole(ctx, pull)
	})
}

// maxVersions is how often a change is made again that met another one.
const maxVersions = 4

// change makes a change of a version of a request, again if another one came before it.
func (d *datacenter) change(ctx context.Context, number int64, change func(datacenterPull) error) error {
	for try := 1; ; try++ {
		pull, err := d.read(ctx, number)
		if err != nil {
			return err
		}
		err = change(pull)
		if !refusedWith(err, http.StatusConflict) || try == maxVersions {
			return err
		}
		if now, again := d.read(ctx, number); again != nil || now.Version == pull.Version {
			return errors.Join(err, again) // it is refused for another reason
		}
	}
}

// Update changes what differs.
func (d *datacenter) Update(ctx context.Context, number int64, content Content) (*Request, error) {
	err := d.change(ctx, number, func(pull datacenterPull) error {
		now := pull.request()
		names := now.Reviewers
		lacking := missing(names, content.Reviewers)
		edit := datacenterEdit{
			Version: &pull.Version, Title: pull.Title, Description: pull.Description, Draft: pull.Draft,
			Reviewers: datacenterUsers(slices.Concat(names, lacking)),
		}
		if content.Title != "" {
			edit.Title = content.Title
		}
		if !sameText(content.Body, pull.Description) {
			edit.Description = content.Body
		}
		if content.Draft != nil {
			edit.Draft = *content.Draft
		}
		if now.State != Open || len(lacking) == 0 && edit.Title == pull.Title && edit.Description == pull.Description && edit.Draft == pull.Draft {
			return nil
		}
		return d.do(ctx, call{method: http.MethodPut, path: d.pull(number), body: struct {
			datacenterEdit
			Draft bool `json:"draft"` // false is said here
		}{edit, edit.Draft}})
	})
	if err != nil {
		return nil, err
	}
	return d.Get(ctx, number)
}

// Close declines a request that is open.
func (d *datacenter) Close(ctx context.Context, number int64) error {
	return d.change(ctx, number, func(pull datacenterPull) error {
		if pull.State != "OPEN" {
			return nil
		}
		return d.do(ctx, call{
			method: http.MethodPost, path: d.pull(number) + "/decline", query: url.Values{"version": {strconv.Itoa(pull.Version)}}, body: struct{}{},
		})
	})
}

// datacenterStrategies: https://confluence.atlassian.com/bitbucketserver/pull-request-merge-strategies-844499235.html
var datacenterStrategies = map[MergeMethod]string{Merge: "no-ff", Squash: "squash", Rebase: "rebase-ff-only"}

// AutoMerge merges what can be merged, and schedules the rest. The API leaves the source branch, also if it is to go.
func (d *datacenter) AutoMerge(ctx context.Context, number int64, how AutoMerge) error {
	get := func() (*Request, error) { return d.Get(ctx, number) }
	return d.scheduled(ctx, how, get, func(now *Request) (bool, error) {
		if now.AutoMerge {
			strategy, err := d.schedule(ctx, number)
			if err != nil || strategy != nil && (how.Method == "" || *strategy == datacenterStrategies[how.Method]) {
				return false, err
			}
			if err := d.cancel(ctx, number); err != nil {
				return false, err
			}
		}
		return false, d.change(ctx, number, func(pull datacenterPull) error {
			if how.Head != "" && pull.From.Commit != how.Head {
				return &RefusedError{Status: http.StatusPreconditionFailed, Text: "the source branch has moved to " + clean(pull.From.Commit)}
			}
			return d.do(ctx, call{
				method: http.MethodPost, path: d.pull(number) + "/merge", query: url.Values{"version": {strconv.Itoa(pull.Version)}},
				body: struct {
					Strategy  string `json:"strategyId,omitempty"`
					AutoMerge bool   `json:"autoMerge"`
				}{datacenterStrategies[how.Method], !now.Mergeable},
			})
		})
	})
}

// CancelAutoMerge takes the schedule back.
func (d *datacenter) CancelAutoMerge(ctx context.Context, number int64) error {
	now, err := d.Get(ctx, number)
	if err != nil || !now.AutoMerge {
		return err
	}
	return d.cancel(ctx, number)
}

func (d *datacenter) cancel(ctx context.Context, number int64) error {
	err := d.do(ctx, call{method: http.MethodDelete, path: d.pull(number) + "/auto-merge", again: true})
	if refusedWith(err, http.StatusConflict) {
		if now, again := d.read(ctx, number); again != nil || now.State == "OPEN" {
			return errors.Join(err, again)
		}
		return nil // it is merged or declined
	}
	return err
}
