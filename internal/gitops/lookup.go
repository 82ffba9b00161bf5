package gitops

import (
	"fmt"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
)

// lookup finds what is at a path of a commit, as far as the store reaches.
type lookup struct {
	commit Hash // zero: the tip
	path   []string
	ahead  bool // others like it are likely to follow
	data   bool // the content is asked for: a regular file's bytes, a directory's entries
	files  bool // of a directory, the regular files in it are asked for too
	dirs   bool // the content of a directory alone is asked for

	// The outcome. err covers this lookup alone.
	entry   Entry // the root has an empty name; the zero Hash: nothing is there
	blob    []byte
	entries []Entry // of a directory; shared with the store
	err     error
	done    bool
}

// want is an object that has to be fetched.
type want struct {
	id     Hash
	commit bool
	tree   bool
	depth  int    // of a tree: 0 is the root
	name   string // in its directory
	within string // the name of the directory, if all of its files are asked for
	ahead  bool
}

// resolve walks as far as it can. When something is missing it returns that; otherwise the lookup is done.
func (l *lookup) resolve(s *odb.Store, tip Hash) (missing []want) {
	commit := l.commit
	if commit.IsZero() {
		commit = tip
	}
	root, err := s.Root(commit)
	if err != nil {
		return l.fail(err)
	}
	if root.IsZero() {
		return []want{{id: commit, commit: true}}
	}
	entry := Entry{Mode: odb.DirectoryMode, Hash: root}
	wanted := func(depth int) []want {
		return []want{{id: entry.Hash, tree: entry.Dir(), depth: depth, name: entry.Name, ahead: l.ahead}}
	}
	for depth, name := range l.path {
		if !entry.Dir() {
			return l.finish(Entry{}, nil)
		}
		t, err := s.Tree(entry.Hash)
		if err != nil {
			return l.fail(err)
		}
		if t == nil {
			return wanted(depth)
		}
		var found bool
		if entry, found = t.Find(name); !found {
			return l.finish(Entry{}, nil)
		}
	}
	if entry.Dir() && l.data {
		t, err := s.Tree(entry.Hash)
		if err != nil {
			return l.fail(err)
		}
		if t == nil {
			return wanted(len(l.path))
		}
		if missing := l.missingFiles(s, entry, t); len(missing) > 0 {
			return missing
		}
		l.entries = t.Entries
		return l.finish(entry, nil)
	}
	if !l.data || l.dirs || entry.Irregular() != "" {
		return l.finish(entry, nil)
	}
	blob, known := s.Get(entry.Hash)
	if !known {
		return wanted(len(l.path))
	}
	if blob.Kind == odb.LargeBlob {
		l.err, l.done = odb.FileTooLarge(strings.Join(l.path, "/")), true
		return nil
	}
	return l.finish(entry, blob.Data)
}

// missingFiles are the regular files of a directory that are not here, if they are asked for.
func (l *lookup) missingFiles(s *odb.Store, dir Entry, t *odb.Tree) (missing []want) {
	if !l.files {
		return nil
	}
	for _, entry := range t.Entries {
		if entry.Irregular() == "" && !s.Has(entry.Hash) {
			missing = append(missing, want{id: entry.Hash, depth: len(l.path) + 1, name: entry.Name, within: dir.Name, ahead: l.ahead})
		}
	}
	return missing
}

func (l *lookup) finish(entry Entry, blob []byte) []want {
	l.entry, l.blob, l.done = entry, blob, true
	return nil
}

func (l *lookup) fail(err error) []want {
	l.err, l.done = fmt.Errorf("unexpected object from the server: %w", err), true
	return nil
}
