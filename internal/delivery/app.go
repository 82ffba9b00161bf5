package delivery

import (
	"context"
	"errors"
	"fmt"

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
}

// Changed tells whether the App exists.
func (r AppReceipt) Changed() bool { return r.UID != "" }

// NotReadyError: the time was up before the App was reconciled.
type NotReadyError struct {
	Ref    cluster.Ref
	Reason string // what the wait was waiting for
	Err    error
}

func (e *NotReadyError) Error() string {
	return fmt.Sprintf("%s is not reconciled: %s: %v", e.Ref, e.Reason, e.Err)
}
func (e *NotReadyError) Unwrap() error { return e.Err }

// ReconcileError: the controller reports that it failed.
type ReconcileError struct {
	Ref     cluster.Ref
	Stage   string // fetch, template, deploy or delete
	Message string // the controller's
}

func (e *ReconcileError) Error() string {
	return fmt.Sprintf("%s failed to %s: %s", e.Ref, e.Stage, e.Message)
}

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
	return d.settle(ctx, build, a, live, obj)
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
	old, err := build.Get(ctx, a.ref())
	if err != nil {
		return AppReceipt{}, err
	}
	if _, err := a.writeSecrets(ctx, build); err != nil {
		return AppReceipt{}, err
	}
	live, err := build.Apply(ctx, a.ref(), obj, a.Manager)
	if err != nil {
		return AppReceipt{}, err
	}
	if err := a.deleteSecrets(ctx, build, a.dropped(before)); err != nil {
		return AppReceipt{}, err
	}
	if a.Kick && !a.Paused && !a.Canceled && live.GetGeneration() == old.GetGeneration() {
		if live, err = a.kick(ctx, build); err != nil {
			return AppReceipt{}, err
		}
	}
	return d.settle(ctx, build, a, live, obj)
}

// settle waits for the App, and tells what is there of its own Secrets.
func (d *Delivery) settle(ctx context.Context, build *cluster.Cluster, a App, live, shape *unstructured.Unstructured) (AppReceipt, error) {
	r, err := a.wait(ctx, build, live, shape)
	r.Secrets = map[string]string{}
	for _, s := range a.Secrets {
		r.Secrets[s.Name] = s.Shown()
	}
	return r, err
}

// kick makes the controller reconcile at once: it looks at a change of the
// generation, so the App is paused and resumed.
func (a App) kick(ctx context.Context, build *cluster.Cluster) (*unstructured.Unstructured, error) {
	if _, err := build.Patch(ctx, a.ref(), []byte(`[{"op":"add","path":"/spec/paused","value":true}]`), a.Manager); err != nil {
		return nil, err
	}
	return build.Patch(ctx, a.ref(), []byte(`[{"op":"remove","path":"/spec/paused"}]`), a.Manager)
}

// wait watches the App until it is current. A failure counts once the
// controller has tried again and failed again: a first one may be of a
// PackageInstall's earlier state, or of a Package that is being created.
func (a App) wait(ctx context.Context, build *cluster.Cluster, live, shape *unstructured.Unstructured) (AppReceipt, error) {
	r, err := readApp(live, shape)
	if err != nil || !a.Wait || a.Paused || a.Canceled {
		return r, err
	}
	generation := live.GetGeneration()
	var health carvel.Health
	firstFailure := int64(-1)
	err = build.Wait(ctx, a.ref(), func(obj *unstructured.Unstructured) (bool, error) {
		if obj == nil || obj.GetUID() != r.UID {
			return false, fmt.Errorf("%s was deleted while it was being waited for", a.ref())
		}
		var err error
		if r, err = readApp(obj, shape); err != nil {
			return false, err
		}
		health = carvel.AppHealth(r.Status, generation)
		if health.State != carvel.Failed {
			return health.State == carvel.Current, nil
		}
		if firstFailure < 0 {
			firstFailure = r.Status.ConsecutiveFailures
		}
		if r.Status.ConsecutiveFailures <= firstFailure {
			return false, nil
		}
		return false, &ReconcileError{Ref: a.ref(), Stage: r.Status.FailedStage(), Message: health.Reason}
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return r, &NotReadyError{Ref: a.ref(), Reason: health.Reason, Err: err}
	}
	return r, err
}

func readApp(live, shape *unstructured.Unstructured) (AppReceipt, error) {
	r := AppReceipt{UID: live.GetUID()}
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
