package forge

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// bitbucketContract answers as https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/ says. It has users by
// their account ids.
var bitbucketContract = contract{
	kind: Bitbucket, repository: "/workspace/repo.git", authorization: "Bearer " + testToken, serve: serveBitbucket, blocked: "mergeable is false",
}

func serveBitbucket(h *host) http.Handler {
	mux := http.NewServeMux()
	const pulls = "/2.0/repositories/workspace/repo/pullrequests"
	render := func(p *pullRequest, list bool) map[string]any {
		state := map[State]string{Open: "OPEN", Merged: "MERGED", Closed: "DECLINED"}[p.state]
		users := []any{}
		for _, name := range p.asked {
			users = append(users, map[string]any{"type": "user", "uuid": "{" + name + "}", "account_id": name, "nickname": "the " + name})
		}
		source := "workspace/repo"
		if p.fork {
			source = "fork/repo"
		}
		end := func(branch, hash, repository string) map[string]any {
			return map[string]any{
				"branch": map[string]any{"name": branch}, "commit": map[string]any{"type": "commit", "hash": hash[:12]},
				"repository": map[string]any{"full_name": repository},
			}
		}
		out := map[string]any{
			"type": "pullrequest", "id": p.number, "title": p.title, "description": p.body, "state": state, "draft": p.draft,
			"source": end(p.source, p.head, source), "destination": end(p.base, testMerged, "workspace/repo"), "merge_commit": nil,
			"links":     map[string]any{"html": map[string]any{"href": fmt.Sprintf("https://bitbucket/workspace/repo/pull-requests/%d", p.number)}},
			"reviewers": users, "queued": false,
		}
		if p.merge != "" {
			out["merge_commit"] = map[string]any{"hash": p.merge[:12]}
		}
		if !list {
			out["mergeable"] = p.mergeable && !p.draft
		}
		return out
	}
	refuse := func(w http.ResponseWriter, status int, text string) {
		answer(w, status, map[string]any{"type": "error", "error": map[string]any{"message": text}})
	}
	type user struct {
		UUID    string
		Account string `json:"account_id"`
	}
	ask := func(w http.ResponseWriter, p *pullRequest, users []user) bool {
		var asked []string
		for _, u := range users {
			name := u.Account + strings.Trim(u.UUID, "{}")
			if !slices.Contains(h.users, name) {
				refuse(w, http.StatusBadRequest, "reviewers: "+name+" is no user")
				return false
			}
			asked = append(asked, name)
		}
		p.asked = asked
		return true
	}
	mux.HandleFunc("GET "+pulls, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query().Get("q")
		h.query(r, map[string]string{
			"q": q, "state": "OPEN,MERGED,DECLINED,SUPERSEDED", "sort": "-created_on", "fields": "+values.reviewers", "pagelen": "50",
		})
		all := []any{}
		for _, p := range reversed(h.pulls) {
			if q == fmt.Sprintf("source.branch.name = %q AND destination.branch.name = %q", p.source, p.base) {
				all = append(all, render(p, true))
			}
		}
		answer(w, http.StatusOK, map[string]any{"pagelen": 50, "page": 1, "values": all})
	})
	mux.HandleFunc("GET "+pulls+"/{number}", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil {
			answer(w, http.StatusOK, render(p, false))
		}
	})
	mux.HandleFunc("GET /2.0/repositories/workspace/repo/commit/{commit}", func(w http.ResponseWriter, r *http.Request) {
		for _, hash := range []string{testHead, testMerged} {
			if strings.HasPrefix(hash, r.PathValue("commit")) {
				answer(w, http.StatusOK, map[string]any{"type": "commit", "hash": hash})
				return
			}
		}
		refuse(w, http.StatusNotFound, "Commit not found")
	})
	type branch struct{ Branch struct{ Name string } }
	mux.HandleFunc("POST "+pulls, func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Title, Description  string
			Draft               bool
			Reviewers           []user
			Source, Destination branch
		}
		h.body(r, &form)
		p := &pullRequest{source: form.Source.Branch.Name, base: form.Destination.Branch.Name, title: form.Title, body: form.Description, draft: form.Draft}
		if ask(w, p, form.Reviewers) {
			answer(w, http.StatusCreated, render(h.add(p), false))
		}
	})
	mux.HandleFunc("PUT "+pulls+"/{number}", func(w http.ResponseWriter, r *http.Request) {
		var form struct {
			Title, Description string
			Draft              *bool
			Reviewers          []user
		}
		h.body(r, &form)
		p := h.pull(w, r)
		if p == nil || !ask(w, p, form.Reviewers) {
			return
		}
		p.title, p.body = form.Title, form.Description
		if form.Draft != nil {
			p.draft = *form.Draft
		}
		answer(w, http.StatusOK, render(p, false))
	})
	mux.HandleFunc("POST "+pulls+"/{number}/decline", func(w http.ResponseWriter, r *http.Request) {
		if p := h.pull(w, r); p != nil {
			p.close()
			answer(w, http.StatusOK, render(p, false))
		}
	})
	return mux
}

func TestBitbucket_basic(t *testing.T) {
	c := bitbucketContract
	c.authorization = "Basic amFuZUBleGFtcGxlLmNvbTpzM2NyZXQtdDBrZW4=" // jane@example.com and the token
	h, f := c.start(t, func(config *Config) { config.Username = "jane@example.com" })
	h.open("feature/x", "main").asked = []string{"alice"}
	r, err := f.Update(t.Context(), 1, Content{Title: "Title", Body: "Body", Reviewers: []string{"{alice}", "the Alice", "{bob}"}})
	if err != nil || !slices.Equal(r.Reviewers, []string{"alice", "bob"}) {
		t.Errorf("got %+v, %v", r, err)
	}
	if err := f.AutoMerge(t.Context(), 1, AutoMerge{}); err == nil || err.Error() != "bitbucket has no auto_merge" {
		t.Errorf("got %v", err)
	}
	if err := f.CancelAutoMerge(t.Context(), 1); err != nil {
		t.Error(err)
	}
}
