package odb

import (
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// maxMergeDepth of directories in which both sides have changed something. A repository's own is under ten.
const maxMergeDepth = 64

// Merged is the outcome of a three-way merge of trees.
type Merged struct {
	// Tree holds the changes of both sides; EmptyTree: nothing is left. It is without a meaning if anything is missing or in conflict.
	Tree Hash
	// Objects are the trees that neither side has, deepest first.
	Objects []Packed
	// Missing are the trees that have to be fetched before the outcome is known.
	Missing []Hash
	// Conflicts are the paths that the sides have changed to different things, in Git's order.
	Conflicts []string
}

// Merge brings the changes of two trees together that come from the same. Of several common trees, as after a merge both ways, each may
// tell which side has changed an entry; where they tell different things, that is a conflict. Only directories that have changed on both
// sides are looked into, and files are taken whole.
func Merge(s *Store, bases []Hash, ours, theirs Hash) (Merged, error) {
	m := merge{store: s}
	tree, err := m.trees(nil, bases, ours, theirs)
	if tree.IsZero() {
		tree = EmptyTree
	}
	m.out.Tree = tree
	return m.out, err
}

type merge struct {
	store *Store
	out   Merged
}

// entries are those of a directory by name; the zero Hash: an empty one.
func (m *merge) entries(tree Hash) (map[string]Entry, error) {
	if tree.IsZero() {
		return nil, nil
	}
	t, err := m.store.Tree(tree)
	if err != nil {
		return nil, err
	}
	if t == nil {
		if !slices.Contains(m.out.Missing, tree) {
			m.out.Missing = append(m.out.Missing, tree)
		}
		return nil, nil
	}
	all := make(map[string]Entry, len(t.Entries))
	for _, entry := range t.Entries {
		all[entry.Name] = entry
	}
	return all, nil
}

func (m *merge) trees(path []string, bases []Hash, ours, theirs Hash) (Hash, error) {
	if tree, told := settle(bases, ours, theirs); told {
		return tree, nil
	}
	if len(path) > maxMergeDepth {
		m.conflict(path)
		return ours, nil
	}
	missing := len(m.out.Missing)
	our, err := m.entries(ours)
	if err != nil {
		return Hash{}, err
	}
	their, err := m.entries(theirs)
	if err != nil {
		return Hash{}, err
	}
	before := make([]map[string]Entry, len(bases))
	for i, base := range bases {
		if before[i], err = m.entries(base); err != nil {
			return Hash{}, err
		}
	}
	if len(m.out.Missing) > missing {
		return ours, nil
	}
	var names []string
	for name := range our {
		names = append(names, name)
	}
	for name := range their {
		if _, both := our[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var result []Entry
	for _, name := range names {
		was := make([]Entry, len(before))
		for i := range before {
			was[i] = before[i][name]
		}
		entry, err := m.entry(append(slices.Clone(path), name), was, our[name], their[name])
		if err != nil {
			return Hash{}, err
		}
		if !entry.Hash.IsZero() {
			result = append(result, entry)
		}
	}
	return m.write(result, ours), nil
}

// entry merges what is under one name; the zero Entry: nothing.
func (m *merge) entry(path []string, bases []Entry, ours, theirs Entry) (Entry, error) {
	if entry, told := settle(bases, ours, theirs); told {
		return entry, nil
	}
	// A directory that one side has removed is an empty one, so that the files in it tell.
	dirs := func(e Entry) bool { return e.Dir() || e.Hash.IsZero() }
	if !dirs(ours) || !dirs(theirs) || !ours.Dir() && !theirs.Dir() {
		m.conflict(path)
		return ours, nil
	}
	was := make([]Hash, len(bases))
	for i, base := range bases {
		if base.Dir() {
			was[i] = base.Hash
		}
	}
	tree, err := m.trees(path, was, ours.Hash, theirs.Hash)
	return Entry{Mode: DirectoryMode, Name: path[len(path)-1], Hash: tree}, err
}

// settle takes the side that has changed if the other has not.
func settle[T comparable](bases []T, ours, theirs T) (outcome T, told bool) {
	if ours == theirs {
		return ours, true
	}
	for _, base := range bases {
		var changed T
		switch base {
		case ours:
			changed = theirs
		case theirs:
			changed = ours
		default:
			continue
		}
		if told && changed != outcome {
			return ours, false
		}
		outcome, told = changed, true
	}
	return outcome, told
}

func (m *merge) conflict(path []string) {
	m.out.Conflicts = append(m.out.Conflicts, strings.Join(path, "/"))
}

// write encodes a directory; the zero Hash: it is empty.
func (m *merge) write(entries []Entry, like Hash) Hash {
	if len(entries) == 0 {
		return Hash{}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(sortName(a), sortName(b)) })
	tree := Object{plumbing.TreeObject, encodeTree(entries)}
	id := tree.Hash()
	if !m.store.Has(id) {
		m.out.Objects = append(m.out.Objects, Packed{Object: tree, ID: id, BaseID: like, Base: m.store.objects[like].Data})
	}
	return id
}
