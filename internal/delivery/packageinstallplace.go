package delivery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// OtherFileError: a file beside those of a package install has an object that the
// package install is to make as well. An App that fetches both fails.
type OtherFileError struct {
	At     repolayout.Install
	Branch string
	installfiles.Document
	Is   string // the path of the file that the object belongs into
	Only bool   // there is no package install yet
}

func (e *OtherFileError) Error() string {
	return fmt.Sprintf("%s on branch %s, line %d: has %s %s", e.File, e.Branch, e.Line, e.Kind, e.Name)
}

// OtherDocumentsError: files of a package install have documents that are not the
// package install's, which would get lost with what is about to be written.
type OtherDocumentsError struct {
	Dir, Branch string
	Documents   []installfiles.Document
}

func (e *OtherDocumentsError) Error() string {
	return fmt.Sprintf("files in %s on branch %s have %d documents that are not the package install's", e.Dir, e.Branch, len(e.Documents))
}

// Bounds on what is looked through beside the files of a package install, which anybody
// with a right to push may fill.
const (
	mostOtherFiles       = 200
	mostOtherDirectories = 20
)

// checkPlace refuses a place for new files that leads through a symbolic link, or in
// which another file has what the package install is to make.
func (is *Installs) checkPlace(ctx context.Context, at repolayout.Install, makes []installfiles.Document) error {
	if err := is.noSymlink(ctx, is.Layout.Dir(at)); err != nil {
		return err
	}
	files, err := is.otherFiles(ctx, is.Layout.Dir(at))
	if err != nil || len(files) == 0 {
		return err
	}
	if err := is.Repository.Prefetch(ctx, files...); err != nil && !isLargeFile(err) {
		return err
	}
	for _, file := range files {
		data, _, err := read(ctx, is.Repository, file)
		if isLargeFile(err) {
			continue // which no API server would take
		}
		if err != nil {
			return err
		}
		if found, clashes := installfiles.Clash(file, data, at.Package, makes); clashes {
			return &OtherFileError{At: at, Branch: is.Location.Branch, Document: found, Is: is.Layout.Path(at, fileOf(found.Kind))}
		}
	}
	return nil
}

// fileOf is the file that an object of a kind belongs into.
func fileOf(kind string) string {
	if kind == "Secret" {
		return repolayout.ParamsFile
	}
	return repolayout.PackageInstallFile
}

// otherFiles are the YAML files in a directory and below that are none of a package
// install's.
func (is *Installs) otherFiles(ctx context.Context, top string) ([]string, error) {
	var files []string
	dirs := []string{top}
	for looked := 0; len(dirs) > 0 && looked < mostOtherDirectories && len(files) < mostOtherFiles; {
		lists, err := is.Repository.ListAll(ctx, dirs...)
		if err != nil {
			return nil, err
		}
		looked += len(dirs)
		var below []string
		for i, entries := range lists {
			for _, entry := range entries {
				here := path.Join(dirs[i], entry.Name)
				own := dirs[i] == top && slices.Contains(installfiles.AllNames, entry.Name)
				switch {
				case gitops.CheckName(entry.Name) != nil || own:
				case entry.Dir():
					below = append(below, here)
				case entry.File() && slices.Contains([]string{".yaml", ".yml"}, path.Ext(entry.Name)):
					files = append(files, here)
				}
			}
		}
		dirs = below
	}
	return files, nil
}

// CheckMissing explains why there are no files of a package install: they are behind a
// symbolic link, or have other names. It is nil if there are none at all.
func (is *Installs) CheckMissing(ctx context.Context, at repolayout.Install) error {
	err := is.checkPlace(ctx, at, nil)
	var other *OtherFileError
	if errors.As(err, &other) {
		other.Only = true
	}
	return err
}

// keepsOthers is an *OtherDocumentsError if files that are to be written over have
// documents that are not the package install's.
func (is *Installs) keepsOthers(at repolayout.Install, there installfiles.Contents) error {
	if foreign := installfiles.Foreign(there); len(foreign) > 0 {
		return &OtherDocumentsError{Dir: is.Layout.Dir(at), Branch: is.Location.Branch, Documents: foreign}
	}
	return nil
}
