package odb

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// treeOf puts a tree of these files into the store. A value is what the file holds.
func treeOf(t *testing.T, s *Store, files map[string]string) Hash {
	t.Helper()
	root, err := Load(s, Hash{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := root.Set(s, strings.Split(path, "/"), BlobHash([]byte(files[path]))); err != nil {
			t.Fatal(err)
		}
	}
	id := root.Write(s, func(o Packed) { s.Put(o.ID, o.Object) })
	if id.IsZero() {
		s.Put(EmptyTree, Object{plumbing.TreeObject, nil})
		return EmptyTree
	}
	return id
}

func TestMerge(t *testing.T) {
	t.Parallel()
	type files = map[string]string
	start := files{"a/x": "1", "a/y": "1", "a.b/z": "1", "b": "1"}
	change := func(changes files) files {
		out := maps.Clone(start)
		for path, content := range changes {
			if out[path] = content; content == "" {
				delete(out, path)
			}
		}
		return out
	}
	tests := map[string]struct {
		bases        []files
		ours, theirs files
		want         files
		conflicts    []string
	}{
		"two files of one directory": {[]files{start}, change(files{"a/x": "2"}), change(files{"a/y": "3"}), change(files{"a/x": "2", "a/y": "3"}), nil},
		"the same on both sides":     {[]files{start}, change(files{"a/x": "2", "b": "2"}), change(files{"a/x": "2"}), change(files{"a/x": "2", "b": "2"}), nil},
		"new ones":                   {[]files{start}, change(files{"a/n": "2"}), change(files{"c/d/e": "3"}), change(files{"a/n": "2", "c/d/e": "3"}), nil},
		"removed and changed":        {[]files{start}, change(files{"a/x": ""}), change(files{"a/x": "3"}), nil, []string{"a/x"}},
		"removed with its directory": {[]files{start}, change(files{"a/x": "", "a/y": ""}), change(files{"b": "3"}), files{"a.b/z": "1", "b": "3"}, nil},
		"a directory, of which one file was changed": {
			[]files{start}, change(files{"a/x": "", "a/y": ""}), change(files{"a/x": "3"}), nil, []string{"a/x"},
		},
		"nothing left": {[]files{{"a/x": "1", "b": "1"}}, files{"b": "1"}, files{"a/x": "1"}, files{}, nil},
		"a file in the place of a directory": {
			[]files{start}, files{"a": "2", "a.b/z": "1", "b": "1"}, change(files{"a/y": "3"}), nil, []string{"a"},
		},
		"two conflicts":       {[]files{start}, change(files{"a/x": "2", "b": "2"}), change(files{"a/x": "3", "b": "3"}), nil, []string{"a/x", "b"}},
		"both added":          {[]files{start}, change(files{"n": "2"}), change(files{"n": "3"}), nil, []string{"n"}},
		"one of two bases":    {[]files{start, change(files{"a/x": "2"})}, change(files{"a/x": "3"}), change(files{"a/x": "2"}), change(files{"a/x": "3"}), nil},
		"bases that disagree": {[]files{change(files{"b": "2"}), change(files{"b": "3"})}, change(files{"b": "2"}), change(files{"b": "3"}), nil, []string{"b"}},
		"no base":             {nil, files{"a": "1", "b": "1"}, files{"a": "1", "b": "2"}, nil, []string{"b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := NewStore()
			var bases []Hash
			for _, base := range test.bases {
				bases = append(bases, treeOf(t, s, base))
			}
			ours, theirs := treeOf(t, s, test.ours), treeOf(t, s, test.theirs)
			for _, sides := range [][2]Hash{{ours, theirs}, {theirs, ours}} {
				m, err := Merge(s, bases, sides[0], sides[1])
				if err != nil || len(m.Missing) > 0 || !slices.Equal(m.Conflicts, test.conflicts) {
					t.Fatalf("conflicts %v, missing %v, %v; want the conflicts %v", m.Conflicts, m.Missing, err, test.conflicts)
				}
				if test.conflicts != nil {
					continue
				}
				for _, o := range m.Objects {
					if o.Hash() != o.ID {
						t.Errorf("object %s has the id %s", o.Hash(), o.ID)
					}
					s.Put(o.ID, o.Object)
				}
				if want := treeOf(t, s, test.want); m.Tree != want {
					t.Errorf("merged to %s, want %s", m.Tree, want)
				}
			}
		})
	}
}

// TestMerge_missing: what is not here is asked for, and nothing is looked at that has changed on one side alone.
func TestMerge_missing(t *testing.T) {
	t.Parallel()
	full := NewStore()
	base := treeOf(t, full, map[string]string{"a/x": "1", "a/y": "1", "b/x": "1", "c": "1"})
	ours := treeOf(t, full, map[string]string{"a/x": "2", "a/y": "1", "b/x": "2", "c": "1"})
	theirs := treeOf(t, full, map[string]string{"a/x": "1", "a/y": "3", "b/x": "1", "c": "3"})
	s := NewStore()
	asked := 0
	for {
		m, err := Merge(s, []Hash{base}, ours, theirs)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Missing) == 0 {
			want := treeOf(t, full, map[string]string{"a/x": "2", "a/y": "3", "b/x": "2", "c": "3"})
			if m.Tree != want {
				t.Errorf("merged to %s, want %s", m.Tree, want)
			}
			break
		}
		for _, id := range m.Missing {
			asked++
			o, known := full.Get(id)
			if !known {
				t.Fatalf("there is no %s", id)
			}
			s.Put(id, o)
		}
	}
	if asked != 6 {
		t.Errorf("%d trees were asked for, want the 3 roots and a three times", asked)
	}
}
