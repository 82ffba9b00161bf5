package gitops

import (
	"context"
	"errors"
	"slices"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
)

// Standing is how a branch stands to its base.
type Standing struct {
	// Head is the commit that the branch is at; the zero Hash: it is not there.
	Head Hash
	// Base is the commit that its base is at.
	Base Hash
	// Ahead: the branch has something that the base may lack. Behind: the base has commits that the branch lacks beside that.
	Ahead, Behind bool
	// Barred is why the branch takes no changes as it is, a *ConflictError or a *ForeignError; nil: it does.
	Barred error
}

// Standing of a branch with a base. Of one without, Head and Base are its tip.
func (e *Engine) Standing(ctx context.Context) (Standing, error) {
	if _, err := e.lookUp(ctx); err != nil {
		return Standing{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Standing{Head: reported(e.at.Ref), Base: e.at.Base, Ahead: !e.at.Base.IsZero() && e.at.Tip != e.at.Base}
	if p := e.proposal; p != nil {
		s.Behind, s.Barred = p.local(e.at.Tip), p.barred
		if s.Barred != nil {
			s.Barred = e.locate(s.Barred)
		}
	}
	if e.target.Base == "" {
		s.Base = s.Head
	}
	return s, nil
}

// Landed reports for each path whether the base has there what the branch has, and at which commit of the base. A branch without a base
// is its own.
func (e *Engine) Landed(ctx context.Context, paths ...string) (base Hash, landed []bool, err error) {
	standing, err := e.Standing(ctx)
	if err != nil {
		return Hash{}, nil, err
	}
	landed = make([]bool, len(paths))
	e.mu.Lock()
	all := e.target.Base == "" || e.at.Tip == e.at.Base
	e.mu.Unlock()
	if all {
		for i := range landed {
			landed[i] = true
		}
		return standing.Base, landed, nil
	}
	now, err := e.Entries(ctx, Hash{}, paths...)
	if err != nil {
		return Hash{}, nil, err
	}
	there, err := e.Entries(ctx, standing.Base, paths...)
	if err != nil {
		return Hash{}, nil, err
	}
	for i := range paths {
		landed[i] = now[i].Hash == there[i].Hash && now[i].Mode == there[i].Mode
	}
	return standing.Base, landed, nil
}

// Difference is a file that a branch and its base have differently.
type Difference struct {
	Path string
	// Base and Head are what the two have; nil: no file. A file that is no regular one, or is too large to be read, is empty.
	Base, Head []byte
}

// maxDifferences is how many files Differences returns at most.
const maxDifferences = 5000

// Differences are the files that a merge of the branch into its base changes, in Git's order, at most 5,000 of them. A branch without a
// base has none.
func (e *Engine) Differences(ctx context.Context) ([]Difference, error) {
	standing, err := e.Standing(ctx)
	if err != nil || e.target.Base == "" || standing.Head.IsZero() {
		return nil, err
	}
	dirs, paths := []string{""}, []string(nil)
	for len(dirs) > 0 && len(paths) < maxDifferences {
		var below []string
		head, err := e.look(ctx, lookup{data: true, dirs: true}, dirs)
		if err != nil {
			return nil, err
		}
		base, err := e.look(ctx, lookup{commit: standing.Base, data: true, dirs: true}, dirs)
		if err != nil {
			return nil, err
		}
		for i, dir := range dirs {
			files, more := differ(dir, base[i].entries, head[i].entries)
			paths, below = append(paths, files...), append(below, more...)
		}
		dirs = below
	}
	slices.Sort(paths)
	paths = paths[:min(len(paths), maxDifferences)]
	return e.contents(ctx, standing.Base, paths)
}

// differ compares two directories: the paths of files that are different, and of directories with such in them.
func differ(dir string, base, head []Entry) (files, dirs []string) {
	prefix := dir
	if prefix != "" {
		prefix += "/"
	}
	was := make(map[string]Entry, len(base))
	for _, entry := range base {
		was[entry.Name] = entry
	}
	note := func(before, now Entry, name string) {
		if before.Hash == now.Hash && before.Mode == now.Mode {
			return
		}
		if before.Dir() || now.Dir() {
			dirs = append(dirs, prefix+name)
		}
		if !before.Dir() && !before.Hash.IsZero() || !now.Dir() && !now.Hash.IsZero() {
			files = append(files, prefix+name)
		}
	}
	for _, entry := range head {
		note(was[entry.Name], entry, entry.Name)
		delete(was, entry.Name)
	}
	for _, entry := range base {
		if _, gone := was[entry.Name]; gone {
			note(entry, Entry{}, entry.Name)
		}
	}
	return files, dirs
}

// contents reads files as the base and the branch have them.
func (e *Engine) contents(ctx context.Context, base Hash, paths []string) ([]Difference, error) {
	all := make([]Difference, len(paths))
	for i, path := range paths {
		all[i].Path = path
	}
	for _, side := range []struct {
		commit Hash
		set    func(d *Difference, data []byte)
	}{
		{base, func(d *Difference, data []byte) { d.Base = data }},
		{Hash{}, func(d *Difference, data []byte) { d.Head = data }},
	} {
		found, err := e.look(ctx, lookup{commit: side.commit, data: true}, paths)
		if err != nil && !errors.As(err, new(*odb.LimitError)) {
			return nil, err
		}
		for i, l := range found {
			if l.entry.Hash.IsZero() || l.entry.Dir() {
				continue
			}
			data := l.blob
			if data == nil {
				data = []byte{}
			}
			side.set(&all[i], data)
		}
	}
	return all, nil
}
