package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// PackageInstall is a package on a run cluster, as files in the repository.
type PackageInstall struct {
	RunCluster string
	carvel.PackageInstallSpec
	// Recipients of age that the values are encrypted for in the repository;
	// none: they are in clear text.
	Recipients []string
	Hold
}

// resource is what marks call a package install.
func resourceOf(at repolayout.Install) string {
	return "carvel_package_install " + at.Package + "/" + at.RunCluster
}

// Install is where its files are.
func (p PackageInstall) Install() repolayout.Install {
	return repolayout.Install{Package: p.Package, RunCluster: p.RunCluster}
}

// Blobs are the Git blobs of a package install's files, by the file's name. A
// file that is not there has none.
type Blobs map[string]gitops.Hash

// Seen are files as a plan saw them.
type Seen struct {
	Blobs Blobs
	// Says tells whether a file says in another form what one with this blob, or
	// with what stands for it in a receipt's Canonical, says. It may be nil.
	Says func(name string, blob gitops.Hash) bool
}

// PackageInstallReceipt says what is in the repository.
type PackageInstallReceipt struct {
	Creation string      // that the files bear; empty: they were not written
	Mark     carvel.Mark // of the files as they were found
	// AsWritten tells of files that were found that they are as the resource with
	// the mark has written them, and Tip which commit they were found in.
	AsWritten bool
	Tip       gitops.Hash
	Commit    gitops.Commit // zero: nothing was pushed, or only read
	Blobs     Blobs         // of the files as they are on the branch; of an encrypted one that is planned, as in Canonical
	// Canonical are the blobs that the files on the branch would have as the
	// provider writes them, for those that hold nothing beyond that. That of an
	// encrypted file, which is another one each time it is written, stands for
	// its content and its recipients; it is known to who writes the file alone.
	Canonical Blobs
	Files     map[string]string // path to content, the values masked
}

// Changed tells whether the branch holds what was asked for.
func (r PackageInstallReceipt) Changed() bool { return r.Files != nil }

// PlanPackageInstall is the receipt of the spec once it is committed, but for
// the commit.
func (d *Delivery) PlanPackageInstall(p PackageInstall) (PackageInstallReceipt, error) {
	files, err := p.render()
	if err != nil {
		return PackageInstallReceipt{}, err
	}
	r := d.receipt(p.Install(), files)
	maps.Copy(r.Blobs, p.says(files))
	return r, nil
}

func (d *Delivery) receipt(at repolayout.Install, files repolayout.Files) PackageInstallReceipt {
	return PackageInstallReceipt{Blobs: blobsOf(files), Files: d.Layout.Shown(at, files)}
}

func blobsOf(files repolayout.Files) Blobs {
	blobs := make(Blobs, len(files))
	for name, data := range files {
		blobs[name] = gitops.BlobHash(data)
	}
	return blobs
}

// ChangedFile is the error about a file that is not what the plan saw.
func (d *Delivery) ChangedFile(ctx context.Context, path string) error {
	some := gitops.BlobHash(nil) // neither blob is told
	return d.blame(ctx, &gitops.PreconditionError{Path: path, Want: some, Have: some})
}

// mayOwn tells whether a file of this name belongs to a package install with
// these files whoever made it. Overlays and an encrypted file beside a package
// install that has none may be somebody else's.
func mayOwn(name string, files Blobs) bool {
	_, has := files[name]
	return has || name != repolayout.OverlaysFile && name != repolayout.EncryptedParamsFile
}

// isOver tells whether a file of this name would take the place of one of these:
// SOPS writes what it decrypts over params.yaml.
func isOver(name string, files Blobs) bool {
	_, inClear := files[repolayout.ParamsFile]
	return inClear && name == repolayout.EncryptedParamsFile
}

// UpdatePackageInstall commits the files in place of those that the plan saw.
// One that says the same in another form is left as it is. Files that another
// resource has taken over are a *TakenOverError.
func (d *Delivery) UpdatePackageInstall(ctx context.Context, p PackageInstall, before Seen) (PackageInstallReceipt, error) {
	r, err := d.commitPackageInstall(ctx, "Update", p, before, d.mark(resourceOf(p.Install()), p.Creation))
	var precondition *gitops.PreconditionError
	if errors.As(err, &precondition) && path.Base(precondition.Path) == repolayout.MarkFile {
		theirs, readErr := d.markAt(ctx, p.Install())
		if by, lost := d.LostPackageInstall(p.Install(), theirs, p.Hold); readErr == nil && lost {
			return r, &TakenOverError{Where: d.branch(), What: d.Layout.Dir(p.Install()), By: by}
		}
	}
	return r, d.blame(ctx, err)
}

// LostPackageInstall tells whether files with this mark belong to another
// resource than the one that holds.
func (d *Delivery) LostPackageInstall(at repolayout.Install, theirs carvel.Mark, how Hold) (by carvel.Mark, lost bool) {
	return theirs, d.lost(theirs, carvel.Mark{Owner: d.Owner, Resource: resourceOf(at)}, how)
}

func (d *Delivery) branch() string {
	return fmt.Sprintf("branch %s of %s", d.Location.Branch, d.Location.URL)
}

