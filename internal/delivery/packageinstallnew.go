package delivery

import (
	"context"
	"encoding/hex"
	"errors"
	"maps"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// markAt reads the mark of a package install's files.
func (d *Delivery) markAt(ctx context.Context, at repolayout.Install) (carvel.Mark, error) {
	files, err := d.files(ctx, at)
	return repolayout.ReadMark(files).Mark, err
}

// inTheWay are the files on the branch that a package install with these files
// would overwrite or delete.
func inTheWay(found repolayout.Files, wanted Blobs) repolayout.Files {
	out := maps.Clone(found)
	maps.DeleteFunc(out, func(name string, _ []byte) bool {
		return name == repolayout.MarkFile || !mayOwn(name, wanted) && !isOver(name, wanted)
	})
	return out
}

// NewPackageInstall is what a plan finds in the place of a new package install.
type NewPackageInstall struct {
	Blobs    Blobs // of the files that are in the way
	Adoption       // of what is somebody else's
}

// asWritten tells whether no file is another than the one that the resource with
// the mark has written.
func asWritten(found repolayout.Files, m repolayout.Mark) bool {
	for name, data := range found {
		if blob, ok := m.Files[name]; ok && blob != gitops.BlobHash(data).String() {
			return false
		}
	}
	return true
}

// own adds to them the file with the mark, and those that it names.
func (b Blobs) own(found repolayout.Files, m repolayout.Mark) {
	for name, data := range found {
		if _, ok := m.Files[name]; ok || name == repolayout.MarkFile {
			b[name] = gitops.BlobHash(data)
		}
	}
}

// CheckNewPackageInstall looks at what is in the place of a new package install.
// It is an *ExistsError where that is somebody else's and not to be adopted.
// Ours is what an interrupted creation of the same resource has made, what has
// the planned content, and what ours tells, such as files about to be replaced
// by the same resource. planned may be empty.
func (d *Delivery) CheckNewPackageInstall(ctx context.Context, at repolayout.Install, planned PackageInstallReceipt, how Hold,
	ours func(name string, blob gitops.Hash) bool,
) (NewPackageInstall, error) {
	var n NewPackageInstall
	found, err := d.files(ctx, at)
	if err != nil {
		return n, err
	}
	there := inTheWay(found, planned.Blobs)
	n.Blobs = blobsOf(there)
	for name, blob := range blobsOf(found) {
		if name != repolayout.MarkFile && ours(name, blob) {
			n.Blobs[name] = blob
		}
	}
	theirs := repolayout.ReadMark(found)
	known := func(name string, blob gitops.Hash) bool { return planned.Blobs[name] == blob || ours(name, blob) }
	if theirs.Creation != "" {
		// A plan does not tell a resource that is replaced from one that is not.
		if isOurs := theirs.Owner == d.Owner && theirs.Resource == resourceOf(at); isOurs || theirs.Creation == how.Creation {
			n.Blobs.own(found, theirs)
			if asWritten(found, theirs) {
				return n, nil
			}
		} else {
			known = func(string, gitops.Hash) bool { return false }
		}
	}
	for _, name := range repolayout.FileNames {
		blob, exists := n.Blobs[name]
		if !exists || known(name, blob) {
			continue
		}
		if !how.Adopt {
			return n, d.exists(ctx, d.Layout.Path(at, name), theirs.Mark)
		}
		n.Seen = d.sightingOfFiles(at, there, theirs.Mark)
	}
	if n.Seen != "" {
		n.Changes = d.changes(at, there, planned)
	}
	return n, nil
}

// changes are what an adoption does to files, as far as may be shown.
func (d *Delivery) changes(at repolayout.Install, there repolayout.Files, planned PackageInstallReceipt) []Change {
	var changes []Change
	before := d.Layout.Shown(at, there)
	for _, name := range repolayout.FileNames {
		path := d.Layout.Path(at, name)
		_, isThere := there[name]
		_, isPlanned := planned.Files[path]
		if isThere || isPlanned {
			changes = append(changes, Change{What: path, Before: before[path], After: planned.Files[path]})
		}
	}
	return changes
}

// sightingOfFiles tells files and their mark from what is there after any change.
// A file may hold secrets, and a blob is a fast digest.
func (d *Delivery) sightingOfFiles(at repolayout.Install, files repolayout.Files, theirs carvel.Mark) string {
	var seen []string
	for _, name := range repolayout.FileNames {
		if data, ok := files[name]; ok {
			digest := carvel.SlowDigest([]byte(d.Layout.Path(at, name)), data)
			seen = append(seen, name+" ("+hex.EncodeToString(digest)[:12]+")")
		}
	}
	if theirs.Creation != "" {
		seen = append(seen, "of creation "+theirs.Creation)
	}
	return strings.Join(seen, ", ")
}

func (d *Delivery) exists(ctx context.Context, path string, theirs carvel.Mark) error {
	return &ExistsError{Where: d.branch(), What: path, By: d.lastChange(ctx, path), Mark: theirs}
}

// longestRace is how often a creation looks again at a place that changes while
// it is being written.
const longestRace = 10

// CreatePackageInstall commits the files. What is there already is gone on with
// where an interrupted creation of the same resource has made it or where it
// has the same content, and taken over where that is asked for and the plan saw
// it.
func (d *Delivery) CreatePackageInstall(ctx context.Context, p PackageInstall) (PackageInstallReceipt, error) {
	mine := d.mark(resourceOf(p.Install()), "")
	before := Seen{}
	for race := 0; ; race++ {
		r, err := d.commitPackageInstall(ctx, "Add", p, before, mine)
		var precondition *gitops.PreconditionError
		if !errors.As(err, &precondition) || race == longestRace {
			return r, d.blame(ctx, err)
		}
		if before, err = d.takeOverFiles(ctx, p, mine); err != nil {
			return r, err
		}
	}
}

// takeOverFiles are the files that are there for a creation to go on with, or
// the reason why it must not.
func (d *Delivery) takeOverFiles(ctx context.Context, p PackageInstall, mine carvel.Mark) (Seen, error) {
	at := p.Install()
	found, err := d.files(ctx, at)
	if err != nil {
		return Seen{}, err
	}
	wanted, err := p.render()
	if err != nil {
		return Seen{}, err
	}
	blobs := blobsOf(wanted)
	for name := range p.says(wanted) { // what is encrypted, and in whose place it is
		blobs[name] = gitops.Hash{}
	}
	there, theirs := inTheWay(found, blobs), repolayout.ReadMark(found)
	before := Seen{Blobs: blobsOf(there)}
	before.Blobs.own(found, theirs)
	switch {
	case d.resumes(theirs.Mark, mine) && asWritten(found, theirs):
		return before, nil
	case (theirs.Creation == "" || d.resumes(theirs.Mark, mine)) && sameFiles(blobsOf(there), blobs):
		return before, nil
	case !p.Adopt:
		return before, d.exists(ctx, d.Layout.Path(at, first(there)), theirs.Mark)
	}
	return before, p.asPlanned(d.branch(), d.Layout.Dir(at), d.sightingOfFiles(at, there, theirs.Mark))
}

// sameFiles tells whether all files are wanted as they are.
func sameFiles(there, wanted Blobs) bool {
	for name, blob := range there {
		if wanted[name] != blob {
			return false
		}
	}
	return true
}

// first is the name of a file to speak of.
func first(files repolayout.Files) string {
	for _, name := range repolayout.FileNames {
		if _, ok := files[name]; ok {
			return name
		}
	}
	return repolayout.MarkFile
}
