package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// azure is Azure DevOps Services, and Azure DevOps Server since 2022.1:
// https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-requests
type azure struct {
	*client
	project, name string
	identities    *url.URL // below which users are looked up
}

// azureVersion of the API.
const azureVersion = "7.1"

// azurePage is how many entries are asked for.
const azurePage = "100"

// azureNobody takes the place of who has set a request to complete by itself.
const azureNobody = "00000000-0000-0000-0000-000000000000"

type azurePull struct {
	ID          int64           `json:"pullRequestId"`
	Status      string          `json:"status"` // active, abandoned, completed
	Title       string          `json:"title"`
	Description string          `json:"description"` // cut to 400 characters in lists
	Draft       bool            `json:"isDraft"`
	Source      string          `json:"sourceRefName"`
	Target      string          `json:"targetRefName"`
	MergeStatus string          `json:"mergeStatus"`
	Head        azureCommit     `json:"lastMergeSourceCommit"`
	Merge       azureCommit     `json:"lastMergeCommit"`
	Labels      []azureLabel    `json:"labels"`
	Reviewers   []azureIdentity `json:"reviewers"`
	AutoSetBy   *azureIdentity  `json:"autoCompleteSetBy"`
	Fork        *struct{}       `json:"forkSource"`
}

type (
	azureCommit struct {
		ID string `json:"commitId"`
	}
	azureLabel struct {
		Name string `json:"name"`
	}
	azureIdentity struct {
		ID     string `json:"id"`
		Unique string `json:"uniqueName,omitempty"` // an e-mail address, most often
	}
	azureCompletion struct {
		Strategy string `json:"mergeStrategy,omitempty"`
		Delete   bool   `json:"deleteSourceBranch"`
	}
)

// newAzure knows where identities are: on a host of their own, which is Microsoft's as well, with Azure DevOps Services.
// https://learn.microsoft.com/en-us/rest/api/azure/devops/ims/identities/read-identities
func newAzure(c *client, p place) *azure {
	identities := *c.api
	host := identities.Hostname()
	if organization, is := strings.CutSuffix(host, ".visualstudio.com"); is {
		identities.Host = organization + ".vssps.visualstudio.com"
		identities.Path = ""
	} else if host == "dev.azure.com" {
		identities.Host = "vssps.dev.azure.com"
	}
	return &azure{client: c, project: p.owner, name: p.name, identities: &identities}
}

func (a *azure) request(p azurePull) *Request {
	at := *a.api
	at.Path += "/" + a.project + "/_git/" + a.name + "/pullrequest/" + strconv.FormatInt(p.ID, 10)
	r := &Request{
		Number: p.ID, URL: page(at.String()), State: Open, Head: p.Head.ID, Base: strings.TrimPrefix(p.Target, branchRef),
		Source: strings.TrimPrefix(p.Source, branchRef), Title: p.Title, Body: p.Description, Draft: p.Draft,
	}
	for _, label := range p.Labels {
		r.Labels = append(r.Labels, label.Name)
	}
	for _, reviewer := range p.Reviewers {
		r.Reviewers = append(r.Reviewers, reviewer.Unique)
	}
	switch p.Status {
	case "completed":
		r.State, r.MergeCommit = Merged, p.Merge.ID
		return r
	case "abandoned":
		r.State = Closed
		return r
	}
	r.AutoMerge = p.AutoSetBy != nil && p.AutoSetBy.ID != "" && p.AutoSetBy.ID != azureNobody
	switch {
	case p.Draft:
		r.Blocked = "it is a draft"
	case p.MergeStatus != "succeeded":
		r.Blocked = reason("mergeStatus", p.MergeStatus)
	default:
		r.Mergeable = true // but for the policies of the branch, of which it does not tell
	}
	return r
}

func (a *azure) pulls() string {
	return "/" + url.PathEscape(a.project) + "/_apis/git/repositories/" + url.PathEscape(a.name) + "/pullrequests"
}

func (a *azure) pull(number int64) string {
	return a.pulls() + "/" + strconv.FormatInt(number, 10)
}

func azureQuery() url.Values { return url.Values{"api-version": {azureVersion}} }

