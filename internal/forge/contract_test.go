package forge

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var contracts = []contract{giteaContract, githubContract, gitlabContract, bitbucketContract, datacenterContract, azureContract}

// story is something that happens to a client; what needs tells is for kinds that have it.
type story struct {
	name  string
	needs func(ability) bool
	tell  func(t *testing.T, c contract, h *host, f Forge)
}

// stories are what every kind of forge does, as far as it has what they are about.
var stories = []story{
	{"none", nil, func(t *testing.T, _ contract, _ *host, f Forge) {
		if r, err := f.Find(t.Context(), "feature/x", "main"); r != nil || err != nil {
			t.Errorf("found %+v, %v", r, err)
		}
		if _, err := f.Get(t.Context(), 42); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}},
	{"create and find", nil, func(t *testing.T, c contract, h *host, f Forge) {
		made, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title", Body: "A body"})
		if err != nil {
			t.Fatal(err)
		}
		for name, read := range map[string]func() (*Request, error){
			"Get":    func() (*Request, error) { return f.Get(t.Context(), made.Number) },
			"Find":   func() (*Request, error) { return f.Find(t.Context(), "feature/x", "main") },
			"Create": func() (*Request, error) { return made, nil },
		} {
			r, err := read()
			if err != nil || r == nil {
				t.Fatalf("%s: %v, %v", name, r, err)
			}
			want := Request{
				Number: 1, URL: r.URL, State: Open, Head: testHead, Base: "main", Source: "feature/x", Title: "A title", Body: "A body", Mergeable: true,
			}
			if got := jsonOf(t, r); got != jsonOf(t, want) {
				t.Errorf("%s: got %s, want %s", name, got, jsonOf(t, want))
			}
			if !strings.Contains(r.URL, "/1") {
				t.Errorf("%s: the page is %q", name, r.URL)
			}
		}
		h.pulls[0].mergeable, h.pulls[0].blocked = false, c.blocked
		r, err := f.Get(t.Context(), made.Number)
		if err != nil || c.blocked != "" && (r.Mergeable || !strings.Contains(r.Blocked, c.blocked)) {
			t.Errorf("got %+v, %v", r, err)
		}
	}},
	{"exists", nil, func(t *testing.T, c contract, h *host, f Forge) {
		h.open("other", "main")
		there := h.open("feature/x", "main")
		_, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title"})
		var exists *ExistsError
		if !errors.As(err, &exists) || exists.Number != there.number {
			t.Errorf("got %v", err)
		}
		if len(h.pulls) != 2 {
			t.Error("there is a second one")
		}
	}},
	{"the open one before a newer one", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		h.open("feature/x", "main").close()
		h.open("feature/x", "main").mergeNow()
		if r, err := f.Find(t.Context(), "feature/x", "main"); err != nil || r.Number != 2 || r.State != Merged || r.MergeCommit != testMerged || r.Mergeable {
			t.Errorf("found %+v, %v", r, err)
		}
		h.open("feature/x", "main")
		h.open("feature/x", "main").close()
		h.open("feature/y", "main")
		h.open("feature/x", "other")
		h.open("feature/x", "main").fork = true
		if r, err := f.Find(t.Context(), "feature/x", "main"); err != nil || r.Number != 3 || r.State != Open {
			t.Errorf("found %+v, %v", r, err)
		}
	}},
	{"find costs the same with many", nil, func(t *testing.T, c contract, h *host, f Forge) {
		for range 500 {
			h.open("other", "main").close()
		}
		h.open("feature/x", "main")
		if r, err := f.Find(t.Context(), "feature/x", "main"); err != nil || r.Number != 501 {
			t.Errorf("found %+v, %v", r, err)
		}
		// What Data Center tells of one request takes three.
		if got := h.requests("GET", "/"); got > 3 || got > 2 && c.kind != DataCenter {
			t.Errorf("that took %d requests: %v", got, h.log)
		}
	}},
	{"update what differs", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		p := h.open("feature/x", "main")
		r, err := f.Update(t.Context(), p.number, Content{Title: "Title", Body: "Body\r\n"})
		if err != nil || r.Title != "Title" {
			t.Fatalf("got %+v, %v", r, err)
		}
		if writes := h.writes(); len(writes) > 0 {
			t.Errorf("nothing differs: %v", writes)
		}
		r, err = f.Update(t.Context(), p.number, Content{Title: "Another", Body: "Body"})
		if err != nil || r.Title != "Another" || p.title != "Another" || p.body != "Body" {
			t.Errorf("got %+v, %v; %+v", r, err, p)
		}
		r, err = f.Update(t.Context(), p.number, Content{Title: "Another", Body: "More\n\nlines"})
		if err != nil || r.Body != "More\n\nlines" || p.title != "Another" {
			t.Errorf("got %+v, %v; %+v", r, err, p)
		}
		if writes := h.writes(); len(writes) != 2 {
			t.Errorf("two things differ: %v", writes)
		}
	}},
	{"labels", func(has ability) bool { return has.labels }, func(t *testing.T, _ contract, h *host, f Forge) {
		r, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title", Labels: []string{"gitops"}})
		if err != nil || !slices.Equal(r.Labels, []string{"gitops"}) {
			t.Fatalf("got %+v, %v", r, err)
		}
		h.pulls[0].labels = append(h.pulls[0].labels, "of people")
		r, err = f.Update(t.Context(), r.Number, Content{Title: "A title", Labels: []string{"bot", "gitops"}})
		if err != nil || !slices.Equal(r.Labels, []string{"gitops", "of people", "bot"}) {
			t.Errorf("got %+v, %v", r, err)
		}
	}},
	{"reviewers", func(has ability) bool { return has.reviewers }, func(t *testing.T, _ contract, h *host, f Forge) {
		r, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title", Reviewers: []string{"alice"}})
		if err != nil || !slices.Equal(r.Reviewers, []string{"alice"}) {
			t.Fatalf("got %+v, %v", r, err)
		}
		before := len(h.writes())
		h.pulls[0].reviewed = []string{"alice"}
		if _, err = f.Update(t.Context(), r.Number, Content{Title: "A title", Reviewers: []string{"Alice"}}); err != nil || len(h.writes()) != before {
			t.Errorf("who has reviewed is asked again: %v, %v", h.writes(), err)
		}
		r, err = f.Update(t.Context(), r.Number, Content{Title: "A title", Reviewers: []string{"alice", "bob"}})
		if err != nil || !slices.Contains(r.Reviewers, "bob") || !slices.Contains(h.pulls[0].asked, "alice") {
			t.Errorf("got %+v, %v", r, err)
		}
	}},
	{"teams", func(has ability) bool { return has.teams }, func(t *testing.T, _ contract, _ *host, f Forge) {
		r, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title", Reviewers: []string{"team:ops", "bob"}})
		if err != nil || !slices.Equal(r.Reviewers, []string{"bob", "team:ops"}) {
			t.Fatalf("got %+v, %v", r, err)
		}
	}},
	{"no such reviewer", func(has ability) bool { return has.reviewers }, func(t *testing.T, _ contract, h *host, f Forge) {
		_, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title", Reviewers: []string{"nobody"}})
		if err == nil || !strings.Contains(err.Error(), "nobody") || errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}},
	{"draft", func(has ability) bool { return has.draft }, func(t *testing.T, _ contract, h *host, f Forge) {
		yes, no := true, false
		r, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title", Draft: &yes})
		if err != nil || !r.Draft || r.Title != "A title" || !h.pulls[0].draft || h.pulls[0].title != "A title" {
			t.Fatalf("got %+v, %v", r, err)
		}
		if r, err = f.Get(t.Context(), 1); err != nil || r.Mergeable || !strings.Contains(r.Blocked, "draft") {
			t.Errorf("got %+v, %v", r, err)
		}
		if r, err = f.Update(t.Context(), 1, Content{Title: "Another"}); err != nil || !r.Draft || r.Title != "Another" {
			t.Errorf("got %+v, %v", r, err)
		}
		if r, err = f.Update(t.Context(), 1, Content{Title: "Another", Draft: &no}); err != nil || r.Draft || h.pulls[0].draft || r.Title != "Another" {
			t.Errorf("got %+v, %v", r, err)
		}
		if r, err = f.Update(t.Context(), 1, Content{Title: "Another", Draft: &yes}); err != nil || !r.Draft || !h.pulls[0].draft {
			t.Errorf("got %+v, %v", r, err)
		}
	}},
	{"close", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		p, merged := h.open("feature/x", "main"), h.open("feature/y", "main")
		merged.mergeNow()
		for range 2 {
			if err := f.Close(t.Context(), p.number); err != nil {
				t.Error(err)
			}
		}
		if r, err := f.Get(t.Context(), p.number); err != nil || r.State != Closed || r.Mergeable {
			t.Errorf("got %+v, %v", r, err)
		}
		if err := f.Close(t.Context(), merged.number); err != nil || merged.state != Merged {
			t.Errorf("%v; %+v", err, merged)
		}
		if err := f.Close(t.Context(), 42); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if got := len(h.writes()); got != 1 {
			t.Errorf("%d changes: %v", got, h.writes())
		}
	}},
	{"auto-merge", func(has ability) bool { return has.autoMerge }, func(t *testing.T, c contract, h *host, f Forge) {
		p := h.open("feature/x", "main")
		p.mergeable, p.blocked = false, c.blocked
		for _, how := range []AutoMerge{{Method: Squash, Head: testHead}, {Method: Merge, Head: testHead, DeleteBranch: true}, {Head: testHead}} {
			if err := f.AutoMerge(t.Context(), p.number, how); err != nil {
				t.Fatal(err)
			}
			if !p.auto {
				t.Error("it is not scheduled")
			}
			if r, err := f.Get(t.Context(), p.number); err != nil || !r.AutoMerge {
				t.Errorf("got %+v, %v", r, err)
			}
			if want := hostMethods[c.kind][how.Method]; p.method != want {
				t.Errorf("%s: the method is %q, want %q", how.Method, p.method, want)
			}
		}
		for range 2 {
			if err := f.CancelAutoMerge(t.Context(), p.number); err != nil || p.auto {
				t.Errorf("%v; %+v", err, p)
			}
		}
		if r, err := f.Get(t.Context(), p.number); err != nil || r.AutoMerge {
			t.Errorf("got %+v, %v", r, err)
		}
		var refused *RefusedError
		if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Head: testMerged}); !errors.As(err, &refused) || p.auto {
			t.Errorf("another commit: %v", err)
		}
		p.draft = true
		if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Head: testHead}); c.kind == Gitea && !errors.As(err, &refused) {
			t.Errorf("a draft: %v", err)
		}
		p.mergeNow()
		if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Head: testHead}); err != nil {
			t.Errorf("merged already: %v", err)
		}
		if err := f.CancelAutoMerge(t.Context(), 42); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}},
	{"auto-merge while the forge is looking", func(has ability) bool { return has.autoMerge }, func(t *testing.T, c contract, h *host, f Forge) {
		p := h.open("feature/x", "main")
		p.mergeable, p.unreadyAnswers = false, 2
		if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Method: Merge, Head: testHead}); err != nil || !p.auto && p.state != Merged {
			t.Errorf("%v; %+v", err, p)
		}
	}},
}

// hostMethods are what a kind calls the methods of merging.
var hostMethods = map[Kind]map[MergeMethod]string{
	Gitea:       {Merge: "merge", Squash: "squash", "": "rebase"},
	DataCenter:  {Merge: "no-ff", Squash: "squash", "": "no-ff"},
	AzureDevOps: {Merge: "noFastForward", Squash: "squash", "": "noFastForward"},
	GitLab:      {Merge: "merge", Squash: "squash", "": "merge"},
	GitHub:      {Merge: "merge", Squash: "squash", "": "merge"}, // the empty one leaves the schedule that there is
}

func isDenied(err error) bool { return errors.As(err, new(*DeniedError)) }

func (h *host) writes() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.log), func(line string) bool { return strings.HasPrefix(line, "GET ") })
}

func TestContracts(t *testing.T) {
	for _, c := range contracts {
		for _, story := range slices.Concat(stories, faultStories) {
			if story.needs != nil && !story.needs(abilities[c.kind]) {
				continue
			}
			t.Run(string(c.kind)+"/"+story.name, func(t *testing.T) {
				t.Parallel()
				h, f := c.start(t)
				story.tell(t, c, h, f)
			})
		}
	}
}
