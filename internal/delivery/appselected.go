package delivery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// selected is a file or a directory of the provider's branch that an App selects.
type selected struct {
	path   string
	commit string // at which the App has fetched it, "" if it has not
}

// selected are all that an App selects.
func (b branch) selected(s carvel.AppSpec, status carvel.AppStatus) []selected {
	commits := map[int]string{} // of the sources of the branch
	for i, f := range s.Fetch {
		if f.Git != nil && b.fromBranch(*f.Git) {
			commits[i] = status.FetchedCommit(i, f)
		}
	}
	var all []selected
	for _, one := range s.Selected() {
		if commit, ours := commits[one.Source]; ours {
			all = append(all, selected{path: one.Path, commit: commit})
		}
	}
	return all
}

func pathsOf(all []selected) []string {
	paths := make([]string, len(all))
	for i, s := range all {
		paths[i] = s.path
	}
	return paths
}

// isVersions reports whether it is the directory of a package's versions.
func (s selected) isVersions() bool { return path.Base(s.path) == carvel.PackagesDir }

// sources compares what an App selects at the commits that it has fetched with what the
// tip holds.
func (b branch) sources(ctx context.Context, all []selected) ([]health.Source, error) {
	if len(all) == 0 {
		return nil, nil
	}
	tip, err := b.Repository.Tip(ctx)
	if err != nil {
		return nil, err
	}
	now, err := b.Repository.Entries(ctx, gitops.Hash{}, pathsOf(all)...)
	if err != nil {
		return nil, err
	}
	sources := make([]health.Source, len(all))
	for i, s := range all {
		sources[i] = health.Source{Directory: s.path, Tip: tip.String(), TipTree: now[i].Hash.String()}
	}
	for i, s := range all {
		hash, err := gitops.ParseHash(s.commit)
		if err != nil || sources[i].Commit != "" {
			continue // nothing has been fetched, or it has been looked at with another one
		}
		var same []int // that were fetched at the same commit
		for j := i; j < len(all); j++ {
			if all[j].commit == s.commit {
				same = append(same, j)
				sources[j].Commit = s.commit
			}
		}
		paths := make([]string, len(same))
		for k, j := range same {
			paths[k] = all[j].path
		}
		then, err := b.Repository.Entries(ctx, hash, paths...)
		if errors.Is(err, gitops.ErrCommitNotFound) {
			continue // the server gives no commit by its id
		}
		if err != nil {
			return nil, err
		}
		for k, j := range same {
			sources[j].Tree = then[k].Hash.String()
		}
	}
	return sources, nil
}

// upToDate reports whether all that was fetched is what the tip holds.
func upToDate(sources []health.Source) bool {
	return !slices.ContainsFunc(sources, func(s health.Source) bool { return s.Tree != s.TipTree })
}

// needed are the files and directories of the provider's branch without which the App's
// controller fails: those of its packages, or its sources and what it selects of them.
func (as *Apps) needed(a App) []string {
	var paths []string
	if a.Packages != nil {
		for _, name := range a.Packages.Names {
			paths = append(paths, a.Packages.directories(as.Layout, name)...)
		}
		return paths
	}
	for _, f := range a.Fetch {
		if f.Git != nil && as.fromBranch(*f.Git) {
			paths = append(paths, carvel.CleanSubPath(f.Git.SubPath))
		}
	}
	return append(paths, pathsOf(as.selected(a.AppSpec, carvel.AppStatus{}))...)
}

// Missing are those of the files and directories that the App needs of the provider's
// branch which are not there, in the order of their names, and of what is in a directory
// that is missing, the directory alone. What is behind a symbolic link is a *SymlinkError.
func (as *Apps) Missing(ctx context.Context, a App) ([]string, error) {
	paths := as.needed(a)
	if as.Repository == nil || len(paths) == 0 {
		return nil, nil
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	entries, err := as.Repository.Entries(ctx, gitops.Hash{}, paths...)
	if err != nil {
		return nil, err
	}
	for i, p := range paths {
		if entries[i].Hash.IsZero() || isSymlink(entries[i]) {
			if err := as.noSymlink(ctx, p); err != nil {
				return nil, err
			}
		}
	}
	var missing []string
	for i, p := range paths {
		within := func(dir string) bool { return strings.HasPrefix(p, dir+"/") }
		if entries[i].Hash.IsZero() && p != "" && !slices.ContainsFunc(missing, within) { // the root is there, if with nothing in it
			missing = append(missing, p)
		}
	}
	return missing, nil
}

// mostLooks is how often directories are looked for that others make at the same time.
const mostLooks = 5

// makeDirectories commits what keeps the directories of an App's packages that are not
// there, all at once. made is false if there are none. Where they wait for a merge, that
// is an *UnmergedError: an App without them would fail.
func (as *Apps) makeDirectories(ctx context.Context, a App) (made bool, err error) {
	if !a.CreateDirectories || a.Packages == nil {
		return false, nil
	}
	repository, err := as.to.repository()
	if err != nil {
		return false, err
	}
	for range mostLooks {
		missing, lookErr := as.Missing(ctx, a)
		if lookErr != nil || len(missing) == 0 {
			return false, lookErr
		}
		change := a.directories(missing)
		if as.proposals.Proposed() {
			return false, as.proposeDirectories(ctx, change)
		}
		var commit gitops.Commit
		commit, err = repository.Apply(ctx, change)
		if !errors.As(err, new(*gitops.PreconditionError)) { // else somebody has made one of them
			return commit.Changed, err
		}
	}
	return false, err
}

// proposeDirectories pushes them to be merged. Those that are there already stay.
func (as *Apps) proposeDirectories(ctx context.Context, change gitops.Change) error {
	for i := range change.Edits {
		change.Edits[i].IfBlob = nil // an empty file is an empty file
	}
	if _, err := as.to.Repository.Apply(ctx, change); err != nil {
		return err
	}
	request, failure, _ := as.proposals.Waiting()
	return &UnmergedError{
		What:    "what keeps the directories of the packages",
		Request: request, Branch: as.Location.PushBranch, Into: as.Location.Branch, Err: failure,
	}
}

// directories is the commit that makes them.
func (a App) directories(missing []string) gitops.Change {
	var packages []string
	change := gitops.Change{}
	for _, dir := range missing {
		packages = append(packages, path.Base(path.Dir(dir)))
		change.Edits = append(change.Edits, gitops.Edit{Path: path.Join(dir, repolayout.KeepFile), Data: []byte{}, IfBlob: new(gitops.Hash)})
	}
	what := "package " + packages[0]
	if n := len(slices.Compact(packages)); n > 1 {
		what = fmt.Sprintf("%d packages", n)
	}
	change.Summary = fmt.Sprintf("Create directories of %s on %s", what, a.Packages.RunCluster)
	return change
}

// withMissing adds to the error about a failed App what it needs and the branch lacks.
func (as *Apps) withMissing(ctx context.Context, a App, failed *ReconcileError) {
	if failed.Install != "" || failed.Stage == carvel.StageDeploy {
		return
	}
	if missing, err := as.Missing(ctx, a); err == nil && len(missing) > 0 {
		failed.Missing, failed.Where = missing, as.where()
	}
}
