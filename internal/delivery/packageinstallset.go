package delivery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// InstallSet is what one commit does to package installs that belong together. It does
// all of it or nothing.
type InstallSet struct {
	// Creation is that of the set, "" if it has none yet.
	Creation string
	New      []PackageInstall
	Changed  []ChangedInstall
	Removed  []RemovedInstall
	// Gone: the set goes with all that is removed.
	Gone bool
	// Expected is the announcement of the set; nil: there was none.
	Expected *gitops.Expectation
}

// ChangedInstall is a package install, and the files in whose place it is written.
type ChangedInstall struct {
	PackageInstall
	Before installfiles.Before
}

// RemovedInstall is a package install that goes, and the files of it that the plan saw.
type RemovedInstall struct {
	At     repolayout.Install
	Before installfiles.Blobs
	Hold
}

// SetReceipt says what is in the repository.
type SetReceipt struct {
	// Creation is that which the files bear; empty: nothing was written.
	Creation string
	Reached
	// Installs are the receipts of those that were written, but for the commit.
	Installs map[repolayout.Install]PackageInstallReceipt
	Left     []Left // of those that were to be removed
}

// Changed reports whether the branch holds what was asked for.
func (r SetReceipt) Changed() bool { return r.Installs != nil }

// Expect announces a set that is about to be applied, so that sets of one run share a
// push. drop takes that back.
func (is *Installs) Expect() (expected *gitops.Expectation, drop func()) {
	if is.Repository == nil {
		return nil, func() {}
	}
	expected = is.Repository.Expect()
	return expected, expected.Drop
}

// ApplySet commits a set. What is in the place of a new one is treated as Create does, of
// a changed one as Update does, and of a removed one as Delete does: if one of them
// cannot be, nothing is written.
func (is *Installs) ApplySet(ctx context.Context, s InstallSet) (SetReceipt, error) {
	repository, err := is.repository()
	if err != nil {
		return SetReceipt{}, err
	}
	if err := is.prefetch(ctx, s.places()...); err != nil {
		return SetReceipt{}, err
	}
	c := setCommit{is: is, set: s, creation: is.mark("", s.Creation).Creation, found: map[repolayout.Install]installfiles.Before{}}
	for race := 0; ; race++ {
		edits, err := c.prepare(ctx)
		if err != nil {
			return SetReceipt{}, err
		}
		if len(edits) == 0 {
			return c.receipt, is.awaitRemoval(ctx, s.gone()...)
		}
		commit, err := repository.Apply(ctx, gitops.Change{Summary: c.summary(), Edits: edits, Expected: s.Expected})
		if err == nil {
			c.receipt.Reached, c.receipt.Creation = is.proposals.reached(ctx, commit, is.pathsOf(s.places()...)), c.creation
			return c.receipt, is.awaitRemoval(ctx, s.gone()...)
		}
		var precondition *gitops.PreconditionError
		if !errors.As(err, &precondition) || race == longestRace {
			return SetReceipt{Left: c.left}, is.blame(ctx, err)
		}
		if err := c.meet(ctx, precondition); err != nil {
			return SetReceipt{Left: c.left}, err
		}
	}
}

// gone are the package installs of a set that goes; none of one that stays.
func (s InstallSet) gone() []repolayout.Install {
	if !s.Gone {
		return nil
	}
	return s.places()
}

// places are where the files of the set are, or will be.
func (s InstallSet) places() []repolayout.Install {
	var places []repolayout.Install
	for _, p := range s.New {
		places = append(places, p.At())
	}
	for _, p := range s.Changed {
		places = append(places, p.At())
	}
	for _, r := range s.Removed {
		places = append(places, r.At)
	}
	return places
}

// setCommit is a commit of a set that is tried until nobody else is in its way.
type setCommit struct {
	is       *Installs
	set      InstallSet
	creation string
	found    map[repolayout.Install]installfiles.Before // in the place of new ones
	left     []Left
	receipt  SetReceipt
}

// prepare are the edits of the commit, as far as is known what they meet.
func (c *setCommit) prepare(ctx context.Context) ([]gitops.Edit, error) {
	var all []gitops.Edit
	c.receipt = SetReceipt{Installs: map[repolayout.Install]PackageInstallReceipt{}}
	write := func(p PackageInstall, before installfiles.Before) error {
		mine := c.is.mark(resourceOf(p.At()), c.creation)
		edits, r, err := c.is.prepare(ctx, p, before, mine)
		if err != nil {
			return fmt.Errorf("%s: %w", p.At().Package, err)
		}
		all = append(all, edits...)
		c.receipt.Installs[p.At()] = r
		return nil
	}
	for _, p := range c.set.New {
		if err := write(p, c.found[p.At()]); err != nil {
			return nil, err
		}
	}
	for _, p := range c.set.Changed {
		if err := write(p.PackageInstall, p.Before); err != nil {
			return nil, err
		}
	}
	c.left = nil
	for _, r := range c.set.Removed {
		now, err := c.is.files(ctx, r.At)
		if err != nil {
			return nil, err
		}
		if left := c.is.leftHere(r.At, installfiles.ReadMark(now).Mark, r.Hold); left != nil {
			c.left = append(c.left, left...)
			continue
		}
		edits, err := c.is.removal(ctx, r.At, r.Before, now)
		if err != nil {
			return nil, err
		}
		all = append(all, edits...)
	}
	c.receipt.Left = c.left
	return all, nil
}

