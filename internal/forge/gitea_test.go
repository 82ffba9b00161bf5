package forge

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// giteaContract answers as https://docs.gitea.com/api/1.24/ says and as the handlers of Gitea 1.26 do (routers/api/v1/repo).
var giteaContract = contract{
	kind: Gitea, repository: "/prefix/team/repo.git", authorization: "token " + testToken, serve: serveGitea,
	blocked: "mergeable is false", number: true,
}

func serveGitea(h *host) http.Handler {
	mux := http.NewServeMux()
	const repository = "/prefix/api/v1/repos/team/repo"
	render := func(p *pullRequest) map[string]any {
		title := p.title
		if p.draft {
			title = "WIP: " + title
		}
		people, teams := split(p.asked)
		people = slices.DeleteFunc(people, func(name string) bool { return slices.Contains(p.reviewed, name) })
		state := map[State]string{Open: "open", Merged: "closed", Closed: "closed"}[p.state]
		var merge any
		if p.merge != "" {
			merge = p.merge
		}
		headRepository := 7
		if p.fork {
			headRepository = 8
		}
		return map[string]any{
			"number": p.number, "html_url": fmt.Sprintf("http://gitea/team/repo/pulls/%d", p.number), "state": state, "merged": p.state == Merged,
			"merge_commit_sha": merge, "mergeable": p.state != Open || p.mergeable && !p.draft, "title": title, "body": p.body, "draft": p.draft,
			"labels": named("name", p.labels), "requested_reviewers": named("login", people), "requested_reviewers_teams": named("name", teams),
			"head": map[string]any{"label": p.source, "ref": p.source, "sha": p.head, "repo_id": headRepository},
			"base": map[string]any{"label": p.base, "ref": p.base, "sha": testMerged, "repo_id": 7},
		}
	}
	mux.HandleFunc("GET "+repository, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"full_name": "team/repo", "default_merge_style": "rebase"})
	})
	mux.HandleFunc("GET "+repository+"/pulls", func(w http.ResponseWriter, r *http.Request) {
		h.query(r, map[string]string{"state": "all", "sort": "recentupdate", "base_branch": r.URL.Query().Get("base_branch"), "limit": "50"})
		all := []any{}
		for _, p := range reversed(h.pulls) {
			if p.base == r.URL.Query().Get("base_branch") && len(all) < 50 {
				all = append(all, render(p))
			}
		}
		answer(w, http.StatusOK, all)
	})
	// Any of those between two branches: the first here.
	mux.HandleFunc("GET "+repository+"/pulls/{base}/{head...}", func(w http.ResponseWriter, r *http.Request) {
		for _, p := range h.pulls {
			if p.base == r.PathValue("base") && p.source == r.PathValue("head") && !p.fork {
				answer(w, http.StatusOK, render(p))
				return
			}
		}
		answer(w, http.StatusNotFound, map[string]any{"message": "The target couldn't be found.", "url": "http://gitea/api/swagger"})
	})
	mux.HandleFunc("GET "+repository+"/pulls/{number}", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil {
			answer(w, http.StatusOK, render(p))
		}
	})
	mux.HandleFunc("GET "+repository+"/pulls/{number}/reviews", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil {
			reviews := []any{}
			for _, name := range p.reviewed {
				reviews = append(reviews, map[string]any{"state": "APPROVED", "user": map[string]any{"login": name}, "team": nil})
			}
			answer(w, http.StatusOK, reviews)
		}
	})
	mux.HandleFunc("GET "+repository+"/issues/{number}/timeline", func(w http.ResponseWriter, r *http.Request) {
		h.query(r, map[string]string{"page": "1", "limit": "50"})
		if p := h.pull(w, r); p != nil {
			events := named("type", []string{"pull_push", "pull_scheduled_merge"})
			if !p.auto {
				events = append(events, map[string]any{"type": "pull_cancel_scheduled_merge"})
			}
			answer(w, http.StatusOK, events)
		}
	})
	mux.HandleFunc("POST "+repository+"/pulls", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Head, Base, Title, Body string
			Labels                  []int64
		}
		h.body(r, &form)
		if p := h.opened(form.Head, form.Base); p != nil {
			answer(w, http.StatusConflict, map[string]any{"message": fmt.Sprintf("pull request already exists for these targets [id: 99, issue_id: %d, "+
				"head_repo_id: 7, base_repo_id: 7, head_branch: %s, base_branch: %s]", p.number, form.Head, form.Base)})
			return
		}
		p := h.add(&pullRequest{source: form.Head, base: form.Base, body: form.Body})
		p.title, p.draft = strings.CutPrefix(form.Title, "WIP: ")
		for _, id := range form.Labels {
			p.labels = append(p.labels, h.labels[id-1])
		}
		answer(w, http.StatusCreated, render(p))
	})
	mux.HandleFunc("PATCH "+repository+"/pulls/{number}", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Title       string
			Body, State *string
		}
		h.body(r, &form)
		p := h.pull(w, r)
		if p == nil {
			return
		}
		if form.State != nil && p.state == Merged {
			answer(w, http.StatusPreconditionFailed, map[string]any{"message": "cannot change state of this pull request, it was already merged"})
			return
		}
		if form.Title != "" {
			p.title, p.draft = strings.CutPrefix(form.Title, "WIP: ")
		}
		if form.Body != nil {
			p.body = *form.Body
		}
		if form.State != nil && *form.State == "closed" {
			p.close()
		}
		answer(w, http.StatusCreated, render(p))
	})
	mux.HandleFunc("GET "+repository+"/labels", func(w http.ResponseWriter, r *http.Request) {
		h.query(r, map[string]string{"page": "1", "limit": "50"})
		answer(w, http.StatusOK, []any{map[string]any{"id": 1, "name": h.labels[0]}})
	})
	mux.HandleFunc("GET /prefix/api/v1/orgs/team/labels", func(w http.ResponseWriter, r *http.Request) {
		h.query(r, map[string]string{"page": "1", "limit": "50"})
		answer(w, http.StatusOK, []any{map[string]any{"id": 2, "name": h.labels[1]}})
	})
	mux.HandleFunc("POST "+repository+"/issues/{number}/labels", func(w http.ResponseWriter, r *http.Request) {
		var form struct{ Labels []int64 }
		h.body(r, &form)
		if p := h.pull(w, r); p != nil {
			for _, id := range form.Labels {
				p.labels = append(p.labels, h.labels[id-1])
			}
			answer(w, http.StatusOK, named("name", p.labels))
		}
	})
	mux.HandleFunc("POST "+repository+"/pulls/{number}/requested_reviewers", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Reviewers []string
			Teams     []string `json:"team_reviewers"`
		}
		h.body(r, &form)
		p := h.pull(w, r)
		if p == nil {
			return
		}
		for _, name := range form.Reviewers {
			if !slices.Contains(h.users, name) {
				answer(w, http.StatusNotFound, map[string]any{"message": "User '" + name + "' not exist"})
				return
			}
			p.asked = append(p.asked, name)
		}
		for _, team := range form.Teams {
			p.asked = append(p.asked, teamPrefix+team)
		}
		answer(w, http.StatusCreated, []any{})
	})
	mux.HandleFunc("POST "+repository+"/pulls/{number}/merge", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Do     string
			Head   string `json:"head_commit_id"`
			Checks bool   `json:"merge_when_checks_succeed"`
			Delete bool   `json:"delete_branch_after_merge"`
		}
		h.body(r, &form)
		p := h.pull(w, r)
		switch {
		case p == nil:
		case p.unreadyAnswers > 0:
			p.unreadyAnswers--
			p.mergeable = p.unreadyAnswers <= 1 // it says so before it merges
			answer(w, http.StatusMethodNotAllowed, map[string]any{"message": "Please try again later"})
		case p.draft:
			answer(w, http.StatusMethodNotAllowed, map[string]any{"message": "Work in progress PRs cannot be merged"})
		case p.auto:
			answer(w, http.StatusConflict, map[string]any{"message": "pull request is already scheduled to auto merge when checks succeed [pull_id: 1]"})
		case !form.Checks:
			h.t.Error("the merge does not wait for checks")
		default:
			p.auto, p.method, p.deleteBranch = true, form.Do, form.Delete
			answer(w, http.StatusCreated, nil)
		}
	})
	mux.HandleFunc("DELETE "+repository+"/pulls/{number}/merge", func(w http.ResponseWriter, r *http.Request) {
		p := h.pull(w, r)
		switch {
		case p == nil:
		case !p.auto:
			answer(w, http.StatusNotFound, map[string]any{"message": "not found"})
		default:
			p.auto = false
			w.WriteHeader(http.StatusNoContent)
		}
	})
	return mux
}
