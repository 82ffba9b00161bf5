package gitops

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// node is a directory that is being edited. Only the directories on the way to an edit become nodes;
// every other entry keeps the bytes it has.
type node struct {
	base     Hash // the tree it was read from; zero: a new directory
	entries  []Entry
	children map[string]*node
	dirty    bool
}

// load reads a directory whose tree is in the store.
func load(s *store, id Hash) (*node, error) {
	if id.IsZero() {
		return &node{children: map[string]*node{}}, nil
	}
	t, err := s.tree(id)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, fmt.Errorf("tree %s was not fetched", id)
	}
	return &node{base: id, entries: t.entries, children: map[string]*node{}}, nil
}

// child returns the directory of that name; nil, nil: there is none.
func (n *node) child(s *store, name string) (*node, error) {
	if child := n.children[name]; child != nil {
		return child, nil
	}
	i := position(n.entries, name)
	if i < 0 || !n.entries[i].Dir() {
		return nil, nil
	}
	child, err := load(s, n.entries[i].Hash)
	if err == nil {
		n.children[name] = child
	}
	return child, err
}

// file finds the regular file at a path; the zero Hash: there is none. *PathError: something else is in the way.
func (n *node) file(s *store, path string, segments []string) (Hash, error) {
	for i, name := range segments[:len(segments)-1] {
		child, err := n.child(s, name)
		if err != nil {
			return Hash{}, err
		}
		if child == nil {
			if at := position(n.entries, name); at >= 0 {
				kind := n.entries[at].kind()
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
	if kind := n.entries[at].kind(); kind != "" {
		return Hash{}, &PathError{Path: path, Reason: "is " + kind}
	}
	return n.entries[at].Hash, nil
}

// empty tells whether nothing is left in a directory that is being edited.
func (n *node) empty() bool {
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

// set writes or, with the zero Hash, removes the file at a path that file has found to be free for that.
func (n *node) set(s *store, segments []string, blob Hash) error {
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
			child = &node{children: map[string]*node{}}
			n.children[segments[0]] = child
		}
		return child.set(s, segments[1:], blob)
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

// own makes the entries the node's own before the first change; until then they are the store's.
func (n *node) own() {
	if !n.dirty {
		n.entries, n.dirty = slices.Clone(n.entries), true
	}
}

func (n *node) insert(entry Entry) {
	at := 0
	for at < len(n.entries) && sortsBefore(n.entries[at], entry) {
		at++
	}
	n.entries = slices.Insert(n.entries, at, entry)
}

// write encodes the changed trees, deepest first, and returns the id of this one. The zero Hash: nothing is left in it.
func (n *node) write(s *store, emit func(packed)) Hash {
	if !n.dirty {
		return n.base
	}
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		id := n.children[name].write(s, emit)
		at := position(n.entries, name)
		switch {
		case id.IsZero() && at >= 0:
			n.entries = slices.Delete(n.entries, at, at+1)
		case id.IsZero():
		case at >= 0:
			n.entries[at].Hash = id
		default:
			n.insert(Entry{Mode: directoryMode, Name: name, Hash: id})
		}
	}
	if len(n.entries) == 0 {
		return Hash{}
	}
	raw := encodeTree(n.entries)
	tree := object{plumbing.TreeObject, raw}
	id := tree.hash()
	if id != n.base {
		emit(packed{object: tree, id: id, baseID: n.base, base: s.objects[n.base].data})
	}
	return id
}
