package forge

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// githubContract answers as https://docs.github.com/en/rest/pulls and https://docs.github.com/en/graphql/reference/mutations say.
var githubContract = contract{
	kind: GitHub, repository: "/team/repo.git", authorization: "Bearer " + testToken, serve: serveGitHub, blocked: "blocked",
}

func serveGitHub(h *host) http.Handler {
	mux := http.NewServeMux()
	const repository = "/api/v3/repos/team/repo"
	handle := func(pattern string, handler http.HandlerFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept") != "application/vnd.github+json" || r.Header.Get("X-GitHub-Api-Version") != "2022-11-28" {
				h.t.Errorf("%s %s: the headers are %v", r.Method, r.URL, r.Header)
			}
			handler(w, r)
		})
	}
	render := func(p *pullRequest, list bool) map[string]any {
		people, teams := split(p.asked)
		people = slices.DeleteFunc(people, func(name string) bool { return slices.Contains(p.reviewed, name) })
		status := "clean"
		switch {
		case p.state != Open || p.unreadyAnswers > 0:
			status = "unknown"
		case p.draft:
			status = "draft"
		case !p.mergeable:
			status = p.blocked
		}
		headRepository := 7
		if p.fork {
			headRepository = 8
		}
		out := map[string]any{
			"number": p.number, "node_id": fmt.Sprintf("PR_%d", p.number), "html_url": fmt.Sprintf("https://github/team/repo/pull/%d", p.number),
			"state": map[State]string{Open: "open", Merged: "closed", Closed: "closed"}[p.state], "title": p.title, "body": p.body, "draft": p.draft,
			"merged_at": nil, "merge_commit_sha": "3333333333333333333333333333333333333333",
			"labels": named("name", p.labels), "requested_reviewers": named("login", people), "requested_teams": named("slug", teams),
			"head":       map[string]any{"ref": p.source, "sha": p.head, "repo": map[string]any{"id": headRepository}},
			"base":       map[string]any{"ref": p.base, "sha": testMerged, "repo": map[string]any{"id": 7}},
			"auto_merge": nil,
		}
		if p.body == "" {
			out["body"] = nil
		}
		if p.state == Merged {
			out["merged_at"], out["merge_commit_sha"] = "2024-01-01T00:00:00Z", p.merge
		}
		if p.auto {
			out["auto_merge"] = map[string]any{"merge_method": p.method, "enabled_by": map[string]any{"login": "bot"}}
		}
		if !list {
			out["merged"], out["mergeable_state"] = p.state == Merged, status
		}
		return out
	}
	handle("GET "+repository, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"allow_merge_commit": true, "allow_squash_merge": true, "allow_rebase_merge": false})
	})
	handle("GET "+repository+"/pulls", func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.Query()
		h.query(r, map[string]string{
			"head": asked.Get("head"), "base": asked.Get("base"), "state": "all", "sort": "created", "direction": "desc", "per_page": "100",
		})
		all := []any{}
		for _, p := range reversed(h.pulls) {
			if "team:"+p.source == asked.Get("head") && p.base == asked.Get("base") && len(all) < 100 {
				all = append(all, render(p, true))
			}
		}
		answer(w, http.StatusOK, all)
	})
	handle("GET "+repository+"/pulls/{number}", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil {
			answer(w, http.StatusOK, render(p, false))
		}
	})
	handle("GET "+repository+"/pulls/{number}/reviews", func(w http.ResponseWriter, r *http.Request) {
		h.query(r, map[string]string{"per_page": "100"})
		if p := h.pull(w, r); p != nil {
			reviews := []any{map[string]any{"state": "COMMENTED", "user": nil}}
			for _, name := range p.reviewed {
				reviews = append(reviews, map[string]any{"state": "APPROVED", "user": map[string]any{"login": name}})
			}
			answer(w, http.StatusOK, reviews)
		}
	})
	unprocessable := func(w http.ResponseWriter, text string) {
		answer(w, http.StatusUnprocessableEntity, map[string]any{
			"message": "Validation Failed", "errors": []any{map[string]any{"resource": "PullRequest", "code": "custom", "message": text}},
			"documentation_url": "https://docs.github.com/rest/pulls/pulls#create-a-pull-request",
		})
	}
	handle("POST "+repository+"/pulls", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Head, Base, Title, Body string
			Draft                   bool
		}
		h.body(r, &form)
		switch {
		case h.opened(form.Head, form.Base) != nil:
			unprocessable(w, "A pull request already exists for team:"+form.Head+".")
		case form.Head == "nothing-new":
			unprocessable(w, "No commits between main and nothing-new")
		default:
			p := h.add(&pullRequest{source: form.Head, base: form.Base, title: form.Title, body: form.Body, draft: form.Draft})
			answer(w, http.StatusCreated, render(p, false))
		}
	})
	handle("PATCH "+repository+"/pulls/{number}", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Title, State string
			Body         *string
		}
		h.body(r, &form)
		p := h.pull(w, r)
		if p == nil {
			return
		}
		if form.Title != "" {
			p.title = form.Title
		}
		if form.Body != nil {
			p.body = *form.Body
		}
		if form.State == "closed" {
			p.close()
		}
		answer(w, http.StatusOK, render(p, false))
	})
	handle("POST "+repository+"/issues/{number}/labels", func(w http.ResponseWriter, r *http.Request) {
		var form struct{ Labels []string }
		h.body(r, &form)
		if p := h.pull(w, r); p != nil {
			p.labels = append(p.labels, form.Labels...)
			answer(w, http.StatusOK, named("name", p.labels))
		}
	})
	handle("POST "+repository+"/pulls/{number}/requested_reviewers", func(w http.ResponseWriter, r *http.Request) {
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
				answer(w, http.StatusUnprocessableEntity, map[string]any{"message": "Reviews may only be requested from collaborators. " + name + " is none."})
				return
			}
			p.asked = append(p.asked, name)
		}
		for _, team := range form.Teams {
			p.asked = append(p.asked, teamPrefix+team)
		}
		answer(w, http.StatusCreated, render(p, false))
	})
	handle("PUT "+repository+"/pulls/{number}/merge", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			SHA    string
			Method string `json:"merge_method"`
		}
		h.body(r, &form)
		if p := h.pull(w, r); p != nil {
			if form.SHA != p.head {
				answer(w, http.StatusConflict, map[string]any{"message": "Head branch was modified. Review and try the merge again."})
				return
			}
			p.mergeNow()
			p.method = form.Method
			answer(w, http.StatusOK, map[string]any{"sha": p.merge, "merged": true})
		}
	})
	handle("DELETE "+repository+"/git/refs/heads/{branch...}", func(w http.ResponseWriter, r *http.Request) {
		for _, p := range h.pulls {
			if p.source == r.PathValue("branch") {
				p.deleteBranch = true
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
	handle("POST /api/graphql", func(w http.ResponseWriter, r *http.Request) { serveGitHubGraph(h, w, r) })
	return mux
}

func serveGitHubGraph(h *host, w http.ResponseWriter, r *http.Request) {
	var form struct {
		Query     string
		Variables struct {
			ID     string `json:"pullRequestId"`
			Method string `json:"mergeMethod"`
			Head   string `json:"expectedHeadOid"`
		}
	}
	h.body(r, &form)
	refuse := func(kind, text string) {
		answer(w, http.StatusOK, map[string]any{"data": nil, "errors": []any{map[string]any{"type": kind, "message": text, "path": []string{"x"}}}})
	}
	var p *pullRequest
	for _, other := range h.pulls {
		if form.Variables.ID == fmt.Sprintf("PR_%d", other.number) {
			p = other
		}
	}
	_, mutation, _ := strings.Cut(form.Query, "{ ")
	mutation, _, _ = strings.Cut(mutation, "(")
	switch {
	case p == nil:
		refuse("NOT_FOUND", "Could not resolve to a node with the global id of '"+form.Variables.ID+"'")
		return
	case mutation == "enablePullRequestAutoMerge" && p.unreadyAnswers > 0:
		p.unreadyAnswers--
		p.mergeable = p.unreadyAnswers == 0
		refuse("UNPROCESSABLE", "Pull request is in unknown status")
		return
	case mutation == "enablePullRequestAutoMerge" && p.mergeable && !p.draft:
		refuse("UNPROCESSABLE", "Pull request Pull request is in clean status")
		return
	case mutation == "enablePullRequestAutoMerge" && p.blocked == "forbidden":
		refuse("FORBIDDEN", "bot does not have the correct permissions to execute `EnablePullRequestAutoMerge`")
		return
	case mutation == "enablePullRequestAutoMerge":
		if form.Variables.Head != p.head {
			h.t.Errorf("the schedule is for %q", form.Variables.Head)
		}
		p.auto, p.method = true, strings.ToLower(form.Variables.Method)
	case mutation == "disablePullRequestAutoMerge":
		p.auto = false
	case mutation == "markPullRequestReadyForReview":
		p.draft = false
	case mutation == "convertPullRequestToDraft":
		p.draft = true
	default:
		h.t.Errorf("the mutation %q is in no reference", mutation)
	}
	answer(w, http.StatusOK, map[string]any{"data": map[string]any{mutation: map[string]any{"clientMutationId": nil}}})
}

func TestGitHub_mergesAtOnce(t *testing.T) {
	h, f := githubContract.start(t)
	p := h.open("feature/x", "main")
	if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Head: testHead, DeleteBranch: true}); err != nil || p.state != Merged || !p.deleteBranch {
		t.Errorf("%v; %+v", err, p)
	}
	if p.method != "merge" {
		t.Errorf("the repository allows merge commits, and the method is %q", p.method)
	}
}

func TestGitHub_refusals(t *testing.T) {
	h, f := githubContract.start(t)
	_, err := f.Create(t.Context(), "nothing-new", "main", Content{Title: "A title"})
	if !refusedWith(err, http.StatusUnprocessableEntity) || !strings.Contains(err.Error(), "No commits between main and nothing-new") ||
		strings.Contains(err.Error(), "documentation") {
		t.Errorf("got %v", err)
	}
	p := h.open("feature/x", "main")
	p.mergeable, p.blocked = false, "forbidden"
	if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Head: testHead}); !isDenied(err) {
		t.Errorf("got %v", err)
	}
}
