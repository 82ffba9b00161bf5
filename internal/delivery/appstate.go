package delivery

import (
	"context"
	"errors"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// State is an App as the build cluster reports it.
type AppState struct {
	Status carvel.AppStatus
	Health health.Health
	// InSync reports whether what the App has fetched from the provider's branch is
	// what is there now; nil if that cannot be told.
	InSync *bool
}

// State reads an App, ErrNotFound if it is missing.
func (as *Apps) State(ctx context.Context, namespace, name string) (AppState, error) {
	build, err := as.build()
	if err != nil {
		return AppState{}, err
	}
	live, err := find(ctx, build, cluster.Ref{Resource: carvel.Apps, Namespace: namespace, Name: name})
	if err != nil {
		return AppState{}, err
	}
	if live == nil {
		return AppState{}, ErrNotFound
	}
	spec, err := carvel.ReadApp(live)
	if err != nil {
		return AppState{}, err
	}
	var state AppState
	if state.Status, err = carvel.ReadAppStatus(live); err != nil {
		return AppState{}, err
	}
	state.Health = health.App(state.Status, 0)
	state.InSync, err = as.inSync(ctx, spec.Fetch, state.Status)
	return state, err
}

// inSync compares the directories that an App fetches from the provider's
// branch, at the commits that it has fetched and at the tip. If they differ
// the tip may be an old one, so it is asked for again.
func (as *Apps) inSync(ctx context.Context, fetch []carvel.Fetch, status carvel.AppStatus) (*bool, error) {
	var dirs, fetched []string
	for i, f := range fetch {
		if f.Git != nil && as.fromBranch(*f.Git) {
			dirs, fetched = append(dirs, f.Git.SubPath), append(fetched, status.FetchedCommit(i, f))
		}
	}
	if len(dirs) == 0 {
		return nil, nil
	}
	same, err := as.sameTrees(ctx, dirs, fetched)
	if err == nil && !same {
		as.Repository.Invalidate()
		same, err = as.sameTrees(ctx, dirs, fetched)
	}
	if errors.Is(err, gitops.ErrCommitNotFound) {
		return nil, nil // the server keeps a commit to itself that is on no branch any more
	}
	if err != nil {
		return nil, err
	}
	return &same, nil
}

func (b branch) sameTrees(ctx context.Context, dirs, commits []string) (bool, error) {
	for i, dir := range dirs {
		commit, err := gitops.ParseHash(commits[i])
		if err != nil {
			return false, nil // nothing has been fetched
		}
		was, err := b.tree(ctx, commit, dir)
		if err != nil {
			return false, err
		}
		is, err := b.tree(ctx, gitops.Hash{}, dir)
		if err != nil || was != is {
			return false, err
		}
	}
	return true, nil
}

// tree is the zero hash for a directory that is not there.
func (b branch) tree(ctx context.Context, commit gitops.Hash, dir string) (gitops.Hash, error) {
	hash, err := b.Repository.Tree(ctx, commit, carvel.CleanSubPath(dir))
	if errors.Is(err, gitops.ErrNotExist) {
		return gitops.Hash{}, nil
	}
	return hash, err
}

// fromBranch reports whether a source is the branch that the provider writes to.
func (b branch) fromBranch(g carvel.GitFetch) bool {
	return b.Repository != nil && sameRepository(g.URL, b.Location.URL) &&
		(g.Ref == b.Location.Branch || g.Ref == originRef(b.Location.Branch))
}
