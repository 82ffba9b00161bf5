package delivery

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// ListedInstall is a directory PACKAGE/RUN-CLUSTER with a package install in it.
type ListedInstall struct {
	At repolayout.Install
	PackageInstall
	Receipt PackageInstallReceipt
	// Problem is why it cannot be imported and left as it is; nil: it can.
	Problem error
}

// RewrittenError: what a package install says is in files that would be written anew when
// it is imported, since they hold more than it, or hold it elsewhere.
type RewrittenError struct {
	Files []string
}

func (e *RewrittenError) Error() string {
	return "would be written anew: " + strings.Join(e.Files, ", ")
}

// EncryptedValuesError: the values are in a file for which the provider has no key.
type EncryptedValuesError struct {
	File string
}

func (e *EncryptedValuesError) Error() string { return e.File + " is encrypted" }

// InRepository looks through all directories PACKAGE/RUN-CLUSTER that are asked for, in the order
// of their names. Those without a package install are left out. All files are read
// together.
func (is *Installs) InRepository(ctx context.Context, asked func(repolayout.Install) bool) ([]ListedInstall, error) {
	places, err := is.directories(ctx, asked)
	if err != nil {
		return nil, err
	}
	dirs := make([]string, len(places))
	for i, at := range places {
		dirs[i] = is.Layout.Dir(at)
	}
	lists, err := is.Repository.ListAll(ctx, dirs...)
	if err != nil {
		return nil, err
	}
	var files []string
	for i, entries := range lists {
		for _, entry := range entries {
			isYAML := slices.Contains([]string{".yaml", ".yml"}, path.Ext(entry.Name))
			if entry.File() && (isYAML || entry.Name == repolayout.MarkFile) && gitops.CheckName(entry.Name) == nil {
				files = append(files, path.Join(dirs[i], entry.Name))
			}
		}
	}
	if err := is.Repository.Prefetch(ctx, files...); err != nil && !isLargeFile(err) {
		return nil, err
	}
	var all []ListedInstall
	for _, at := range places {
		found, there, err := is.listed(ctx, at)
		if err != nil {
			return nil, err
		}
		if there {
			all = append(all, found)
		}
	}
	return all, nil
}

// directories are those of run clusters in those of packages.
func (is *Installs) directories(ctx context.Context, asked func(repolayout.Install) bool) ([]repolayout.Install, error) {
	entries, err := is.packageDirectories(ctx)
	if err != nil {
		return nil, err
	}
	var names, dirs []string
	for _, entry := range entries {
		if entry.Dir() {
			names, dirs = append(names, entry.Name), append(dirs, path.Join(is.Layout.Root(), entry.Name))
		}
	}
	lists, err := is.Repository.ListAll(ctx, dirs...)
	if err != nil {
		return nil, err
	}
	var places []repolayout.Install
	for i, name := range names {
		for _, entry := range lists[i] {
			at := repolayout.Install{Package: name, RunCluster: entry.Name}
			if entry.Dir() && carvel.ValidateRunCluster(entry.Name) == nil && asked(at) {
				places = append(places, at)
			}
		}
	}
	slices.SortFunc(places, func(a, b repolayout.Install) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.RunCluster, b.RunCluster))
	})
	return places, nil
}

// listed reads one directory, and reports whether it has a package install.
func (is *Installs) listed(ctx context.Context, at repolayout.Install) (ListedInstall, bool, error) {
	l := ListedInstall{At: at}
	var err error
	l.PackageInstall, l.Receipt, err = is.ReadNew(ctx, at)
	var unreadable *UnreadableError
	switch {
	case errors.Is(err, ErrNotFound):
		err = is.CheckMissing(ctx, at)
		var other *OtherFileError
		var link *SymlinkError
		if errors.As(err, &other) || errors.As(err, &link) {
			l.Problem = err
			return l, true, nil
		}
		return l, false, err
	case errors.As(err, &unreadable):
		l.Problem = unreadable
		return l, true, nil
	case isLargeFile(err):
		l.Problem = err
		return l, true, nil
	case err != nil:
		return l, false, err
	}
	l.Problem = is.rewritten(l)
	return l, true, nil
}

// rewritten is why an import of a package install with all that its files say is followed
// by a commit. What the provider's defaults add to it is not counted.
func (is *Installs) rewritten(l ListedInstall) error {
	if l.HiddenValuesSecret != "" {
		return &EncryptedValuesError{File: is.Layout.Path(l.At, repolayout.EncryptedParamsFile)}
	}
	files, err := installfiles.Render(l.Spec)
	if err != nil {
		return err
	}
	says := files.Says()
	var others []string
	for name, blob := range l.Receipt.Blobs {
		if name != repolayout.MarkFile && blob != says[name] && l.Receipt.Says[name] != says[name] {
			others = append(others, is.Layout.Path(l.At, name))
		}
	}
	for name := range says {
		if _, there := l.Receipt.Blobs[name]; !there {
			others = append(others, is.Layout.Path(l.At, name))
		}
	}
	if len(others) == 0 {
		return nil
	}
	slices.Sort(others)
	return &RewrittenError{Files: others}
}
