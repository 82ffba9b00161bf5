package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// inRepository reads the versions of a package, and adds the size of their files
// to bytes.
func (ct *Catalog) inRepository(ctx context.Context, name string, bytes *int) (PackageList, error) {
	var list PackageList
	repository, err := ct.repository()
	if err != nil {
		return list, err
	}
	dir := ct.Layout.PackagesDir(name)
	if err := repository.Prefetch(ctx, dir); err != nil {
		return list, err
	}
	entries, err := repository.List(ctx, dir)
	if errors.Is(err, gitops.ErrNotExist) {
		return list, cmp.Or(ct.noSymlink(ctx, dir), ErrNotFound)
	}
	if err != nil {
		return list, err
	}
	w := packageWalk{repository: repository, name: name, top: dir, branch: ct.Location.Branch, bytes: bytes}
	err = w.walk(ctx, dir, entries)
	return w.list, err
}

// Bounds on the directories of a package's versions, which anybody with a right to push may fill. A package has a file for each version.
const (
	mostPackageEntries = 10_000   // files and directories
	mostPackageDepth   = 16       // of directories below PACKAGE/packages
	mostPackageBytes   = 64 << 20 // of the files together, of all packages if all are asked for
)

// packageWalk reads the versions of a package that are in a directory and in
// those below, as the App's ytt reads them. What it does not read does not get
// to a cluster.
type packageWalk struct {
	repository Repository
	name, top  string
	branch     string
	list       PackageList
	entries    int
	bytes      *int
}

// level is a directory that is to be read, so many levels below the top.
type level struct {
	dir   string
	depth int
}

// walk goes through the directories level by level, the entries of the top one
// first. A repository may name one directory a great many times, within a few
// objects: what counts is how many there are for a reader.
func (w *packageWalk) walk(ctx context.Context, dir string, entries []gitops.Entry) error {
	open, err := w.directory(ctx, level{dir, 0}, entries)
	for err == nil && len(open) > 0 {
		below := make([]string, 0, len(open))
		for _, l := range open {
			below = append(below, l.dir)
		}
		if err := w.repository.Prefetch(ctx, below...); err != nil {
			return err
		}
		var next []level
		for _, l := range open {
			entries, err := w.repository.List(ctx, l.dir)
			if errors.Is(err, gitops.ErrNotExist) {
				continue // removed since the directory above was read
			}
			if err != nil {
				return err
			}
			further, err := w.directory(ctx, l, entries)
			if err != nil {
				return err
			}
			next = append(next, further...)
		}
		open = next
	}
	return err
}

// directory reads the files of a directory, and returns the directories in it.
func (w *packageWalk) directory(ctx context.Context, at level, entries []gitops.Entry) ([]level, error) {
	if w.entries += len(entries); w.entries > mostPackageEntries {
		return nil, w.exceeded("the number of files and directories", fmt.Sprint(mostPackageEntries), w.top)
	}
	var below []level
	for _, entry := range entries {
		here := path.Join(at.dir, entry.Name)
		if err := gitops.CheckName(entry.Name); err != nil {
			w.list.Unreadable = append(w.list.Unreadable, UnreadablePackage{Path: at.dir, Err: err})
			continue
		}
		if isSymlink(entry) {
			w.list.Unreadable = append(w.list.Unreadable, UnreadablePackage{Path: here, Err: &SymlinkError{Path: here, Branch: w.branch, For: here}})
			continue
		}
		if entry.Dir() {
			if at.depth == mostPackageDepth {
				return nil, w.exceeded("the depth of the directories", fmt.Sprint(mostPackageDepth), at.dir)
			}
			below = append(below, level{here, at.depth + 1})
		}
		if !entry.File() || !slices.Contains([]string{".yaml", ".yml"}, path.Ext(entry.Name)) {
			continue
		}
		if err := w.file(ctx, here, entry.Hash); err != nil {
			return nil, err
		}
	}
	return below, nil
}

func (w *packageWalk) file(ctx context.Context, at string, blob gitops.Hash) error {
	file, err := readPackages(ctx, w.repository, at, blob)
	if tooLarge(err, at) {
		file, err = packageFile{err: err}, nil
	}
	if err != nil {
		return err
	}
	if *w.bytes += file.size; *w.bytes > mostPackageBytes {
		return w.exceeded("the size of the files together", "64 MB", w.top)
	}
	w.list.Packages = append(w.list.Packages, carvel.OfPackage(w.name, file.packages)...)
	if file.err != nil {
		w.list.Unreadable = append(w.list.Unreadable, UnreadablePackage{Path: at, Err: file.err})
	}
	return nil
}

func (w *packageWalk) exceeded(what, most, dir string) error {
	return &gitops.LimitError{
		What: what, Most: most, Path: dir,
		Advice: "Keep the Package files of versions that are still installed there, and nothing else.",
	}
}

// tooLarge reports whether an error is about the size of one file.
func tooLarge(err error, at string) bool {
	var limit *gitops.LimitError
	return errors.As(err, &limit) && limit.Path == at
}

// isLargeFile reports whether an error is about a single file that is too large.
func isLargeFile(err error) bool {
	var limit *gitops.LimitError
	return errors.As(err, &limit) && limit.Path != ""
}

// packageFile is a file as it was read.
type packageFile struct {
	packages []carvel.Package
	size     int
	err      error // about what could not be read of it
}

// Bounds on what is kept of them: their number, and the size of their content.
const (
	maxPackageFiles = 4096
	maxPackageBytes = 32 << 20
)

// packageFiles are the files that were read in this process, by their content:
// many package installs look at the same few.
var packageFiles = struct {
	sync.Mutex
	byBlob map[gitops.Hash]packageFile
	bytes  int
}{byBlob: map[gitops.Hash]packageFile{}}

func readPackages(ctx context.Context, repository Repository, at string, blob gitops.Hash) (packageFile, error) {
	packageFiles.Lock()
	file, ok := packageFiles.byBlob[blob]
	packageFiles.Unlock()
	if ok {
		return file, nil
	}
	content, err := repository.Read(ctx, at)
	if err != nil {
		return packageFile{}, err
	}
	packageFiles.Lock()
	defer packageFiles.Unlock()
	if file, ok := packageFiles.byBlob[content.Blob]; ok {
		return file, nil
	}
	file.size = len(content.Data)
	file.packages, file.err = carvel.ReadPackages(content.Data)
	if packageFiles.bytes += file.size; len(packageFiles.byBlob) >= maxPackageFiles || packageFiles.bytes > maxPackageBytes {
		clear(packageFiles.byBlob)
		packageFiles.bytes = file.size
	}
	packageFiles.byBlob[content.Blob] = file
	return file, nil
}