// commitPackageInstall writes the spec's files and their mark in one commit, and
// deletes those that it has no more. before is what must be on the branch.
func (d *Delivery) commitPackageInstall(ctx context.Context, verb string, p PackageInstall, before Seen, mine carvel.Mark) (PackageInstallReceipt, error) {
	var r PackageInstallReceipt
	repository, err := d.repository()
	if err != nil {
		return r, err
	}
	files, err := p.render()
	if err != nil {
		return r, err
	}
	at := p.Install()
	says := blobsOf(files)
	maps.Copy(says, p.says(files))
	kept, err := d.keep(ctx, at, says, before.Says)
	if err != nil {
		return r, err
	}
	maps.Copy(files, kept)
	written, err := p.encrypt(files, kept)
	if err != nil {
		return r, err
	}
	if written, err = marked(written, mine); err != nil {
		return r, err
	}
	change := gitops.Change{Summary: d.summary(verb, at)}
	for _, name := range repolayout.AllNames {
		data, exists := written[name]
		inTheWay := before.Blobs == nil && isOver(name, says)
		if !exists && !mayOwn(name, before.Blobs) && !inTheWay {
			continue
		}
		blob := before.Blobs[name] // zero: it must not be there
		change.Edits = append(change.Edits, gitops.Edit{Path: d.Layout.Path(at, name), Data: data, Delete: !exists, IfBlob: &blob})
	}
	commit, err := repository.Apply(ctx, change)
	if err != nil {
		return r, err
	}
	r = d.receipt(at, files)
	r.Creation, r.Commit, r.Blobs, r.Canonical = mine.Creation, commit, blobsOf(written), says
	return r, nil
}

// marked are files with their mark.
func marked(files repolayout.Files, mine carvel.Mark) (repolayout.Files, error) {
	m := repolayout.Mark{Mark: mine, Files: make(map[string]string, len(files))}
	for name, data := range files {
		m.Files[name] = gitops.BlobHash(data).String()
	}
	text, err := m.Render()
	out := maps.Clone(files)
	out[repolayout.MarkFile] = text
	return out, err
}

// keep are the files on the branch that say what is to be written in another
// form.
func (d *Delivery) keep(ctx context.Context, at repolayout.Install, wanted Blobs, says func(name string, blob gitops.Hash) bool) (repolayout.Files, error) {
	kept := repolayout.Files{}
	for name, blob := range wanted {
		if says == nil || !says(name, blob) {
			continue
		}
		current, now, err := read(ctx, d.Repository, d.Layout.Path(at, name))
		if err != nil {
			return nil, err
		}
		if !now.IsZero() { // that it is the one that was seen is the edit's precondition
			kept[name] = current
		}
	}
	return kept, nil
}

// LeftPackageInstall tells what a delete leaves, and why, before it looks at what
// the files are.
func (d *Delivery) LeftPackageInstall(ctx context.Context, at repolayout.Install, how Hold) ([]Left, error) {
	theirs, err := d.markAt(ctx, at)
	if err != nil {
		return nil, err
	}
	return d.leftInstall(at, theirs, how), nil
}

func (d *Delivery) leftInstall(at repolayout.Install, theirs carvel.Mark, how Hold) []Left {
	reason := d.leaves(resourceOf(at), theirs, how)
	if reason == "" {
		return nil
	}
	return []Left{d.left(d.branch(), d.Layout.Dir(at), reason, theirs)}
}

// DeletePackageInstall removes the files whose blobs the plan saw, and keeps
// the directory: the App that fetches it would fail without it, and delete
// nothing from the run cluster. Files that another resource has taken over are
// left.
func (d *Delivery) DeletePackageInstall(ctx context.Context, at repolayout.Install, before Blobs, how Hold) ([]Left, error) {
	repository, err := d.repository()
	if err != nil {
		return nil, err
	}
	now, err := d.files(ctx, at)
	if err != nil {
		return nil, err
	}
	if left := d.leftInstall(at, repolayout.ReadMark(now).Mark, how); left != nil {
		return left, nil
	}
	change := gitops.Change{Summary: d.summary("Remove", at)}
	for _, name := range repolayout.AllNames {
		if _, exists := now[name]; !exists || !mayOwn(name, before) {
			continue // a file that is gone already needs no edit
		}
		blob := before[name]
		if name == repolayout.MarkFile {
			blob = gitops.BlobHash(now[name]) // which is ours
		}
		change.Edits = append(change.Edits, gitops.Edit{Path: d.Layout.Path(at, name), Delete: true, IfBlob: &blob})
	}
	if len(change.Edits) == 0 {
		return nil, nil
	}
	keep := d.Layout.Path(at, repolayout.KeepFile)
	_, kept, err := read(ctx, repository, keep)
	if err != nil {
		return nil, err
	}
	if kept.IsZero() {
		change.Edits = append(change.Edits, gitops.Edit{Path: keep, Data: []byte{}})
	}
	_, err = repository.Apply(ctx, change)
	var precondition *gitops.PreconditionError
	if errors.As(err, &precondition) {
		theirs, readErr := d.markAt(ctx, at)
		if left := d.leftInstall(at, theirs, how); readErr == nil && left != nil { // by now
			return left, nil
		}
	}
	return nil, d.blame(ctx, err)
}

func (d *Delivery) summary(verb string, at repolayout.Install) string {
	return fmt.Sprintf("%s package install %s on %s", verb, at.Package, at.RunCluster)
}
