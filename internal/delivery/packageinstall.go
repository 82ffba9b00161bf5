package delivery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/sops"
)

// Installs are the use cases about package installs.
type Installs struct {
	*ownership
	branch
	clusters
	Layout    repolayout.Layout
	proposals *Proposals
	orphans   orphans
}

// render writes the files of a package install, with the defaults under what it sets itself.
func (is *Installs) render(s installfiles.Spec) (installfiles.Files, error) {
	all := is.Defaults.With(carvel.Metadata{Labels: s.Install.Labels, Annotations: s.Install.Annotations})
	s.Install.Labels, s.Install.Annotations = all.Labels, all.Annotations
	return installfiles.Render(s)
}

// PackageInstall is a package on a run cluster, as files in the repository.
type PackageInstall struct {
	RunCluster string
	installfiles.Spec
	Hold
}

// ValidateRecipient checks an age recipient.
func ValidateRecipient(recipient string) error { return sops.ValidateRecipient(recipient) }

// resource is what marks call a package install.
func resourceOf(at repolayout.Install) string {
	return "carvel_package_install " + at.Package + "/" + at.RunCluster
}

// At is where its files are.
func (p PackageInstall) At() repolayout.Install {
	return repolayout.Install{Package: p.Install.PackageRef.RefName, RunCluster: p.RunCluster}
}

// PackageInstallReceipt says what is in the repository.
type PackageInstallReceipt struct {
	Creation string      // that the files bear; empty: they were not written
	Mark     carvel.Mark // of the files as they were found
	// AsWritten tells of files that were found that they are as the resource with
	// the mark has written them, and Tip which commit they were found in.
	AsWritten bool
	Tip       gitops.Hash
	Reached   // the commits that have them; zero: nothing was pushed, or only read
	// Blobs are those of the files as they are on the branch; of a planned one, what it
	// says.
	Blobs installfiles.Blobs
	// Says are the blobs that the files on the branch would have as the provider writes
	// them, for those that hold nothing beyond that, as in installfiles.Files. What an
	// encrypted file says is known to who writes it alone.
	Says  installfiles.Blobs
	Files map[string]string // path to content, the values masked
	// Makes are the objects that a planned one will have, and Foreign those documents in
	// the files as they were read that are not the package install's.
	Makes, Foreign []installfiles.Document
}

// Changed reports whether the branch holds what was asked for.
func (r PackageInstallReceipt) Changed() bool { return r.Files != nil }

// Plan is the receipt of the spec once it is committed, but for
// the commit.
func (is *Installs) Plan(p PackageInstall) (PackageInstallReceipt, error) {
	files, err := is.render(p.Spec)
	if err != nil {
		return PackageInstallReceipt{}, err
	}
	return PackageInstallReceipt{Blobs: files.Says(), Files: is.shownAt(p.At(), files.Shown()), Makes: files.Makes()}, nil
}

// Says are the blobs of a spec's files once it is committed, as in Plan.
func (is *Installs) Says(p PackageInstall) (installfiles.Blobs, error) {
	files, err := is.render(p.Spec)
	return files.Says(), err
}

// shownAt are texts by path instead of by the file's name.
func (is *Installs) shownAt(at repolayout.Install, shown map[string]string) map[string]string {
	paths := make(map[string]string, len(shown))
	for name, text := range shown {
		paths[is.Layout.Path(at, name)] = text
	}
	return paths
}

// ChangedFile is the error about a file that is not what the plan saw.
func (is *Installs) ChangedFile(ctx context.Context, path string) error {
	some := gitops.BlobHash(nil) // neither blob is told
	return is.blame(ctx, &gitops.PreconditionError{Path: path, Want: some, Have: some})
}

// Update commits the files in place of those that the plan saw.
// One that says the same in another form is left as it is. Files that another
// resource has taken over are a *TakenOverError.
func (is *Installs) Update(ctx context.Context, p PackageInstall, before installfiles.Before) (PackageInstallReceipt, error) {
	r, err := is.commit(ctx, "Update", p, before, is.mark(resourceOf(p.At()), p.Creation))
	var precondition *gitops.PreconditionError
	if errors.As(err, &precondition) {
		return r, is.changedMeanwhile(ctx, p, err, path.Base(precondition.Path) == repolayout.MarkFile)
	}
	return r, is.blame(ctx, err)
}

