package pullrequest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAccPullRequest_lifecycle: twenty installs in one request, quiet plans, a second apply that adds to it, and what is true after the merge.
func TestAccPullRequest_lifecycle(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(1))
	first := settings{"installs": packages(20, "1.0.0")}
	s.pushes()
	s.apply(first, "21 added")
	if pushes, all := s.pushes(); pushes > 2 {
		t.Errorf("%d pushes of %d requests, want at most 2", pushes, all)
	}
	r := s.only()
	if r.State != "open" || r.Title != "Deliver 20 packages to prod" {
		t.Errorf("request %q is %s", r.Title, r.State)
	}
	if !strings.Contains(r.Body, "| package-7.example.com | prod | 1.0.0 is new |") || !strings.Contains(r.Body, "constraints: 1.0.0") || strings.Contains(r.Body, "s3cr3t") {
		t.Errorf("body %.2000s", r.Body)
	}
	for name, i := range s.installs() {
		if i.Commit != nil || i.Pending == nil {
			t.Errorf("%s: %+v, want a pending commit", name, i)
		}
	}
	s.has("main", file("package-3.example.com"), "")
	s.has(pushBranch, file("package-3.example.com"), "constraints: 1.0.0")
	s.pushes()
	s.quiet(first, "Changes wait to be merged", r.HTMLURL)
	if pushes, all := s.pushes(); pushes != 0 || all > 20 {
		t.Errorf("a quiet plan has %d pushes of %d requests, want none of at most 20", pushes, all)
	} else {
		t.Logf("a quiet plan: %d requests", all)
	}

	second := settings{"installs": packages(21, "1.1.0")}
	s.apply(second, "1 added, 21 changed")
	if again := s.only(); again.Number != r.Number || !strings.Contains(again.Body, "1.1.0 is new") {
		t.Errorf("request %+v", again)
	}
	s.quiet(second)

	s.approve(r.Number)
	s.merge(r.Number, "merge")
	s.apply(second, "0 added, 1 changed")
	main := s.repo.Head(t.Context(), "main")
	for name, i := range s.installs() {
		if i.Pending != nil || i.Commit == nil || *i.Commit != main {
			t.Errorf("%s: %+v, want the commit %s", name, i, main)
		}
	}
	s.quiet(second)
}

const one = "package-0.example.com"

// TestAccPullRequest_merged: however a forge merges, what was pushed has landed, and the next change begins at the new base.
func TestAccPullRequest_merged(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"merge", "squash", "rebase", "rebase-merge", "fast-forward-only"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, approvals(0))
			now := settings{"installs": packages(2, "1.0.0")}
			s.apply(now)
			first := s.only()
			s.merge(first.Number, how)
			s.apply(now, "0 added, 1 changed")
			s.quiet(now)
			if i := s.installs()[one]; i.Commit == nil || *i.Commit != s.repo.Head(t.Context(), "main") {
				t.Errorf("%s: %+v", one, i)
			}
			// Somebody changes the file that has landed: that is drift, and no conflict.
			s.must(s.repo.Do(t.Context(), http.MethodDelete, "/branch_protections/main", nil, nil))
			text, _ := s.repo.File(t.Context(), "main", file(one))
			s.must(s.repo.Commit(t.Context(), "main", map[string]string{file(one): strings.Replace(text, "1.0.0", "0.9.0", 1)}))
			s.plan(now, "2 to change", "0.9.0")
			next := settings{"installs": packages(2, "1.1.0")}
			s.apply(next)
			all := s.requests()
			if len(all) != 2 || all[0].State != "open" || all[0].Number == first.Number {
				t.Fatalf("%d requests, want a second one", len(all))
			}
			var commits []struct{}
			s.must(s.repo.Do(t.Context(), http.MethodGet, fmt.Sprintf("/pulls/%d/commits", all[0].Number), nil, &commits))
			if len(commits) != 1 {
				t.Errorf("the second request has %d commits, want 1", len(commits))
			}
			s.quiet(next, "Changes wait to be merged")
		})
	}
}

