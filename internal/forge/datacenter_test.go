package forge

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// datacenterContract answers as https://developer.atlassian.com/server/bitbucket/rest/v905/api-group-pull-requests/ says.
var datacenterContract = contract{
	kind: DataCenter, repository: "/context/scm/KEY/repo.git", authorization: "Bearer " + testToken, serve: serveDataCenter, blocked: "Not all required builds are successful",
}

func serveDataCenter(h *host) http.Handler {
	mux := http.NewServeMux()
	const pulls = "/context/rest/api/latest/projects/KEY/repos/repo/pull-requests"
	type ref struct {
		ID         string
		Repository struct {
			Slug    string
			Project struct{ Key string }
		}
	}
	type user struct{ User struct{ Name string } }
	render := func(p *pullRequest) map[string]any {
		reviewers := []any{}
		for _, name := range p.asked {
			reviewers = append(reviewers, map[string]any{"user": map[string]any{"name": name, "slug": name}, "role": "REVIEWER", "status": "UNAPPROVED"})
		}
		end := func(branch, commit, slug string) map[string]any {
			return map[string]any{
				"id": "refs/heads/" + branch, "displayId": branch, "latestCommit": commit,
				"repository": map[string]any{"slug": slug, "project": map[string]any{"key": "KEY"}},
			}
		}
		to := "repo"
		if p.fork {
			to = "origin" // to another repository
		}
		out := map[string]any{
			"id": p.number, "version": p.version, "title": p.title, "description": p.body, "draft": p.draft, "open": p.state == Open,
			"state": map[State]string{Open: "OPEN", Merged: "MERGED", Closed: "DECLINED"}[p.state], "fromRef": end(p.source, p.head, "repo"),
			"toRef": end(p.base, testMerged, to), "reviewers": reviewers,
			"links": map[string]any{"self": []any{map[string]any{"href": fmt.Sprintf("https://dc/projects/KEY/repos/repo/pull-requests/%d", p.number)}}},
		}
		if p.merge != "" {
			out["properties"] = map[string]any{"mergeCommit": map[string]any{"displayId": p.merge[:12], "id": p.merge}}
		}
		return out
	}
	conflict := func(w http.ResponseWriter, kind, text string) {
		answer(w, http.StatusConflict, map[string]any{"errors": []any{map[string]any{"context": nil, "message": text, "exceptionName": "com.atlassian.bitbucket." + kind}}})
	}
	ask := func(w http.ResponseWriter, p *pullRequest, users []user) bool {
		var asked []string
		for _, u := range users {
			if !slices.Contains(h.users, u.User.Name) {
				conflict(w, "pull.InvalidPullRequestReviewersException", u.User.Name+" is not a user.")
				return false
			}
			asked = append(asked, u.User.Name)
		}
		p.asked = asked
		return true
	}
	handle := func(pattern string, handler http.HandlerFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Atlassian-Token") != "no-check" {
				h.t.Errorf("%s %s would be taken for a form", r.Method, r.URL)
			}
			handler(w, r)
		})
	}
	// current tells a change of the version that there is from others.
	current := func(w http.ResponseWriter, p *pullRequest, version string) bool {
		if version != fmt.Sprint(p.version) {
			conflict(w, "pull.PullRequestOutOfDateException", "You are attempting to modify a pull request based on out-of-date information.")
			return false
		}
		p.version++
		return true
	}
	handle("GET "+pulls, func(w http.ResponseWriter, r *http.Request) {
		at := r.URL.Query().Get("at")
		h.query(r, map[string]string{"at": at, "direction": "OUTGOING", "state": "ALL", "order": "NEWEST", "limit": "100"})
		all := []any{}
		for _, p := range reversed(h.pulls) {
			if at == "refs/heads/"+p.source {
				all = append(all, render(p))
			}
		}
		answer(w, http.StatusOK, map[string]any{"size": len(all), "isLastPage": true, "values": all})
	})
	handle("GET "+pulls+"/{number}", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil {
			answer(w, http.StatusOK, render(p))
		}
	})
	handle("GET "+pulls+"/{number}/merge", func(w http.ResponseWriter, r *http.Request) {
		p := h.pull(w, r)
		switch {
		case p == nil:
		case p.state != Open:
			conflict(w, "pull.IllegalPullRequestStateException", "This pull request has already been closed.")
		default:
			vetoes := []any{}
			if !p.mergeable {
				vetoes = append(vetoes, map[string]any{"summaryMessage": p.blocked, "detailedMessage": "..."})
			}
			answer(w, http.StatusOK, map[string]any{"canMerge": p.mergeable, "conflicted": false, "outcome": "CLEAN", "vetoes": vetoes})
		}
	})
	handle("GET "+pulls+"/{number}/auto-merge", func(w http.ResponseWriter, r *http.Request) {
		p := h.pull(w, r)
		switch {
		case p == nil:
		case !p.auto:
			answer(w, http.StatusNotFound, map[string]any{"errors": []any{map[string]any{"message": "Auto-merge has not been requested."}}})
		default:
			answer(w, http.StatusOK, map[string]any{"strategyId": p.method, "fromHash": p.head, "toRefId": "refs/heads/" + p.base})
		}
	})
	handle("POST "+pulls, func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Title, Description string
			Draft              bool
			Reviewers          []user
			FromRef, ToRef     ref
		}
		h.body(r, &form)
		for _, end := range []ref{form.FromRef, form.ToRef} {
			if end.Repository.Slug != "repo" || end.Repository.Project.Key != "KEY" {
				h.t.Errorf("the repository is %+v", end)
			}
		}
		p := &pullRequest{title: form.Title, body: form.Description, draft: form.Draft}
		p.source, p.base = strings.TrimPrefix(form.FromRef.ID, "refs/heads/"), strings.TrimPrefix(form.ToRef.ID, "refs/heads/")
		if h.opened(p.source, p.base) != nil {
			conflict(w, "pull.DuplicatePullRequestException", "Only one pull request may be open for a given source and target branch")
			return
		}
		if ask(w, p, form.Reviewers) {
			answer(w, http.StatusCreated, render(h.add(p)))
		}
	})
	handle("PUT "+pulls+"/{number}", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Version            int
			Title, Description string
			Draft              bool
			Reviewers          []user
		}
		h.body(r, &form)
		p := h.pull(w, r)
		if p == nil || !current(w, p, fmt.Sprint(form.Version)) || !ask(w, p, form.Reviewers) {
			return
		}
		p.title, p.body, p.draft = form.Title, form.Description, form.Draft
		answer(w, http.StatusOK, render(p))
	})
	handle("POST "+pulls+"/{number}/decline", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil && current(w, p, r.URL.Query().Get("version")) {
			p.close()
			answer(w, http.StatusOK, render(p))
		}
	})
	handle("POST "+pulls+"/{number}/merge", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			StrategyID string
			AutoMerge  bool
		}
		h.body(r, &form)
		p := h.pull(w, r)
		if p == nil || !current(w, p, r.URL.Query().Get("version")) {
			return
		}
		p.method = form.StrategyID
		if form.AutoMerge {
			p.auto = true
		} else {
			p.mergeNow()
		}
		answer(w, http.StatusOK, render(p))
	})
	handle("DELETE "+pulls+"/{number}/auto-merge", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil {
			p.auto = false
			w.WriteHeader(http.StatusNoContent)
		}
	})
	return mux
}

// Somebody else changes the request between the read and the change.
func TestDataCenter_version(t *testing.T) {
	h, f := datacenterContract.start(t)
	p := h.open("feature/x", "main")
	h.fail(fault{method: "GET", path: "/pull-requests/1", times: 1, answer: func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"id": 1, "version": p.version, "state": "OPEN", "title": "Title", "description": "Body"})
		p.version++
		p.asked = []string{"bob"}
	}})
	r, err := f.Update(t.Context(), 1, Content{Title: "Another", Body: "Body", Reviewers: []string{"alice"}})
	if err != nil || r.Title != "Another" || !slices.Equal(p.asked, []string{"bob", "alice"}) {
		t.Errorf("got %+v, %v", r, err)
	}
}
