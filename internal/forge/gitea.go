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

// gitea is Gitea and Forgejo: https://docs.gitea.com/api/ and https://codeberg.org/api/swagger.
type gitea struct {
	*client
	owner, name string
}

// giteaPage is how many entries are asked for; a server has MAX_RESPONSE_ITEMS, 50 by default. A page with fewer entries than
// giteaShortPage is the last one whatever that is set to.
const (
	giteaPage      = 50
	giteaShortPage = 10
	giteaMaxPages  = 20
)

// giteaDrafts are the marks of WORK_IN_PROGRESS_PREFIXES: https://docs.gitea.com/usage/pull-request
var giteaDrafts = drafts{"WIP:", "[WIP]"}

type giteaPull struct {
	Number         int64        `json:"number"`
	URL            string       `json:"html_url"`
	State          string       `json:"state"`
	Merged         bool         `json:"merged"`
	MergeCommit    string       `json:"merge_commit_sha"`
	Mergeable      bool         `json:"mergeable"`
	Title          string       `json:"title"`
	Body           string       `json:"body"`
	Draft          bool         `json:"draft"`
	ReviewComments int          `json:"review_comments"`
	Labels         []giteaLabel `json:"labels"`
	Reviewers      []giteaUser  `json:"requested_reviewers"`
	Teams          []giteaTeam  `json:"requested_reviewers_teams"`
	Head           giteaBranch  `json:"head"`
	Base           giteaBranch  `json:"base"`
}

type (
	giteaLabel struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	giteaUser struct {
		Login string `json:"login"`
	}
	giteaTeam struct {
		Name string `json:"name"`
	}
	// giteaBranch: Ref is refs/pull/N/head once the branch is gone, Label stays.
	giteaBranch struct {
		Label      string `json:"label"`
		Ref        string `json:"ref"`
		SHA        string `json:"sha"`
		Repository int64  `json:"repo_id"`
	}
)

func (p giteaPull) request() *Request {
	r := &Request{
		Number: p.Number, URL: page(p.URL), State: Open, Head: p.Head.SHA, Base: p.Base.Label, Source: p.Head.Label, Body: p.Body,
	}
	r.Title, r.Draft = giteaDrafts.cut(p.Title)
	r.Draft = r.Draft || p.Draft
	for _, label := range p.Labels {
		r.Labels = append(r.Labels, label.Name)
	}
	for _, user := range p.Reviewers {
		r.Reviewers = append(r.Reviewers, user.Login)
	}
	for _, team := range p.Teams {
		r.Reviewers = append(r.Reviewers, teamPrefix+team.Name)
	}
	switch {
	case p.Merged:
		r.State, r.MergeCommit = Merged, p.MergeCommit
	case p.State == "closed":
		r.State = Closed
	case p.Mergeable:
		r.Mergeable = true
	case r.Draft:
		r.Blocked = "it is a draft, a work in progress"
	default:
		r.Blocked = "mergeable is false: it has conflicts, or is being checked for them"
	}
	return r
}

// branches reports whether this is a request from source to base in one repository.
func (p giteaPull) branches(source, base string) bool {
	return p.Head.Label == source && p.Base.Label == base && p.Head.Repository == p.Base.Repository
}

func (g *gitea) repository() string {
	return "/repos/" + url.PathEscape(g.owner) + "/" + url.PathEscape(g.name)
}

func (g *gitea) pull(number int64) string {
	return g.repository() + "/pulls/" + strconv.FormatInt(number, 10)
}

func (g *gitea) get(ctx context.Context, path string, query url.Values, into any) error {
	return g.do(ctx, call{method: http.MethodGet, path: path, query: query, into: into})
}

