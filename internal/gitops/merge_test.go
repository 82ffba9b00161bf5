package gitops

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

const proposed = "terraform/prod"

func proposing(c *Config) { c.Branch, c.Base = proposed, "main" }

// on gives a branch of the repository a commit of somebody else.
func (f *fixture) on(branch string, files map[string]string) Hash {
	f.t.Helper()
	tip := f.git("rev-parse", "refs/heads/"+branch)
	var stream strings.Builder
	fmt.Fprintf(&stream, "commit refs/heads/%s\ncommitter Somebody <somebody@example.com> now\ndata 7\ntheirs\n\nfrom %s\n", branch, tip)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if content := files[path]; content == "" {
			fmt.Fprintf(&stream, "D %s\n", path)
		} else {
			fmt.Fprintf(&stream, "M 100644 inline %s\ndata %d\n%s\n", path, len(content), content)
		}
	}
	f.gitIn(stream.String(), "fast-import", "--quiet", "--date-format=now")
	return mustHash(f.t, f.git("rev-parse", "refs/heads/"+branch))
}

// mergeOf makes a commit of a branch's tree with parents, as a forge does, and moves main there.
func (f *fixture) mergeOf(tree string, parents ...string) Hash {
	f.t.Helper()
	args := []string{"commit-tree", "-m", "merged", tree}
	for _, parent := range parents {
		args = append(args, "-p", parent)
	}
	commit := f.git(args...)
	f.git("update-ref", "refs/heads/main", commit)
	return mustHash(f.t, commit)
}

func (f *fixture) sound() { f.t.Helper(); f.git("fsck", "--strict", "--no-dangling") }

func (f *fixture) head() string { return f.git("rev-parse", "refs/heads/"+proposed) }

func TestPropose(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	main := f.seed(packages(3))
	e := f.engine(proposing)
	const path = "package-1/prod/params.yaml"
	if file, err := e.Read(patient(t), path); err != nil || string(file.Data) != "replicas: 1\n" {
		t.Fatalf("read %q, %v before there is a branch", file.Data, err)
	}
	blob := BlobHash([]byte("replicas: 1\n"))
	first := apply(t, e, "Two", Edit{Path: path, Data: []byte("replicas: 2\n"), IfBlob: &blob})
	if parent := f.git("rev-parse", first.Hash.String()+"^"); parent != main.String() || f.head() != first.Hash.String() || f.tip() != main {
		t.Errorf("the branch is at %s upon %s, main at %s", f.head(), parent, f.tip())
	}
	other := f.engine(proposing)
	second := apply(t, other, "Three", write("package-2/prod/params.yaml", "replicas: 3\n"))
	if parent := f.git("rev-parse", second.Hash.String()+"^"); parent != first.Hash.String() {
		t.Errorf("the second change is upon %s, want %s", parent, first.Hash)
	}
	base, landed, err := other.Landed(patient(t), path, "package-0/prod/params.yaml")
	if err != nil || base != main || !slices.Equal(landed, []bool{false, true}) {
		t.Errorf("landed %v at %s, %v", landed, base, err)
	}
	differences, err := other.Differences(patient(t))
	if err != nil || len(differences) != 2 || differences[0].Path != path || string(differences[0].Base) != "replicas: 1\n" || string(differences[0].Head) != "replicas: 2\n" {
		t.Errorf("differences %+v, %v", differences, err)
	}
	f.sound()
}

// TestPropose_landed: however the branch gets into its base, the next change begins at the base, with nothing of the old in it.
func TestPropose_landed(t *testing.T) {
	t.Parallel()
	ways := map[string]func(f *fixture){
		"fast-forward": func(f *fixture) { f.git("update-ref", "refs/heads/main", f.head()) },
		"merge":        func(f *fixture) { f.mergeOf(proposed+"^{tree}", "main", proposed) },
		"squash":       func(f *fixture) { f.mergeOf(proposed+"^{tree}", "main") },
		"squash, and the base goes on": func(f *fixture) {
			f.mergeOf(proposed+"^{tree}", "main")
			f.on("main", map[string]string{"README.md": "newer"})
		},
	}
	for name, land := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.seed(packages(3))
			e := f.engine(proposing)
			apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
			apply(t, e, "Three", write("package-2/prod/params.yaml", "replicas: 3\n"))
			land(f)
			e.Invalidate()
			base, landed, err := e.Landed(patient(t), "package-1/prod/params.yaml", "package-2/prod/params.yaml")
			if err != nil || base != f.tip() || slices.Contains(landed, false) {
				t.Errorf("landed %v at %s, %v; want all at %s", landed, base, err, f.tip())
			}
			if again := apply(t, e, "Again", write("package-1/prod/params.yaml", "replicas: 2\n")); again.Changed || again.Hash != f.tip() {
				t.Errorf("what has landed: %+v, want the base's tip", again)
			}
			commit := apply(t, e, "Next", write("package-0/prod/params.yaml", "replicas: 9\n"))
			if got := f.git("rev-list", "main.."+proposed); got != commit.Hash.String() {
				t.Errorf("the branch has %q that its base lacks, want %s alone", got, commit.Hash)
			}
			f.sound()
		})
	}
}

