package gitops

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tip := f.seed(packages(30))
	e := f.engine()
	file, err := e.Read(patient(t), "package-7/prod/packageinstall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(file.Data) != "package: 7\ncluster: prod\n" || file.Blob != BlobHash(file.Data) {
		t.Errorf("read %q, blob %s", file.Data, file.Blob)
	}
	// Discovery, the root, two levels of trees, the blob.
	if requests, _ := f.requests(); requests != 5 {
		t.Errorf("a cold read took %d requests, want 5", requests)
	}
	f.reset()
	for _, path := range []string{"package-7/prod/missing.yaml", "package-7/prod/packageinstall.yaml/x", "nowhere/x", "README.md/x"} {
		if _, err := e.Read(patient(t), path); !errors.Is(err, ErrNotExist) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read %s: %v, want ErrNotExist", path, err)
		}
	}
	if _, err := e.Read(patient(t), "package-7/prod"); !errors.As(err, new(*PathError)) {
		t.Errorf("read a directory: %v, want *PathError", err)
	}
	if got, err := e.Tip(patient(t)); err != nil || got != tip {
		t.Errorf("tip %s, %v; want %s", got, err, tip)
	}
	if requests, _ := f.requests(); requests != 0 {
		t.Errorf("warm reads took %d requests, want none", requests)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1", "b/c": "2", "b.d": "3"})
	e := f.engine()
	entries, err := e.List(patient(t), "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Mode+" "+entry.Name)
	}
	if want := []string{"100644 a", "100644 b.d", "40000 b"}; !slices.Equal(names, want) {
		t.Errorf("listed %q, want %q", names, want)
	}
	if _, err := e.List(patient(t), "a"); !errors.Is(err, ErrNotExist) {
		t.Errorf("list a file: %v, want ErrNotExist", err)
	}
}

func TestPrefetch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(50))
	e := f.engine()
	var paths []string
	for i := range 50 {
		paths = append(paths, fmt.Sprintf("package-%d/prod/packageinstall.yaml", i), fmt.Sprintf("package-%d/new/packageinstall.yaml", i))
	}
	if err := e.Prefetch(patient(t), paths...); err != nil {
		t.Fatal(err)
	}
	if requests, _ := f.requests(); requests != 5 {
		t.Errorf("prefetching took %d requests, want 5", requests)
	}
	f.reset()
	for i, path := range paths {
		_, err := e.Read(patient(t), path)
		if missing := i%2 == 1; missing != errors.Is(err, ErrNotExist) || !missing && err != nil {
			t.Errorf("read %s: %v", path, err)
		}
	}
	if requests, _ := f.requests(); requests != 0 {
		t.Errorf("reading what was prefetched took %d requests, want none", requests)
	}
}

// TestPrefetch_directory: a directory's files come with one request, those in directories below it do not come at all.
func TestPrefetch_directory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"p/packages/1.0.0.yaml": "one", "p/packages/2.0.0.yaml": "two", "p/packages/old/0.1.0.yaml": "old", "README.md": "read me"})
	e := f.engine()
	for range 2 {
		if err := e.Prefetch(patient(t), "p/packages", "p/nosuch"); err != nil {
			t.Fatal(err)
		}
		if requests, _ := f.requests(); requests != 5 {
			t.Errorf("prefetching took %d requests, want 5", requests)
		}
	}
	for path, want := range map[string]string{"p/packages/1.0.0.yaml": "one", "p/packages/2.0.0.yaml": "two"} {
		t.Run(path, func(t *testing.T) {
			if file, err := e.Read(patient(t), path); err != nil || string(file.Data) != want {
				t.Errorf("%s: %q, %v", path, file.Data, err)
			}
		})
	}
	if entries, err := e.List(patient(t), "p/packages"); err != nil || len(entries) != 3 {
		t.Errorf("listed %v, %v", entries, err)
	}
	if requests, _ := f.requests(); requests != 5 {
		t.Errorf("reading what was prefetched took %d requests, want none", requests-5)
	}
	f.reset()
	if file, err := e.Read(patient(t), "p/packages/old/0.1.0.yaml"); err != nil || string(file.Data) != "old" {
		t.Errorf("%q, %v", file.Data, err)
	}
	if requests, _ := f.requests(); requests != 2 {
		t.Errorf("a file further down took %d requests, want 2", requests)
	}
}

// TestPrefetch_directoriesAhead: the files of many directories of one name, whatever they are called, cost a handful of requests when one
// directory is asked for after the other.
func TestPrefetch_directoriesAhead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files := packages(50)
	for i := range 50 {
		for j := range 3 {
			files[fmt.Sprintf("package-%d/packages/%d.%d.0.yaml", i, j, i)] = fmt.Sprintf("version: %d.%d.0\n", j, i)
		}
	}
	f.seed(files)
	e := f.engine()
	for i := range 50 {
		dir := fmt.Sprintf("package-%d/packages", i)
		if err := e.Prefetch(patient(t), dir); err != nil {
			t.Fatal(err)
		}
		if requests, _ := f.requests(); i == 0 && requests != 5 {
			t.Errorf("the first directory took %d requests, want 5", requests)
		}
		for j := range 3 {
			path := fmt.Sprintf("%s/%d.%d.0.yaml", dir, j, i)
			if file, err := e.Read(patient(t), path); err != nil || string(file.Data) != files[path] {
				t.Fatalf("%s: %q, %v", path, file.Data, err)
			}
		}
	}
	if requests, _ := f.requests(); requests != 8 {
		t.Errorf("50 directories took %d requests, want 8", requests)
	}
}

