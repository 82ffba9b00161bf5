package gitops

import (
	"github.com/go-git/go-git/v5/plumbing"
)

// place is where the branch stands on the server.
type place struct {
	// tip is the commit that changes build upon. noCommit: the repository is empty.
	tip Hash
	// unborn: the branch is not there, and a push of its first commit creates it.
	unborn bool
}

// noCommit stands for the tip of an empty repository: a commit of the empty tree that is never sent. With it in the store, reads find
// that nothing is there, and a draft begins at an empty root.
var (
	emptyCommit = object{plumbing.CommitObject, []byte("tree " + emptyTree.String() + "\n")}
	noCommit    = emptyCommit.hash()
)

// reported is a commit as callers and the server know it: the zero Hash where there is none.
func reported(commit Hash) Hash {
	if commit == noCommit {
		return Hash{}
	}
	return commit
}

// old is the value that the branch must have for a push upon this place.
func (p place) old() Hash {
	if p.unborn {
		return Hash{}
	}
	return p.tip
}