// TestAccPullRequest_autoMerge: after a status check, and the one apply does all.
func TestAccPullRequest_autoMerge(t *testing.T) {
	t.Parallel()
	rule := approvals(0)
	rule["enable_status_check"], rule["status_check_contexts"] = true, []string{"ci"}
	s := newScene(t, rule)
	now := settings{
		"installs": packages(2, "1.0.0"),
		"request":  settings{"auto_merge": true, "merge_method": "squash", "delete_branch": true, "wait": "merged", "timeouts": settings{"create": "2m"}},
	}
	done := make(chan error, 1)
	go func() { // the check passes once there is a request
		deadline := time.Now().Add(time.Minute)
		for time.Now().Before(deadline) {
			if head := s.repo.Head(t.Context(), pushBranch); head != "" {
				var all []request
				if err := s.repo.Do(t.Context(), http.MethodGet, "/pulls?state=open", nil, &all); err == nil && len(all) == 1 {
					time.Sleep(2 * time.Second)
					done <- s.repo.Do(t.Context(), http.MethodPost, "/statuses/"+head, map[string]any{"context": "ci", "state": "success"}, nil)
					return
				}
			}
			time.Sleep(200 * time.Millisecond)
		}
		done <- fmt.Errorf("no request")
	}()
	s.apply(now, "3 added")
	s.must(<-done)
	var r struct {
		State       string `json:"state"`
		MergeCommit string `json:"merge_commit"`
	}
	if s.output("request", &r); r.State != "merged" || r.MergeCommit != s.repo.Head(t.Context(), "main") {
		t.Errorf("request %+v, main is at %s", r, s.repo.Head(t.Context(), "main"))
	}
	s.has("main", file(one), "constraints: 1.0.0")
	s.apply(now)
	s.quiet(now)
}

// TestAccPullRequest_closed: what was turned down is drift, and the next apply asks again.
func TestAccPullRequest_closed(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	now := settings{"installs": packages(2, "1.0.0")}
	s.apply(now)
	first := s.only()
	s.closeRequest(first.Number)
	s.plan(now, "2 to add")
	s.apply(now)
	if all := s.requests(); len(all) != 2 || all[0].State != "open" {
		t.Errorf("%d requests, want another one that is open", len(all))
	}
	s.quiet(now)
}

// TestAccPullRequest_conflict: both sides have changed a file; nothing is pushed, and the error names it.
func TestAccPullRequest_conflict(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	now := settings{"installs": packages(2, "1.0.0")}
	s.apply(now)
	s.merge(s.only().Number, "merge")
	s.apply(now)
	second := settings{"installs": packages(2, "1.1.0")}
	s.apply(second)
	head := s.repo.Head(t.Context(), pushBranch)
	s.must(s.repo.Do(t.Context(), http.MethodDelete, "/branch_protections/main", nil, nil))
	text, _ := s.repo.File(t.Context(), "main", file(one))
	s.must(s.repo.Commit(t.Context(), "main", map[string]string{file(one): strings.Replace(text, "1.0.0", "0.9.0", 1), "other": "theirs"}))
	s.quiet(second, "Changes wait to be merged")
	third := settings{"installs": packages(2, "1.2.0")}
	s.apply(third, "Error: Unable to update", "have both changed the same files", file(one))
	if now := s.repo.Head(t.Context(), pushBranch); now != head {
		t.Errorf("the branch is at %s, was at %s", now, head)
	}
	// The way out that the error names.
	s.must(s.repo.Do(t.Context(), http.MethodDelete, "/branches/terraform%2Fprod", nil, nil))
	s.apply(third)
	s.has(pushBranch, file(one), "constraints: 1.2.0")
	s.has(pushBranch, "other", "theirs")
	s.quiet(third)
}

// TestAccPullRequest_others: commits of others on the push branch are built upon, and it may be deleted by hand.
func TestAccPullRequest_others(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	now := settings{"installs": packages(2, "1.0.0")}
	s.apply(now)
	s.must(s.repo.Commit(t.Context(), pushBranch, map[string]string{"theirs": "1\n"}))
	s.quiet(now)
	next := settings{"installs": packages(2, "1.1.0")}
	s.apply(next)
	s.has(pushBranch, "theirs", "1")
	s.has(pushBranch, file(one), "constraints: 1.1.0")
	s.must(s.repo.Do(t.Context(), http.MethodDelete, "/branches/terraform%2Fprod", nil, nil))
	s.plan(next, "2 to add")
	s.apply(next)
	s.has(pushBranch, file(one), "constraints: 1.1.0")
	s.quiet(next)
}

// TestAccPullRequest_behind: a rule wants the branch to have all of its base, and an apply brings that in.
func TestAccPullRequest_behind(t *testing.T) {
	t.Parallel()
	rule := approvals(0)
	rule["block_on_outdated_branch"] = true
	rule["enable_push"], rule["enable_push_whitelist"], rule["push_whitelist_usernames"] = true, true, []string{"boss"}
	s := newScene(t, rule)
	now := settings{"installs": packages(2, "1.0.0")}
	s.apply(now)
	s.must(s.repo.Commit(t.Context(), "main", map[string]string{"other": "theirs"}))
	s.apply(now, "1 changed")
	s.has(pushBranch, "other", "theirs")
	s.quiet(now)
	s.merge(s.only().Number, "merge")
	s.apply(now)
	s.quiet(now)
}

