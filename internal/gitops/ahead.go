package gitops

import (
	"slices"
)

// Bounds on what one fetch takes along that nobody has asked for yet.
const (
	aheadBytes   = 1 << 20
	aheadObjects = 2000
	aheadEntries = 1 << 20 // that are looked at while the lock is held

	// Bytes of one kind for each object that is asked for: up to aheadLittle all are taken along, else a multiple of what is asked for, but
	// no more than aheadLarge. From the third round on aheadLater in all is little too.
	aheadLittle, aheadLarge = 24 << 10, 32 << 10
	aheadLater              = 640 << 10
	// aheadMultiple is the multiple in the second round. It doubles so often from round to round.
	aheadMultiple, aheadDoublings = 8, 5
	// wantBytes is what it takes to ask for an object.
	wantBytes = 50

	// maxDepth of directories in directories. Paths of Terraform's and Kubernetes' own have under ten.
	maxDepth = 64
)

// aheadLocked adds to what reads miss the objects that the next reads are likely to miss: a plan reads many files one after the other,
// a few at a time, and every round costs a request for each level of trees. Candidates are the trees at the same depth, the files of
// the same name and, if a directory's files are asked for together, the files of directories of the same name; those of the same
// name first. Their expected size is that of their like which are known.
//
// It begins with the second round of reads at a tip, so that a single read fetches its own path alone.
func (e *Engine) aheadLocked(missing []want) []Hash {
	if e.rounds == 0 || e.ladder.branchesAlone || e.ladder.whole() {
		return nil
	}
	s := scan{e: e, asked: map[Hash]bool{}, walked: map[step]bool{}, trees: map[int]bool{}, names: map[string]bool{}, dirs: map[string]bool{}}
	for _, w := range missing {
		if !w.ahead {
			continue
		}
		s.asked[w.id] = true
		switch {
		case w.within != "":
			s.dirs[w.within], s.blobs = true, true
		case w.tree:
			s.names[w.name], s.trees[w.depth] = true, true
		default:
			s.names[w.name], s.blobs = true, true
		}
	}
	asked := len(s.asked)
	if asked == 0 {
		return nil
	}
	if root, err := e.store.Root(e.at.Tip); err == nil && !root.IsZero() {
		s.walk(step{id: root})
	}
	size := 2048
	if s.known > 0 {
		size = max(s.bytes/s.known, 32)
	}
	return slices.Concat(s.first, s.then)[:s.most(size, asked)]
}

// scan walks the trees that are known.
type scan struct {
	e     *Engine
	asked map[Hash]bool
	trees map[int]bool // the depths at which trees are asked for
	blobs bool
	names map[string]bool // of what is asked for
	dirs  map[string]bool // the names of directories whose files are asked for

	first, then  []Hash // candidates with such a name, and others
	known, bytes int    // what is already here of their like

	walked map[step]bool
	looked int
}

// step is a tree at a depth; whole tells that its files are like those which are asked for. Trees may name one tree many times over: each
// is walked once at a depth, since a path's depth decides what is a candidate.
type step struct {
	id    Hash
	depth int
	whole bool
}

// walk looks at a tree and those below it. It goes no deeper than a path that is asked for could be.
func (s *scan) walk(from step) {
	for stack := []step{from}; len(stack) > 0 && s.looked < aheadEntries; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		t, err := s.e.store.Tree(at.id)
		if t == nil || err != nil || s.walked[at] || at.depth > maxDepth {
			continue
		}
		s.walked[at] = true
		s.looked += len(t.Entries)
		for _, entry := range slices.Backward(t.Entries) {
			if entry.Dir() {
				stack = append(stack, step{entry.Hash, at.depth + 1, s.dirs[entry.Name]})
			}
		}
		for _, entry := range t.Entries {
			if s.trees[at.depth+1] && entry.Dir() || s.blobs && entry.Irregular() == "" && (at.whole || s.names[entry.Name]) {
				s.consider(entry, at.whole)
			}
		}
	}
}

func (s *scan) consider(entry Entry, whole bool) {
	if o, known := s.e.store.Get(entry.Hash); known {
		s.known, s.bytes = s.known+1, s.bytes+len(o.Data)
		return
	}
	if s.asked[entry.Hash] {
		return
	}
	s.asked[entry.Hash] = true
	if whole || s.names[entry.Name] {
		s.first = append(s.first, entry.Hash)
	} else {
		s.then = append(s.then, entry.Hash)
	}
}

// most is how many of the candidates are taken along. If all of their kind cost little beside what is asked for, or those of the same name
// do, it is all of them: a plan is likely to read them all, and a round that it does not need is worth more. Of the many more that a
// large repository has it is a multiple of what is asked for.
func (s *scan) most(size, asked int) int {
	each := size + wantBytes
	little, growth := asked*aheadLittle, 1
	if s.e.rounds > 1 {
		little, growth = max(little, aheadLater), 1<<min(s.e.rounds-1, aheadDoublings)
	}
	most := growth * min(asked*aheadMultiple, asked*aheadLarge/each)
	for _, n := range []int{len(s.first), len(s.first) + len(s.then)} {
		if n*each <= little {
			most = max(most, n)
		}
	}
	return min(most, len(s.first)+len(s.then), aheadObjects, aheadBytes/size)
}
