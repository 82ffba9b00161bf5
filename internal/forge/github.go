package forge

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// github is github.com, GitHub Enterprise Cloud and GitHub Enterprise Server: https://docs.github.com/en/rest/pulls/pulls
type github struct {
	*client
	owner, name string
	graph       *url.URL // of GraphQL
}

// githubVersion of the REST API: https://docs.github.com/en/rest/about-the-rest-api/api-versions
const githubVersion = "2022-11-28"

// githubPage is the most that a list gives.
const githubPage = "100"

type githubPull struct {
	Number      int64          `json:"number"`
	Node        string         `json:"node_id"`
	URL         string         `json:"html_url"`
	State       string         `json:"state"`
	Merged      bool           `json:"merged"`    // not in lists
	MergedAt    *string        `json:"merged_at"` // everywhere
	MergeCommit string         `json:"merge_commit_sha"`
	Mergeable   string         `json:"mergeable_state"`
	Title       string         `json:"title"`
	Body        string         `json:"body"`
	Draft       bool           `json:"draft"`
	Labels      []githubLabel  `json:"labels"`
	Reviewers   []githubUser   `json:"requested_reviewers"`
	Teams       []githubTeam   `json:"requested_teams"`
	AutoMerge   *githubAuto    `json:"auto_merge"`
	Head        githubEndpoint `json:"head"`
	Base        githubEndpoint `json:"base"`
}

type (
	githubLabel struct {
		Name string `json:"name"`
	}
	githubUser struct {
		Login string `json:"login"`
	}
	githubTeam struct {
		Slug string `json:"slug"`
	}
	githubAuto struct {
		Method MergeMethod `json:"merge_method"`
	}
	githubEndpoint struct {
		Ref        string `json:"ref"`
		SHA        string `json:"sha"`
		Repository *struct {
			ID int64 `json:"id"`
		} `json:"repo"` // null: a fork that is gone
	}
)

// newGitHub knows where GraphQL is: https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql
func newGitHub(c *client, p place) *github {
	c.header.Set("Accept", "application/vnd.github+json")
	c.header.Set("X-GitHub-Api-Version", githubVersion)
	graph := *c.api
	if graph.Path != "" {
		graph.Path = "/api"
	}
	graph.Path += "/graphql"
	return &github{client: c, owner: p.owner, name: p.name, graph: &graph}
}

func (p githubPull) request() *Request {
	r := &Request{
		Number: p.Number, URL: page(p.URL), State: Open, Head: p.Head.SHA, Base: p.Base.Ref, Source: p.Head.Ref,
		Title: p.Title, Body: p.Body, Draft: p.Draft,
	}
	for _, label := range p.Labels {
		r.Labels = append(r.Labels, label.Name)
	}
	for _, user := range p.Reviewers {
		r.Reviewers = append(r.Reviewers, user.Login)
	}
	for _, team := range p.Teams {
		r.Reviewers = append(r.Reviewers, teamPrefix+team.Slug)
	}
	switch {
	case p.Merged || p.MergedAt != nil:
		r.State, r.MergeCommit = Merged, p.MergeCommit
		return r
	case p.State == "closed":
		r.State = Closed
		return r
	}
	r.AutoMerge = p.AutoMerge != nil
	// https://docs.github.com/en/graphql/reference/enums#mergestatestatus: unstable is mergeable, with checks that are not required.
	switch p.Mergeable {
	case "clean", "has_hooks", "unstable":
		r.Mergeable = !p.Draft
	}
	if !r.Mergeable && p.Mergeable != "" {
		r.Blocked = reason("mergeable_state", p.Mergeable)
	}
	return r
}

func (p githubPull) ofFork() bool {
	return p.Head.Repository == nil || p.Base.Repository == nil || p.Head.Repository.ID != p.Base.Repository.ID
}

func (g *github) repository() string {
	return "/repos/" + url.PathEscape(g.owner) + "/" + url.PathEscape(g.name)
}

func (g *github) pull(number int64) string {
	return g.repository() + "/pulls/" + strconv.FormatInt(number, 10)
}

func (g *github) get(ctx context.Context, path string, query url.Values, into any) error {
	return g.do(ctx, call{method: http.MethodGet, path: path, query: query, into: into})
}

// Find lists what there was between the branches, the newest first. There is at most one that is open.
func (g *github) Find(ctx context.Context, source, base string) (*Request, error) {
	var pulls []githubPull
	query := url.Values{
		"head": {g.owner + ":" + source}, "base": {base}, "state": {"all"}, "sort": {"created"}, "direction": {"desc"}, "per_page": {githubPage},
	}
	if err := g.get(ctx, g.repository()+"/pulls", query, &pulls); err != nil {
		return nil, err
	}
	var found *githubPull
	for i, pull := range pulls {
		if pull.Head.Ref == source && pull.Base.Ref == base && !pull.ofFork() && (found == nil || found.State != "open" && pull.State == "open") {
			found = &pulls[i]
		}
	}
	switch {
	case found == nil:
		return nil, nil
	case found.State != "open":
		return found.request(), nil
	}
	return g.Get(ctx, found.Number) // a list does not tell whether it can be merged
}

