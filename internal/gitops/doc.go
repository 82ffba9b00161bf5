// Package gitops reads and commits files on one branch of a remote Git repository. What it costs depends on the files that are touched,
// not on the size of the repository. There is no worktree and no git command. The package moves bytes; what they mean is the caller's
// business.
//
// # Design
//
// An Engine is one branch. Open gives the same one for the same configuration in a process, so that all resources of an apply share it.
// Callers put their reads and changes into queues; one goroutine, the loop, owns the network and answers them together. It starts with
// the first call and ends when the queues are empty. What only the loop touches is in the struct of that name; the rest of the Engine
// has a lock, and a method whose name ends in Locked is called with the lock held.
//
// Reads (read.go, fetch.go, lookup.go) are answered as of one tip, asked of the server once until Invalidate. A lookup walks the trees
// that the store has and says what it misses; each round fetches what all waiting lookups miss next, by object ids, with the narrowest
// filter of Git's partial clones that the server knows (ladder.go). From the second round on the fetch takes along what the next reads
// are likely to miss, bounded by what these ones do (ahead.go). After others have pushed, the difference to the known tip comes in one
// request.
//
// Changes (apply.go, batch.go, draft.go) share commits: those that come while a push is under way wait for the next, as in a database's
// group commit, and a commit lingers for a moment for callers that are expected (linger.go). A draft applies each change to the trees on
// its way, checks what the caller expects to be there (Edit.IfBlob), and packs exactly the new objects, large trees as differences. A
// push that another writer overtakes is drafted anew on the new tip. Of changes that the server declines together, the ones that it
// objects to are found by pushing parts of them; if it objects to each with the same words, it is the branch that takes no pushes, and
// nothing more is sent (objection.go).
//
// A push whose answer is lost is not repeated blindly (push.go, outcome.go): whether the commit has got onto the branch is asked of the
// branch, by the commit's id, and its callers are told that the outcome is not known only if the branch could not be asked in time. A
// caller who leaves before anything has been sent takes the change along; after that, Apply waits for the outcome for ten seconds.
//
// Below are two packages of their own: odb has Git's objects and packs, wire the protocol over HTTP and SSH, with the repetition of
// reads as a wrapper.
package gitops
