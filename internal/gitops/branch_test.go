package gitops

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

func creating(branch string) func(*Config) {
	return func(c *Config) { c.Branch, c.CreateBranch = branch, true }
}

func TestCreateBranch_emptyRepository(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	e := f.engine(creating("main"))
	if tip, err := e.Tip(patient(t)); err != nil || !tip.IsZero() {
		t.Errorf("tip %s, %v; want none", tip, err)
	}
	if _, err := e.Read(patient(t), "a/b"); !errors.Is(err, ErrNotExist) {
		t.Errorf("read: %v, want ErrNotExist", err)
	}
	if entries, err := e.List(patient(t), ""); err != nil || len(entries) != 0 {
		t.Errorf("listed %v, %v; want nothing", entries, err)
	}
	if got := apply(t, e, "Remove what is not there", Edit{Path: "a", Delete: true}); got.Changed || !got.Hash.IsZero() {
		t.Errorf("nothing to do: %+v", got)
	}
	if _, err := treeAt(t, e, mustHash(t, "1212121212121212121212121212121212121212"), "a"); !errors.Is(err, ErrCommitNotFound) {
		t.Errorf("tree of an unknown commit: %v, want ErrCommitNotFound", err)
	}
	none := Hash{}
	commit := apply(t, e, "Begin", Edit{Path: "a/b", Data: []byte("1"), IfBlob: &none})
	if !commit.Changed || commit.Hash != f.tip() || f.commits() != "1" {
		t.Errorf("got %+v, the tip is %s after %s commits", commit, f.tip(), f.commits())
	}
	f.reset()
	apply(t, e, "Go on", write("a/c", "2"))
	if requests, _ := f.requests(); requests != 1 {
		t.Errorf("the second write took %d requests, want 1", requests)
	}
	f.check(map[string]string{"a/b": "1", "a/c": "2"})
	f.seed(map[string]string{"d": "theirs"})
	e.Invalidate()
	if file, err := e.Read(patient(t), "d"); err != nil || string(file.Data) != "theirs" {
		t.Errorf("read %q, %v", file.Data, err)
	}
}

func TestCreateBranch_fromTheDefaultBranch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files := packages(3)
	main := f.seed(files)
	e := f.engine(creating("release/1.x"))
	if file, err := e.Read(patient(t), "package-1/prod/params.yaml"); err != nil || string(file.Data) != files["package-1/prod/params.yaml"] {
		t.Errorf("read %q, %v; want what the default branch has", file.Data, err)
	}
	if got := apply(t, e, "Nothing new", write("package-1/prod/params.yaml", files["package-1/prod/params.yaml"])); got.Changed || got.Hash != main {
		t.Errorf("got %+v, want the default branch's tip", got)
	}
	// The branch begins where the default branch is at that time.
	main = f.seed(map[string]string{"README.md": "newer"})
	commit := apply(t, e, "Write", write("package-1/prod/params.yaml", "2"))
	if parent := f.git("rev-parse", "release/1.x^"); parent != main.String() || f.git("rev-parse", "release/1.x") != commit.Hash.String() {
		t.Errorf("the branch's parent is %s, want %s", parent, main)
	}
	if f.tip() != main {
		t.Error("the default branch has moved")
	}
	apply(t, e, "Write", write("package-1/prod/params.yaml", "3"))
	if n := f.git("rev-list", "--count", "main..release/1.x"); n != "2" {
		t.Errorf("%s commits on the branch, want 2", n)
	}
	f.git("fsck", "--strict", "--no-dangling")
	// A branch that somebody has deleted is created anew.
	f.git("update-ref", "-d", "refs/heads/release/1.x")
	apply(t, e, "Write", write("package-1/prod/params.yaml", "4"))
	if n := f.git("rev-list", "--count", "main..release/1.x"); n != "1" {
		t.Errorf("%s commits on the new branch, want 1", n)
	}
}

// TestCreateBranch_together: creation is a compare-and-swap like every push; the slower writers build upon the first one's commit.
func TestCreateBranch_together(t *testing.T) {
	t.Parallel()
	for name, seeded := range map[string]bool{"empty repository": false, "from the default branch": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			branch := "main"
			if seeded {
				f.seed(map[string]string{"x": "1"})
				branch = "new"
			}
			var engines []*Engine
			for range 4 {
				e := f.engine(creating(branch))
				if _, err := e.Tip(patient(t)); err != nil {
					t.Fatal(err)
				}
				engines = append(engines, e)
			}
			var writers sync.WaitGroup
			for i, e := range engines {
				writers.Go(func() { apply(t, e, "Write", write(fmt.Sprintf("dir/%d", i), "x")) })
			}
			writers.Wait()
			files, err := f.Files(repository, branch)
			if err != nil {
				t.Fatal(err)
			}
			for i := range engines {
				if files[fmt.Sprintf("dir/%d", i)] != "x" {
					t.Errorf("the change of writer %d is lost: %v", i, files)
				}
			}
			if roots := f.git("rev-list", "--count", "--max-parents=0", "--all"); roots != "1" {
				t.Errorf("%s root commits, want 1", roots)
			}
		})
	}
}

func TestCreateBranch_lostAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.faulty(cutAfter(1, pushes, nil))
	e := f.engine(creating("main"))
	commit := apply(t, e, "Begin", write("a", "1"))
	if commit.Hash != f.tip() || f.commits() != "1" {
		t.Errorf("got %+v, the tip is %s after %s commits", commit, f.tip(), f.commits())
	}
	f.git("update-ref", "-d", "refs/heads/main")
	e = f.engine(creating("main"))
	f.faulty(cutAfter(1, pushes, func() { f.seed(map[string]string{"b": "theirs"}) }))
	none := Hash{}
	apply(t, e, "Begin", Edit{Path: "a", Data: []byte("1"), IfBlob: &none})
	if f.commits() != "2" {
		t.Errorf("%s commits, want 2", f.commits())
	}
	f.check(map[string]string{"a": "1", "b": "theirs"})
}

func TestCreateBranch_noDefaultBranch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	f.git("branch", "other", "main")
	f.git("update-ref", "-d", "refs/heads/main")
	e := f.engine(creating("main"))
	if _, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}}); !errors.Is(err, ErrBranchNotFound) {
		t.Errorf("got %v, want ErrBranchNotFound", err)
	}
}

func TestCreateBranch_ssh(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key, signer := forge.SSHKey()
	server := f.ssh(signer.PublicKey())
	apply(t, server.engine(key, creating("main")), "Begin", write("a/b", "1"))
	e := server.engine(key, creating("release"))
	apply(t, e, "Write", write("a/b", "2"))
	if n := f.git("rev-list", "--count", "main..release"); n != "1" {
		t.Errorf("%s commits on the new branch, want 1", n)
	}
	f.check(map[string]string{"a/b": "1"})
}
