package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// PackageInstall is a package on a run cluster, as files in the repository.
type PackageInstall struct {
	RunCluster string
	carvel.PackageInstallSpec
}

// Install is where its files are.
func (p PackageInstall) Install() repolayout.Install {
	return repolayout.Install{Package: p.Package, RunCluster: p.RunCluster}
}

// Blobs are the Git blobs of a package install's files. The zero hash stands
// for a file that is not there.
type Blobs struct {
	PackageInstall, Params gitops.Hash
}

// PackageInstallReceipt says what is in the repository.
type PackageInstallReceipt struct {
	Commit gitops.Commit     // zero: nothing was pushed, or only read
	Blobs  Blobs             // of the files as they are on the branch
	Files  map[string]string // path to content, the values masked
}

// Changed tells whether the branch holds what was asked for.
func (r PackageInstallReceipt) Changed() bool { return r.Files != nil }

// PlanPackageInstall is the receipt of the spec once it is committed, but for
// the commit.
func (d *Delivery) PlanPackageInstall(p PackageInstall) (PackageInstallReceipt, error) {
	files, err := repolayout.Render(p.PackageInstallSpec)
	if err != nil {
		return PackageInstallReceipt{}, err
	}
	return d.receipt(p.Install(), files), nil
}

func (d *Delivery) receipt(at repolayout.Install, files repolayout.Files) PackageInstallReceipt {
	r := PackageInstallReceipt{
		Blobs: Blobs{PackageInstall: gitops.BlobHash(files.PackageInstall)},
		Files: d.Layout.Shown(at, files),
	}
	if files.Params != nil {
		r.Blobs.Params = gitops.BlobHash(files.Params)
	}
	return r
}

// ReadPackageInstall reads the files at the branch's tip, and the spec that
// they hold. Without a packageinstall.yaml it is ErrNotFound.
func (d *Delivery) ReadPackageInstall(ctx context.Context, at repolayout.Install) (PackageInstall, PackageInstallReceipt, error) {
	found := PackageInstall{RunCluster: at.RunCluster}
	var r PackageInstallReceipt
	files, blobs, err := d.files(ctx, at)
	if err != nil {
		return found, r, err
	}
	if files.PackageInstall == nil {
		return found, r, ErrNotFound
	}
	r = PackageInstallReceipt{Blobs: blobs, Files: d.Layout.Shown(at, files)}
	found.PackageInstallSpec, err = repolayout.Parse(files)
	if err != nil {
		return found, r, &UnreadableError{Err: fmt.Errorf("read %s on branch %s: %w", d.Layout.Dir(at), d.Location.Branch, err)}
	}
	return found, r, nil
}

// UnreadableError: the files on the branch are not those of a package install.
type UnreadableError struct {
	Err error
}

func (e *UnreadableError) Error() string { return e.Err.Error() }
func (e *UnreadableError) Unwrap() error { return e.Err }

// files reads what is there of a package install, nil for a missing file.
func (d *Delivery) files(ctx context.Context, at repolayout.Install) (repolayout.Files, Blobs, error) {
	var files repolayout.Files
	var blobs Blobs
	repository, err := d.repository()
	if err != nil {
		return files, blobs, err
	}
	paths := []string{d.Layout.PackageInstallPath(at), d.Layout.ParamsPath(at)}
	if err := repository.Prefetch(ctx, paths...); err != nil {
		return files, blobs, err
	}
	if files.PackageInstall, blobs.PackageInstall, err = read(ctx, repository, paths[0]); err != nil {
		return files, blobs, err
	}
	files.Params, blobs.Params, err = read(ctx, repository, paths[1])
	return files, blobs, err
}

func read(ctx context.Context, repository Repository, path string) ([]byte, gitops.Hash, error) {
	file, err := repository.Read(ctx, path)
	if errors.Is(err, gitops.ErrNotExist) {
		return nil, gitops.Hash{}, nil
	}
	if err == nil && file.Data == nil {
		file.Data = []byte{} // an empty file is not a missing one
	}
	return file.Data, file.Blob, err
}

// FindBlobs are the blobs of the files that are on the branch.
func (d *Delivery) FindBlobs(ctx context.Context, at repolayout.Install) (Blobs, error) {
	_, blobs, err := d.files(ctx, at)
	return blobs, err
}

