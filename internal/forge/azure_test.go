package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// azureContract answers as https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-requests says.
var azureContract = contract{
	kind: AzureDevOps, repository: "/tfs/Collection/a%20project/_git/repo", authorization: "Basic OnMzY3JldC10MGtlbg==", // no user, and the token
	serve: serveAzure, blocked: "conflicts",
}

const azureUser = "d6245f20-2af8-44f4-9451-8107cb276700"

func serveAzure(h *host) http.Handler {
	mux := http.NewServeMux()
	const pulls = "/tfs/Collection/a project/_apis/git/repositories/repo/pullrequests"
	id := func(name string) string {
		return fmt.Sprintf("d6245f20-2af8-44f4-9451-8107cb27670%d", 1+slices.Index(h.users, name))
	}
	name := func(id string) string {
		for _, user := range h.users {
			if strings.HasSuffix(id, fmt.Sprint(1+slices.Index(h.users, user))) {
				return user
			}
		}
		return ""
	}
	render := func(p *pullRequest, list bool) map[string]any {
		status := "succeeded"
		if !p.mergeable {
			status = p.blocked
		}
		reviewers := []any{}
		for _, user := range p.asked {
			reviewers = append(reviewers, map[string]any{"id": id(user), "uniqueName": user, "vote": 0})
		}
		out := map[string]any{
			"pullRequestId": p.number, "status": map[State]string{Open: "active", Merged: "completed", Closed: "abandoned"}[p.state], "title": p.title,
			"isDraft": p.draft, "sourceRefName": "refs/heads/" + p.source, "targetRefName": "refs/heads/" + p.base, "mergeStatus": status,
			"lastMergeSourceCommit": map[string]any{"commitId": p.head}, "lastMergeCommit": map[string]any{"commitId": "3333333333333333333333333333333333333333"},
			"reviewers": reviewers, "url": "https://azure/_apis/git/pullRequests",
		}
		out["description"] = p.body
		if list {
			out["description"] = p.body[:min(len(p.body), 400)]
		}
		if len(p.labels) > 0 {
			out["labels"] = named("name", p.labels)
		}
		if p.merge != "" {
			out["lastMergeCommit"] = map[string]any{"commitId": p.merge}
		}
		if p.auto {
			out["autoCompleteSetBy"] = map[string]any{"id": azureUser, "uniqueName": "bot"}
		}
		if p.fork {
			out["forkSource"] = map[string]any{"name": "refs/heads/" + p.source}
		}
		return out
	}
	handle := func(pattern string, handler http.HandlerFunc) {
		mux.HandleFunc(strings.Replace(pattern, "a project", "{project}", 1), func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("api-version") != "7.1" || r.PathValue("project") != "a project" {
				h.t.Errorf("%s %s has no version, or another project", r.Method, r.URL)
			}
			handler(w, r)
		})
	}
	handle("GET "+pulls, func(w http.ResponseWriter, r *http.Request) {
		source, target := r.URL.Query().Get("searchCriteria.sourceRefName"), r.URL.Query().Get("searchCriteria.targetRefName")
		h.query(r, map[string]string{
			"searchCriteria.sourceRefName": source, "searchCriteria.targetRefName": target, "searchCriteria.status": "all", "$top": "100", "api-version": "7.1",
		})
		all := []any{}
		for _, p := range reversed(h.pulls) {
			if "refs/heads/"+p.source == source && "refs/heads/"+p.base == target {
				all = append(all, render(p, true))
			}
		}
		answer(w, http.StatusOK, map[string]any{"count": len(all), "value": all})
	})
	handle("GET "+pulls+"/{number}", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil {
			answer(w, http.StatusOK, render(p, false))
		}
	})
	type object struct{ Name, ID string }
	handle("POST "+pulls, func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			SourceRefName, TargetRefName, Title, Description string
			IsDraft                                          bool
			Labels, Reviewers                                []object
		}
		h.body(r, &form)
		p := &pullRequest{title: form.Title, body: form.Description, draft: form.IsDraft}
		p.source, p.base = strings.TrimPrefix(form.SourceRefName, "refs/heads/"), strings.TrimPrefix(form.TargetRefName, "refs/heads/")
		if h.opened(p.source, p.base) != nil {
			answer(w, http.StatusConflict, map[string]any{
				"$id": "1", "message": "TF401179: An active pull request for the source and target branch already exists.", "typeKey": "GitPullRequestExistsException",
			})
			return
		}
		for _, label := range form.Labels {
			p.labels = append(p.labels, label.Name)
		}
		for _, reviewer := range form.Reviewers {
			p.asked = append(p.asked, name(reviewer.ID))
		}
		answer(w, http.StatusCreated, render(h.add(p), false))
	})
	handle("PATCH "+pulls+"/{number}", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Title, Status     string
			Description       *string
			IsDraft           *bool
			AutoCompleteSetBy *object
			CompletionOptions *struct {
				MergeStrategy      string
				DeleteSourceBranch bool
			}
		}
		h.body(r, &form)
		p := h.pull(w, r)
		if p == nil {
			return
		}
		if form.Title != "" {
			p.title = form.Title
		}
		if form.Description != nil {
			p.body = *form.Description
		}
		if form.IsDraft != nil {
			p.draft = *form.IsDraft
		}
		if form.AutoCompleteSetBy != nil {
			if p.auto = form.AutoCompleteSetBy.ID != "00000000-0000-0000-0000-000000000000"; p.auto && form.AutoCompleteSetBy.ID != azureUser {
				h.t.Errorf("it is to be completed by %q", form.AutoCompleteSetBy.ID)
			}
		}
		if options := form.CompletionOptions; options != nil {
			p.deleteBranch = options.DeleteSourceBranch
			if p.method = options.MergeStrategy; p.method == "" {
				p.method = "noFastForward"
			}
		}
		if form.Status == "abandoned" {
			p.close()
		}
		answer(w, http.StatusOK, render(p, false))
	})
	handle("POST "+pulls+"/{number}/labels", func(w http.ResponseWriter, r *http.Request) {
		var form object
		h.body(r, &form)
		if p := h.pull(w, r); p != nil {
			p.labels = append(p.labels, form.Name)
			answer(w, http.StatusOK, map[string]any{"name": form.Name, "active": true})
		}
	})
	handle("PUT "+pulls+"/{number}/reviewers/{reviewer}", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			ID   string
			Vote *int
		}
		h.body(r, &form)
		if p := h.pull(w, r); p != nil && form.Vote != nil && *form.Vote == 0 && form.ID == r.PathValue("reviewer") {
			p.asked = append(p.asked, name(form.ID))
			answer(w, http.StatusOK, map[string]any{"id": form.ID, "vote": 0})
		}
	})
	mux.HandleFunc("GET /tfs/Collection/_apis/identities", func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Query().Get("filterValue")
		h.query(r, map[string]string{"filterValue": user, "searchFilter": "General", "api-version": "7.1"})
		found := []any{}
		if slices.Contains(h.users, user) {
			found = append(found, map[string]any{"id": id(user), "providerDisplayName": user, "isActive": true})
		}
		answer(w, http.StatusOK, map[string]any{"count": len(found), "value": found})
	})
	mux.HandleFunc("GET /tfs/Collection/_apis/connectionData", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"authenticatedUser": map[string]any{"id": azureUser, "providerDisplayName": "bot"}})
	})
	return mux
}