// Find asks for the two branches. Where there were several requests between them, Gitea answers with any of those (its
// GetPullRequestByBaseHeadInfo does not sort), so that one which is not open leads to a look at the requests that were changed last.
// An open one that is not among these is found by Create, which Gitea tells its number.
func (g *gitea) Find(ctx context.Context, source, base string) (*Request, error) {
	var pull giteaPull
	err := g.get(ctx, g.repository()+"/pulls/"+url.PathEscape(base)+"/"+escapePath(source), nil, &pull)
	if errors.Is(err, ErrNotFound) {
		return nil, g.repositoryKnown(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	if pull.State != "open" {
		var recent []giteaPull
		query := url.Values{"state": {"all"}, "sort": {"recentupdate"}, "base_branch": {base}, "limit": {strconv.Itoa(giteaPage)}}
		if err := g.get(ctx, g.repository()+"/pulls", query, &recent); err != nil {
			return nil, err
		}
		for _, other := range recent {
			if other.branches(source, base) && (other.State == "open" || pull.State != "open" && other.Number > pull.Number) {
				pull = other
			}
		}
	}
	return g.whole(ctx, pull)
}

// repositoryKnown tells a request that is not there from a repository that is not: nil, and the error.
func (g *gitea) repositoryKnown(ctx context.Context, err error) error {
	if again := g.get(ctx, g.repository(), nil, nil); again != nil {
		return errors.Join(again, err)
	}
	return nil
}

// Get returns a request, with what the timeline tells of its schedule.
func (g *gitea) Get(ctx context.Context, number int64) (*Request, error) {
	var pull giteaPull
	if err := g.get(ctx, g.pull(number), nil, &pull); err != nil {
		return nil, err
	}
	return g.whole(ctx, pull)
}

// whole adds what the answer on a request lacks: whether it is to be merged by itself. The timeline alone has that.
func (g *gitea) whole(ctx context.Context, pull giteaPull) (*Request, error) {
	r := pull.request()
	if r.State != Open {
		return r, nil
	}
	for page := 1; page <= giteaMaxPages; page++ {
		var events []struct {
			Type string `json:"type"`
		}
		query := url.Values{"page": {strconv.Itoa(page)}, "limit": {strconv.Itoa(giteaPage)}}
		err := g.get(ctx, g.repository()+"/issues/"+strconv.FormatInt(r.Number, 10)+"/timeline", query, &events)
		if errors.Is(err, ErrNotFound) {
			return r, nil // before Gitea 1.17
		}
		if err != nil {
			return nil, err
		}
		for _, event := range events {
			switch event.Type {
			case "pull_scheduled_merge":
				r.AutoMerge = true
			case "pull_cancel_scheduled_merge":
				r.AutoMerge = false
			}
		}
		// Comments on lines of code are left out of a page, after it was cut.
		if len(events) == 0 || len(events) < giteaShortPage && pull.ReviewComments == 0 {
			break
		}
	}
	return r, nil
}

// Create opens the request, and then says what goes beyond title and body. If that fails there is a request as well as an error.
func (g *gitea) Create(ctx context.Context, source, base string, content Content) (*Request, error) {
	labels, err := g.labelIDs(ctx, content.Labels)
	if err != nil {
		return nil, err
	}
	var pull giteaPull
	create := call{
		method: http.MethodPost, path: g.repository() + "/pulls", into: &pull,
		body: struct {
			Head   string  `json:"head"`
			Base   string  `json:"base"`
			Title  string  `json:"title"`
			Body   string  `json:"body"`
			Labels []int64 `json:"labels,omitempty"`
		}{source, base, giteaDrafts.title(content, &Request{}), content.Body, labels},
	}
	found, err := g.settled(ctx, g, source, base, content, func() (*Request, error) {
		if err := g.do(ctx, create); err != nil {
			return nil, g.exists(err)
		}
		return pull.request(), nil
	})
	if err != nil || len(content.Reviewers) == 0 {
		return found, err
	}
	if err := g.ask(ctx, found, content.Reviewers); err != nil {
		return found, err
	}
	return g.Get(ctx, found.Number)
}

// exists takes the number out of Gitea's words on a request that is there already: "... [id: 1, issue_id: 2, ...]", in which
// issue_id is the number.
func (g *gitea) exists(err error) error {
	if !refusedWith(err, http.StatusConflict) {
		return err
	}
	_, rest, _ := strings.Cut(err.Error(), "issue_id: ")
	digits, _, _ := strings.Cut(rest, ",")
	number, _ := strconv.ParseInt(digits, 10, 64)
	return &ExistsError{Number: number}
}

// Update changes what differs.
func (g *gitea) Update(ctx context.Context, number int64, content Content) (*Request, error) {
	var pull giteaPull
	if err := g.get(ctx, g.pull(number), nil, &pull); err != nil {
		return nil, err
	}
	now := pull.request()
	edit := struct {
		Title string  `json:"title,omitempty"`
		Body  *string `json:"body,omitempty"`
	}{}
	if giteaDrafts.differ(content, now) {
		edit.Title = giteaDrafts.title(content, now)
	}
	if !sameText(content.Body, now.Body) {
		edit.Body = &content.Body
	}
	if edit.Title != "" || edit.Body != nil {
		if err := g.do(ctx, call{method: http.MethodPatch, path: g.pull(number), body: edit, again: true}); err != nil {
			return nil, err
		}
	}
	if lacking := missing(now.Labels, content.Labels); len(lacking) > 0 {
		ids, err := g.labelIDs(ctx, lacking)
		if err != nil {
			return nil, err
		}
		add := call{
			method: http.MethodPost, path: g.repository() + "/issues/" + strconv.FormatInt(number, 10) + "/labels", again: true,
			body: struct {
				Labels []int64 `json:"labels"`
			}{ids},
		}
		if err := g.do(ctx, add); err != nil {
			return nil, err
		}
	}
	if err := g.ask(ctx, now, content.Reviewers); err != nil {
		return nil, err
	}
	return g.Get(ctx, number)
}

// ask asks those for a review who are not asked, and have not given one.
func (g *gitea) ask(ctx context.Context, now *Request, reviewers []string) error {
	lacking := missing(now.Reviewers, reviewers)
	if len(lacking) == 0 || now.State != Open {
		return nil
	}
	var reviews []struct {
		User *giteaUser `json:"user"`
		Team *giteaTeam `json:"team"`
	}
	if err := g.get(ctx, g.pull(now.Number)+"/reviews", url.Values{"limit": {strconv.Itoa(giteaPage)}}, &reviews); err != nil {
		return err
	}
	var reviewed []string
	for _, review := range reviews {
		if review.User != nil {
			reviewed = append(reviewed, review.User.Login)
		}
		if review.Team != nil {
			reviewed = append(reviewed, teamPrefix+review.Team.Name)
		}
	}
	people, teams := split(missing(reviewed, lacking))
	if len(people)+len(teams) == 0 {
		return nil
	}
	err := g.do(ctx, call{
		method: http.MethodPost, path: g.pull(now.Number) + "/requested_reviewers", again: true,
		body: struct {
			Reviewers []string `json:"reviewers,omitempty"`
			Teams     []string `json:"team_reviewers,omitempty"`
		}{people, teams},
	})
	if errors.Is(err, ErrNotFound) {
		return &RefusedError{Status: http.StatusNotFound, Text: err.Error()} // the request is there: a reviewer is not
	}
	return err
}

// labelIDs looks labels up, those of the repository and then those of the organization.
func (g *gitea) labelIDs(ctx context.Context, names []string) ([]int64, error) {
	ids := make(map[string]int64)
	for _, where := range []string{g.repository(), "/orgs/" + url.PathEscape(g.owner)} {
		for page := 1; page <= giteaMaxPages && len(ids) < len(names); page++ {
			var labels []giteaLabel
			query := url.Values{"page": {strconv.Itoa(page)}, "limit": {strconv.Itoa(giteaPage)}}
			err := g.get(ctx, where+"/labels", query, &labels)
			if errors.Is(err, ErrNotFound) || where != g.repository() && errors.As(err, new(*DeniedError)) {
				break // the owner is no organization, or the credentials are for repositories alone
			}
			if err != nil {
				return nil, err
			}
			for _, label := range labels {
				if _, known := ids[label.Name]; !known && slices.Contains(names, label.Name) {
					ids[label.Name] = label.ID
				}
			}
			if len(labels) < giteaShortPage {
				break
			}
		}
	}
	var all []int64
	for _, name := range names {
		id, known := ids[name]
		if !known {
			return nil, &RefusedError{Status: http.StatusNotFound, Text: fmt.Sprintf("there is no label %q in %s/%s", name, g.owner, g.name)}
		}
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all, nil
}

// Close closes a request that is open.
func (g *gitea) Close(ctx context.Context, number int64) error {
	var pull giteaPull
	if err := g.get(ctx, g.pull(number), nil, &pull); err != nil || pull.State != "open" {
		return err
	}
	err := g.do(ctx, call{
		method: http.MethodPatch, path: g.pull(number), again: true,
		body: struct {
			State string `json:"state"`
		}{"closed"},
	})
	if refusedWith(err, http.StatusPreconditionFailed) {
		return nil // it was merged meanwhile
	}
	return err
}