func TestPropose_baseMoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(3))
	e := f.engine(proposing)
	apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
	head := f.head()
	main := f.on("main", map[string]string{"package-2/prod/params.yaml": "theirs", "package-0/prod/params.yaml": "", "new/file": "theirs"})
	e.Invalidate()
	if file, err := e.Read(patient(t), "package-2/prod/params.yaml"); err != nil || string(file.Data) != "theirs" {
		t.Errorf("read %q, %v; want what it is once it is merged", file.Data, err)
	}
	if same := apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n")); same.Changed || same.Hash.String() != head {
		t.Errorf("what is there: %+v, want %s", same, head)
	}
	standing, err := e.Standing(patient(t))
	if err != nil || !standing.Behind || standing.Head.String() != head || standing.Base != main || standing.Barred != nil {
		t.Errorf("standing %+v, %v", standing, err)
	}
	commit := apply(t, e, "Four", write("package-1/staging/params.yaml", "replicas: 4\n"))
	merge := f.git("rev-parse", commit.Hash.String()+"^")
	if parents := f.git("rev-parse", merge+"^1", merge+"^2"); parents != head+"\n"+main.String() {
		t.Errorf("the merge has the parents %q, want %s and %s", parents, head, main)
	}
	if changed := f.git("diff", "--name-only", "main.."+proposed); changed != "package-1/prod/params.yaml\npackage-1/staging/params.yaml" {
		t.Errorf("the branch changes %q", changed)
	}
	f.sound()
	// A second one, after the base has moved again: it parts at the base that was merged.
	f.on("main", map[string]string{"package-2/prod/params.yaml": "theirs again"})
	e = f.engine(proposing)
	apply(t, e, "Five", write("package-1/staging/params.yaml", "replicas: 5\n"))
	if changed := f.git("diff", "--name-only", "main.."+proposed); changed != "package-1/prod/params.yaml\npackage-1/staging/params.yaml" {
		t.Errorf("the branch changes %q", changed)
	}
	f.sound()
}

func TestPropose_catchUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(2))
	e := f.engine(proposing)
	apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
	catchUp := func() Commit {
		t.Helper()
		commit, err := e.Apply(patient(t), Change{Summary: "Catch up", CatchUp: true})
		if err != nil {
			t.Fatal(err)
		}
		return commit
	}
	if commit := catchUp(); commit.Changed {
		t.Errorf("there was nothing to catch up with: %+v", commit)
	}
	main := f.on("main", map[string]string{"README.md": "newer"})
	e.Invalidate()
	catchUp()
	if f.git("merge-base", "main", proposed) != main.String() {
		t.Error("the branch is behind")
	}
	f.sound()
}

// TestPropose_conflict: where both sides have changed a file nothing is pushed, and the error names it.
func TestPropose_conflict(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(3))
	e := f.engine(proposing)
	apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
	head := f.head()
	f.on("main", map[string]string{"package-1/prod/params.yaml": "theirs"})
	e.Invalidate()
	f.reset()
	_, err := e.Apply(patient(t), Change{Summary: "Three", Edits: []Edit{write("package-2/prod/params.yaml", "replicas: 3\n")}})
	var conflict *ConflictError
	if !errors.As(err, &conflict) || !slices.Equal(conflict.Paths, []string{"package-1/prod/params.yaml"}) {
		t.Errorf("got %v, want a conflict", err)
	}
	if _, pushes := f.requests(); pushes != 0 || f.head() != head {
		t.Errorf("%d pushes, the branch is at %s", pushes, f.head())
	}
	if same := apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n")); same.Changed {
		t.Errorf("what is there: %+v", same)
	}
	// Somebody merges by hand.
	merge := f.git("commit-tree", "-m", "mine", "-p", proposed, "-p", "main", proposed+"^{tree}")
	f.git("update-ref", "refs/heads/"+proposed, merge)
	e.Invalidate()
	apply(t, e, "Three", write("package-2/prod/params.yaml", "replicas: 3\n"))
	f.sound()
}