// changedMeanwhile is the error about files that are others than the plan saw. It is a
// *TakenOverError if their mark is another one, and another resource's.
func (is *Installs) changedMeanwhile(ctx context.Context, p PackageInstall, err error, mark bool) error {
	if mark {
		theirs, readErr := is.markAt(ctx, p.At())
		if by, lost := is.Lost(p.At(), theirs, p.Hold); readErr == nil && lost {
			return &TakenOverError{Where: is.where(), What: is.Layout.Dir(p.At()), By: by}
		}
	}
	return is.blame(ctx, err)
}

// Lost reports whether files with this mark belong to another
// resource than the one that holds.
func (is *Installs) Lost(at repolayout.Install, theirs carvel.Mark, how Hold) (by carvel.Mark, lost bool) {
	return theirs, is.lost(theirs, carvel.Mark{Owner: is.Owner, Resource: resourceOf(at)}, how)
}

func (b branch) where() string {
	return fmt.Sprintf("branch %s of %s", b.Location.Branch, b.Location.URL)
}

// commit writes the spec's files and their mark in one commit, and
// deletes those that it has no more. before is what must be on the branch.
func (is *Installs) commit(ctx context.Context, verb string, p PackageInstall, before installfiles.Before, mine carvel.Mark) (PackageInstallReceipt, error) {
	repository, err := is.repository()
	if err != nil {
		return PackageInstallReceipt{}, err
	}
	edits, r, err := is.prepare(ctx, p, before, mine)
	if err != nil {
		return PackageInstallReceipt{}, err
	}
	commit, err := repository.Apply(ctx, gitops.Change{Summary: summary(verb, p.At()), Edits: edits})
	if err != nil {
		return PackageInstallReceipt{}, err
	}
	r.Reached = is.proposals.reached(ctx, commit, is.pathsOf(p.At()))
	return r, nil
}

// prepare are the edits of commit, and its receipt but for the commit.
func (is *Installs) prepare(ctx context.Context, p PackageInstall, before installfiles.Before, mine carvel.Mark) ([]gitops.Edit, PackageInstallReceipt, error) {
	var r PackageInstallReceipt
	files, err := is.render(p.Spec)
	if err != nil {
		return nil, r, err
	}
	at := p.At()
	kept, err := is.kept(ctx, at, files.Says(), before)
	if err != nil {
		return nil, r, err
	}
	files = files.Keep(kept)
	written, err := files.Write(mine, time.Now())
	if err != nil {
		return nil, r, err
	}
	r = PackageInstallReceipt{
		Creation: mine.Creation, Blobs: written.Blobs(), Says: files.Says(), Files: is.shownAt(at, files.Shown()),
	}
	return is.edits(at, files.Edits(written, before)), r, nil
}

// summary is the first line of a commit about one package install.
func summary(verb string, at repolayout.Install) string {
	return fmt.Sprintf("%s package install %s on %s", verb, at.Package, at.RunCluster)
}

// edits are those to the files of a package install, by their paths.
func (is *Installs) edits(at repolayout.Install, edits []installfiles.Edit) []gitops.Edit {
	out := make([]gitops.Edit, 0, len(edits))
	for _, e := range edits {
		blob := gitops.Hash(e.If)
		out = append(out, gitops.Edit{Path: is.Layout.Path(at, e.Name), Data: e.Data, Delete: e.Delete, IfBlob: &blob})
	}
	return out
}

// kept are the files on the branch that say what is to be written in another form.
func (is *Installs) kept(ctx context.Context, at repolayout.Install, wanted installfiles.Blobs, before installfiles.Before) (installfiles.Contents, error) {
	kept := installfiles.Contents{}
	for name, blob := range wanted {
		if before.Says == nil || !before.Says(name, blob) {
			continue
		}
		current, now, err := read(ctx, is.Repository, is.Layout.Path(at, name))
		if err != nil {
			return nil, err
		}
		if !now.IsZero() { // that it is the one that was seen is the edit's precondition
			kept[name] = current
		}
	}
	return kept, nil
}

