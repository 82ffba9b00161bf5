package gitops

// rung is one of the ways in which servers give a commit, each with more that nobody has asked for than the one above it.
type rung int

const (
	rootAlone     rung = iota // the commit and its root: filter tree:1
	commitAlone               // tree:0
	allTrees                  // blob:none
	wholeSnapshot             // a server without filters sends the whole snapshot
)

// filter of partial clones that asks for it.
func (r rung) filter() string { return [...]string{"tree:1", "tree:0", "blob:none", ""}[r] }

// ladder is how little the server was found to give. It is climbed down if the server refuses.
type ladder struct {
	at rung
	// branchesAlone: the server gives commits of branches, and no other object by its id.
	branchesAlone bool
}

// commit is the filter for a commit with as little of its snapshot as the server gives.
func (l ladder) commit() string { return l.at.filter() }

// rest is the filter for objects that are asked for by their ids, and for commits whose files nobody wants: nothing that hangs on them.
func (l ladder) rest() string { return max(l.at, commitAlone).filter() }

// news is the filter for all trees that have changed, and no file.
func (l ladder) news() string { return max(l.at, allTrees).filter() }

// whole: the server sends whole snapshots.
func (l ladder) whole() bool { return l.at == wholeSnapshot }

// down goes to the next rung; false: there is none, and the next fetch begins at the top again.
func (l *ladder) down() bool {
	if l.at == wholeSnapshot {
		l.at = rootAlone
		return false
	}
	l.at++
	return true
}

// noFilters: the server knows none.
func (l *ladder) noFilters() { l.at = wholeSnapshot }

// noIDs: the server gives no object by its id, so that a commit has to come with all of its trees.
func (l *ladder) noIDs() { l.branchesAlone, l.at = true, max(l.at, allTrees) }
