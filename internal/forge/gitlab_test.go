package forge

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// gitlabContract answers as https://docs.gitlab.com/api/merge_requests/ says.
var gitlabContract = contract{
	kind: GitLab, repository: "/group/team/repo.git", authorization: "Bearer " + testToken, serve: serveGitLab, blocked: "not_approved",
}

func serveGitLab(h *host) http.Handler {
	mux := http.NewServeMux()
	const merges = "/api/v4/projects/{project}/merge_requests"
	handle := func(pattern string, handler http.HandlerFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.EscapedPath(), "/projects/group%2Fteam%2Frepo/") {
				h.t.Errorf("%s %s: the project is not escaped", r.Method, r.URL)
			}
			handler(w, r)
		})
	}
	user := func(name string) map[string]any {
		return map[string]any{"id": 10 + slices.Index(h.users, name), "username": name, "state": "active"}
	}
	render := func(p *pullRequest) map[string]any {
		title, status := p.title, "mergeable"
		switch {
		case p.state != Open:
			status = "not_open"
		case p.unreadyAnswers > 0:
			status = "checking"
		case p.draft:
			status = "draft_status"
		case !p.mergeable:
			status = p.blocked
		}
		if p.draft {
			title = "Draft: " + title
		}
		reviewers := []any{}
		for _, name := range p.asked {
			reviewers = append(reviewers, user(name))
		}
		source := 3
		if p.fork {
			source = 4
		}
		out := map[string]any{
			"id": 100 + p.number, "iid": p.number, "web_url": fmt.Sprintf("https://gitlab/group/team/repo/-/merge_requests/%d", p.number),
			"state": map[State]string{Open: "opened", Merged: "merged", Closed: "closed"}[p.state], "sha": p.head, "source_branch": p.source,
			"target_branch": p.base, "source_project_id": source, "target_project_id": 3, "title": title, "description": p.body, "draft": p.draft,
			"labels": p.labels, "reviewers": reviewers, "merge_when_pipeline_succeeds": p.auto, "squash": p.method == "squash",
			"detailed_merge_status": status, "merge_status": "can_be_merged", "merge_commit_sha": nil, "squash_commit_sha": nil,
		}
		if p.merge != "" {
			out["merge_commit_sha"] = p.merge
		}
		if p.running {
			out["head_pipeline"] = map[string]any{"id": 1, "status": "running"}
		}
		return out
	}
	ask := func(p *pullRequest, ids []int) {
		p.asked = nil
		for _, id := range ids {
			p.asked = append(p.asked, h.users[id-10])
		}
	}
	handle("GET "+merges, func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.Query()
		h.query(r, map[string]string{
			"source_branch": asked.Get("source_branch"), "target_branch": asked.Get("target_branch"), "state": "all", "order_by": "created_at",
			"sort": "desc", "per_page": "100",
		})
		all := []any{}
		for _, p := range reversed(h.pulls) {
			if p.source == asked.Get("source_branch") && p.base == asked.Get("target_branch") {
				all = append(all, render(p))
			}
		}
		answer(w, http.StatusOK, all)
	})
	handle("GET "+merges+"/{number}", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil {
			answer(w, http.StatusOK, render(p))
		}
	})
	mux.HandleFunc("GET /api/v4/users", func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("username")
		h.query(r, map[string]string{"username": name})
		users := []any{}
		if slices.Contains(h.users, name) {
			users = append(users, user(name))
		}
		answer(w, http.StatusOK, users)
	})
	handle("POST "+merges, func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Source             string `json:"source_branch"`
			Target             string `json:"target_branch"`
			Title, Description string
			Labels             string
			Reviewers          []int `json:"reviewer_ids"`
		}
		h.body(r, &form)
		if p := h.opened(form.Source, form.Target); p != nil {
			answer(w, http.StatusConflict, map[string]any{"message": []string{fmt.Sprintf("Another open merge request already exists for this source branch: !%d", p.number)}})
			return
		}
		p := h.add(&pullRequest{source: form.Source, base: form.Target, body: form.Description})
		p.title, p.draft = strings.CutPrefix(form.Title, "Draft: ")
		if form.Labels != "" {
			p.labels = strings.Split(form.Labels, ",")
		}
		ask(p, form.Reviewers)
		answer(w, http.StatusCreated, render(p))
	})
	handle("PUT "+merges+"/{number}", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Title       string
			Description *string
			Labels      string `json:"add_labels"`
			Reviewers   []int  `json:"reviewer_ids"`
			State       string `json:"state_event"`
			Squash      *bool
		}
		h.body(r, &form)
		p := h.pull(w, r)
		if p == nil {
			return
		}
		if form.Title != "" {
			p.title, p.draft = strings.CutPrefix(form.Title, "Draft: ")
		}
		if form.Description != nil {
			p.body = *form.Description
		}
		if form.Labels != "" {
			p.labels = append(p.labels, strings.Split(form.Labels, ",")...)
		}
		if form.Reviewers != nil {
			ask(p, form.Reviewers)
		}
		if form.Squash != nil {
			p.method = map[bool]string{true: "squash", false: "merge"}[*form.Squash]
		}
		if form.State == "close" {
			p.close()
		}
		answer(w, http.StatusOK, render(p))
	})
	handle("PUT "+merges+"/{number}/merge", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			SHA       string
			Squash    bool
			Remove    bool `json:"should_remove_source_branch"`
			AutoMerge bool `json:"auto_merge"`
			Old       bool `json:"merge_when_pipeline_succeeds"`
		}
		h.body(r, &form)
		p := h.pull(w, r)
		switch {
		case p == nil:
			return
		case p.unreadyAnswers > 0:
			p.unreadyAnswers--
			p.mergeable = p.unreadyAnswers == 0
			answer(w, http.StatusMethodNotAllowed, map[string]any{"message": "405 Method Not Allowed"})
			return
		case form.SHA != p.head:
			answer(w, http.StatusConflict, map[string]any{"message": "SHA does not match HEAD of source branch: " + p.head})
			return
		case form.AutoMerge != form.Old, p.draft && !form.AutoMerge:
			answer(w, http.StatusMethodNotAllowed, map[string]any{"message": "405 Method Not Allowed"})
			return
		case form.Squash:
			p.method = "squash"
		case p.method == "":
			p.method = "merge"
		}
		p.deleteBranch = form.Remove
		if form.AutoMerge {
			p.auto = true
		} else {
			p.mergeNow()
		}
		answer(w, http.StatusOK, render(p))
	})
	handle("POST "+merges+"/{number}/cancel_merge_when_pipeline_succeeds", func(w http.ResponseWriter, r *http.Request) {
		p := h.pull(w, r)
		switch {
		case p == nil:
		case !p.auto:
			answer(w, http.StatusNotAcceptable, map[string]any{"message": "406 Not Acceptable"})
		default:
			p.auto = false
			answer(w, http.StatusCreated, map[string]any{"status": "success"})
		}
	})
	return mux
}

