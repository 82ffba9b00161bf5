package standin

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// deleteRetry paces the tries of a delete that fails, about seven a second.
const deleteRetry = 140 * time.Millisecond

// kappStep reads the one deploy entry that an App must have.
func (r *appRun) kappStep() (kappStep, error) {
	var step kappStep
	if len(r.spec.Deploy) != 1 {
		return step, said("Expected exactly one deploy option")
	}
	raw, ok := r.spec.Deploy[0]["kapp"]
	if !ok {
		return step, said("Unsupported way to deploy")
	}
	return step, convert(raw, &step)
}

// deploy applies docs to the target. While it runs, its output so far goes into the
// status every two seconds.
func (r *appRun) deploy(work, ctx context.Context, docs []*unstructured.Unstructured) result {
	startedAt := now()
	if err := r.blockDeletion(ctx); err != nil {
		return r.deployed(broken("Blocking for deploy: "+err.Error()), startedAt, nil)
	}
	step, err := r.kappStep()
	if err != nil {
		return r.deployed(broken(err.Error()), startedAt, nil)
	}
	k, err := r.newKapp(work, step, step.RawOptions)
	if err != nil {
		return r.deployed(broken("Preparing kapp: "+err.Error()), startedAt, nil)
	}
	defer k.cluster.close()
	err = r.follow(ctx, k, startedAt, func() error { return k.deploy(work, docs) })
	return r.deployed(k.result("Deploying", err), startedAt, k)
}

func (r *appRun) deployed(res result, startedAt *metav1.Time, k *kapp) result {
	r.status.Deploy = &deployStatus{stageStatus: *res.stage(startedAt), Finished: true, Kapp: k.status()}
	return res
}

// follow runs step and shows its progress.
func (r *appRun) follow(ctx context.Context, k *kapp, startedAt *metav1.Time, step func() error) error {
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
			done <- err
		}()
		err = step()
	}()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			if !k.applying.Load() {
				continue
			}
			soFar := result{stdout: k.out.String()}
			r.status.Deploy = &deployStatus{stageStatus: *soFar.stage(startedAt), Kapp: k.status()}
			r.flush = true
			if err := r.publish(ctx); err != nil && ctx.Err() == nil {
				r.c.logf("App %s: %v", r.key, err)
			}
		}
	}
}

// delete removes what the App deployed, then the finalizer. A failure stays in the
// status and is tried again at once, for as long as it takes.
func (r *appRun) delete(ctx context.Context) (time.Duration, error) {
	r.status.ObservedGeneration = r.app.GetGeneration()
	r.status.set(deleting, "")
	if err := r.publish(ctx); err != nil {
		return 0, err
	}
	res, err := r.remove(ctx)
	if err != nil || ctx.Err() != nil {
		return 0, err
	}
	if res.err == "" {
		r.c.logf("App %s: deleted", r.key)
		return 0, r.unblockDeletion(ctx)
	}
	r.status.failed(deleteFailed, res)
	r.pending = true
	if err := r.publishPending(ctx); err != nil {
		return 0, err
	}
	r.c.logf("App %s: %s", r.key, r.status.FriendlyDescription)
	return deleteRetry, sleep(ctx, deleteRetry)
}

// remove runs kapp delete, except if nothing is to be deleted.
func (r *appRun) remove(ctx context.Context) (result, error) {
	if r.spec.NoopDelete {
		return result{}, nil
	}
	ending, err := r.namespacesEnding(ctx)
	if err != nil || ending {
		return result{}, err
	}
	startedAt := now()
	step, err := r.kappStep()
	if err != nil {
		return broken(err.Error()), nil
	}
	k, err := r.newKapp(ctx, step, step.Delete.RawOptions)
	if err != nil {
		return broken("Preparing kapp: " + err.Error()), nil
	}
	defer k.cluster.close()
	k.associated = associatedOf(r.status.Deploy)
	err = r.follow(ctx, k, startedAt, func() error { return k.delete(ctx) })
	return r.deployed(k.result("Deleting", err), startedAt, k), nil
}

func associatedOf(d *deployStatus) *associatedResources {
	if d == nil || d.Kapp == nil {
		return nil
	}
	return &d.Kapp.AssociatedResources
}

// namespacesEnding reports whether the App deploys with a ServiceAccount and all the
// namespaces that it touches are being deleted, which then removes everything.
func (r *appRun) namespacesEnding(ctx context.Context) (bool, error) {
	associated := associatedOf(r.status.Deploy)
	if r.spec.ServiceAccountName == "" || associated == nil {
		return false, nil
	}
	for _, name := range append([]string{r.key.namespace}, associated.Namespaces...) {
		if name == clusterPlace {
			return false, nil
		}
		ns, err := r.c.home.dynamic.Resource(namespacesGVR).Get(ctx, name, metav1.GetOptions{})
		if isGone(err) {
			continue
		}
		if err != nil {
			return false, err
		}
		if ns.GetDeletionTimestamp() == nil {
			return false, nil
		}
	}
	return true, nil
}
