package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// SymlinkError: a directory of the repository is a symbolic link, or is behind one. A
// controller's checkout follows it, and what is committed behind it would be another
// directory's: nothing there is read or written.
type SymlinkError struct {
	Path, Branch string // of the link
	For          string // what was looked for
}

func (e *SymlinkError) Error() string {
	return fmt.Sprintf("%s on branch %s is a symbolic link, on the way to %s", e.Path, e.Branch, e.For)
}

// noSymlink is a *SymlinkError if one of the paths is a symbolic link, or leads through
// one.
func (b branch) noSymlink(ctx context.Context, paths ...string) error {
	var all []string
	for _, path := range paths {
		for i, r := range path + "/" {
			if r == '/' {
				all = append(all, path[:i])
			}
		}
	}
	slices.Sort(all)
	all = slices.DeleteFunc(slices.Compact(all), func(path string) bool { return path == "" })
	if len(all) == 0 {
		return nil
	}
	entries, err := b.Repository.Entries(ctx, gitops.Hash{}, all...)
	if err != nil {
		return err
	}
	for i, entry := range entries {
		if !isSymlink(entry) {
			continue
		}
		behind := slices.IndexFunc(paths, func(path string) bool { return path == all[i] || strings.HasPrefix(path, all[i]+"/") })
		return &SymlinkError{Path: all[i], Branch: b.Location.Branch, For: paths[behind]}
	}
	return nil
}

func isSymlink(entry gitops.Entry) bool { return entry.Mode == "120000" }
