package pullrequest_test

import (
	"fmt"
	"os"
	"testing"
)

// keeps checks that the one request is still open, and that the next plan is empty.
func (s *scene) keeps(now settings, number int64) {
	s.Helper()
	if r := s.only(); r.State != "open" || r.Number != number {
		s.Errorf("request %d is %s, want %d open", r.Number, r.State, number)
	}
	s.quiet(now)
}

const requestAddress = "carvel_pull_request.test[0]"

// TestAccPullRequest_replaced: a request that is open survives a replacement in either order and a taint, and none is opened beside it.
func TestAccPullRequest_replaced(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	now := settings{"installs": packages(2, "1.0.0")}
	s.apply(now)
	number := s.only().Number
	replace := func(texts ...string) {
		t.Helper()
		s.program.Run(s.with(now), []string{"apply", "-auto-approve", "-replace=" + requestAddress}, append(texts, "1 added, 0 changed, 1 destroyed")...)
		s.keeps(now, number)
	}
	replace("-/+ destroy and then create replacement")
	s.program.Taint(requestAddress)
	s.apply(now, "is tainted", "1 added, 0 changed, 1 destroyed")
	s.keeps(now, number)
	s.program.Replace("  count = var.request == null ? 0 : 1\n", "  count = var.request == null ? 0 : 1\n  lifecycle { create_before_destroy = true }\n")
	replace("+/- create replacement and then destroy")

	// A change that the replacement brings along goes to the same request.
	now["installs"] = packages(3, "1.0.0")
	s.program.Run(s.with(now), []string{"apply", "-auto-approve", "-replace=" + requestAddress}, "2 added, 0 changed, 1 destroyed")
	s.keeps(now, number)

	// A destroy after all that closes it, as ever.
	now["request"] = nil
	s.apply(now, "0 added, 0 changed, 1 destroyed")
	if r := s.only(); r.State != "closed" {
		t.Errorf("the request is %s", r.State)
	}
}

// TestAccPullRequest_renamed: a resource at another address without a moved block is refused by the plan, which leaves the request open; with
// one, nothing changes. Once the request is merged there is nothing to lose.
func TestAccPullRequest_renamed(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	now := settings{"installs": packages(2, "1.0.0")}
	s.apply(now)
	number := s.only().Number
	rename := func(from, to string) {
		t.Helper()
		s.program.Replace(`"carvel_pull_request" "`+from+`"`, `"carvel_pull_request" "`+to+`"`)
		s.program.Replace("carvel_pull_request."+from+"[0]", "carvel_pull_request."+to+"[0]")
	}
	rename("test", "renamed")
	s.apply(now, "Error: The pull request \"terraform/prod\" is destroyed and created by the same plan", "add a moved block")
	if r := s.only(); r.State != "open" {
		t.Errorf("the request is %s", r.State)
	}
	const moved = "moved {\n  from = carvel_pull_request.test\n  to   = carvel_pull_request.renamed\n}\n"
	s.program.Replace("output \"request\" {", moved+"output \"request\" {")
	s.apply(now, requestAddress+" has moved to carvel_pull_request.renamed[0]", "0 added, 0 changed, 0 destroyed")
	s.keeps(now, number)

	s.merge(number, "merge")
	s.apply(now)
	s.quiet(now)
	s.program.Replace(moved, "")
	rename("renamed", "again")
	s.apply(now, "1 added, 0 changed, 1 destroyed")
	if r := s.only(); !r.Merged {
		t.Errorf("the request is %s", r.State)
	}
	s.quiet(now)
}

// TestAccPullRequest_twice: two resources for one push branch are refused by the plan.
func TestAccPullRequest_twice(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(0))
	s.program.Replace("count = var.request == null ? 0 : 1", "count = var.request == null ? 0 : 2")
	s.plan(settings{"installs": packages(1, "1.0.0")}, "Error: Two resources for the pull request \"terraform/prod\"")
}

// TestAccPullRequest_imported: an import block alone gives a configuration that changes nothing, and goes on with the request.
func TestAccPullRequest_imported(t *testing.T) {
	t.Parallel()
	s := newScene(t, approvals(1))
	s.apply(settings{"installs": packages(2, "1.0.0")}, "3 added")
	before := s.only()
	without := settings{"installs": packages(2, "1.0.0"), "request": nil}
	s.program.Forget("carvel_pull_request.test[0]")
	s.must(os.WriteFile(s.program.Path("import.tf"), fmt.Appendf(nil, "import {\n  to = carvel_pull_request.found\n  id = %q\n}\n", pushBranch), 0o600))
	s.program.Run(s.with(without), []string{"plan", "-generate-config-out=generated.tf"})
	s.pushes()
	s.apply(without, "1 imported, 0 added", "0 destroyed")
	if pushes, _ := s.pushes(); pushes > 0 {
		t.Errorf("%d pushes, want none", pushes)
	}
	s.quiet(without)
	if after := s.only(); after != before {
		t.Errorf("the request was %+v and is %+v", before, after)
	}
}
