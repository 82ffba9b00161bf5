package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// trees are the directories of commits; the zero commit is the tip. They become
// next when the tip is asked for again.
type trees struct {
	Repository
	now, next map[gitops.Hash]map[string]gitops.Hash
}

func (t *trees) Entries(_ context.Context, commit gitops.Hash, paths ...string) ([]gitops.Entry, error) {
	of, ok := t.now[commit]
	if !ok {
		return nil, gitops.ErrCommitNotFound
	}
	entries := make([]gitops.Entry, len(paths))
	for i, at := range paths {
		entries[i].Hash = of[at]
	}
	return entries, nil
}

func (t *trees) Tip(context.Context) (gitops.Hash, error) { return gitops.Hash{}, nil }

func (t *trees) Invalidate() {
	if t.next != nil {
		t.now = t.next
	}
}

func TestInSync(t *testing.T) {
	hash := func(digit string) gitops.Hash {
		h, err := gitops.ParseHash(strings.Repeat(digit, 40))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	commit := func(digit string) string { return strings.Repeat(digit, 40) }
	one := map[string]gitops.Hash{"p/packages": hash("a"), "p/staging": hash("b")}
	two := map[string]gitops.Hash{"p/packages": hash("a"), "p/staging": hash("c"), "p/prod": hash("d")}
	at := func(tip map[string]gitops.Hash) map[gitops.Hash]map[string]gitops.Hash {
		return map[gitops.Hash]map[string]gitops.Hash{{}: tip, hash("1"): one, hash("2"): two}
	}
	git := func(url, ref, subPath string) carvel.Fetch {
		return carvel.Fetch{Git: &carvel.GitFetch{URL: url, Ref: ref, SubPath: subPath}}
	}
	const ours = "https://git.example.com/gitops.git"
	packages, staging := git(ours, "origin/main", "p/packages/"), git("https://git.example.com/gitops", "main", "./p/staging")
	for name, c := range map[string]struct {
		tip, newer map[string]gitops.Hash // newer: once it is asked for again
		fetch      []carvel.Fetch
		commits    []string
		want       string
	}{
		"the tip":                  {two, nil, []carvel.Fetch{packages, staging}, []string{commit("2"), commit("2")}, "true"},
		"older, and the same":      {two, nil, []carvel.Fetch{packages}, []string{commit("1")}, "true"},
		"older":                    {two, nil, []carvel.Fetch{packages, staging}, []string{commit("1"), commit("1")}, "false"},
		"one of two is older":      {two, nil, []carvel.Fetch{packages, staging}, []string{commit("2"), commit("1")}, "false"},
		"two commits, both good":   {two, nil, []carvel.Fetch{packages, staging}, []string{commit("1"), commit("2")}, "true"},
		"newer than the known tip": {one, two, []carvel.Fetch{packages, staging}, []string{commit("2"), commit("2")}, "true"},
		"nothing fetched":          {two, nil, []carvel.Fetch{packages}, nil, "false"},
		"directory is new":         {two, nil, []carvel.Fetch{git(ours, "main", "p/prod")}, []string{commit("1")}, "false"},
		"directory is gone":        {one, nil, []carvel.Fetch{git(ours, "main", "p/prod")}, []string{commit("2")}, "false"},
		"others do not count": {
			two, nil,
			[]carvel.Fetch{git("https://git.example.com/other.git", "origin/main", "x"), {}, git(ours, "v1", "p/staging"), staging},
			[]string{commit("9"), commit("1"), commit("2")},
			"true",
		},
		"nothing of ours":    {two, nil, []carvel.Fetch{git(ours, "origin/next", "p/staging"), {}}, []string{commit("1")}, "unknown"},
		"the commit is lost": {two, nil, []carvel.Fetch{staging}, []string{commit("9")}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			repository := &trees{now: at(c.tip)}
			if c.newer != nil {
				repository.next = at(c.newer)
			}
			d := New(Config{Repository: repository, Location: Location{URL: ours, Branch: "main"}})
			got, err := d.Apps.inSync(t.Context(), carvel.AppSpec{Fetch: c.fetch}, fetchedAt(c.fetch, c.commits...))
			text := "unknown"
			if got != nil {
				text = map[bool]string{true: "true", false: "false"}[*got]
			}
			if err != nil || text != c.want {
				t.Errorf("got %s, %v; want %s", text, err, c.want)
			}
		})
	}
	if got, err := New(Config{}).Apps.inSync(t.Context(), carvel.AppSpec{Fetch: []carvel.Fetch{packages}}, fetchedAt([]carvel.Fetch{packages}, commit("1"))); got != nil || err != nil {
		t.Errorf("without a repository: %v, %v", got, err)
	}
	broken := New(Config{Repository: brokenTrees{}, Location: Location{URL: ours, Branch: "main"}})
	if got, err := broken.Apps.inSync(t.Context(), carvel.AppSpec{Fetch: []carvel.Fetch{packages}}, fetchedAt([]carvel.Fetch{packages}, commit("1"))); got != nil || !errors.Is(err, gitops.ErrAuth) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestInSyncBySteps: what no step reads does not count.
func TestInSyncBySteps(t *testing.T) {
	hash := func(digit string) gitops.Hash { return gitops.Hash([]byte(strings.Repeat(digit, 20))) }
	const ours = "https://git.example.com/gitops.git"
	then := strings.Repeat("1", 40)
	thenHash, _ := gitops.ParseHash(then)
	for name, c := range map[string]struct {
		changed string
		paths   []string
		want    bool
	}{
		"another directory":    {"clusters/q/staging", []string{"p/packages", "p/staging", "f.yaml"}, true},
		"the first directory":  {"clusters/p/packages", []string{"p/packages", "p/staging", "f.yaml"}, false},
		"the second directory": {"clusters/p/staging", []string{"p/packages", "p/staging", "f.yaml"}, false},
		"a file":               {"clusters/f.yaml", []string{"p/packages", "p/staging", "f.yaml"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			was := map[string]gitops.Hash{"clusters/p/packages": hash("a"), "clusters/p/staging": hash("b"), "clusters/q/staging": hash("c"), "clusters/f.yaml": hash("d")}
			is := maps.Clone(was)
			is[c.changed] = hash("e")
			repository := &trees{now: map[gitops.Hash]map[string]gitops.Hash{{}: is, thenHash: was}}
			d := New(Config{Repository: repository, Location: Location{URL: ours, Branch: "main"}})
			spec := carvel.AppSpec{
				Fetch:    []carvel.Fetch{{Git: &carvel.GitFetch{URL: ours, Ref: "origin/main", SubPath: "clusters"}}},
				Template: []carvel.Template{{Ytt: &carvel.Ytt{Paths: c.paths}}},
			}
			got, err := d.Apps.inSync(t.Context(), spec, fetchedAt(spec.Fetch, then))
			if err != nil || got == nil || *got != c.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// TestInSyncByPath: the controller may report its sources in any order, and one
// of them under a path of its own.
func TestInSyncByPath(t *testing.T) {
	hash := func(digit string) gitops.Hash { return gitops.Hash([]byte(strings.Repeat(digit, 20))) }
	const ours = "https://git.example.com/gitops.git"
	old, now := strings.Repeat("1", 40), strings.Repeat("2", 40)
	oldHash, _ := gitops.ParseHash(old)
	nowHash, _ := gitops.ParseHash(now)
	repository := &trees{now: map[gitops.Hash]map[string]gitops.Hash{
		{}: {"a": hash("x"), "b": hash("y")}, nowHash: {"a": hash("x"), "b": hash("z")}, oldHash: {"a": hash("z"), "b": hash("y")},
	}}
	d := New(Config{Repository: repository, Location: Location{URL: ours, Branch: "main"}})
	fetch := []carvel.Fetch{
		{Git: &carvel.GitFetch{URL: ours, Ref: "main", SubPath: "a"}},
		{Path: "mine", Git: &carvel.GitFetch{URL: ours, Ref: "main", SubPath: "b"}},
	}
	status := lockedAt(map[string]string{"mine": old, "0": now}, "mine", "0")
	got, err := d.Apps.inSync(t.Context(), carvel.AppSpec{Fetch: fetch}, status)
	if err != nil || got == nil || !*got {
		t.Errorf("got %v, %v", got, err)
	}
}

// fetchedAt is the status of an App that has fetched each of its Git sources at
// one of the commits.
func fetchedAt(fetch []carvel.Fetch, commits ...string) carvel.AppStatus {
	at := map[string]string{}
	var order []string
	for i, f := range fetch {
		if f.Git != nil && len(order) < len(commits) {
			path := strconv.Itoa(i)
			at[path] = commits[len(order)]
			order = append(order, path)
		}
	}
	return lockedAt(at, order...)
}

func lockedAt(at map[string]string, order ...string) carvel.AppStatus {
	var lock strings.Builder
	lock.WriteString("apiVersion: vendir.k14s.io/v1alpha1\nkind: LockConfig\ndirectories:\n")
	for _, path := range order {
		fmt.Fprintf(&lock, "- path: %q\n  contents:\n  - path: .\n    git:\n      sha: %q\n", path, at[path])
	}
	return carvel.AppStatus{Fetch: &carvel.StepStatus{Stdout: lock.String()}}
}

type brokenTrees struct{ Repository }

func (brokenTrees) Tip(context.Context) (gitops.Hash, error) { return gitops.Hash{}, nil }

func (brokenTrees) Entries(context.Context, gitops.Hash, ...string) ([]gitops.Entry, error) {
	return nil, gitops.ErrAuth
}
