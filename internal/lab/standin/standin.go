package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// workers bounds how many Apps, and how many PackageInstalls, are worked on at once.
const workers = 16

// Options says which cluster a stand-in serves.
type Options struct {
	// Kubeconfig is an administrator's, of the cluster whose objects are reconciled.
	Kubeconfig []byte
	// Name stands at the head of each log line.
	Name string
	// Dir takes the scratch directories; empty means the system's own.
	Dir string
	// Log takes one line per event; nil drops them. No line holds a credential.
	Log io.Writer
	// SyncPeriod is the period of an App that names none: 30 s if zero. A shorter one
	// is also the floor for Apps that do; the floor is 30 s otherwise.
	SyncPeriod time.Duration
	// FirstDeployRace lets each PackageInstall that is deployed together with the first
	// of its Packages miss it, as happens with the real controller in one of eight first
	// deploys: the App fails, and succeeds when it tries again. Without it that happens
	// only to a PackageInstall with the annotation stand-in.lab/first-deploy-race.
	FirstDeployRace bool
	// Release is the year of the controller that is imitated.
	Release Release
}

// Release is the year of a controller: the releases of one behave alike in what an
// App and a PackageInstall tell.
type Release int

const (
	// Release2024 is the zero value: a PackageInstall takes its status from its App, and
	// then changes the App.
	Release2024 Release = iota
	// Release2025 is what kapp-controller does since August 2025 (its pull request 1751):
	// a PackageInstall changes its App first, and is reconciling until that has run.
	Release2025
)

// Releases are the names of the releases.
var Releases = map[string]Release{"2024": Release2024, "2025": Release2025}

// controller is one running stand-in.
type controller struct {
	options  Options
	config   *rest.Config
	home     *cluster
	dir      string
	timing   timing
	apps     *queue
	installs *queue
	refs     *refTracker
	running  *runningSet
	wanted   wantedPackages
	logMu    sync.Mutex
}

// Run reconciles the Apps and PackageInstalls of one cluster until ctx ends, and returns
// nil then. It returns an error only if it cannot start. Every goroutine, process and
// directory of its own is gone when it returns.
func Run(ctx context.Context, o Options) error {
	config, err := clientcmd.RESTConfigFromKubeConfig(o.Kubeconfig)
	if err != nil {
		return fmt.Errorf("stand-in %q: read kubeconfig: %w", o.Name, err)
	}
	dir, err := os.MkdirTemp(o.Dir, "standin-")
	if err != nil {
		return fmt.Errorf("stand-in %q: %w", o.Name, err)
	}
	defer os.RemoveAll(dir)
	home, err := newCluster(config)
	if err != nil {
		return fmt.Errorf("stand-in %q: %w", o.Name, err)
	}
	defer home.close()
	c := &controller{
		options: o, config: config, home: home, dir: dir, timing: newTiming(o.SyncPeriod),
		apps: newQueue(), installs: newQueue(), refs: newRefTracker(), running: newRunningSet(),
	}
	c.logf("a stand-in for kapp-controller, not kapp-controller itself")

	group, ctx := errgroup.WithContext(ctx)
	for _, w := range c.watches() {
		group.Go(func() error { return w.run(ctx, c) })
	}
	for range workers {
		group.Go(func() error { return c.apps.work(ctx, c.reconcileApp, c.logf) })
		group.Go(func() error { return c.installs.work(ctx, c.reconcileInstall, c.logf) })
	}
	group.Go(func() error {
		<-ctx.Done()
		c.apps.stop()
		c.installs.stop()
		return nil
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("stand-in %q: %w", o.Name, err)
	}
	return nil
}

func (c *controller) logf(format string, args ...any) {
	if c.options.Log == nil {
		return
	}
	c.logMu.Lock()
	defer c.logMu.Unlock()
	fmt.Fprintf(c.options.Log, "%s %s: %s\n", time.Now().Format("15:04:05.000"), c.options.Name, fmt.Sprintf(format, args...))
}
