package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// startLimit is far beyond what a start takes on a busy machine.
const startLimit = 5 * time.Minute

// startWatched brings everything up and gives up as soon as a part of it ends.
// The caller stops what was started on an error.
func (l *Lab) startWatched(ctx context.Context) error {
	ctx, release := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("no start within %s", startLimit))
	defer release()
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		cancel(l.Wait(ctx))
	}()
	err := l.start(ctx)
	cancel(nil)
	<-watched
	// What ended is the reason of whatever else failed.
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(err, cause) {
		return cause
	}
	return err
}

func (l *Lab) start(ctx context.Context) error {
	if err := l.startEtcd(ctx); err != nil {
		return err
	}
	names := map[string]*Cluster{"build": &l.Build, "staging": &l.Staging, "prod": &l.Prod}
	if l.options.Alone {
		names = map[string]*Cluster{"build": &l.Build}
	}
	for name := range names {
		c, err := newCluster(name, l.path(name))
		if err != nil {
			return fmt.Errorf("cluster %s: %w", name, err)
		}
		l.clusters[name] = c
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for _, c := range l.clusters {
		group.Go(func() error { return l.startCluster(groupCtx, c) })
	}
	if !l.options.Bare {
		group.Go(l.startGit)
	}
	if l.options.Forge {
		group.Go(func() error { return l.startForge(groupCtx) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for name, public := range names {
		*public = l.clusters[name].public()
	}
	if l.options.Bare {
		return nil
	}
	if err := l.seedBuildCluster(ctx, l.clusters["build"]); err != nil {
		return err
	}
	return l.startStandIns()
}

func (l *Lab) startCluster(ctx context.Context, c *cluster) error {
	if err := l.startAPIServer(ctx, c); err != nil {
		return err
	}
	// The garbage collector looks for new kinds every 30 seconds only, so the
	// controllers start when the CRDs are there.
	if err := c.establishCRDs(ctx); err != nil {
		return fmt.Errorf("cluster %s: %w", c.name, err)
	}
	if err := l.startControllerManager(c); err != nil {
		return err
	}
	err := c.await(ctx, serviceAccountResource, "default", "default", func(*unstructured.Unstructured) bool { return true })
	if err != nil {
		return fmt.Errorf("cluster %s: %w", c.name, err)
	}
	return nil
}

// fail hands an error to Wait.
func (l *Lab) fail(err error) {
	if l.stopping.Load() {
		return
	}
	select {
	case l.failed <- err:
	default: // Wait has enough to report
	}
}
