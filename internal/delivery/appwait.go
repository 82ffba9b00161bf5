package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
)

// appWait is one wait for an App.
type appWait struct {
	apps     *Apps
	build    Cluster
	app      App
	uid      string
	shape    *unstructured.Unstructured
	judge    health.Judge
	trees    string // of the branch that expected was read from
	expected []expectedInstall
	watch    *appWatch
	asked    string         // the fetched commits that the tip was last asked for again
	kicked   carvel.Attempt // after which the App was last made to run
	kicks    int            // how often it was
	reason   string         // the last judgement's
	stage    string         // that the App was last seen in
	receipt  AppReceipt
	named    map[string]bool  // Secrets that Apps were found to read, see findsMore
	before   carvel.AppStatus // when the wait began
}

// wait watches the App until the run cluster runs what the repository holds, or
// until the controller has failed to, and failed again. ran tells that the
// controller was made to run by what was written.
func (as *Apps) wait(ctx context.Context, build Cluster, a App, live, shape *unstructured.Unstructured, ran bool) (AppReceipt, error) {
	r, err := readApp(live, shape)
	switch {
	case err != nil || !a.Wait || a.Paused || a.Canceled:
		return r, err
	case r.Deleting && (a.Orphan || a.NoopDelete):
		return r, nil // an update that is to let a delete go on
	case r.Deleting:
		return r, &GoneError{Ref: a.ref(), Message: r.Status.Message()}
	}
	w := &appWait{apps: as, build: build, app: a, uid: string(live.GetUID()), shape: shape, receipt: r, before: r.Status, named: map[string]bool{}}
	w.judge.After = live.GetGeneration()
	if !ran {
		attempt := r.Status.Attempt()
		w.judge.Old = &attempt
	}
	if as.Repository != nil {
		as.Repository.Invalidate()
	}
	for err = errMoved; errors.Is(err, errMoved); {
		err = w.round(ctx)
	}
	var failed *ReconcileError
	if errors.As(err, &failed) {
		as.withController(ctx, build, a, failed)
		as.withMissing(ctx, a, failed)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = &NotReadyError{Ref: a.ref(), Reason: w.reason, Stopped: errors.Is(ctx.Err(), context.Canceled), Err: err}
	}
	return w.receipt, err
}

// errMoved: the branch holds other PackageInstalls and values than the round was
// begun with, or an App reads more of it.
var errMoved = errors.New("the branch has moved")

