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
	"sync"
)

// bitbucket is Bitbucket Cloud: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/
type bitbucket struct {
	*client
	workspace, slug string
	commits         sync.Map // from a short hash to the whole
}

// bitbucketPage is how many entries are asked for: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination
const bitbucketPage = "50"

type bitbucketPull struct {
	ID          int64             `json:"id"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	State       string            `json:"state"` // OPEN, MERGED, DECLINED, SUPERSEDED
	Draft       bool              `json:"draft"`
	Mergeable   *bool             `json:"mergeable"` // whether it passes all merge checks; nil: not told
	Source      bitbucketEndpoint `json:"source"`
	Destination bitbucketEndpoint `json:"destination"`
	MergeCommit *bitbucketCommit  `json:"merge_commit"`
	Reviewers   []bitbucketUser   `json:"reviewers"`
	Links       struct {
		HTML struct {
			Href string `json:"href"`
		} `json:"html"`
	} `json:"links"`
}

type (
	bitbucketEndpoint struct {
		Branch struct {
			Name string `json:"name"`
		} `json:"branch"`
		Commit     *bitbucketCommit `json:"commit"`
		Repository *struct {
			FullName string `json:"full_name"`
		} `json:"repository"` // null: a fork that is gone
	}
	// bitbucketCommit: Hash is cut to twelve digits in a request, and whole in a commit.
	bitbucketCommit struct {
		Hash string `json:"hash"`
	}
	bitbucketUser struct {
		UUID     string `json:"uuid,omitempty"`
		Account  string `json:"account_id,omitempty"`
		Nickname string `json:"nickname,omitempty"`
	}
)

func (p bitbucketPull) request() *Request {
	r := &Request{
		Number: p.ID, URL: page(p.Links.HTML.Href), State: Open, Base: p.Destination.Branch.Name, Source: p.Source.Branch.Name,
		Title: p.Title, Body: p.Description, Draft: p.Draft,
	}
	for _, user := range p.Reviewers {
		r.Reviewers = append(r.Reviewers, user.name())
	}
	switch {
	case p.State == "MERGED":
		r.State = Merged
	case p.State != "OPEN":
		r.State = Closed
	case p.Draft:
		r.Blocked = "it is a draft"
	case p.Mergeable != nil && !*p.Mergeable:
		r.Blocked = "mergeable is false: it does not pass all merge checks"
	default:
		r.Mergeable = true
	}
	return r
}

func (u bitbucketUser) name() string {
	if u.Account != "" {
		return u.Account
	}
	return u.UUID
}

func (b *bitbucket) repository() string {
	return "/repositories/" + url.PathEscape(b.workspace) + "/" + url.PathEscape(b.slug)
}

func (b *bitbucket) pull(number int64) string {
	return b.repository() + "/pullrequests/" + strconv.FormatInt(number, 10)
}

func (b *bitbucket) get(ctx context.Context, path string, query url.Values, into any) error {
	return b.do(ctx, call{method: http.MethodGet, path: path, query: query, into: into})
}

// Find filters what there was between the branches, the newest first:
// https://developer.atlassian.com/cloud/bitbucket/rest/intro/#filtering
func (b *bitbucket) Find(ctx context.Context, source, base string) (*Request, error) {
	quote := func(text string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"` }
	query := url.Values{
		"q":       {"source.branch.name = " + quote(source) + " AND destination.branch.name = " + quote(base)},
		"state":   {"OPEN", "MERGED", "DECLINED", "SUPERSEDED"},
		"sort":    {"-created_on"},
		"fields":  {"+values.reviewers"}, // https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response
		"pagelen": {bitbucketPage},
	}
	var page struct {
		Values []bitbucketPull `json:"values"`
	}
	if err := b.get(ctx, b.repository()+"/pullrequests", query, &page); err != nil {
		return nil, err
	}
	var found *bitbucketPull
	for i, pull := range page.Values {
		ours := pull.Source.Repository != nil && pull.Destination.Repository != nil && pull.Source.Repository.FullName == pull.Destination.Repository.FullName
		if ours && pull.Source.Branch.Name == source && pull.Destination.Branch.Name == base && (found == nil || found.State != "OPEN" && pull.State == "OPEN") {
			found = &page.Values[i]
		}
	}
	if found == nil {
		return nil, nil
	}
	return b.whole(ctx, *found)
}

// Get returns a request.
func (b *bitbucket) Get(ctx context.Context, number int64) (*Request, error) {
	pull, err := b.read(ctx, number)
	if err != nil {
		return nil, err
	}
	return b.whole(ctx, pull)
}

func (b *bitbucket) read(ctx context.Context, number int64) (bitbucketPull, error) {
	var pull bitbucketPull
	err := b.get(ctx, b.pull(number), nil, &pull)
	return pull, err
}

// whole adds the whole ids of commits.
func (b *bitbucket) whole(ctx context.Context, pull bitbucketPull) (r *Request, err error) {
	r = pull.request()
	if r.Head, err = b.commit(ctx, pull.Source.Commit); err != nil {
		return nil, err
	}
	if r.State == Merged {
		r.MergeCommit, err = b.commit(ctx, pull.MergeCommit)
	}
	return r, err
}

