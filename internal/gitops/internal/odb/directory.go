package odb

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// Directory is a directory that is being edited. Only the directories on the way to an edit are taken apart;
// every other entry keeps the bytes it has.
type Directory struct {
	base     Hash // the tree it was read from; zero: a new directory
	entries  []Entry
	children map[string]*Directory
	dirty    bool
}

// Load reads a directory whose tree is in the store.
func Load(s *Store, id Hash) (*Directory, error) {
	if id.IsZero() {
		return &Directory{children: map[string]*Directory{}}, nil
	}
	t, err := s.Tree(id)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, fmt.Errorf("tree %s was not fetched", id)
	}
	return &Directory{base: id, entries: t.Entries, children: map[string]*Directory{}}, nil
}

// child returns the directory of that name; nil, nil: there is none.
func (n *Directory) child(s *Store, name string) (*Directory, error) {
	if child := n.children[name]; child != nil {
		return child, nil
	}
	i := position(n.entries, name)
	if i < 0 || !n.entries[i].Dir() {
		return nil, nil
	}
	child, err := Load(s, n.entries[i].Hash)
	if err == nil {
		n.children[name] = child
	}
	return child, err
}

// File finds the regular file at a path; the zero Hash: there is none. *PathError: something else is in the way.
func (n *Directory) File(s *Store, path string, segments []string) (Hash, error) {
	for i, name := range segments[:len(segments)-1] {
		child, err := n.child(s, name)
		if err != nil {
			return Hash{}, err
		}
		if child == nil {
			if at := position(n.entries, name); at >= 0 {
				kind := n.entries[at].Irregular()
				if kind == "" {
					kind = "a file"
				}
				return Hash{}, &PathError{Path: path, Reason: fmt.Sprintf("cannot be, because %q is %s", segments[i], kind)}
			}
			return Hash{}, nil
		}
		n = child
	}
	name := segments[len(segments)-1]
	if child := n.children[name]; child != nil && !child.empty() {
		return Hash{}, &PathError{Path: path, Reason: "is a directory"}
	}
	at := position(n.entries, name)
	if at < 0 || n.children[name] != nil {
		return Hash{}, nil
	}
	if kind := n.entries[at].Irregular(); kind != "" {
		return Hash{}, &PathError{Path: path, Reason: "is " + kind}
	}
	return n.entries[at].Hash, nil
}

// empty reports whether nothing is left in a directory that is being edited.
func (n *Directory) empty() bool {
	for _, entry := range n.entries {
		child := n.children[entry.Name]
		if child == nil || !child.empty() {
			return false
		}
	}
	for _, child := range n.children {
		if !child.empty() {
			return false
		}
	}
	return true
}

// Set writes or, with the zero Hash, removes the file at a path that file has found to be free for that.
func (n *Directory) Set(s *Store, segments []string, blob Hash) error {
	n.own()
	if len(segments) > 1 {
		child, err := n.child(s, segments[0])
		if err != nil {
			return err
		}
		if child == nil {
			if blob.IsZero() {
				return nil
			}
			child = &Directory{children: map[string]*Directory{}}
			n.children[segments[0]] = child
		}
		return child.Set(s, segments[1:], blob)
	}
	name := segments[0]
	at := position(n.entries, name)
	switch {
	case blob.IsZero() && at >= 0:
		n.entries = slices.Delete(n.entries, at, at+1)
	case blob.IsZero():
	case at >= 0 && n.children[name] == nil:
		n.entries[at].Hash = blob // an executable file stays one
	default:
		if at >= 0 { // a directory that has become empty
			n.entries = slices.Delete(n.entries, at, at+1)
		}
		delete(n.children, name)
		n.insert(Entry{Mode: fileMode, Name: name, Hash: blob})
	}
	return nil
}

// own makes the entries the directory's own before the first change; until then they are the store's.
func (n *Directory) own() {
	if !n.dirty {
		n.entries, n.dirty = slices.Clone(n.entries), true
	}
}

func (n *Directory) insert(entry Entry) {
	at := 0
	for at < len(n.entries) && sortsBefore(n.entries[at], entry) {
		at++
	}
	n.entries = slices.Insert(n.entries, at, entry)
}

// Write encodes the changed trees, deepest first, and returns the id of this one. The zero Hash: nothing is left in it.
func (n *Directory) Write(s *Store, emit func(Packed)) Hash {
	if !n.dirty {
		return n.base
	}
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		id := n.children[name].Write(s, emit)
		at := position(n.entries, name)
		switch {
		case id.IsZero() && at >= 0:
			n.entries = slices.Delete(n.entries, at, at+1)
		case id.IsZero():
		case at >= 0:
			n.entries[at].Hash = id
		default:
			n.insert(Entry{Mode: DirectoryMode, Name: name, Hash: id})
		}
	}
	if len(n.entries) == 0 {
		return Hash{}
	}
	raw := encodeTree(n.entries)
	tree := Object{plumbing.TreeObject, raw}
	id := tree.Hash()
	if id != n.base {
		emit(Packed{Object: tree, ID: id, BaseID: n.base, Base: s.objects[n.base].Data})
	}
	return id
}
