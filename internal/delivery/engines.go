package delivery

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// Repository is the part of the Git engine that the use cases need.
type Repository interface {
	Prefetch(ctx context.Context, paths ...string) error
	List(ctx context.Context, dir string) ([]gitops.Entry, error)
	ListAll(ctx context.Context, dirs ...string) ([][]gitops.Entry, error)
	Read(ctx context.Context, path string) (gitops.File, error)
	Apply(ctx context.Context, change gitops.Change) (gitops.Commit, error)
	Expect() *gitops.Expectation
	LastChange(ctx context.Context, path string) (*gitops.LastChange, error)
	Entries(ctx context.Context, commit gitops.Hash, paths ...string) ([]gitops.Entry, error)
	Tip(ctx context.Context) (gitops.Hash, error)
	Invalidate()
}

// Cluster is the part of the Kubernetes engine that the use cases need; package cluster
// tells what its methods do.
type Cluster interface {
	Reader
	Writer
	Watcher
	// Endpoint is where the API server is.
	Endpoint() (cluster.Endpoint, error)
}

// Reader looks at a cluster once.
type Reader interface {
	Name() string
	Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error)
	List(ctx context.Context, resource schema.GroupVersionResource, namespace string) ([]unstructured.Unstructured, error)
	ListWhere(ctx context.Context, resource schema.GroupVersionResource, namespace, selector string) (items []unstructured.Unstructured, ok bool, err error)
	Served(ctx context.Context, resource schema.GroupVersionResource, namespace string) error
}

// Writer changes a cluster, or asks its API server for what is not stored.
type Writer interface {
	Apply(ctx context.Context, ref cluster.Ref, obj *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error)
	ApplyNew(ctx context.Context, ref cluster.Ref, obj *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error)
	ApplyOver(ctx context.Context, ref cluster.Ref, obj, read *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error)
	TryApply(ctx context.Context, ref cluster.Ref, obj *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error)
	Create(ctx context.Context, ref cluster.Ref, obj *unstructured.Unstructured) (*unstructured.Unstructured, error)
	CreateSubresource(ctx context.Context, ref cluster.Ref, subresource string, obj *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Edit(ctx context.Context, ref cluster.Ref, read *unstructured.Unstructured, edits []cluster.FieldEdit, m cluster.Manager) (*unstructured.Unstructured, error)
	Delete(ctx context.Context, ref cluster.Ref, read *unstructured.Unstructured) error
}

// Watcher looks at a cluster until something is so, or its context ends.
type Watcher interface {
	Wait(ctx context.Context, ref cluster.Ref, judge cluster.Judge) error
	WaitGone(ctx context.Context, ref cluster.Ref, uid types.UID, judge func(*unstructured.Unstructured) error) error
	WaitNone(ctx context.Context, resource schema.GroupVersionResource, namespace string) ([]string, error)
	Follow(ctx context.Context, resource schema.GroupVersionResource, namespace string, look func(map[string]*unstructured.Unstructured)) error
}

// clusters are those of a configuration.
type clusters struct {
	Build Cluster
	Run   map[string]Cluster
}

// branch is the branch of the GitOps repository.
type branch struct {
	Repository Repository
	Location   Location
}

func (cs clusters) build() (Cluster, error) {
	if cs.Build == nil {
		return nil, &MissingPartError{Part: PartBuildCluster}
	}
	return cs.Build, nil
}

func (cs clusters) run(name string) (Cluster, error) {
	c, ok := cs.Run[name]
	if !ok {
		return nil, &MissingPartError{Part: PartRunCluster, RunCluster: name}
	}
	return c, nil
}

func (b branch) repository() (Repository, error) {
	if b.Repository == nil {
		return nil, &MissingPartError{Part: PartGit}
	}
	return b.Repository, nil
}