// TestAccPullRequest_twoWorkspaces: each has a branch and a request of its own, and neither sees what waits in the other.
func TestAccPullRequest_twoWorkspaces(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	other := *s
	other.program = s.configuration(s.env)
	mine := settings{"installs": map[string]string{"a.example.com": "1.0.0"}, "push_branch": "terraform/a"}
	theirs := settings{"installs": map[string]string{"b.example.com": "1.0.0"}, "push_branch": "terraform/b"}
	s.apply(mine)
	other.apply(theirs)
	if all := s.requests(); len(all) != 2 {
		t.Fatalf("%d requests, want 2", len(all))
	}
	s.quiet(mine)
	for _, r := range s.requests() {
		s.merge(r.Number, "merge")
	}
	s.apply(mine)
	other.apply(theirs)
	s.quiet(mine)
	other.quiet(theirs)
	s.has("main", file("a.example.com"), "constraints")
	s.has("main", file("b.example.com"), "constraints")
}

// TestAccPullRequest_destroy: what never landed is taken off the branch; what landed is there until its removal is merged.
func TestAccPullRequest_destroy(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	now := settings{"installs": packages(2, "1.0.0")}
	s.apply(now)
	s.apply(settings{"installs": packages(1, "1.0.0")}, "1 destroyed")
	s.has(pushBranch, file("package-1.example.com"), "")
	s.program.Run(s.with(now), []string{"destroy", "-auto-approve"}, "2 destroyed")
	if r := s.only(); r.State != "closed" {
		t.Errorf("the request is %s", r.State)
	}
	s.has(pushBranch, file(one), "")

	s.apply(now)
	s.merge(s.requests()[0].Number, "merge")
	s.apply(now)
	late := s.with(settings{"installs": packages(2, "1.0.0"), "delete_timeout": "8s"})
	s.program.Run(late, []string{"destroy", "-auto-approve"}, "Error: Unable to delete", "has not come in time", "/pulls/3 is open")
	s.has("main", file(one), "constraints")
	s.plan(now, "The removal of", "waits to be merged")
	all := s.requests()
	if len(all) != 3 || all[0].State != "open" || !strings.Contains(all[0].Body, "1.0.0 is removed") {
		t.Fatalf("%d requests; the last: %.500s", len(all), all[0].Body)
	}
	s.merge(all[0].Number, "merge")
	s.program.Run(late, []string{"destroy", "-auto-approve"}, "Destroy complete")
	s.has("main", file(one), "")
	if _, ok := s.repo.File(t.Context(), "main", one+"/prod/.gitkeep"); !ok {
		t.Error("the directory that an App fetches is gone")
	}
	s.apply(settings{"installs": map[string]string{}, "request": nil}, "0 added, 0 changed, 0 destroyed")
}

// TestAccPullRequest_waits: a wait that ends by time is a warning, and nothing is tainted.
func TestAccPullRequest_waits(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(1))
	now := func(wait string) settings {
		return settings{"installs": packages(1, "1.0.0"), "request": settings{"wait": wait, "timeouts": settings{"create": "6s", "update": "6s"}}}
	}
	s.apply(now("merged"), "The pull request is not merged yet", "it is still open")
	s.plan(now("merged"), "No changes.")
	s.apply(now("mergeable"), "1 changed")
	s.apply(now("none"), "1 changed")
	s.closeRequest(s.only().Number)
	s.apply(now("merged"), "The pull request is not merged yet")
	if all := s.requests(); len(all) != 2 {
		t.Errorf("%d requests, want 2", len(all))
	}
}