// round waits for what the branch holds when it begins.
func (w *appWait) round(ctx context.Context) error {
	w.watch = newAppWatch()
	follows := []func(context.Context) error{func(ctx context.Context) error { return w.watch.followApp(ctx, w.build, w.app.ref()) }}
	if run := w.apps.Run[w.app.RunCluster]; run != nil && w.app.Cluster != nil {
		if err := w.expect(ctx); err != nil {
			return err
		}
		follows = append(follows, w.watch.follows(run, w.expected)...)
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	group, following := errgroup.WithContext(following)
	for _, follow := range follows {
		group.Go(func() error { return follow(following) })
	}
	done, err := w.loop(ctx, following)
	stop()
	if followErr := group.Wait(); !done && err == nil {
		err = followErr // a look at a cluster has failed
	}
	w.receipt.Unseen = w.watch.unseen
	return err
}

// expect finds out what is to be on the run cluster.
func (w *appWait) expect(ctx context.Context) error {
	sources, err := w.apps.sources(ctx, w.apps.selected(w.app.AppSpec, carvel.AppStatus{}))
	if err != nil {
		return err
	}
	w.trees = tipTrees(sources) // before expected, which may be of a later tip
	w.expected, err = w.apps.expected(ctx, w.app.AppSpec)
	for i, e := range w.expected {
		w.expected[i] = e.with(w.named)
	}
	var many *ManyFilesError
	if errors.As(err, &many) {
		w.watch.unseen, err = many, nil
	}
	return err
}

func tipTrees(sources []health.Source) string {
	trees := make([]string, len(sources))
	for i, s := range sources {
		trees[i] = s.TipTree
	}
	return strings.Join(trees, " ")
}

// loop judges after each change, and once more when all has been quiet for a
// while. It is done when the App is current. It ends without being done also
// when a look at a cluster has failed, which ends following.
func (w *appWait) loop(ctx, following context.Context) (done bool, err error) {
	quiet := time.NewTimer(lookAgain)
	defer quiet.Stop()
	for {
		select {
		case <-following.Done():
			return false, ctx.Err()
		case <-quiet.C:
		case <-w.watch.changes:
		}
		quiet.Reset(lookAgain)
		if done, err := w.poll(ctx); done || err != nil {
			return done, err
		}
	}
}

func (w *appWait) poll(ctx context.Context) (done bool, err error) {
	live, looked := w.watch.live()
	switch {
	case !looked:
		return false, nil
	case live == nil || string(live.GetUID()) != w.uid || live.GetDeletionTimestamp() != nil:
		return false, &GoneError{Ref: w.app.ref()}
	}
	r, err := readApp(live, w.shape)
	if err != nil {
		return false, err
	}
	w.receipt = r
	w.reportStage(r.Status)
	if err := w.app.stopped(live); err != nil {
		return false, err
	}
	o := health.Observation{App: r.Status}
	var ready bool
	if o.Installs, ready, err = w.watch.observedInstalls(w.expected); err != nil {
		return false, err
	}
	if !ready {
		w.report("the run cluster has not answered yet")
		return false, nil
	}
	if more, err := w.findsMore(); err != nil || more {
		return false, cmp.Or(err, errMoved)
	}
	if o.Sources, err = w.sources(ctx, r.Status); err != nil {
		return false, err
	}
	if o.Sources != nil && w.trees != "" && tipTrees(o.Sources) != w.trees {
		return false, errMoved
	}
	verdict := w.judge.Judge(o)
	if verdict.State == health.Current {
		behind, err := w.notFollowed(ctx)
		if err != nil || behind != "" {
			w.report(behind)
			return false, err
		}
	}
	w.report(verdict.Reason)
	if verdict.State == health.Failed {
		return false, &ReconcileError{
			Ref: w.app.ref(), Install: verdict.Install, Stage: verdict.Stage, Message: verdict.Reason, Output: verdict.Output,
		}
	}
	if verdict.Stale {
		return false, w.kickAgain(ctx, live, r.Status.Attempt())
	}
	return verdict.State == health.Current, nil
}

// mostKicks keeps an App that would fail each time from being made to run without a
// pause: then the controller's back-off holds.
const mostKicks = 3

// kickAgain makes an App run that would repeat an old failure until its back-off
// ends, once for each attempt, and no more than mostKicks times.
func (w *appWait) kickAgain(ctx context.Context, live *unstructured.Unstructured, attempt carvel.Attempt) error {
	if w.kicked == attempt || w.kicks == mostKicks {
		return nil
	}
	w.kicked, w.kicks = attempt, w.kicks+1
	kicked, err := w.app.kick(ctx, w.build, live)
	if err != nil {
		return err
	}
	w.judge.After = kicked.GetGeneration()
	return nil
}

// report tells a change of what is waited for.
func (w *appWait) report(reason string) {
	if reason != w.reason && w.app.Progress != nil {
		w.app.Progress(reason)
	}
	w.reason = reason
}

// reportStage tells which stage a run has come to that began after what is waited for.
func (w *appWait) reportStage(s carvel.AppStatus) {
	if s.Generation < w.judge.After {
		return
	}
	come, now := health.Through(w.stage, s)
	w.stage = now
	for _, stage := range come {
		if w.app.Stage != nil {
			w.app.Stage(stage)
		}
	}
}

// sources are what the App selects of the provider's branch. If it has fetched something
// else than the known tip holds, the tip may be an old one, so it is asked for again.
func (w *appWait) sources(ctx context.Context, s carvel.AppStatus) ([]health.Source, error) {
	if health.App(s, w.judge.After).State == health.Pending {
		return nil, nil // not looked at
	}
	all := w.apps.selected(w.app.AppSpec, s)
	sources, err := w.apps.sources(ctx, all)
	if err != nil || upToDate(sources) {
		return sources, err
	}
	commits := fmt.Sprint(s.FetchedCommits())
	if commits == w.asked {
		return sources, nil
	}
	w.asked = commits
	w.apps.Repository.Invalidate()
	return w.apps.sources(ctx, all)
}
