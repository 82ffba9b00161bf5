package pullrequest_test

import (
	"strings"
	"testing"
)

// TestAccPullRequest_lifecycle: twenty installs in one request, quiet plans, a second apply that adds to it, and what is true after the merge.
func TestAccPullRequest_lifecycle(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(1))
	first := settings{"installs": packages(20, "1.0.0")}
	s.pushes()
	s.apply(first, "20 added")
	if pushes, all := s.pushes(); pushes > 2 {
		t.Errorf("%d pushes of %d requests, want at most 2", pushes, all)
	}
	r := s.only()
	if r.State != "open" || r.ChangedFiles != 60 || !strings.Contains(r.Body, "| package-7.example.com | prod | 1.0.0 is new |") || strings.Contains(r.Body, "s3cr3t") {
		t.Errorf("request %+v", r)
	}
	for name, i := range s.installs() {
		if i.Commit != nil || i.Pending == nil {
			t.Errorf("%s: %+v, want a pending commit", name, i)
		}
	}
	s.has("main", file("package-3.example.com"), "")
	s.has(pushBranch, file("package-3.example.com"), "constraints: 1.0.0")
	s.quiet(first, "Changes wait to be merged", r.HTMLURL)

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