// CheckNewPackageInstall is an *ExistsError where a file was found on the
// branch that is none of ours: ours are those about to be replaced by the same
// resource.
func (d *Delivery) CheckNewPackageInstall(ctx context.Context, at repolayout.Install, found Blobs, ours ...Blobs) error {
	known := func(blob gitops.Hash, of func(Blobs) gitops.Hash) bool {
		return blob.IsZero() || slices.ContainsFunc(ours, func(b Blobs) bool { return of(b) == blob })
	}
	if !known(found.PackageInstall, func(b Blobs) gitops.Hash { return b.PackageInstall }) {
		return d.exists(ctx, d.Layout.PackageInstallPath(at))
	}
	if !known(found.Params, func(b Blobs) gitops.Hash { return b.Params }) {
		return d.exists(ctx, d.Layout.ParamsPath(at))
	}
	return nil
}

func (d *Delivery) exists(ctx context.Context, path string) error {
	where := fmt.Sprintf("branch %s of %s", d.Location.Branch, d.Location.URL)
	return &ExistsError{Where: where, What: path, By: d.lastChange(ctx, path)}
}

// CreatePackageInstall commits the files. Unless adopt is set neither may be
// on the branch.
func (d *Delivery) CreatePackageInstall(ctx context.Context, p PackageInstall, adopt bool) (PackageInstallReceipt, error) {
	var before *Blobs
	if !adopt {
		before = &Blobs{}
	}
	r, err := d.commitPackageInstall(ctx, "Add", p, before)
	var precondition *gitops.PreconditionError
	if errors.As(err, &precondition) {
		return r, d.exists(ctx, precondition.Path)
	}
	return r, err
}

// UpdatePackageInstall commits the files in place of those whose blobs the
// plan saw.
func (d *Delivery) UpdatePackageInstall(ctx context.Context, p PackageInstall, before Blobs) (PackageInstallReceipt, error) {
	r, err := d.commitPackageInstall(ctx, "Update", p, &before)
	return r, d.blame(ctx, err)
}

// commitPackageInstall writes both files, or deletes the params where there
// are no values. before, where not nil, is what must be on the branch.
func (d *Delivery) commitPackageInstall(ctx context.Context, verb string, p PackageInstall, before *Blobs) (PackageInstallReceipt, error) {
	var r PackageInstallReceipt
	repository, err := d.repository()
	if err != nil {
		return r, err
	}
	files, err := repolayout.Render(p.PackageInstallSpec)
	if err != nil {
		return r, err
	}
	at := p.Install()
	edits := []gitops.Edit{
		{Path: d.Layout.PackageInstallPath(at), Data: files.PackageInstall},
		{Path: d.Layout.ParamsPath(at), Data: files.Params, Delete: files.Params == nil},
	}
	if before != nil {
		edits[0].IfBlob, edits[1].IfBlob = &before.PackageInstall, &before.Params
	}
	commit, err := repository.Apply(ctx, gitops.Change{Summary: d.summary(verb, at), Edits: edits})
	if err != nil {
		return r, err
	}
	r = d.receipt(at, files)
	r.Commit = commit
	return r, nil
}

// DeletePackageInstall removes the two files whose blobs the plan saw, and
// keeps the directory: the App that fetches it would fail without it, and
// delete nothing from the run cluster.
func (d *Delivery) DeletePackageInstall(ctx context.Context, at repolayout.Install, before Blobs) error {
	repository, err := d.repository()
	if err != nil {
		return err
	}
	change := gitops.Change{Summary: d.summary("Remove", at)}
	for path, blob := range map[string]gitops.Hash{
		d.Layout.PackageInstallPath(at): before.PackageInstall,
		d.Layout.ParamsPath(at):         before.Params,
	} {
		_, now, err := read(ctx, repository, path)
		if err != nil {
			return err
		}
		if !now.IsZero() { // a file that is gone already needs no edit
			change.Edits = append(change.Edits, gitops.Edit{Path: path, Delete: true, IfBlob: &blob})
		}
	}
	if len(change.Edits) == 0 {
		return nil
	}
	_, kept, err := read(ctx, repository, d.Layout.KeepPath(at))
	if err != nil {
		return err
	}
	if kept.IsZero() {
		change.Edits = append(change.Edits, gitops.Edit{Path: d.Layout.KeepPath(at), Data: []byte{}})
	}
	_, err = repository.Apply(ctx, change)
	return d.blame(ctx, err)
}

func (d *Delivery) summary(verb string, at repolayout.Install) string {
	return fmt.Sprintf("%s package install %s on %s", verb, at.Package, at.RunCluster)
}