// TestPropose_foreign: commits of others are built upon, also where all that they hold has landed by other commits.
func TestPropose_foreign(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(3))
	e := f.engine(proposing)
	apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
	theirs := f.on(proposed, map[string]string{"package-1/prod/params.yaml": "replicas: 7\n"})
	e.Invalidate()
	if file, err := e.Read(patient(t), "package-1/prod/params.yaml"); err != nil || string(file.Data) != "replicas: 7\n" {
		t.Errorf("read %q, %v", file.Data, err)
	}
	f.mergeOf(proposed+"^{tree}", "main")
	e.Invalidate()
	commit := apply(t, e, "Three", write("package-2/prod/params.yaml", "replicas: 3\n"))
	if _, err := f.Git(repository, nil, "merge-base", "--is-ancestor", theirs.String(), commit.Hash.String()); err != nil {
		t.Error("somebody's commit was left behind")
	}
	f.sound()
}

// TestPropose_settled: what the forge knows decides where the commits do not tell.
func TestPropose_settled(t *testing.T) {
	t.Parallel()
	const path = "package-1/prod/params.yaml"
	begin := func(t *testing.T) (*fixture, *Engine) {
		f := newFixture(t)
		f.seed(packages(3))
		e := f.engine(proposing)
		apply(t, e, "Two", write(path, "replicas: 2\n"))
		return f, e
	}
	t.Run("merged by squash, and changed since", func(t *testing.T) {
		t.Parallel()
		f, e := begin(t)
		f.mergeOf(proposed+"^{tree}", "main")
		f.on("main", map[string]string{path: "theirs"})
		e.Settle(mustHash(t, f.head()), true)
		if file, err := e.Read(patient(t), path); err != nil || string(file.Data) != "theirs" {
			t.Errorf("read %q, %v", file.Data, err)
		}
		apply(t, e, "Three", write(path, "replicas: 3\n"))
		if n := f.git("rev-list", "--count", "main.."+proposed); n != "1" {
			t.Errorf("%s commits, want 1", n)
		}
		f.sound()
	})
	t.Run("merged by squash, and more since", func(t *testing.T) {
		t.Parallel()
		f, e := begin(t)
		merged := mustHash(t, f.head())
		f.mergeOf(proposed+"^{tree}", "main")
		f.on("main", map[string]string{path: "theirs"})
		f.on(proposed, map[string]string{"package-2/prod/params.yaml": "later"})
		e.Settle(merged, true)
		apply(t, e, "Three", write("package-0/prod/params.yaml", "replicas: 3\n"))
		if changed := f.git("diff", "--name-only", "main.."+proposed); changed != "package-0/prod/params.yaml\npackage-2/prod/params.yaml" {
			t.Errorf("the branch changes %q", changed)
		}
		f.sound()
	})
	t.Run("turned down", func(t *testing.T) {
		t.Parallel()
		f, e := begin(t)
		e.Settle(mustHash(t, f.head()), false)
		if file, err := e.Read(patient(t), path); err != nil || string(file.Data) != "replicas: 1\n" {
			t.Errorf("read %q, %v; want what the base has", file.Data, err)
		}
		apply(t, e, "Three", write("package-2/prod/params.yaml", "replicas: 3\n"))
		if changed := f.git("diff", "--name-only", "main.."+proposed); changed != "package-2/prod/params.yaml" {
			t.Errorf("the branch changes %q", changed)
		}
		f.sound()
	})
	t.Run("turned down with commits of others", func(t *testing.T) {
		t.Parallel()
		f, e := begin(t)
		theirs := f.on(proposed, map[string]string{"package-2/prod/params.yaml": "theirs"})
		e.Settle(theirs, false)
		if file, err := e.Read(patient(t), path); err != nil || string(file.Data) != "replicas: 1\n" {
			t.Errorf("read %q, %v; want what the base has", file.Data, err)
		}
		_, err := e.Apply(patient(t), Change{Summary: "Three", Edits: []Edit{write(path, "replicas: 3\n")}})
		var foreign *ForeignError
		if !errors.As(err, &foreign) || !slices.Equal(foreign.Commits, []Hash{theirs}) || f.head() != theirs.String() {
			t.Errorf("got %v, want the commit of others; the branch is at %s", err, f.head())
		}
	})
}

// TestPropose_both: the base takes a part of the branch in while the branch takes the base in, so that they part at two commits.
func TestPropose_both(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(3))
	e := f.engine(proposing)
	const path = "package-1/prod/params.yaml"
	apply(t, e, "Two", write(path, "replicas: 2\n"))
	first := f.head()
	before := f.on("main", map[string]string{"README.md": "newer"}).String()
	e.Invalidate()
	apply(t, e, "Three", write(path, "replicas: 3\n")) // with a merge
	tree := f.git("merge-tree", "--write-tree", before, first)
	f.mergeOf(tree, before, first)
	f.on("main", map[string]string{"package-2/prod/params.yaml": "theirs"})
	e.Invalidate()
	apply(t, e, "Four", write("package-0/prod/params.yaml", "replicas: 4\n"))
	if changed := f.git("diff", "--name-only", "main.."+proposed); changed != "package-0/prod/params.yaml\npackage-1/prod/params.yaml" {
		t.Errorf("the branch changes %q", changed)
	}
	f.sound()
}

