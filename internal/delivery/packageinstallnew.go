package delivery

import (
	"context"
	"errors"
	"maps"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// markAt reads the mark of a package install's files.
func (is *Installs) markAt(ctx context.Context, at repolayout.Install) (carvel.Mark, error) {
	files, err := is.files(ctx, at)
	return installfiles.ReadMark(files).Mark, err
}

// NewPackageInstall is what a plan finds in the place of a new package install.
type NewPackageInstall struct {
	Blobs    installfiles.Blobs // of the files that are in the way
	Adoption                    // of what is somebody else's
}

// CheckNew looks at what is in the place of a new package install.
// It is an *ExistsError if that is somebody else's and not to be adopted, an
// *OtherFileError if another file has what is to be made, and an *OtherDocumentsError if
// an adoption would write over what is not the package install's.
// Ours is what an interrupted creation of the same resource has made, what has
// the planned content, what a delete of this run has orphaned, and what seen tells, such
// as files about to be replaced by the same resource. planned may be empty.
func (is *Installs) CheckNew(ctx context.Context, at repolayout.Install, planned PackageInstallReceipt, how Hold,
	seen func(name string, blob installfiles.Blob) bool,
) (NewPackageInstall, error) {
	var n NewPackageInstall
	found, err := is.files(ctx, at)
	if err != nil {
		return n, err
	}
	if err := is.checkPlace(ctx, at, planned.Makes); err != nil {
		return n, err
	}
	there := installfiles.InTheWay(found, planned.Blobs)
	n.Blobs = there.Blobs()
	ours := func(name string, blob installfiles.Blob) bool {
		return seen(name, blob) || is.orphans.is(at, name, blob)
	}
	for name, blob := range found.Blobs() {
		if name != repolayout.MarkFile && ours(name, blob) {
			n.Blobs[name] = blob
		}
	}
	theirs := installfiles.ReadMark(found)
	known := func(name string, blob installfiles.Blob) bool { return planned.Blobs[name] == blob || ours(name, blob) }
	if theirs.Creation != "" {
		// A plan does not tell a resource that is replaced from one that is not.
		if isOurs := theirs.Owner == is.Owner && theirs.Resource == resourceOf(at); isOurs || theirs.Creation == how.Creation {
			maps.Copy(n.Blobs, theirs.Own(found).Blobs())
			if theirs.Wrote(found) {
				return n, nil
			}
		} else {
			known = func(string, installfiles.Blob) bool { return false }
		}
	}
	for _, name := range installfiles.Names {
		blob, exists := n.Blobs[name]
		if !exists || known(name, blob) {
			continue
		}
		if !how.Adopt {
			return n, is.exists(ctx, is.Layout.Path(at, name), theirs.Mark)
		}
		if err := is.keepsOthers(at, there); err != nil {
			return n, err
		}
		n.Seen = installfiles.Sighting(is.Layout.Dir(at), there, theirs.Mark)
	}
	if n.Seen != "" {
		n.Changes = is.changes(at, there, planned)
	}
	return n, nil
}

// changes are what an adoption does to files, as far as may be shown.
func (is *Installs) changes(at repolayout.Install, there installfiles.Contents, planned PackageInstallReceipt) []Change {
	var changes []Change
	before := is.shownAt(at, there.Shown())
	for _, name := range installfiles.Names {
		path := is.Layout.Path(at, name)
		_, isThere := there[name]
		_, isPlanned := planned.Files[path]
		if isThere || isPlanned {
			changes = append(changes, Change{What: path, Before: before[path], After: planned.Files[path]})
		}
	}
	return changes
}

func (is *Installs) exists(ctx context.Context, path string, theirs carvel.Mark) error {
	return &ExistsError{Where: is.where(), What: path, By: is.lastChange(ctx, path), Mark: theirs}
}

// longestRace is how often a creation looks again at a place that changes while
// it is being written.
const longestRace = 10

// Create commits the files. What is there already is gone on with
// if an interrupted creation of the same resource has made it or if it
// has the same content, and taken over if that is asked for and the plan saw
// it.
func (is *Installs) Create(ctx context.Context, p PackageInstall) (PackageInstallReceipt, error) {
	mine := is.mark(resourceOf(p.At()), "")
	before := installfiles.Before{}
	for race := 0; ; race++ {
		r, err := is.commit(ctx, "Add", p, before, mine)
		var precondition *gitops.PreconditionError
		if !errors.As(err, &precondition) || race == longestRace {
			return r, is.blame(ctx, err)
		}
		if before, err = is.takeOverFiles(ctx, p, mine); err != nil {
			return r, err
		}
	}
}

// takeOverFiles are the files that are there for a creation to go on with, or
// the reason why it must not.
func (is *Installs) takeOverFiles(ctx context.Context, p PackageInstall, mine carvel.Mark) (installfiles.Before, error) {
	at := p.At()
	found, err := is.files(ctx, at)
	if err != nil {
		return installfiles.Before{}, err
	}
	files, err := is.render(p.Spec)
	if err != nil {
		return installfiles.Before{}, err
	}
	there, theirs := installfiles.InTheWay(found, files.Says()), installfiles.ReadMark(found)
	before := installfiles.Before{Blobs: there.Blobs()}
	maps.Copy(before.Blobs, theirs.Own(found).Blobs())
	isFree := theirs.Creation == "" || is.resumes(theirs.Mark, mine)
	if isFree {
		maps.Copy(before.Blobs, is.orphans.of(at, found))
	}
	switch {
	case is.resumes(theirs.Mark, mine) && theirs.Wrote(found):
		return before, nil
	case isFree && files.Are(there):
		return before, nil
	case isFree && len(there) > 0 && len(is.orphans.of(at, there)) == len(there):
		return before, is.keepsOthers(at, there)
	case !p.Adopt:
		return before, is.exists(ctx, is.Layout.Path(at, installfiles.First(there)), theirs.Mark)
	}
	if err := is.keepsOthers(at, there); err != nil {
		return before, err
	}
	return before, p.asPlanned(is.where(), is.Layout.Dir(at), installfiles.Sighting(is.Layout.Dir(at), there, theirs.Mark))
}
