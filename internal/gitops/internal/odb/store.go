// Package odb holds Git objects as this client needs them: a store in memory, trees and directories that are edited, and packs as they
// are read and written. It knows no server. go-git's own would encode other people's trees in other bytes, keep all that a pack brings,
// and write packs with more in them than was changed; its types are used where they are plain.
//
// What is read is bounded, since a server may send anything: every limit has a *LimitError that says what to do.
package odb

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// Object is a Git object without its header.
type Object struct {
	Kind plumbing.ObjectType
	Data []byte
}

// Hash is the object's id.
func (o Object) Hash() Hash { return plumbing.ComputeHash(o.Kind, o.Data) }

// LargeBlob is the kind of a blob that is over MaxFileBytes: it is there, and its content was not kept.
const LargeBlob = plumbing.ObjectType(120)

// NoCommit stands for the tip of an empty repository: a commit of the empty tree that is never sent. With it in the store, reads find
// that nothing is there, and a draft begins at an empty root.
var (
	EmptyCommit = Object{plumbing.CommitObject, []byte("tree " + EmptyTree.String() + "\n")}
	NoCommit    = EmptyCommit.Hash()
)

// KeptBlob in bytes: a larger blob is not kept after it was handed out.
const KeptBlob = 1 << 20

// Store holds objects by id. It is not safe for concurrent use; the engine's lock guards it.
type Store struct {
	objects map[Hash]Object
	trees   map[Hash]*Tree
	decoded int // bytes of the objects that trees has in decoded form
	size    int
	limit   int
}

// NewStore is empty.
func NewStore() *Store {
	return &Store{objects: map[Hash]Object{}, trees: map[Hash]*Tree{}, limit: storeSoftLimit}
}

// Put adds an object, whose id it must be.
func (s *Store) Put(id Hash, o Object) {
	if _, known := s.objects[id]; !known {
		s.objects[id] = o
		s.size += cost(o)
	}
}

func cost(o Object) int { return len(o.Data) + objectOverhead }

// Get returns an object; false: it is not here.
func (s *Store) Get(id Hash) (Object, bool) {
	o, known := s.objects[id]
	return o, known
}

// Spare is how many bytes of objects that nobody has asked for may be put in.
func (s *Store) Spare() int { return max(0, s.limit-s.size) }

// Check is the error of a store that holds more than this client takes, a *LimitError.
func (s *Store) Check() error {
	if s.size > maxStoreBytes {
		return storeBound.Exceeded()
	}
	return nil
}

// Crowded reports whether what nobody has asked for has filled it.
func (s *Store) Crowded() bool { return s.size > storeSoftLimit }

// Has reports whether an object is here.
func (s *Store) Has(id Hash) bool {
	_, known := s.objects[id]
	return known
}

// Tree returns a decoded tree; nil, nil: it is not here.
func (s *Store) Tree(id Hash) (*Tree, error) {
	if id == EmptyTree {
		return &Tree{}, nil
	}
	if t := s.trees[id]; t != nil {
		return t, nil
	}
	o, known := s.objects[id]
	if !known {
		return nil, nil
	}
	if o.Kind != plumbing.TreeObject {
		return nil, fmt.Errorf("object %s is a %s, not a tree", id, o.Kind)
	}
	t, err := decodeTree(o.Data)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", id, err)
	}
	if s.decoded += len(o.Data); s.decoded > maxDecodedBytes {
		clear(s.trees)
		s.decoded = len(o.Data)
	}
	s.trees[id] = t
	return t, nil
}

// Root returns the id of a commit's tree; the zero Hash: the commit is not here.
func (s *Store) Root(commit Hash) (Hash, error) {
	o, known := s.objects[commit]
	if !known {
		return Hash{}, nil
	}
	line, _, _ := bytes.Cut(o.Data, []byte("\n"))
	id, found := bytes.CutPrefix(line, []byte("tree "))
	if o.Kind != plumbing.CommitObject || !found {
		return Hash{}, errors.New(commit.String() + " is not a commit")
	}
	return ParseHash(string(id))
}

// ForgetCommits drops the commits alone, so that they are fetched again.
func (s *Store) ForgetCommits() {
	for id, o := range s.objects {
		if o.Kind == plumbing.CommitObject {
			delete(s.objects, id)
			s.size -= cost(o)
		}
	}
}

// Shrink drops what the commit does not reach when the store has outgrown its limit.
func (s *Store) Shrink(commit Hash) {
	if s.size > s.limit {
		s.compact(commit)
	}
}

// MakeRoom leaves at most storeIdleBytes in the store, if need be of nothing but the commit: what is read next is fetched again then.
func (s *Store) MakeRoom(commit Hash) {
	if s.size <= storeIdleBytes {
		return
	}
	if s.compact(commit); s.size <= storeIdleBytes {
		return
	}
	kept := NewStore()
	if o, known := s.objects[commit]; known {
		kept.Put(commit, o)
	}
	*s = *kept
}

func (s *Store) compact(commit Hash) {
	kept := NewStore()
	if o, known := s.objects[commit]; known {
		kept.Put(commit, o)
		root, _ := s.Root(commit)
		s.keepTree(kept, root)
	}
	kept.limit = min(max(storeSoftLimit, 2*kept.size), storeIdleBytes)
	*s = *kept
}

// keepTree takes a tree with all below it. The depth of trees is the repository's own, so that this is no recursion.
func (s *Store) keepTree(kept *Store, root Hash) {
	for stack := []Hash{root}; len(stack) > 0; {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		o, known := s.objects[id]
		if !known || kept.Has(id) {
			continue
		}
		kept.Put(id, o)
		t, err := s.Tree(id)
		if t == nil || err != nil {
			continue
		}
		for _, entry := range t.Entries {
			if entry.Dir() {
				stack = append(stack, entry.Hash)
			} else if blob, known := s.objects[entry.Hash]; known {
				kept.Put(entry.Hash, blob)
			}
		}
	}
}
