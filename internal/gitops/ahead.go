package gitops

import "slices"

// Bounds on what one fetch takes along that nobody has asked for yet.
const (
	aheadBytes   = 1 << 20
	aheadObjects = 2000
)

// ahead adds to what reads miss the objects that the next reads are likely to miss: a plan reads many files one after the other,
// a few at a time, and every round costs a request for each level of trees. Candidates are the trees at the same depth, the files of
// the same name and, where a directory's files are asked for together, the files of directories of the same name; those of the same
// name first. Their expected size is that of their like which are known. The lock is held.
//
// It begins with the second round of reads at a tip, so that a single read fetches its own path alone.
func (e *Engine) ahead(missing []want) []Hash {
	if e.rounds == 0 || e.noIDs || e.filter == wholeSnapshot {
		return nil
	}
	s := scan{e: e, asked: map[Hash]bool{}, trees: map[int]bool{}, names: map[string]bool{}, dirs: map[string]bool{}}
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
	if len(s.asked) == 0 {
		return nil
	}
	if root, err := e.store.root(e.tip); err == nil && !root.IsZero() {
		s.walk(root, 0, false)
	}
	size := 2048
	if s.known > 0 {
		size = max(s.bytes/s.known, 32)
	}
	candidates := slices.Concat(s.first, s.then)
	return candidates[:min(len(candidates), aheadObjects, aheadBytes/size)]
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
}

// walk looks at a tree; whole tells that its files are like those which are asked for.
func (s *scan) walk(id Hash, depth int, whole bool) {
	t, err := s.e.store.tree(id)
	if t == nil || err != nil {
		return
	}
	for _, entry := range t.entries {
		if s.trees[depth+1] && entry.Dir() || s.blobs && entry.kind() == "" && (whole || s.names[entry.Name]) {
			s.consider(entry, whole)
		}
		if entry.Dir() {
			s.walk(entry.Hash, depth+1, s.dirs[entry.Name])
		}
	}
}

func (s *scan) consider(entry Entry, whole bool) {
	if o, known := s.e.store.objects[entry.Hash]; known {
		s.known, s.bytes = s.known+1, s.bytes+len(o.data)
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