// TestAccPullRequest_refused: a token without rights, an API that is down, and a Git server that is down.
func TestAccPullRequest_refused(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	token, err := s.server.Token(t.Context(), s.robot, "read:user")
	s.must(err)
	now := settings{"installs": packages(1, "1.0.0")}
	weak := settings{"installs": packages(1, "1.0.0"), "forge_token": token}
	s.apply(weak, "Error: Unable to create pull request", "refuses", "git.forge.token")
	s.has(pushBranch, file(one), "constraints") // pushed, and in the state
	s.apply(now, "1 added")
	s.plan(weak, "Error: Unable to read pull request")

	down := func(part string) func(next http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/api/") == (part == "api") {
					panic(http.ErrAbortHandler)
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	s.traffic.Fault(down("api"))
	s.plan(now, "Error: Unable to read pull request")
	other := *s
	other.program = s.configuration(s.env)
	alone := settings{"installs": map[string]string{"other.example.com": "1.0.0"}, "request": nil, "push_branch": "terraform/other"}
	other.apply(alone, "1 added")
	other.quiet(alone, "Changes wait to be merged", "could not be asked")
	s.traffic.Fault(down("git"))
	s.plan(now, "Error: Unable to read")
	s.traffic.Fault(nil)
	s.quiet(now)
	if r := s.only(); r.State != "open" {
		t.Errorf("the request is %s", r.State)
	}
}

// TestAccPullRequest_set: a set of packages is proposed, landed and removed as a whole.
func TestAccPullRequest_set(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	s.program = configurationOf(s.env, "set")
	now := settings{"installs": packages(30, "1.0.0")}
	s.pushes()
	s.apply(now, "2 added")
	if pushes, all := s.pushes(); pushes != 1 {
		t.Errorf("%d pushes of %d requests, want one", pushes, all)
	}
	if i := s.installs()["all"]; i.Commit != nil || i.Pending == nil {
		t.Errorf("%+v, want a pending commit", i)
	}
	s.quiet(now, "Changes wait to be merged")
	s.merge(s.only().Number, "squash")
	s.apply(now, "0 added, 1 changed")
	if i := s.installs()["all"]; i.Pending != nil || i.Commit == nil || *i.Commit != s.repo.Head(t.Context(), "main") {
		t.Errorf("%+v, want the tip of main", i)
	}
	s.quiet(now)
	next := settings{"installs": packages(29, "1.1.0")}
	s.apply(next, "0 added, 2 changed")
	s.quiet(next)
	s.merge(s.requests()[0].Number, "merge")
	s.apply(next)
	s.has("main", file("package-29.example.com"), "")
	s.program.Run(s.with(next), []string{"destroy", "-auto-approve"}, "Error: Unable to delete", "has not come in time")
	s.has("main", file(one), "constraints")
	s.plan(next, "The removal of", "waits to be merged")
	s.merge(s.requests()[0].Number, "merge")
	s.program.Run(s.with(next), []string{"destroy", "-auto-approve"}, "Destroy complete")
	s.has("main", file(one), "")
}

// TestAccPullRequest_incomplete: a request that is open and not all that it is to be is gone on with, and no second one is opened.
func TestAccPullRequest_incomplete(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	reviewer := s.user("reviewer", "write")
	now := func(name string) settings {
		return settings{"installs": packages(1, "1.0.0"), "request": settings{"reviewers": []string{name}}}
	}
	s.apply(now("nobody-of-that-name"), "The pull request is not complete", "2 added")
	s.plan(now("nobody-of-that-name"), "1 to change")
	s.apply(now(reviewer.Name), "1 changed")
	s.quiet(now(reviewer.Name))
	if r := s.only(); r.State != "open" {
		t.Errorf("the request is %s", r.State)
	}
}

// TestAccPullRequest_removals: the host merges what a destroy asks for, if it is told to.
func TestAccPullRequest_removals(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	now := settings{"installs": packages(2, "1.0.0"), "auto_merge_removals": true, "delete_timeout": "1m"}
	s.apply(now)
	s.merge(s.only().Number, "squash")
	s.apply(now)
	now["installs"] = packages(1, "1.0.0")
	s.apply(now, "1 destroyed")
	s.has("main", file("package-1.example.com"), "")
	s.program.Run(s.with(now), []string{"destroy", "-auto-approve"}, "Destroy complete")
	s.has("main", file(one), "")
}

// TestAccPullRequest_orphan: a destroy that leaves the files pushes nothing and waits for nothing, whether or not they have landed, and needs no Git
// server. The request stays open as long as its resource does.
func TestAccPullRequest_orphan(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	now := settings{"installs": packages(2, "1.0.0"), "on_destroy": "orphan"}
	s.apply(now)
	number, head := s.only().Number, s.repo.Head(t.Context(), pushBranch)
	s.pushes()
	none := settings{"installs": packages(0, ""), "on_destroy": "orphan"}
	s.apply(none, "go on waiting", "goes on running", "0 added, 1 changed, 2 destroyed")
	if pushes, _ := s.pushes(); pushes != 0 || s.repo.Head(t.Context(), pushBranch) != head {
		t.Errorf("%d pushes, want none", pushes)
	}
	if r := s.only(); r.State != "open" || r.Number != number {
		t.Errorf("request %d is %s", r.Number, r.State)
	}
	s.quiet(none)

	// The same configuration goes on with what it has left, and lands it.
	s.apply(now, "2 added")
	s.keeps(now, number)
	s.merge(number, "merge")
	s.apply(now)
	main := s.repo.Head(t.Context(), "main")
	s.pushes()
	s.traffic.Fault(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	})
	s.program.Run(s.with(now), []string{"destroy", "-auto-approve", "-refresh=false"}, "goes on running", "Destroy complete")
	s.traffic.Fault(nil)
	if pushes, all := s.pushes(); pushes != 0 || all != 0 {
		t.Errorf("%d pushes of %d requests, want none", pushes, all)
	}
	if s.repo.Head(t.Context(), "main") != main {
		t.Error("main has moved")
	}
	s.has("main", file(one), "constraints")
}