// meet finds out what is in the way of the commit. It is an error if that has to stay.
func (c *setCommit) meet(ctx context.Context, in *gitops.PreconditionError) error {
	dir, name := path.Split(in.Path)
	is := func(at repolayout.Install) bool { return c.is.Layout.Dir(at) == path.Clean(dir) }
	for _, p := range c.set.New {
		if is(p.At()) {
			before, err := c.is.takeOverFiles(ctx, p, c.is.mark(resourceOf(p.At()), c.creation))
			c.found[p.At()] = before
			return err
		}
	}
	for _, p := range c.set.Changed {
		if is(p.At()) {
			return c.is.changedMeanwhile(ctx, p.PackageInstall, in, name == repolayout.MarkFile)
		}
	}
	for _, r := range c.set.Removed {
		if !is(r.At) {
			continue
		}
		if theirs, err := c.is.markAt(ctx, r.At); err == nil && c.is.leftHere(r.At, theirs, r.Hold) != nil {
			return nil // the next try leaves it
		}
	}
	return c.is.blame(ctx, in)
}

// summary is the first line of the commit.
func (c *setCommit) summary() string {
	verbs := []string{}
	for verb, n := range map[string]int{"Add": len(c.set.New), "Update": len(c.set.Changed), "Remove": len(c.set.Removed)} {
		if n > 0 {
			verbs = append(verbs, verb)
		}
	}
	verb := "Update"
	if len(verbs) == 1 {
		verb = verbs[0]
	}
	places := c.set.places()
	if len(places) == 1 {
		return summary(verb, places[0])
	}
	return fmt.Sprintf("%s %d package installs on %s", verb, len(places), places[0].RunCluster)
}

// prefetch brings the files of package installs in with as few requests as possible.
func (is *Installs) prefetch(ctx context.Context, places ...repolayout.Install) error {
	repository, err := is.repository()
	if err != nil {
		return err
	}
	var paths []string
	for _, at := range places {
		for _, name := range append([]string{repolayout.KeepFile}, installfiles.AllNames...) {
			paths = append(paths, is.Layout.Path(at, name))
		}
	}
	return repository.Prefetch(ctx, paths...)
}

// Look are the blobs of the files that are on the branch. It reads no file.
func (is *Installs) Look(ctx context.Context, places []repolayout.Install) (map[repolayout.Install]installfiles.Blobs, error) {
	repository, err := is.repository()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, at := range places {
		for _, name := range installfiles.AllNames {
			paths = append(paths, is.Layout.Path(at, name))
		}
	}
	entries, err := repository.Entries(ctx, gitops.Hash{}, paths...)
	if err != nil {
		return nil, err
	}
	blobs := make(map[repolayout.Install]installfiles.Blobs, len(places))
	for i, at := range places {
		blobs[at] = installfiles.Blobs{}
		for j, name := range installfiles.AllNames {
			if entry := entries[i*len(installfiles.AllNames)+j]; !entry.Hash.IsZero() {
				blobs[at][name] = installfiles.Blob(entry.Hash)
			}
		}
	}
	return blobs, nil
}

// Prefetch brings the files of package installs in, so that reading them costs nothing.
func (is *Installs) Prefetch(ctx context.Context, places []repolayout.Install) error {
	return is.prefetch(ctx, places...)
}

// On are the packages that are installed on a run cluster: those whose directory for it
// has a packageinstall.yaml.
func (is *Installs) On(ctx context.Context, runCluster string) ([]string, error) {
	entries, err := is.packageDirectories(ctx)
	if err != nil {
		return nil, err
	}
	var names, paths []string
	for _, entry := range entries {
		at := repolayout.Install{Package: entry.Name, RunCluster: runCluster}
		names, paths = append(names, entry.Name), append(paths, is.Layout.Path(at, repolayout.PackageInstallFile))
	}
	found, err := is.Repository.Entries(ctx, gitops.Hash{}, paths...)
	if err != nil {
		return nil, err
	}
	var installed []string
	var missing []string
	for i, name := range names {
		if found[i].Hash.IsZero() {
			missing = append(missing, is.Layout.Dir(repolayout.Install{Package: name, RunCluster: runCluster}))
		}
		if found[i].File() {
			installed = append(installed, name)
		}
	}
	return installed, is.noSymlink(ctx, missing...)
}

// packageDirectories are the directories with the name of a package, and symbolic links.
func (is *Installs) packageDirectories(ctx context.Context) ([]gitops.Entry, error) {
	repository, err := is.repository()
	if err != nil {
		return nil, err
	}
	entries, err := repository.List(ctx, is.Layout.Root())
	if errors.Is(err, gitops.ErrNotExist) {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(entries), func(entry gitops.Entry) bool {
		return !entry.Dir() && !isSymlink(entry) || carvel.ValidatePackageName(entry.Name) != nil
	}), err
}