// Find searches what there was between the branches, the newest first, and reads it whole.
func (a *azure) Find(ctx context.Context, source, base string) (*Request, error) {
	query := azureQuery()
	query.Set("searchCriteria.sourceRefName", branchRef+source)
	query.Set("searchCriteria.targetRefName", branchRef+base)
	query.Set("searchCriteria.status", "all")
	query.Set("$top", azurePage)
	var page struct {
		Value []azurePull `json:"value"`
	}
	if err := a.do(ctx, call{method: http.MethodGet, path: a.pulls(), query: query, into: &page}); err != nil {
		return nil, err
	}
	var found *azurePull
	for i, pull := range page.Value {
		if pull.Fork != nil || pull.Source != branchRef+source || pull.Target != branchRef+base {
			continue
		}
		active := pull.Status == "active"
		if found == nil || active && found.Status != "active" || active == (found.Status == "active") && pull.ID > found.ID {
			found = &page.Value[i]
		}
	}
	if found == nil {
		return nil, nil
	}
	return a.Get(ctx, found.ID)
}

// Get returns a request.
func (a *azure) Get(ctx context.Context, number int64) (*Request, error) {
	pull, err := a.read(ctx, number)
	if err != nil {
		return nil, err
	}
	return a.request(pull), nil
}

func (a *azure) read(ctx context.Context, number int64) (azurePull, error) {
	var pull azurePull
	err := a.do(ctx, call{method: http.MethodGet, path: a.pull(number), query: azureQuery(), into: &pull})
	return pull, err
}

// Create opens the request with all that it is to say.
func (a *azure) Create(ctx context.Context, source, base string, content Content) (*Request, error) {
	reviewers, err := a.identify(ctx, content.Reviewers)
	if err != nil {
		return nil, err
	}
	create := struct {
		Source      string          `json:"sourceRefName"`
		Target      string          `json:"targetRefName"`
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Draft       bool            `json:"isDraft"`
		Labels      []azureLabel    `json:"labels,omitempty"`
		Reviewers   []azureIdentity `json:"reviewers,omitempty"`
	}{branchRef + source, branchRef + base, content.Title, content.Body, content.Draft != nil && *content.Draft, nil, reviewers}
	for _, name := range content.Labels {
		create.Labels = append(create.Labels, azureLabel{name})
	}
	return a.settled(ctx, a, source, base, content, func() (*Request, error) {
		var pull azurePull
		err := a.do(ctx, call{method: http.MethodPost, path: a.pulls(), query: azureQuery(), body: create, into: &pull})
		if refusedWith(err, http.StatusConflict) {
			return nil, a.existing(ctx, a, source, base, err)
		}
		return a.request(pull), err
	})
}

// azureEdit is what changes of a request; what is empty is left.
type azureEdit struct {
	Title       string           `json:"title,omitempty"`
	Description *string          `json:"description,omitempty"`
	Draft       *bool            `json:"isDraft,omitempty"`
	Status      string           `json:"status,omitempty"`
	AutoSetBy   *azureIdentity   `json:"autoCompleteSetBy,omitempty"`
	Completion  *azureCompletion `json:"completionOptions,omitempty"`
}

// patch changes a request: https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-requests/update
func (a *azure) patch(ctx context.Context, number int64, edit azureEdit) error {
	return a.do(ctx, call{method: http.MethodPatch, path: a.pull(number), query: azureQuery(), body: edit, again: true})
}

