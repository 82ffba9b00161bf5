package delivery

import (
	"context"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
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
	state.InSync, err = as.inSync(ctx, spec, state.Status)
	return state, err
}

// inSync compares what an App selects of the provider's branch, at the commits that it
// has fetched and at the tip. If they differ the tip may be an old one, so it is asked
// for again.
func (as *Apps) inSync(ctx context.Context, spec carvel.AppSpec, status carvel.AppStatus) (*bool, error) {
	all := as.selected(spec, status)
	if len(all) == 0 {
		return nil, nil
	}
	sources, err := as.sources(ctx, all)
	if err == nil && !upToDate(sources) {
		as.Repository.Invalidate()
		sources, err = as.sources(ctx, all)
	}
	if err != nil {
		return nil, err
	}
	same, known := true, true
	for _, s := range sources {
		switch {
		case s.Commit != "" && s.Tree == "":
			known = false // the server keeps a commit to itself that is on no branch any more
		case s.Tree != s.TipTree:
			same = false
		}
	}
	if same && !known {
		return nil, nil
	}
	return &same, nil
}

// fromBranch reports whether a source is the branch that the provider writes to.
func (b branch) fromBranch(g carvel.GitFetch) bool {
	return b.Repository != nil && sameRepository(g.URL, b.Location.URL) &&
		(g.Ref == b.Location.Branch || g.Ref == originRef(b.Location.Branch))
}
