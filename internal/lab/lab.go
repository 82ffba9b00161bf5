// Package lab runs the clusters, the Git server and the stand-in controller
// that the acceptance tests and the demonstration work against.
//
// Start brings up three clusters, build, staging and prod, each a real
// kube-apiserver with RBAC on and a kube-controller-manager beside it, over one
// etcd. No node runs in them: a Deployment is stored, its Pods are not made.
// FromEnvironment uses clusters and a repository that exist already instead.
package lab

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitea"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/standin"
)

// Options say how a lab is started. The zero value is a full lab that is silent.
type Options struct {
	// Log receives progress, one line at a time. Nil discards it.
	Log io.Writer
	// Dir is an existing directory in which the lab makes a directory of its
	// own; empty means os.TempDir(). The lab's directory is removed by Stop.
	Dir string
	// SyncPeriod is how often the stand-in reconciles an App that did not
	// change and names no period, and the floor for one that does. Zero means
	// 30 seconds, as with the real controller.
	SyncPeriod time.Duration
	// FirstDeployRace lets every first deploy of a PackageInstall fail once, as
	// a few of those of the real controller do.
	FirstDeployRace bool
	// Release is the year of the controller that the stand-ins of all clusters imitate.
	// Nil has that of staging be of 2024, and those of build and prod of 2025.
	Release *standin.Release
	// Bare leaves out the Git server, the stand-in and what is seeded: the
	// clusters have the Carvel CRDs and nothing else. Lab.Git is then empty.
	Bare bool
	// Forge starts a Gitea as well.
	Forge bool
	// Alone starts the build cluster only, and is Bare as well.
	Alone bool
}

// Cluster is one Kubernetes cluster with the rights of cluster-admin.
type Cluster struct {
	// Name is build, staging or prod.
	Name string
	// Kubeconfig is the path of a kubeconfig file whose current context is an
	// administrator. In a lab that Start made all its data is inline.
	Kubeconfig string
	// Server is the URL of the API server: https://127.0.0.1:PORT.
	Server string
	// CA is the PEM bundle that Server's certificate is verified with. Empty
	// means the system's roots.
	CA []byte
}

// Git is the GitOps repository and the credential that may push to it.
type Git struct {
	// URL is the clone URL of the repository: https://127.0.0.1:PORT/platform/gitops.git.
	URL string
	// Username and Password are for HTTP basic authentication.
	Username, Password string
	// CAFile is the path of the PEM file that the server's certificate is
	// verified with. Empty means the system's roots.
	CAFile string
}

// Lab is a running set of clusters with a GitOps repository.
type Lab struct {
	Build, Staging, Prod Cluster
	Git                  Git
	// Forge is nil without Options.Forge.
	Forge *gitea.Server
	// Dir holds logs, keys and kubeconfigs. Empty if the lab came from the
	// environment.
	Dir string

	options Options
	sets    binaries.Set
	guard   *process.Guard
	lock    *process.FileLock

	mu         sync.Mutex
	etcd       *process.Process
	clusters   map[string]*cluster
	apiservers map[string]*process.Process // by cluster
	managers   map[string]*process.Process
	ending     map[*process.Process]bool // on purpose
	git        *gitserver.Server
	gitCA      string // PEM
	standIns   *standIns

	failed   chan error
	stopping atomic.Bool
	stopOnce sync.Once
	stopErr  error
}

// Start builds what is missing (minutes, the first time), starts everything and
// returns when each cluster is ready, its CRDs are established and the
// repository is seeded. ctx bounds the start alone; a lab that has started runs
// until Stop. On an error nothing is left running and no directory is left. The
// error of a process that died carries the last lines of its log.
func Start(ctx context.Context, options Options) (*Lab, error) {
	if options.Log == nil {
		options.Log = io.Discard
	}
	sets, err := binaries.Ensure(ctx, options.Log)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	options.Bare = options.Bare || options.Alone
	l := &Lab{
		options: options, sets: sets, failed: make(chan error, 16), clusters: map[string]*cluster{},
		apiservers: map[string]*process.Process{}, managers: map[string]*process.Process{}, ending: map[*process.Process]bool{},
	}
	if err := l.claimDir(ctx); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	began := time.Now()
	if err := l.startWatched(ctx); err != nil {
		_ = l.Stop()
		return nil, fmt.Errorf("lab: %w", err)
	}
	l.logf("lab ready in %.1fs: %s", time.Since(began).Seconds(), l.Dir)
	return l, nil
}

// Clusters returns build, staging and prod; of a lab that is Alone, build.
func (l *Lab) Clusters() []Cluster {
	if l.options.Alone {
		return []Cluster{l.Build}
	}
	return []Cluster{l.Build, l.Staging, l.Prod}
}

// Wait returns nil when ctx is done, and an error as soon as a part of the lab
// ends by itself. A lab from the environment has no parts.
func (l *Lab) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.failed:
		return err
	}
}

func (l *Lab) logf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.options.Log, format+"\n", args...)
}

func (l *Lab) path(elements ...string) string {
	return filepath.Join(append([]string{l.Dir}, elements...)...)
}