// A token that is no good leads to the page for signing in, in one way or the other.
func TestAzure_signIn(t *testing.T) {
	h, f := azureContract.start(t)
	h.fail(fault{method: "GET", times: 1, answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNonAuthoritativeInfo)
		fmt.Fprint(w, "<!DOCTYPE html><title>Azure DevOps Services | Sign In</title>")
	}})
	h.fail(fault{method: "GET", times: 1, answer: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://spsprodeus21.vssps.visualstudio.com/_signin?realm=dev.azure.com", http.StatusFound)
	}})
	for range 2 {
		if _, err := f.Get(t.Context(), 1); !isDenied(err) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAzure_authorization(t *testing.T) {
	jwt := "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"
	c := azureContract
	c.authorization = "Bearer " + jwt
	h, f := c.start(t, func(config *Config) {
		config.Token = func(context.Context) (string, error) { return jwt, nil }
	})
	h.open("feature/x", "main")
	if _, err := f.Get(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

func TestAzure_identities(t *testing.T) {
	for repository, want := range map[string]string{
		"https://dev.azure.com/org/project/_git/repo":                      "https://vssps.dev.azure.com/org",
		"https://org.visualstudio.com/DefaultCollection/project/_git/repo": "https://org.vssps.visualstudio.com",
		"https://git.example.com/tfs/Collection/project/_git/repo":         "https://git.example.com/tfs/Collection",
		"git@ssh.dev.azure.com:v3/org/project/repo":                        "https://vssps.dev.azure.com/org",
	} {
		f, err := New(Config{Kind: AzureDevOps, Repository: repository, Token: func(context.Context) (string, error) { return "", errors.New("none") }})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.(checked).Forge.(*azure).identities.String(); got != want {
			t.Errorf("%s: %s, want %s", repository, got, want)
		}
	}
}
