// Package delivery holds the use cases: one function per verb, across the
// GitOps repository and the clusters. Each returns a receipt of what was done,
// also beside an error, so that the caller can record it.
package delivery

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Config names everything that one provider configuration reaches.
type Config struct {
	Build      Cluster            // nil: not configured
	Run        map[string]Cluster // by run cluster name
	Repository Repository         // nil: not configured
	Pushed     Pushed             // where commits go to; nil: to the branch that Repository reads
	Forge      forge.Forge        // that merges what is pushed; nil: not configured
	Removals   *forge.AutoMerge   // has requests merged by themselves that deletes open; nil: people merge them
	Location   Location
	Layout     repolayout.Layout
	// Owner names this configuration in the marks of what it makes.
	Owner string
	// Defaults are on everything that it makes, under what a resource sets itself.
	Defaults carvel.Metadata
}

// Location is the branch that clusters follow, and the one that commits go to if that is another.
type Location struct {
	URL, Branch, PushBranch string
}

// Delivery has the use cases of a configuration, by what they are about.
type Delivery struct {
	Config
	Installs    *Installs
	Proposals   *Proposals
	Apps        *Apps
	Namespaces  *Namespaces
	Kubeconfigs *Kubeconfigs
	Catalog     *Catalog
}

// New makes the use cases. The configuration does not change afterwards.
func New(c Config) *Delivery {
	all := clusters{Build: c.Build, Run: c.Run}
	on := branch{Repository: c.Repository, Location: c.Location}
	own := &ownership{Owner: c.Owner, Defaults: c.Defaults}
	proposals := &Proposals{branch: on, Layout: c.Layout, Pushed: c.Pushed, Forge: c.Forge, Removals: c.Removals}
	to := on
	if c.Pushed != nil {
		to.Repository = proposed{Pushed: c.Pushed, proposals: proposals}
	}
	apps := &Apps{ownership: own, branch: on, clusters: all, Layout: c.Layout, to: to, proposals: proposals}
	return &Delivery{
		Config:      c,
		Installs:    &Installs{ownership: own, branch: to, clusters: all, Layout: c.Layout, proposals: proposals},
		Proposals:   proposals,
		Apps:        apps,
		Namespaces:  &Namespaces{ownership: own, clusters: all},
		Kubeconfigs: &Kubeconfigs{ownership: own, clusters: all, apps: apps},
		Catalog:     &Catalog{branch: on, clusters: all, Layout: c.Layout},
	}
}

// Part is one of a configuration.
type Part int

// The parts of a configuration.
const (
	PartGit Part = iota
	PartBuildCluster
	PartRunCluster
	PartForge
)

// MissingPartError: the configuration lacks a part that the use case needs.
type MissingPartError struct {
	Part       Part
	RunCluster string // for PartRunCluster
}

func (e *MissingPartError) Error() string {
	switch e.Part {
	case PartGit:
		return "no GitOps repository is configured"
	case PartBuildCluster:
		return "no build cluster is configured"
	case PartForge:
		return "no forge is configured"
	default:
		return fmt.Sprintf("run cluster %q is not configured", e.RunCluster)
	}
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

func refOf(obj *unstructured.Unstructured) cluster.Ref {
	return cluster.Ref{Resource: carvel.Resource(obj), Namespace: obj.GetNamespace(), Name: obj.GetName()}
}
