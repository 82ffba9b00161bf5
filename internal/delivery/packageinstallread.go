package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Read reads the files at the branch's tip, and the spec that
// they hold. known are the names of files that are the package install's even if
// it does not say so any more. Without these and a packageinstall.yaml it is
// ErrNotFound.
func (is *Installs) Read(ctx context.Context, at repolayout.Install, known ...string) (PackageInstall, PackageInstallReceipt, error) {
	found := PackageInstall{RunCluster: at.RunCluster}
	var r PackageInstallReceipt
	files, err := is.files(ctx, at)
	if err != nil {
		return found, r, err
	}
	if _, ok := files[repolayout.PackageInstallFile]; !ok {
		left := maps.Clone(files)
		maps.DeleteFunc(left, func(name string, _ []byte) bool { return name == repolayout.MarkFile || !slices.Contains(known, name) })
		if len(left) == 0 {
			return found, r, ErrNotFound
		}
		return found, is.found(at, left, files), is.unreadable(at, fmt.Errorf("%s: %w", repolayout.PackageInstallFile, gitops.ErrNotExist))
	}
	spec, ours, err := installfiles.Parse(files)
	for _, name := range known {
		if data, ok := files[name]; ok && name != repolayout.MarkFile {
			ours[name] = data
		}
	}
	r = is.found(at, ours, files)
	var tipErr error
	if r.Tip, tipErr = is.Repository.Tip(ctx); tipErr != nil {
		return found, r, tipErr
	}
	if err == nil {
		var canonical installfiles.Contents
		canonical, err = installfiles.Canonical(spec, ours)
		r.Says = canonical.Blobs()
	}
	if err != nil {
		return found, r, is.unreadable(at, err)
	}
	found.Spec = spec
	return found, r, nil
}

// ReadNew is Read for an import, which refuses what an update would put right: there is
// nobody who says yet what is right.
func (is *Installs) ReadNew(ctx context.Context, at repolayout.Install) (PackageInstall, PackageInstallReceipt, error) {
	found, r, err := is.Read(ctx, at)
	if err != nil {
		return found, r, err
	}
	files, err := is.files(ctx, at)
	if err == nil {
		if wrong := installfiles.Importable(at.Package, files); wrong != nil {
			err = is.unreadable(at, wrong)
		}
	}
	return found, r, err
}

// found is the receipt of files that were read. The file with the mark is among
// its blobs, so that it is known whether that is another by the time of a write.
func (is *Installs) found(at repolayout.Install, ours, all installfiles.Contents) PackageInstallReceipt {
	r := PackageInstallReceipt{Blobs: ours.Blobs(), Files: is.shownAt(at, ours.Shown()), Foreign: installfiles.Foreign(ours)}
	m := installfiles.ReadMark(all)
	r.Mark, r.AsWritten = m.Mark, m.Creation != "" && m.Wrote(all)
	if r.Mark.Creation != "" {
		r.Blobs[repolayout.MarkFile] = installfiles.BlobOf(all[repolayout.MarkFile])
	}
	return r
}

// MovedError: the files are in another directory than the provider's
// configuration says now.
type MovedError struct {
	From, To string
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("the files are in %s, and are looked for in %s", e.From, e.To)
}

// CheckMoved is a *MovedError if a package install is not in its place but
// in dir, where it was last seen; dir may be empty.
func (is *Installs) CheckMoved(ctx context.Context, at repolayout.Install, dir string) error {
	to := is.Layout.Dir(at)
	if dir == "" || dir == to {
		return nil
	}
	repository, err := is.repository()
	if err != nil {
		return err
	}
	_, blob, err := read(ctx, repository, path.Join(dir, repolayout.PackageInstallFile))
	if err == nil && !blob.IsZero() {
		err = &MovedError{From: dir, To: to}
	}
	return err
}

// UnreadableError: the files on the branch are not those of a package install.
type UnreadableError struct {
	Err error
}

func (is *Installs) unreadable(at repolayout.Install, err error) error {
	return &UnreadableError{Err: fmt.Errorf("read %s on branch %s: %w", is.Layout.Dir(at), is.Location.Branch, err)}
}

func (e *UnreadableError) Error() string { return e.Err.Error() }
func (e *UnreadableError) Unwrap() error { return e.Err }

// files reads what is there of a package install.
func (is *Installs) files(ctx context.Context, at repolayout.Install) (installfiles.Contents, error) {
	repository, err := is.repository()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, name := range installfiles.AllNames {
		paths = append(paths, is.Layout.Path(at, name))
	}
	if err := repository.Prefetch(ctx, paths...); err != nil {
		return nil, err
	}
	files := installfiles.Contents{}
	for i, name := range installfiles.AllNames {
		data, blob, err := read(ctx, repository, paths[i])
		if err != nil {
			return nil, err
		}
		if !blob.IsZero() {
			files[name] = data
		}
	}
	return files, nil
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

// Blobs are the blobs of the files that are on the branch.
func (is *Installs) Blobs(ctx context.Context, at repolayout.Install) (installfiles.Blobs, error) {
	files, err := is.files(ctx, at)
	return files.Blobs(), err
}
