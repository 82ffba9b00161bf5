package delivery

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// App is an App on the build cluster.
type App struct {
	carvel.AppSpec
	RunCluster string      // that it delivers to, "" where it is not known
	Secrets    []AppSecret // its own, beside it
	Wait       bool        // until the run cluster runs what the repository holds
	Kick       bool        // have an update make the controller fetch again
	Orphan     bool        // a delete leaves what the App deployed
	// Progress, where not nil, is told what the wait is waiting for.
	Progress func(string)
	ForCluster
}

func (a App) ref() cluster.Ref {
	return cluster.Ref{Resource: carvel.Apps, Namespace: a.Namespace, Name: a.Name}
}

// AppReceipt says what is on the build cluster.
type AppReceipt struct {
	UID    types.UID // empty: it was not created
	Object string    // YAML of the fields that the spec sets, as they are on the cluster
	// Secrets are the App's own that are there, name to what can be shown of it.
	Secrets map[string]string
	Status  carvel.AppStatus
	// Unseen is why the PackageInstalls on the run cluster could not be looked at,
	// so that the App was judged by itself.
	Unseen error
	// Deleting tells that the App is on its way out.
	Deleting bool
}

// Changed tells whether the App exists.
func (r AppReceipt) Changed() bool { return r.UID != "" }

// CheckNewApp is an *ExistsError where an App that the provider did not make is
// already on the build cluster, and a *cluster.NotServedError where that
// cluster knows no Apps. One that it made may be about to be replaced.
func (d *Delivery) CheckNewApp(ctx context.Context, namespace, name string) error {
	build, err := d.build()
	if err != nil {
		return err
	}
	ref := cluster.Ref{Resource: carvel.Apps, Namespace: namespace, Name: name}
	live, err := find(ctx, build, ref)
	if err != nil || live == nil || live.GetLabels()[carvel.ManagedByLabel] == carvel.ManagedBy {
		return err
	}
	return &ExistsError{Where: build.Name(), What: ref.String()}
}

// CreateApp makes the App's own Secrets and the App, and waits for it. Where
// the App cannot be made, no Secret stays.
func (d *Delivery) CreateApp(ctx context.Context, a App) (AppReceipt, error) {
	build, err := d.build()
	if err != nil {
		return AppReceipt{}, err
	}
	obj, err := carvel.App(a.AppSpec)
	if err == nil {
		err = d.CheckApp(ctx, a.AppSpec)
	}
	if err != nil {
		return AppReceipt{}, err
	}
	if !a.Adopt && len(a.Secrets) > 0 { // before any of them is written
		if err := refuseExisting(ctx, build, a.ref()); err != nil {
			return AppReceipt{}, err
		}
	}
	made, err := a.writeSecrets(ctx, build)
	var live *unstructured.Unstructured
	if err == nil {
		live, err = create(ctx, build, obj, a.ForCluster)
	}
	if err != nil {
		for _, ref := range made {
			err = errors.Join(err, deleteOurs(context.WithoutCancel(ctx), build, ref))
		}
		return AppReceipt{}, err
	}
	return d.settle(ctx, build, a, live, obj, true)
}

// UpdateApp writes the App as it is to be, and waits. before is as it was. With
// Kick, and where nothing changed that the controller looks at, it makes the
// controller run again, so that what the repository holds by now is deployed.
func (d *Delivery) UpdateApp(ctx context.Context, before, a App) (AppReceipt, error) {
	build, err := d.build()
	if err != nil {
		return AppReceipt{}, err
	}
	obj, err := carvel.App(a.AppSpec)
	if err != nil {
		return AppReceipt{}, err
	}
	if err := d.CheckApp(ctx, a.AppSpec); err != nil {
		return AppReceipt{}, err
	}
	old, err := build.Get(ctx, a.ref())
	if err != nil {
		return AppReceipt{}, a.gone(err)
	}
	if _, err := a.writeSecrets(ctx, build); err != nil {
		return AppReceipt{}, err
	}
	same := obj.DeepCopy()
	same.SetUID(old.GetUID()) // no other one is made where it has gone by now
	live, err := build.Apply(ctx, a.ref(), same, a.Manager)
	if err != nil {
		return AppReceipt{}, a.gone(err)
	}
	if err := a.deleteSecrets(ctx, build, a.dropped(before)); err != nil {
		return AppReceipt{}, err
	}
	if a.Kick && !a.Paused && !a.Canceled && live.GetGeneration() == old.GetGeneration() && a.stopped(live) == nil {
		if live, err = a.kick(ctx, build); err != nil {
			return AppReceipt{}, err
		}
	}
	return d.settle(ctx, build, a, live, obj, live.GetGeneration() != old.GetGeneration())
}

// settle waits for the App, and tells what is there of its own Secrets.
func (d *Delivery) settle(ctx context.Context, build *cluster.Cluster, a App, live, shape *unstructured.Unstructured, ran bool) (AppReceipt, error) {
	r, err := d.wait(ctx, build, a, live, shape, ran)
	r.Secrets = map[string]string{}
	for _, s := range a.Secrets {
		r.Secrets[s.Name] = s.Shown()
	}
	return r, err
}

// kick makes the controller reconcile at once: it looks at a change of the
// generation, so the App is paused and resumed. Once it is paused it is resumed
// also where ctx has ended.
func (a App) kick(ctx context.Context, build *cluster.Cluster) (*unstructured.Unstructured, error) {
	if _, err := build.Patch(ctx, a.ref(), []byte(`[{"op":"add","path":"/spec/paused","value":true}]`), a.Manager); err != nil {
		return nil, a.gone(err)
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), resumeTime)
	defer cancel()
	live, err := build.Patch(bounded, a.ref(), []byte(`[{"op":"remove","path":"/spec/paused"}]`), a.Manager)
	return live, a.gone(err)
}

// resumeTime is how long it is tried to resume an App that was paused for a kick.
const resumeTime = 30 * time.Second

func readApp(live, shape *unstructured.Unstructured) (AppReceipt, error) {
	r := AppReceipt{UID: live.GetUID(), Deleting: live.GetDeletionTimestamp() != nil}
	var err error
	if r.Object, err = shown(live, shape); err != nil {
		return r, err
	}
	r.Status, err = carvel.ReadAppStatus(live)
	return r, err
}

// PlannedApp is the Object of a receipt once the spec is applied.
func PlannedApp(s carvel.AppSpec) (string, error) {
	obj, err := carvel.App(s)
	if err != nil {
		return "", err
	}
	return shown(obj, obj)
}

// ReadApp reads the App, ErrNotFound where it is missing.
func (d *Delivery) ReadApp(ctx context.Context, a App) (AppReceipt, error) {
	build, err := d.build()
	if err != nil {
		return AppReceipt{}, err
	}
	shape, err := carvel.App(a.AppSpec)
	if err != nil {
		return AppReceipt{}, err
	}
	live, err := find(ctx, build, refOf(shape))
	if err != nil {
		return AppReceipt{}, err
	}
	if live == nil {
		return AppReceipt{}, ErrNotFound
	}
	r, err := readApp(live, shape)
	if err != nil {
		return r, err
	}
	r.Secrets, err = a.readSecrets(ctx, build)
	return r, err
}
