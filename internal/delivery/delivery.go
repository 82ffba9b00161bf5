// Package delivery holds the use cases: one function per verb, across the
// GitOps repository and the clusters. Each returns a receipt of what was done,
// also beside an error, so that the caller can record it.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Repository is the part of the Git engine that the use cases need.
type Repository interface {
	Prefetch(ctx context.Context, paths ...string) error
	List(ctx context.Context, dir string) ([]gitops.Entry, error)
	Read(ctx context.Context, path string) (gitops.File, error)
	Apply(ctx context.Context, change gitops.Change) (gitops.Commit, error)
	LastChange(ctx context.Context, path string) (*gitops.LastChange, error)
	Tree(ctx context.Context, commit gitops.Hash, dir string) (gitops.Hash, error)
	Tip(ctx context.Context) (gitops.Hash, error)
	Invalidate()
}

// Delivery reaches everything that one provider configuration names. Its
// exported fields are not changed once made.
type Delivery struct {
	Build      *cluster.Cluster            // nil: not configured
	Run        map[string]*cluster.Cluster // by run cluster name
	Repository Repository                  // nil: not configured
	Location   Location
	Layout     repolayout.Layout
	// Owner names this configuration in the marks of what it makes.
	Owner string

	creations     creations
	asked         sync.Mutex
	administrator map[*cluster.Cluster]bool                        // whether our identity may do everything there
	served        map[*cluster.Cluster]error                       // whether it knows PackageInstalls
	everywhere    map[*cluster.Cluster][]unstructured.Unstructured // ClusterRoleBindings
	offered       map[offerKey]*offer                              // what clusters offer
}

// Location is the branch that Repository writes to.
type Location struct {
	URL, Branch string
}

// The parts of a configuration.
const (
	PartGit          = "git"
	PartBuildCluster = "build_cluster"
	PartRunClusters  = "run_clusters"
)

// MissingPartError: the provider configuration lacks a part that the use case
// needs.
type MissingPartError struct {
	Part       string // one of the parts above
	RunCluster string // for PartRunClusters
}

func (e *MissingPartError) Error() string {
	if e.Part == PartRunClusters {
		return fmt.Sprintf("run_clusters[%q] is not configured", e.RunCluster)
	}
	return fmt.Sprintf("%s is not configured", e.Part)
}

// ErrNotFound: what was to be read is not there.
var ErrNotFound = errors.New("not found")

// ExistsError: what was to be created is already there.
type ExistsError struct {
	Where string             // the cluster's name, or the repository's URL
	What  string             // the object, or the path
	By    *gitops.LastChange // of a path; nil: not known
	Mark  carvel.Mark        // that it bears
}

func (e *ExistsError) Error() string { return fmt.Sprintf("%s already exists in %s", e.What, e.Where) }

// ForCluster are the settings that the resources on clusters share.
type ForCluster struct {
	Manager cluster.Manager
	Ignore  Ignored
	Hold
}

func (d *Delivery) build() (*cluster.Cluster, error) {
	if d.Build == nil {
		return nil, &MissingPartError{Part: PartBuildCluster}
	}
	return d.Build, nil
}

func (d *Delivery) run(name string) (*cluster.Cluster, error) {
	c, ok := d.Run[name]
	if !ok {
		return nil, &MissingPartError{Part: PartRunClusters, RunCluster: name}
	}
	return c, nil
}

func (d *Delivery) repository() (Repository, error) {
	if d.Repository == nil {
		return nil, &MissingPartError{Part: PartGit}
	}
	return d.Repository, nil
}

func refOf(obj *unstructured.Unstructured) cluster.Ref {
	return cluster.Ref{Resource: carvel.Resource(obj), Namespace: obj.GetNamespace(), Name: obj.GetName()}
}
