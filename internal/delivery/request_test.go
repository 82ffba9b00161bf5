package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

// host is a forge in memory, in front of a real repository.
type host struct {
	t      *testing.T
	server *gitserver.Server

	mu   sync.Mutex
	all  []*forge.Request
	down error
	asks int
}

func (h *host) git(args ...string) string {
	h.t.Helper()
	out, err := h.server.Git("gitops", nil, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func (h *host) enter() (leave func(), err error) {
	h.mu.Lock()
	h.asks++
	return h.mu.Unlock, h.down
}

func (h *host) Check(forge.Content, *forge.AutoMerge) error { return nil }

func (h *host) Find(_ context.Context, source, base string) (*forge.Request, error) {
	leave, err := h.enter()
	defer leave()
	if err != nil {
		return nil, err
	}
	var found *forge.Request
	for _, r := range h.all {
		if r.Source == source && r.Base == base && (found == nil || found.State != forge.Open) {
			found = r
		}
	}
	return h.copy(found), nil
}

// copy is a request with the head as it is.
func (h *host) copy(r *forge.Request) *forge.Request {
	if r == nil {
		return nil
	}
	if r.State == forge.Open {
		r.Head = h.git("rev-parse", r.Source)
	}
	c := *r
	return &c
}

func (h *host) Get(_ context.Context, number int64) (*forge.Request, error) {
	leave, err := h.enter()
	defer leave()
	if err != nil || number > int64(len(h.all)) {
		return nil, errors.Join(err, forge.ErrNotFound)
	}
	return h.copy(h.all[number-1]), nil
}

func (h *host) Create(_ context.Context, source, base string, content forge.Content) (*forge.Request, error) {
	leave, err := h.enter()
	defer leave()
	if err != nil {
		return nil, err
	}
	n := int64(len(h.all) + 1)
	h.all = append(h.all, &forge.Request{Number: n, URL: fmt.Sprintf("https://forge/%d", n), State: forge.Open, Source: source, Base: base, Title: content.Title, Body: content.Body})
	return h.copy(h.all[n-1]), nil
}

func (h *host) Update(_ context.Context, number int64, content forge.Content) (*forge.Request, error) {
	leave, err := h.enter()
	defer leave()
	if err != nil {
		return nil, err
	}
	h.all[number-1].Title, h.all[number-1].Body = content.Title, content.Body
	return h.copy(h.all[number-1]), nil
}

func (h *host) Close(_ context.Context, number int64) error {
	leave, err := h.enter()
	defer leave()
	if err == nil && h.all[number-1].State == forge.Open {
		h.copy(h.all[number-1]) // with the last head
		h.all[number-1].State = forge.Closed
	}
	return err
}

func (h *host) BodyLimit() int { return 60_000 }

func (h *host) AutoMerge(context.Context, int64, forge.AutoMerge) error { return nil }
func (h *host) CancelAutoMerge(context.Context, int64) error            { return nil }

// squash merges the open request as one commit of its own.
func (h *host) squash() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.all[len(h.all)-1]
	h.copy(r)
	tree := h.git("merge-tree", "--write-tree", "main", r.Source)
	h.git("update-ref", "refs/heads/main", h.git("commit-tree", "-m", "squashed", "-p", "main", tree))
	r.State, r.MergeCommit = forge.Merged, h.git("rev-parse", "main")
}

const pushed = "terraform/prod"

// proposing is a configuration that pushes to a branch of its own, as a new process has it.
func (h *host) proposing() *Delivery {
	h.t.Helper()
	config := gitops.Config{
		URL: h.server.URL("gitops"), Branch: pushed, Base: "main", UserAgent: fmt.Sprint("test-", time.Now().UnixNano()),
		HTTP: gitops.HTTPAuth{CertificateAuthority: h.server.CertificateAuthority()},
	}
	head, err := gitops.Open(config)
	if err != nil {
		h.t.Fatal(err)
	}
	config.Branch, config.Base = "main", ""
	base, err := gitops.Open(config)
	if err != nil {
		h.t.Fatal(err)
	}
	return New(Config{
		Repository: base, Pushed: head, Forge: h, Location: Location{URL: config.URL, Branch: "main", PushBranch: pushed}, Owner: "test",
	})
}

func newHost(t *testing.T) *host {
	server, err := gitserver.Start(gitserver.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if err := server.CreateRepository("gitops", gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Seed("gitops", "Begin", map[string]string{"README.md": "# GitOps\n"}); err != nil {
		t.Fatal(err)
	}
	return &host{t: t, server: server}
}

// TestPropose: what is pushed waits, is asked for once with what it changes, and has landed when it is merged, under whatever commit.
func TestPropose(t *testing.T) {
	t.Parallel()
	h, ctx := newHost(t), t.Context()
	d, p := h.proposing(), proposedInstall()
	created, err := d.Installs.Create(ctx, p)
	if err != nil || !created.Commit.IsZero() || created.Pending.String() != h.git("rev-parse", pushed) {
		t.Fatalf("created %+v, %v", created.Reached, err)
	}
	done, err := d.Proposals.Propose(ctx, Proposal{Body: "Please look."})
	if err != nil || done.Request == nil || done.Request.State != forge.Open {
		t.Fatalf("proposed %+v, %v", done, err)
	}
	for _, text := range []string{"Please look.", "| app.default.tap | staging |", "is new"} {
		if !strings.Contains(done.Request.Body, text) {
			t.Errorf("the body lacks %q:\n%s", text, done.Request.Body)
		}
	}
	if strings.Contains(done.Request.Body, "s3cret") {
		t.Error("the body has a secret")
	}
	// As the next plan sees it.
	d = h.proposing()
	found, receipt, err := d.Installs.Read(ctx, p.At())
	stand, standErr := d.Installs.Stand(ctx, p.At())
	if err != nil || standErr != nil || receipt.Says == nil || stand.Pending.IsZero() || found.Install.Name != p.Install.Name {
		t.Fatalf("%+v, %v, %v", stand, err, standErr)
	}
	if waiting := d.Proposals.Waiting(); waiting == nil || waiting.Failure != nil || waiting.Request == nil || waiting.Request.Number != 1 {
		t.Errorf("waiting for %+v", waiting)
	}
	h.squash()
	d = h.proposing()
	if stand, err := d.Installs.Stand(ctx, p.At()); err != nil || stand.Commit.String() != h.git("rev-parse", "main") {
		t.Errorf("after the merge: %+v, %v", stand, err)
	}
	if request, changed, err := d.Proposals.Look(ctx, 1); err != nil || changed || request.State != forge.Merged {
		t.Errorf("request %+v, changed %v, %v", request, changed, err)
	}
	if done, err := d.Proposals.Propose(ctx, Proposal{}); err != nil || done.Request == nil || done.Request.Number != 1 || len(h.all) != 1 {
		t.Errorf("with nothing to merge: %+v, %v; %d requests", done, err, len(h.all))
	}
}

// TestPropose_turnedDown: what was in a request that was closed does not wait; what the forge does not tell does.
func TestPropose_turnedDown(t *testing.T) {
	t.Parallel()
	h, ctx := newHost(t), t.Context()
	d, p := h.proposing(), proposedInstall()
	if _, err := d.Installs.Create(ctx, p); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Proposals.Propose(ctx, Proposal{}); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(ctx, 1); err != nil {
		t.Fatal(err)
	}
	h.down = errors.New("down")
	d = h.proposing()
	if stand, err := d.Installs.Stand(ctx, p.At()); err != nil || stand.Pending.IsZero() {
		t.Errorf("with the forge down: %+v, %v; want that it waits", stand, err)
	}
	h.down = nil
	d = h.proposing()
	if _, _, err := d.Installs.Read(ctx, p.At()); !errors.Is(err, ErrNotFound) {
		t.Errorf("read %v, want that it is not there", err)
	}
	if _, changed, err := d.Proposals.Look(ctx, 1); err != nil || changed {
		t.Errorf("changed %v, %v: there is nothing to ask for until it is pushed again", changed, err)
	}
	if _, err := d.Installs.Create(ctx, p); err != nil {
		t.Fatal(err)
	}
	if done, err := d.Proposals.Propose(ctx, Proposal{}); err != nil || done.Request.Number != 2 {
		t.Errorf("proposed %+v, %v", done.Request, err)
	}
}

// TestPropose_removal: what never landed is taken off the branch at once; what landed is waited for.
func TestPropose_removal(t *testing.T) {
	t.Parallel()
	h, ctx := newHost(t), t.Context()
	d, p := h.proposing(), proposedInstall()
	created, err := d.Installs.Create(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Proposals.Propose(ctx, Proposal{}); err != nil {
		t.Fatal(err)
	}
	p.Creation = created.Creation
	if left, err := d.Installs.Delete(ctx, p.At(), created.Blobs, p.Hold); err != nil || len(left) > 0 {
		t.Fatalf("left %v, %v", left, err)
	}
	if files, err := h.server.Files("gitops", pushed); err != nil || len(files) != 1 || h.all[0].State != forge.Closed {
		t.Errorf("files %v, %v; the request is %s", files, err, h.all[0].State)
	}

	d = h.proposing()
	if created, err = d.Installs.Create(ctx, p); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Proposals.Propose(ctx, Proposal{}); err != nil {
		t.Fatal(err)
	}
	h.squash()
	d = h.proposing()
	p.Creation = created.Creation
	brief, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err = d.Installs.Delete(brief, p.At(), created.Blobs, p.Hold)
	var unmerged *UnmergedError
	if !errors.As(err, &unmerged) || unmerged.Request == nil || unmerged.Request.Number != 3 || !strings.Contains(unmerged.Request.Body, "is removed") {
		t.Fatalf("deleted: %v, want that it waits for a request", err)
	}
	h.squash()
	d = h.proposing()
	if _, err := d.Installs.Delete(ctx, p.At(), installfiles.Blobs{}, p.Hold); err != nil {
		t.Errorf("after the merge: %v", err)
	}
}

// TestWithdraw: a resource that goes closes its request, but not the one that another resource of the run has taken on.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	h, ctx := newHost(t), t.Context()
	d := h.proposing()
	if _, err := d.Installs.Create(ctx, proposedInstall()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Proposals.Propose(ctx, Proposal{}); err != nil {
		t.Fatal(err)
	}
	if err := d.Proposals.Withdraw(ctx, 1); err != nil || h.all[0].State != forge.Open {
		t.Errorf("in the same run: %v, the request is %s", err, h.all[0].State)
	}
	if err := h.proposing().Proposals.Withdraw(ctx, 1); err != nil || h.all[0].State != forge.Closed {
		t.Errorf("in a later run: %v, the request is %s", err, h.all[0].State)
	}
}

func proposedInstall() PackageInstall {
	p := testInstall()
	p.Values["password"] = "s3cret"
	return p
}
