package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// InstallRun is a PackageInstall on a run cluster that is to run now.
type InstallRun struct {
	RunCluster, Namespace, Name string
	Manager                     cluster.Manager
	// Progress, if not nil, is told what the wait is waiting for, and Stage which stage
	// its App has come to.
	Progress, Stage func(string)
}

func (r InstallRun) ref() cluster.Ref {
	return cluster.Ref{Resource: carvel.PackageInstalls, Namespace: r.Namespace, Name: r.Name}
}

// appRef is the App that the controller makes for it.
func (r InstallRun) appRef() cluster.Ref {
	return cluster.Ref{Resource: carvel.Apps, Namespace: r.Namespace, Name: r.Name}
}

// installKick is a PackageInstall that was paused and resumed.
type installKick struct {
	uid        string
	generation int64 // since it was resumed
	paused     int64 // generation of its App when that was paused, 0 if there was none
}

// Reconcile makes a PackageInstall run, and waits until a run of its App that began after
// that has succeeded. It returns the version that is installed then. ErrNotFound if there
// is no PackageInstall; one that is paused or canceled is a *StoppedError, and left as it
// is.
func (is *Installs) Reconcile(ctx context.Context, r InstallRun) (version string, err error) {
	run, err := is.run(r.RunCluster)
	if err != nil {
		return "", err
	}
	live, err := find(ctx, run, r.ref())
	if err != nil {
		return "", err
	}
	if live == nil {
		return "", ErrNotFound
	}
	if err := r.stopped(live); err != nil {
		return "", err
	}
	kicked, err := r.kick(ctx, run, live)
	if err == nil {
		version, err = r.wait(ctx, run, kicked)
	}
	if failed := (*ReconcileError)(nil); errors.As(err, &failed) {
		failed.Controller = controllerVersion(ctx, run)
	}
	return version, err
}

// stopped tells why the controller does not run the PackageInstall, and not for a moment
// only.
func (r InstallRun) stopped(live *unstructured.Unstructured) error {
	if live.GetDeletionTimestamp() != nil {
		status, err := carvel.ReadAppStatus(live)
		if err != nil {
			return err
		}
		return &GoneError{Ref: r.ref(), Message: status.Message()}
	}
	for _, field := range []string{pausedField, "canceled"} {
		set, _, err := unstructured.NestedBool(live.Object, "spec", field)
		if err == nil && set && (field != pausedField || !pausedMomentarily(live)) {
			return &StoppedError{Ref: r.ref(), Field: field}
		}
	}
	return nil
}

func pausedMomentarily(live *unstructured.Unstructured) bool {
	return slices.Contains(strings.Split(live.GetAnnotations()[carvel.MomentaryAnnotation], ","), pausedField)
}

// mostPauses is how often a PackageInstall is paused, if somebody resumes it before the
// controller has seen that: kapp does, if it deploys it at that moment.
const mostPauses = 3

// kick pauses the PackageInstall and resumes it once its App is paused as well, so that
// the App runs when it is resumed: the controller does nothing about a pause that it has
// not seen.
func (r InstallRun) kick(ctx context.Context, run Cluster, live *unstructured.Unstructured) (installKick, error) {
	for n := 1; ; n++ {
		uid := live.GetUID()
		paused, err := run.Edit(ctx, r.ref(), live, []cluster.FieldEdit{
			{Path: []string{"spec", pausedField}, Value: true},
			{Path: momentaryPath, Value: pausedField},
		}, r.Manager)
		if err != nil {
			return installKick{}, r.gone(err)
		}
		seen, err := r.awaitPause(ctx, run, paused)
		app, findErr := find(ctx, run, r.appRef())
		live, resumeErr := r.resume(ctx, run)
		if err := errors.Join(err, findErr, resumeErr); err != nil {
			return installKick{}, r.notReady(ctx, "the controller has not seen the pause that makes it run", err)
		}
		if live.GetUID() != uid {
			return installKick{}, &GoneError{Ref: r.ref()}
		}
		k := installKick{uid: string(uid), generation: live.GetGeneration()}
		if app != nil {
			k.paused = app.GetGeneration()
		}
		if seen || n == mostPauses {
			return k, nil
		}
	}
}

// awaitPause waits until the controller has seen that the PackageInstall is paused. seen is
// false if somebody has resumed it before.
func (r InstallRun) awaitPause(ctx context.Context, run Cluster, paused *unstructured.Unstructured) (seen bool, err error) {
	err = run.Wait(ctx, r.ref(), func(obj *unstructured.Unstructured) (bool, error) {
		if obj == nil || obj.GetUID() != paused.GetUID() {
			return false, &GoneError{Ref: r.ref()}
		}
		if obj.GetGeneration() < paused.GetGeneration() {
			return false, nil // an older look
		}
		if set, _, err := unstructured.NestedBool(obj.Object, "spec", pausedField); err != nil || !set {
			return true, err
		}
		status, err := carvel.ReadAppStatus(obj)
		// It reports what its App did before, as of the new generation, once it has
		// paused the App.
		over := status.FriendlyDescription == "Canceled/paused" || status.Condition() == carvel.ReconcileSucceeded || status.Condition() == carvel.ReconcileFailed
		seen = err == nil && status.ObservedGeneration == status.Generation && over
		return seen, err
	})
	return seen, err
}