func TestPropose_gone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(2))
	e := f.engine(proposing)
	apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
	f.git("update-ref", "-d", "refs/heads/"+proposed)
	e.Invalidate()
	if file, err := e.Read(patient(t), "package-1/prod/params.yaml"); err != nil || string(file.Data) != "replicas: 1\n" {
		t.Errorf("read %q, %v; want what the base has", file.Data, err)
	}
	commit := apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
	if !commit.Changed || f.git("rev-list", "--count", "main.."+proposed) != "1" {
		t.Errorf("got %+v", commit)
	}
	// Without its base there is nothing to begin at.
	f.git("branch", "-m", "main", "trunk")
	e.Invalidate()
	if _, err := e.Tip(patient(t)); !errors.Is(err, ErrBranchNotFound) || !strings.Contains(err.Error(), ": main") {
		t.Errorf("got %v, want that main is not there", err)
	}
}

// TestPropose_servers: the merge needs no more of a server than everything else.
func TestPropose_servers(t *testing.T) {
	t.Parallel()
	for name, config := range map[string][]string{
		"without filters": {"uploadpack.allowAnySHA1InWant=true"}, "without ids": {"uploadpack.allowFilter=true"}, "plain": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, withConfig(config...))
			f.seed(packages(3))
			e := f.engine(proposing)
			apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
			for i := range 3 {
				f.on("main", map[string]string{"package-2/prod/params.yaml": strings.Repeat("x", i+1), "package-1/staging/params.yaml": "theirs"})
			}
			e = f.engine(proposing)
			apply(t, e, "Four", write("package-1/prod/packageinstall.yaml", "four"))
			if changed := f.git("diff", "--name-only", "main.."+proposed); changed != "package-1/prod/packageinstall.yaml\npackage-1/prod/params.yaml" {
				t.Errorf("the branch changes %q", changed)
			}
			f.sound()
		})
	}
}

// TestPropose_lostAnswer: the answer to a push is lost, and the base moves in the same moment; the change gets there once.
func TestPropose_lostAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(3))
	e := f.engine(proposing)
	apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
	lost := false
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if lost || !pushes(r) {
				next.ServeHTTP(w, r)
				return
			}
			lost = true
			next.ServeHTTP(discarded{http.Header{}}, r)
			f.on("main", map[string]string{"README.md": "newer"})
			panic(http.ErrAbortHandler)
		})
	})
	commit := apply(t, e, "Three", write("package-2/prod/params.yaml", "replicas: 3\n"))
	if !lost || f.head() != commit.Hash.String() {
		t.Errorf("the branch is at %s, want %s", f.head(), commit.Hash)
	}
	apply(t, e, "Four", write("package-2/prod/params.yaml", "replicas: 4\n"))
	if n := f.git("rev-list", "--count", "--no-merges", "main.."+proposed); n != "3" {
		t.Errorf("%s commits, want 3", n)
	}
	f.sound()
}

// TestPropose_moving: the branch moves after it was asked for, so that the server refuses what it was at. That is asked again, and is taken
// for nothing that the server cannot do.
func TestPropose_moving(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withConfig(gitserver.AllowFilter))
	f.seed(packages(3))
	e := f.engine(proposing)
	apply(t, e, "Two", write("package-1/prod/params.yaml", "replicas: 2\n"))
	f.on("main", map[string]string{"README.md": "newer"})
	moved := 0
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && moved < 2 {
				moved++
				f.git("update-ref", "refs/heads/"+proposed, f.git("commit-tree", "-m", "another", "-p", "main~1", proposed+"^{tree}"))
			}
			next.ServeHTTP(w, r)
		})
	})
	e = f.engine(proposing)
	commit := apply(t, e, "Three", write("package-2/prod/params.yaml", "replicas: 3\n"))
	if moved != 2 || f.head() != commit.Hash.String() {
		t.Errorf("moved %d times; the branch is at %s, want %s", moved, f.head(), commit.Hash)
	}
	if e.ladder.whole() {
		t.Error("the server is taken for one without filters")
	}
	f.sound()
}

type discarded struct{ header http.Header }

func (d discarded) Header() http.Header         { return d.header }
func (d discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d discarded) WriteHeader(int)             {}