func TestGitLab_mergesAtOnce(t *testing.T) {
	h, f := gitlabContract.start(t)
	p := h.open("feature/x", "main")
	if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Method: Squash, Head: testHead, DeleteBranch: true}); err != nil || p.state != Merged ||
		!p.deleteBranch || p.method != "squash" {
		t.Errorf("%v; %+v", err, p)
	}
}

func TestGitLab_waitsForPipelines(t *testing.T) {
	h, f := gitlabContract.start(t)
	p := h.open("feature/x", "main")
	p.running = true
	if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Head: testHead}); err != nil || p.state != Open || !p.auto {
		t.Errorf("%v; %+v", err, p)
	}
}

func TestGitLab_mergeCommit(t *testing.T) {
	for _, c := range []struct {
		merge gitlabMerge
		want  string
	}{
		{gitlabMerge{State: "merged", SHA: "a", SquashCommit: "b", MergeCommit: "c"}, "c"},
		{gitlabMerge{State: "merged", SHA: "a", SquashCommit: "b"}, "b"},
		{gitlabMerge{State: "merged", SHA: "a"}, "a"},
		{gitlabMerge{State: "locked", SHA: "a"}, ""},
	} {
		if got := c.merge.request().MergeCommit; got != c.want {
			t.Errorf("%+v: %s", c.merge, got)
		}
	}
}

// Without a subscription, GitLab takes one reviewer and does not say so.
func TestGitLab_oneReviewer(t *testing.T) {
	h, f := gitlabContract.start(t)
	h.fail(fault{method: "POST", times: 1, answer: func(w http.ResponseWriter, _ *http.Request) {
		p := h.add(&pullRequest{source: "feature/x", base: "main"})
		answer(w, http.StatusCreated, map[string]any{"iid": p.number, "state": "opened", "reviewers": []any{map[string]any{"id": 10, "username": "alice"}}})
	}})
	r, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title", Reviewers: []string{"alice", "bob"}})
	if r == nil || r.Number != 1 || err == nil || !strings.Contains(err.Error(), "of the reviewers bob are not asked") {
		t.Errorf("got %+v, %v", r, err)
	}
}