func TestRead_togetherShareRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(100))
	e := f.engine()
	var entered atomic.Int32
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				waitFor(t, func() bool { return entered.Load() == 100 })
			}
			next.ServeHTTP(w, r)
		})
	})
	var readers sync.WaitGroup
	for i := range 100 {
		readers.Go(func() {
			ctx := patient(t)
			entered.Add(1)
			if _, err := e.Read(ctx, fmt.Sprintf("package-%d/prod/params.yaml", i)); err != nil {
				t.Error(err)
			}
		})
	}
	readers.Wait()
	// The first take 5; those that come while these are served share two levels of trees and a fetch of blobs.
	if requests, _ := f.requests(); requests > 20 {
		t.Errorf("100 concurrent reads took %d requests, want about 8", requests)
	}
}

// TestRead_ahead: a plan that reads 200 files, one after the other, costs a handful of requests.
func TestRead_ahead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files := packages(100)
	f.seed(files)
	for name, read := range map[string]func(*Engine, string) error{
		"Read": func(e *Engine, path string) error {
			file, err := e.Read(patient(t), path)
			if err == nil && string(file.Data) != files[path] {
				return fmt.Errorf("read %q", file.Data)
			}
			return err
		},
		"Prefetch": func(e *Engine, path string) error {
			if err := e.Prefetch(patient(t), path); err != nil {
				return err
			}
			file, err := e.Read(patient(t), path)
			if err == nil && string(file.Data) != files[path] {
				return fmt.Errorf("read %q", file.Data)
			}
			return err
		},
		"Stat": func(e *Engine, path string) error {
			entry, err := e.Stat(patient(t), path)
			if err == nil && entry.Hash != BlobHash([]byte(files[path])) {
				return fmt.Errorf("found %v", entry)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f.reset()
			e := f.engine()
			for i := range 100 {
				for _, path := range []string{fmt.Sprintf("package-%d/prod/packageinstall.yaml", i), fmt.Sprintf("package-%d/prod/params.yaml", i)} {
					if err := read(e, path); err != nil {
						t.Fatalf("%s %s: %v", name, path, err)
					}
				}
			}
			if requests, _ := f.requests(); requests > 9 {
				t.Errorf("%s: 200 files took %d requests, want at most 9", name, requests)
			}
		})
	}
	if _, err := f.engine().Stat(patient(t), "package-1/dev"); !errors.Is(err, ErrNotExist) {
		t.Errorf("stat: %v, want ErrNotExist", err)
	}
}

func TestInvalidate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a/b": "old"})
	e := f.engine()
	if _, err := e.Read(patient(t), "a/b"); err != nil {
		t.Fatal(err)
	}
	f.seed(map[string]string{"a/b": "new"})
	if file, err := e.Read(patient(t), "a/b"); err != nil || string(file.Data) != "old" {
		t.Errorf("read %q, %v before Invalidate; want the tip as it was", file.Data, err)
	}
	e.Invalidate()
	if file, err := e.Read(patient(t), "a/b"); err != nil || string(file.Data) != "new" {
		t.Errorf("read %q, %v after Invalidate; want the new content", file.Data, err)
	}
	f.reset()
	e.Invalidate()
	if _, err := e.Read(patient(t), "a/b"); err != nil {
		t.Fatal(err)
	}
	if requests, _ := f.requests(); requests != 1 {
		t.Errorf("reading an unchanged branch again took %d requests, want 1", requests)
	}
}

func TestEntries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.seed(map[string]string{"a/b/c": "1", "x": "1"})
	f.seed(map[string]string{"x": "2"})
	second := f.seed(map[string]string{"a/b/c": "2"})
	e := f.engine()
	for _, test := range []struct {
		commit Hash
		rev    string
		dir    string
	}{
		{first, first.String(), "a/b"}, {first, first.String(), ""}, {second, second.String(), "a"}, {Hash{}, second.String(), "a/b"},
	} {
		t.Run(test.rev, func(t *testing.T) {
			want := mustHash(t, f.git("rev-parse", test.rev+":"+test.dir))
			if got, err := treeAt(t, e, test.commit, test.dir); err != nil || got != want {
				t.Errorf("tree of %s at %s: %s, %v; want %s", test.dir, test.rev, got, err, want)
			}
		})
	}
	entries, err := e.Entries(patient(t), first, "a/b/c", "a/b", "a/x", "x", "x/y")
	if err != nil || len(entries) != 5 || entries[0].Hash != BlobHash([]byte("1")) || !entries[0].File() || !entries[1].Dir() ||
		entries[2] != (Entry{}) || entries[3].Hash != entries[0].Hash || entries[4] != (Entry{}) {
		t.Errorf("entries %v, %v", entries, err)
	}
	unknown := mustHash(t, strings.Repeat("12", 20))
	if _, err := treeAt(t, e, unknown, "a"); !errors.Is(err, ErrCommitNotFound) {
		t.Errorf("tree of an unknown commit: %v, want ErrCommitNotFound", err)
	}
	if _, err := e.Read(patient(t), "a/b/c"); err != nil {
		t.Errorf("read after an unknown commit: %v", err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	one, err := Open(f.target())
	if err != nil {
		t.Fatal(err)
	}
	other := f.target()
	other.AuthorName = "Somebody"
	if two, err := Open(other); err != nil || two == one {
		t.Errorf("two configurations share an engine (%v)", err)
	}
	if _, err := one.Read(patient(t), "a"); err != nil {
		t.Fatal(err)
	}
	f.seed(map[string]string{"a": "2"})
	again, err := Open(f.target())
	if err != nil || again != one {
		t.Fatalf("one configuration has two engines (%v)", err)
	}
	if file, err := again.Read(patient(t), "a"); err != nil || string(file.Data) != "2" {
		t.Errorf("after opening again, read %q, %v", file.Data, err)
	}
}
