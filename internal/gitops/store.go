package gitops

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// object is a Git object without its header.
type object struct {
	kind plumbing.ObjectType
	data []byte
}

func (o object) hash() Hash { return plumbing.ComputeHash(o.kind, o.data) }

// largeBlob is the kind of a blob that is over maxFileBytes: it is there, and its content was not kept.
const largeBlob = plumbing.ObjectType(120)

// keptBlob in bytes: a larger blob is not kept after it was handed out.
const keptBlob = 1 << 20

// store holds objects by id. It is not safe for concurrent use; the engine's lock guards it.
type store struct {
	objects map[Hash]object
	trees   map[Hash]*tree
	decoded int // bytes of the objects that trees has in decoded form
	size    int
	limit   int
}

func newStore() *store {
	return &store{objects: map[Hash]object{}, trees: map[Hash]*tree{}, limit: storeSoftLimit}
}

func (s *store) put(id Hash, o object) {
	if _, known := s.objects[id]; !known {
		s.objects[id] = o
		s.size += cost(o)
	}
}

func cost(o object) int { return len(o.data) + objectOverhead }

func (s *store) has(id Hash) bool {
	_, known := s.objects[id]
	return known
}

// tree returns a decoded tree; nil, nil: it is not here.
func (s *store) tree(id Hash) (*tree, error) {
	if id == emptyTree {
		return &tree{}, nil
	}
	if t := s.trees[id]; t != nil {
		return t, nil
	}
	o, known := s.objects[id]
	if !known {
		return nil, nil
	}
	if o.kind != plumbing.TreeObject {
		return nil, fmt.Errorf("object %s is a %s, not a tree", id, o.kind)
	}
	t, err := decodeTree(o.data)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", id, err)
	}
	if s.decoded += len(o.data); s.decoded > maxDecodedBytes {
		clear(s.trees)
		s.decoded = len(o.data)
	}
	s.trees[id] = t
	return t, nil
}

// root returns the id of a commit's tree; the zero Hash: the commit is not here.
func (s *store) root(commit Hash) (Hash, error) {
	o, known := s.objects[commit]
	if !known {
		return Hash{}, nil
	}
	line, _, _ := bytes.Cut(o.data, []byte("\n"))
	id, found := bytes.CutPrefix(line, []byte("tree "))
	if o.kind != plumbing.CommitObject || !found {
		return Hash{}, errors.New(commit.String() + " is not a commit")
	}
	return ParseHash(string(id))
}

func (s *store) forgetCommits() {
	for id, o := range s.objects {
		if o.kind == plumbing.CommitObject {
			delete(s.objects, id)
			s.size -= cost(o)
		}
	}
}

// shrink drops what the commit does not reach when the store has outgrown its limit.
func (s *store) shrink(commit Hash) {
	if s.size > s.limit {
		s.compact(commit)
	}
}

// makeRoom leaves at most storeIdleBytes in the store, if need be of nothing but the commit: what is read next is fetched again then.
func (s *store) makeRoom(commit Hash) {
	if s.size <= storeIdleBytes {
		return
	}
	if s.compact(commit); s.size <= storeIdleBytes {
		return
	}
	kept := newStore()
	if o, known := s.objects[commit]; known {
		kept.put(commit, o)
	}
	*s = *kept
}

func (s *store) compact(commit Hash) {
	kept := newStore()
	if o, known := s.objects[commit]; known {
		kept.put(commit, o)
		root, _ := s.root(commit)
		s.keepTree(kept, root)
	}
	kept.limit = min(max(storeSoftLimit, 2*kept.size), storeIdleBytes)
	*s = *kept
}

// keepTree takes a tree with all below it. The depth of trees is the repository's own, so that this is no recursion.
func (s *store) keepTree(kept *store, root Hash) {
	for stack := []Hash{root}; len(stack) > 0; {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		o, known := s.objects[id]
		if !known || kept.has(id) {
			continue
		}
		kept.put(id, o)
		t, err := s.tree(id)
		if t == nil || err != nil {
			continue
		}
		for _, entry := range t.entries {
			if entry.Dir() {
				stack = append(stack, entry.Hash)
			} else if blob, known := s.objects[entry.Hash]; known {
				kept.put(entry.Hash, blob)
			}
		}
	}
}