// Get returns a request.
func (g *github) Get(ctx context.Context, number int64) (*Request, error) {
	pull, err := g.read(ctx, number)
	if err != nil {
		return nil, err
	}
	return pull.request(), nil
}

func (g *github) read(ctx context.Context, number int64) (githubPull, error) {
	var pull githubPull
	err := g.get(ctx, g.pull(number), nil, &pull)
	return pull, err
}

// Create opens the request, and then says what goes beyond title and body. If that fails there is a request as well as an error.
func (g *github) Create(ctx context.Context, source, base string, content Content) (*Request, error) {
	create := struct {
		Head  string `json:"head"`
		Base  string `json:"base"`
		Title string `json:"title"`
		Body  string `json:"body"`
		Draft bool   `json:"draft"`
	}{source, base, content.Title, content.Body, content.Draft != nil && *content.Draft}
	made, err := g.settled(ctx, g, source, base, content, func() (*Request, error) {
		var pull githubPull
		err := g.do(ctx, call{method: http.MethodPost, path: g.repository() + "/pulls", body: create, into: &pull})
		if refusedWith(err, http.StatusUnprocessableEntity) {
			// Among the reasons is that there is one, which no code tells.
			return nil, g.existing(ctx, g, source, base, err)
		}
		return pull.request(), err
	})
	if err != nil || len(content.Labels)+len(content.Reviewers) == 0 {
		return made, err
	}
	if err := g.add(ctx, made, content); err != nil {
		return made, err
	}
	return g.Get(ctx, made.Number)
}

// Update changes what differs.
func (g *github) Update(ctx context.Context, number int64, content Content) (*Request, error) {
	pull, err := g.read(ctx, number)
	if err != nil {
		return nil, err
	}
	now := pull.request()
	var edit struct {
		Title string  `json:"title,omitempty"`
		Body  *string `json:"body,omitempty"`
	}
	if content.Title != now.Title {
		edit.Title = content.Title
	}
	if !sameText(content.Body, now.Body) {
		edit.Body = &content.Body
	}
	if edit.Title != "" || edit.Body != nil {
		if err := g.do(ctx, call{method: http.MethodPatch, path: g.pull(number), body: edit, again: true}); err != nil {
			return nil, err
		}
	}
	if err := g.add(ctx, now, content); err != nil {
		return nil, err
	}
	if content.Draft != nil && *content.Draft != now.Draft && now.State == Open {
		if err := g.setDraft(ctx, pull.Node, *content.Draft); err != nil {
			return nil, err
		}
	}
	return g.Get(ctx, number)
}

// add adds the labels and asks the reviewers that are missing.
func (g *github) add(ctx context.Context, now *Request, content Content) error {
	if lacking := missing(now.Labels, content.Labels); len(lacking) > 0 {
		err := g.do(ctx, call{
			method: http.MethodPost, path: g.repository() + "/issues/" + strconv.FormatInt(now.Number, 10) + "/labels", again: true,
			body: struct {
				Labels []string `json:"labels"`
			}{lacking},
		})
		if err != nil {
			return err
		}
	}
	lacking := missing(now.Reviewers, content.Reviewers)
	if len(lacking) == 0 || now.State != Open {
		return nil
	}
	// Who has reviewed is asked no longer, as far as GitHub tells, and would be asked again.
	var reviews []struct {
		User *githubUser `json:"user"`
	}
	if err := g.get(ctx, g.pull(now.Number)+"/reviews", url.Values{"per_page": {githubPage}}, &reviews); err != nil {
		return err
	}
	var reviewed []string
	for _, review := range reviews {
		if review.User != nil {
			reviewed = append(reviewed, review.User.Login)
		}
	}
	people, teams := split(missing(reviewed, lacking))
	if len(people)+len(teams) == 0 {
		return nil
	}
	return g.do(ctx, call{
		method: http.MethodPost, path: g.pull(now.Number) + "/requested_reviewers", again: true,
		body: struct {
			Reviewers []string `json:"reviewers,omitempty"`
			Teams     []string `json:"team_reviewers,omitempty"`
		}{people, teams},
	})
}

// Close closes a request that is open.
func (g *github) Close(ctx context.Context, number int64) error {
	pull, err := g.read(ctx, number)
	if err != nil || pull.State != "open" {
		return err
	}
	err = g.do(ctx, call{
		method: http.MethodPatch, path: g.pull(number), again: true,
		body: struct {
			State string `json:"state"`
		}{"closed"},
	})
	if refusedWith(err, http.StatusUnprocessableEntity) {
		if now, again := g.read(ctx, number); again != nil || now.State == "open" {
			return errors.Join(err, again)
		}
		return nil // it was merged meanwhile
	}
	return err
}