// commit looks up what a short hash is short for.
func (b *bitbucket) commit(ctx context.Context, short *bitbucketCommit) (string, error) {
	if short == nil {
		return "", nil
	}
	if known, ok := b.commits.Load(short.Hash); ok {
		return known.(string), nil
	}
	var commit bitbucketCommit
	err := b.get(ctx, b.repository()+"/commit/"+url.PathEscape(short.Hash), nil, &commit)
	switch {
	case errors.Is(err, ErrNotFound):
		return short.Hash, nil // of a branch that is gone
	case err != nil:
		return "", err
	case !strings.HasPrefix(commit.Hash, short.Hash):
		return "", &AnswerError{Kind: b.kind, Text: fmt.Sprintf("the commit %s is said to be %s", short.Hash, clean(commit.Hash))}
	}
	b.commits.Store(short.Hash, commit.Hash)
	return commit.Hash, nil
}

// bitbucketEdit is what a request is to say. An edit without reviewers takes those away that there are.
type bitbucketEdit struct {
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Draft       *bool           `json:"draft,omitempty"`
	Reviewers   []bitbucketUser `json:"reviewers"`
}

// Create looks first: that Bitbucket refuses a second request between two branches is not documented.
func (b *bitbucket) Create(ctx context.Context, source, base string, content Content) (*Request, error) {
	found, err := b.Find(ctx, source, base)
	switch {
	case err != nil:
		return nil, err
	case found != nil && found.State == Open:
		return nil, &ExistsError{Number: found.Number}
	}
	create := struct {
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Draft       bool            `json:"draft"`
		Reviewers   []bitbucketUser `json:"reviewers,omitempty"`
		Source      any             `json:"source"`
		Destination any             `json:"destination"`
	}{
		content.Title, content.Body, content.Draft != nil && *content.Draft, bitbucketUsers(content.Reviewers), bitbucketBranch(source), bitbucketBranch(base),
	}
	return b.settled(ctx, b, source, base, content, func() (*Request, error) {
		var pull bitbucketPull
		if err := b.do(ctx, call{method: http.MethodPost, path: b.repository() + "/pullrequests", body: create, into: &pull}); err != nil {
			return nil, err
		}
		return b.whole(ctx, pull)
	})
}

func bitbucketBranch(name string) any {
	return map[string]any{"branch": map[string]string{"name": name}}
}

// bitbucketUsers are users by their UUID, which is in braces, or their account id. Bitbucket knows no others:
// https://developer.atlassian.com/cloud/bitbucket/bitbucket-api-changes-gdpr/
func bitbucketUsers(names []string) []bitbucketUser {
	var users []bitbucketUser
	for _, name := range names {
		if strings.HasPrefix(name, "{") {
			users = append(users, bitbucketUser{UUID: name})
		} else {
			users = append(users, bitbucketUser{Account: name})
		}
	}
	return users
}

// Update changes an open request, where something differs. Others cannot be changed.
func (b *bitbucket) Update(ctx context.Context, number int64, content Content) (*Request, error) {
	pull, err := b.read(ctx, number)
	if err != nil {
		return nil, err
	}
	now := pull.request()
	edit := bitbucketEdit{Title: pull.Title, Description: pull.Description, Reviewers: []bitbucketUser{}}
	if content.Title != "" {
		edit.Title = content.Title
	}
	if !sameText(content.Body, pull.Description) {
		edit.Description = content.Body
	}
	if content.Draft != nil && *content.Draft != pull.Draft {
		edit.Draft = content.Draft
	}
	var have []string
	for _, user := range pull.Reviewers {
		edit.Reviewers = append(edit.Reviewers, bitbucketUsers([]string{user.name()})...)
		have = append(have, user.UUID, user.Account, user.Nickname)
	}
	lacking := missing(slices.DeleteFunc(have, func(name string) bool { return name == "" }), content.Reviewers)
	edit.Reviewers = append(edit.Reviewers, bitbucketUsers(lacking)...)
	same := edit.Title == pull.Title && edit.Description == pull.Description && edit.Draft == nil && len(lacking) == 0
	if !same && now.State == Open {
		if err := b.do(ctx, call{method: http.MethodPut, path: b.pull(number), body: edit, again: true}); err != nil {
			return nil, err
		}
		return b.Get(ctx, number)
	}
	return b.whole(ctx, pull)
}

// Close declines a request that is open.
func (b *bitbucket) Close(ctx context.Context, number int64) error {
	pull, err := b.read(ctx, number)
	if err != nil || pull.State != "OPEN" {
		return err
	}
	if err = b.do(ctx, call{method: http.MethodPost, path: b.pull(number) + "/decline"}); err != nil {
		if now, again := b.read(ctx, number); again == nil && now.State != "OPEN" {
			return nil
		}
	}
	return err
}

// AutoMerge: the API has no way to schedule a merge.
func (b *bitbucket) AutoMerge(_ context.Context, _ int64, how AutoMerge) error {
	return b.Check(Content{}, &how)
}

// CancelAutoMerge finds nothing to take back.
func (b *bitbucket) CancelAutoMerge(ctx context.Context, number int64) error {
	_, err := b.read(ctx, number)
	return err
}