// Update changes what differs.
func (a *azure) Update(ctx context.Context, number int64, content Content) (*Request, error) {
	pull, err := a.read(ctx, number)
	if err != nil {
		return nil, err
	}
	now := a.request(pull)
	var edit azureEdit
	if content.Title != now.Title {
		edit.Title = content.Title
	}
	if !sameText(content.Body, now.Body) {
		edit.Description = &content.Body
	}
	if content.Draft != nil && *content.Draft != now.Draft && now.State == Open {
		edit.Draft = content.Draft
	}
	if edit != (azureEdit{}) {
		if err := a.patch(ctx, number, edit); err != nil {
			return nil, err
		}
	}
	for _, label := range missing(now.Labels, content.Labels) {
		add := call{method: http.MethodPost, path: a.pull(number) + "/labels", query: azureQuery(), body: azureLabel{label}, again: true}
		if err := a.do(ctx, add); err != nil {
			return nil, err
		}
	}
	reviewers, err := a.identify(ctx, missing(now.Reviewers, content.Reviewers))
	if err != nil {
		return nil, err
	}
	for _, reviewer := range reviewers {
		if slices.ContainsFunc(pull.Reviewers, func(other azureIdentity) bool { return strings.EqualFold(other.ID, reviewer.ID) }) {
			continue // who has voted stays a reviewer, and would lose the vote
		}
		add := call{
			method: http.MethodPut, path: a.pull(number) + "/reviewers/" + url.PathEscape(reviewer.ID), query: azureQuery(), again: true,
			body: struct {
				ID   string `json:"id"`
				Vote int    `json:"vote"`
			}{reviewer.ID, 0},
		}
		if err := a.do(ctx, add); err != nil {
			return nil, err
		}
	}
	return a.Get(ctx, number)
}

var isGUID = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// identify looks up users and groups by what names them: an e-mail address, an account or a display name.
func (a *azure) identify(ctx context.Context, names []string) ([]azureIdentity, error) {
	var all []azureIdentity
	for _, name := range names {
		if isGUID.MatchString(name) {
			all = append(all, azureIdentity{ID: name})
			continue
		}
		query := azureQuery()
		query.Set("searchFilter", "General")
		query.Set("filterValue", name)
		var found struct {
			Value []azureIdentity `json:"value"`
		}
		if err := a.do(ctx, call{method: http.MethodGet, base: a.identities, path: "/_apis/identities", query: query, into: &found}); err != nil {
			return nil, err
		}
		if len(found.Value) != 1 {
			return nil, &RefusedError{Status: http.StatusNotFound, Text: fmt.Sprintf("there are %d identities named %q, and one is needed", len(found.Value), name)}
		}
		all = append(all, azureIdentity{ID: found.Value[0].ID})
	}
	return all, nil
}

// Close abandons a request that is open.
func (a *azure) Close(ctx context.Context, number int64) error {
	now, err := a.Get(ctx, number)
	if err != nil || now.State != Open {
		return err
	}
	if err = a.patch(ctx, number, azureEdit{Status: "abandoned"}); err != nil {
		if now, again := a.Get(ctx, number); again == nil && now.State != Open {
			return nil // it was completed meanwhile
		}
	}
	return err
}

// azureStrategies: https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-requests/update#gitpullrequestmergestrategy
var azureStrategies = map[MergeMethod]string{Merge: "noFastForward", Squash: "squash", Rebase: "rebase"}

// AutoMerge has the request complete by itself once all policies allow that, which is at once where there are none. Azure DevOps
// does not hold that for a commit: what is pushed to the source later is merged too.
func (a *azure) AutoMerge(ctx context.Context, number int64, how AutoMerge) error {
	get := func() (*Request, error) { return a.Get(ctx, number) }
	return a.scheduled(ctx, how, get, func(*Request) (bool, error) {
		me, err := a.me(ctx)
		if err != nil {
			return false, err
		}
		return false, a.patch(ctx, number, azureEdit{
			AutoSetBy: &azureIdentity{ID: me}, Completion: &azureCompletion{Strategy: azureStrategies[how.Method], Delete: how.DeleteBranch},
		})
	})
}

// me is whose credentials these are. The path has no version of its own.
func (a *azure) me(ctx context.Context) (string, error) {
	var connection struct {
		User azureIdentity `json:"authenticatedUser"`
	}
	err := a.do(ctx, call{method: http.MethodGet, path: "/_apis/connectionData", into: &connection})
	if err == nil && !isGUID.MatchString(connection.User.ID) {
		err = &AnswerError{Kind: a.kind, Text: "it does not say whose credentials these are"}
	}
	return connection.User.ID, err
}

// CancelAutoMerge takes back that a request completes by itself.
func (a *azure) CancelAutoMerge(ctx context.Context, number int64) error {
	now, err := a.Get(ctx, number)
	if err != nil || !now.AutoMerge {
		return err
	}
	return a.patch(ctx, number, azureEdit{AutoSetBy: &azureIdentity{ID: azureNobody}})
}