// resume takes the pause back, also if ctx has ended, unless somebody has already. It
// returns what there is then.
func (r InstallRun) resume(ctx context.Context, run Cluster) (*unstructured.Unstructured, error) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), resumeTime)
	defer cancel()
	var failed error
	for range mostPauses {
		live, err := run.Get(bounded, r.ref())
		if err != nil {
			return nil, errors.Join(r.gone(err), failed)
		}
		if !pausedMomentarily(live) {
			return live, nil
		}
		edits := []cluster.FieldEdit{{Path: momentaryPath}}
		if set, _, err := unstructured.NestedBool(live.Object, "spec", pausedField); err == nil && set {
			edits = append(edits, cluster.FieldEdit{Path: []string{"spec", pausedField}})
		}
		if live, err = run.Edit(bounded, r.ref(), live, edits, r.Manager); err == nil {
			return live, nil
		}
		failed = err // what was to be removed may have gone since
	}
	return nil, failed
}

func (r InstallRun) gone(err error) error {
	if errors.Is(err, cluster.ErrNotFound) {
		return &GoneError{Ref: r.ref(), Err: err}
	}
	return err
}

// notReady is a *NotReadyError if the time was up, or Terraform was stopped.
func (r InstallRun) notReady(ctx context.Context, reason string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &NotReadyError{Ref: r.ref(), Reason: reason, Stopped: errors.Is(ctx.Err(), context.Canceled), Err: err}
	}
	return err
}

// installWait is one wait for a PackageInstall.
type installWait struct {
	InstallRun
	kick          installKick
	watch         *appWatch
	reason, stage string
	refused       int // looks one after the other, with time between them, at a failure before its App ran
}

// wait watches the PackageInstall and its App.
func (r InstallRun) wait(ctx context.Context, run Cluster, k installKick) (version string, err error) {
	w := &installWait{InstallRun: r, kick: k, watch: newAppWatch()}
	following, stop := context.WithCancel(ctx)
	defer stop()
	group, following := errgroup.WithContext(following)
	for _, follow := range w.watch.follows(run, []expectedInstall{{namespace: r.Namespace, name: r.Name}}) {
		group.Go(func() error { return follow(following) })
	}
	version, err = w.loop(following)
	stop()
	if followErr := group.Wait(); ctx.Err() == nil && errors.Is(err, context.Canceled) {
		err = followErr // a look at the run cluster has failed
	}
	return version, r.notReady(ctx, w.reason, err)
}

func (w *installWait) loop(ctx context.Context) (version string, err error) {
	quiet := time.NewTimer(lookAgain)
	defer quiet.Stop()
	for {
		again := false
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-quiet.C:
			again = true
		case <-w.watch.changes:
		}
		quiet.Reset(lookAgain)
		if version, err := w.poll(again); version != "" || err != nil {
			return version, err
		}
	}
}

// look is the PackageInstall and its App as they are; looked reports whether both have
// been looked at.
func (w *installWait) look() (install, app *unstructured.Unstructured, looked bool, err error) {
	w.watch.mu.Lock()
	defer w.watch.mu.Unlock()
	installs, apps := w.watch.installs[w.Namespace], w.watch.apps[w.Namespace]
	return installs[w.Name], apps[w.Name], installs != nil && apps != nil, w.watch.unseen
}

// poll judges what there is now. again tells that nothing has changed for a while.
func (w *installWait) poll(again bool) (version string, err error) {
	install, live, looked, err := w.look()
	switch {
	case err != nil:
		return "", err
	case !looked:
		return "", nil
	case install == nil || string(install.GetUID()) != w.kick.uid || install.GetDeletionTimestamp() != nil:
		return "", &GoneError{Ref: w.ref()}
	}
	if err := w.stopped(install); err != nil {
		return "", err
	}
	status, err := carvel.ReadInstallStatus(install)
	if err != nil {
		return "", err
	}
	if live == nil || live.GetGeneration() <= w.kick.paused {
		return "", w.notRun(status, again)
	}
	app, err := carvel.ReadInstallApp(live)
	if err != nil {
		return "", err
	}
	w.refused = 0
	w.reportStage(app.AppStatus)
	judged := health.App(app.AppStatus, w.kick.paused+1)
	if judged.State == health.Failed {
		stage := app.FailedStage()
		return "", &ReconcileError{Ref: w.ref(), Stage: stage, Message: judged.Reason, Output: app.Output(stage)}
	}
	if judged.State == health.Current {
		// The PackageInstall may still show how its App was before.
		if judged = health.Install(status, &app, w.kick.generation); judged.State == health.Current {
			return status.Version, nil
		}
	}
	w.report(judged.Reason)
	return "", nil
}

// notRun tells of a PackageInstall whose App has not been made to run: the controller
// resumes the App before it says anything of the PackageInstall, unless it refuses to, as
// without a Package of the version.
func (w *installWait) notRun(s carvel.InstallStatus, again bool) error {
	judged := health.App(s.AppStatus, w.kick.generation)
	if judged.State != health.Failed {
		w.refused = 0
		w.report("its App has not been made to run: " + judged.Reason)
		return nil
	}
	w.report(judged.Reason)
	if again {
		w.refused++
	}
	if w.refused < 2 {
		return nil // the look at the App may be behind
	}
	return &ReconcileError{Ref: w.ref(), Message: judged.Reason}
}

func (w *installWait) reportStage(s carvel.AppStatus) {
	come, now := health.Through(w.stage, s)
	w.stage = now
	for _, stage := range come {
		if w.Stage != nil {
			w.Stage(stage)
		}
	}
}

func (w *installWait) report(reason string) {
	if reason != w.reason && w.Progress != nil {
		w.Progress(reason)
	}
	w.reason = reason
}