// Left tells what a delete leaves, and why, before it looks at what
// the files are.
func (is *Installs) Left(ctx context.Context, at repolayout.Install, how Hold) ([]Left, error) {
	theirs, err := is.markAt(ctx, at)
	if err != nil {
		return nil, err
	}
	return is.leftHere(at, theirs, how), nil
}

func (is *Installs) leftHere(at repolayout.Install, theirs carvel.Mark, how Hold) []Left {
	reason := is.leaves(resourceOf(at), theirs, how)
	if reason == "" {
		return nil
	}
	return []Left{is.left(is.where(), is.Layout.Dir(at), reason, theirs)}
}

// Delete removes the files whose blobs the plan saw, and keeps
// the directory: the App that fetches it would fail without it, and delete
// nothing from the run cluster. Files that another resource has taken over are
// left.
func (is *Installs) Delete(ctx context.Context, at repolayout.Install, before installfiles.Blobs, how Hold) ([]Left, error) {
	repository, err := is.repository()
	if err != nil {
		return nil, err
	}
	now, err := is.files(ctx, at)
	if err != nil {
		return nil, err
	}
	if left := is.leftHere(at, installfiles.ReadMark(now).Mark, how); left != nil {
		return left, nil
	}
	edits, err := is.removal(ctx, at, before, now)
	if err != nil {
		return nil, err
	}
	if len(edits) > 0 {
		_, err = repository.Apply(ctx, gitops.Change{Summary: summary("Remove", at), Edits: edits})
	}
	if err == nil {
		return nil, is.awaitRemoval(ctx, at)
	}
	var precondition *gitops.PreconditionError
	if errors.As(err, &precondition) {
		theirs, readErr := is.markAt(ctx, at)
		if left := is.leftHere(at, theirs, how); readErr == nil && left != nil { // now
			return left, nil
		}
	}
	return nil, is.blame(ctx, err)
}

// removal are the edits that delete the files before, of those that are there now, and
// keep the directory; none if no file is left.
func (is *Installs) removal(ctx context.Context, at repolayout.Install, before installfiles.Blobs, now installfiles.Contents) ([]gitops.Edit, error) {
	edits := is.edits(at, installfiles.Removal(before, now))
	if len(edits) == 0 {
		return nil, nil
	}
	keep := is.Layout.Path(at, repolayout.KeepFile)
	_, kept, err := read(ctx, is.Repository, keep)
	if err != nil || !kept.IsZero() {
		return edits, err
	}
	fetched, err := is.proposals.deployed(ctx, is.Layout.Dir(at))
	if err == nil && fetched {
		edits = append(edits, gitops.Edit{Path: keep, Data: []byte{}})
	}
	return edits, err
}

// pathsOf are the files of package installs.
func (is *Installs) pathsOf(places ...repolayout.Install) []string {
	var paths []string
	for _, at := range places {
		for _, name := range installfiles.AllNames {
			paths = append(paths, is.Layout.Path(at, name))
		}
	}
	return paths
}

// awaitRemoval returns when the branch that clusters follow has not got the files any
// more: until then what they deploy runs.
func (is *Installs) awaitRemoval(ctx context.Context, places ...repolayout.Install) error {
	if !is.proposals.Proposed() || len(places) == 0 {
		return nil
	}
	what := "the removal of " + is.Layout.Dir(places[0])
	if len(places) > 1 {
		what = fmt.Sprintf("the removal of %d packages on %s", len(places), places[0].RunCluster)
	}
	if err := is.proposals.awaitMerge(ctx, what, is.pathsOf(places...)); err != nil {
		return err
	}
	if err := is.proposals.closeEmpty(ctx); err != nil {
		return &EmptyRequestError{Err: err}
	}
	return nil
}

// Stand is where package installs have got to as they are on the branch that is pushed to.
func (is *Installs) Stand(ctx context.Context, places ...repolayout.Install) (Reached, error) {
	if !is.proposals.Proposed() {
		tip, err := is.Repository.Tip(ctx)
		return Reached{Commit: tip}, err
	}
	base, landed, err := is.proposals.landed(ctx, is.pathsOf(places...))
	if err != nil || landed {
		return Reached{Commit: base}, err
	}
	standing, err := is.proposals.Pushed.Standing(ctx)
	is.proposals.wait()
	return Reached{Pending: standing.Head}, err
}
