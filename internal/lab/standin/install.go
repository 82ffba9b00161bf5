package standin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const downgradable = "packaging.carvel.dev/downgradable"

// installSpec is the part of a PackageInstall's spec that decides the version.
type installSpec struct {
	PackageRef *struct {
		RefName          string            `json:"refName"`
		VersionSelection *versionSelection `json:"versionSelection"`
	} `json:"packageRef"`
	Values []struct {
		SecretRef *nameRef `json:"secretRef"`
	} `json:"values"`
	Paused     bool `json:"paused"`
	Canceled   bool `json:"canceled"`
	NoopDelete bool `json:"noopDelete"`
}

type installStatus struct {
	genericStatus
	Version              string `json:"version,omitempty"`
	LastAttemptedVersion string `json:"lastAttemptedVersion,omitempty"`
}

// installRun is one pass over one PackageInstall.
type installRun struct {
	c      *controller
	key    key
	pkgi   *unstructured.Unstructured
	spec   installSpec
	status installStatus
}

func (c *controller) reconcileInstall(ctx context.Context, k key) (time.Duration, error) {
	u, err := c.home.dynamic.Resource(installsGVR).Namespace(k.namespace).Get(ctx, k.name, metav1.GetOptions{})
	if isGone(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if _, err := parseSyncPeriod(u); err != nil {
		c.logf("failed to list *v1alpha1.PackageInstall: %v (PackageInstall %s gets no status)", err, k)
		return 0, nil
	}
	r := &installRun{c: c, key: k, pkgi: u}
	if u.GetDeletionTimestamp() == nil {
		if err := r.blockDeletion(ctx); err != nil {
			return 0, err
		}
	}
	if err := convert(r.pkgi.Object["spec"], &r.spec); err != nil {
		return 0, fmt.Errorf("read spec: %w", err)
	}
	if status, ok := r.pkgi.Object["status"]; ok {
		if err := convert(status, &r.status); err != nil {
			return 0, fmt.Errorf("read status: %w", err)
		}
	}
	r.status.ObservedGeneration = r.pkgi.GetGeneration()
	if r.pkgi.GetDeletionTimestamp() != nil {
		return 0, r.delete(ctx)
	}
	r.status.UsefulErrorMessage = ""
	r.status.set(reconciling, "")
	failure := r.reconcile(ctx)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	var retry error
	if failure != nil {
		r.status.set(reconcileFailed, failure.Error())
		retry = failure
	}
	if r.spec.Paused || r.spec.Canceled {
		r.status.FriendlyDescription = "Canceled/paused"
	}
	return 0, errors.Join(r.writeStatus(ctx), retry)
}

// reconcile brings the App up to the selected version and copies its status, in the
// order of the release. An error is a failure to select, or of the API.
func (r *installRun) reconcile(ctx context.Context) error {
	pkg, version, err := r.selectPackage(ctx)
	if err != nil {
		return err
	}
	r.status.Version = version
	return onConflict(func() error { return r.bringUp(ctx, pkg, version) })
}

// bringUp copies the App's status and writes the App if it differs. With Release2024
// the status is the one before that: right after a new version the PackageInstall still
// shows how the old one went.
func (r *installRun) bringUp(ctx context.Context, pkg *unstructured.Unstructured, version string) error {
	apps := r.c.home.dynamic.Resource(appsGVR).Namespace(r.key.namespace)
	app, err := apps.Get(ctx, r.key.name, metav1.GetOptions{})
	if err != nil && !isGone(err) {
		return err
	}
	exists := err == nil
	if exists && r.c.options.Release == Release2024 {
		if err := r.copyStatus(app); err != nil {
			return err
		}
	}
	if stopped, err := r.stopDowngrade(version); stopped || err != nil {
		return err
	}
	wanted, err := r.appFor(app, pkg)
	if err != nil {
		return err
	}
	switch {
	case !exists:
		_, err = apps.Create(ctx, wanted, metav1.CreateOptions{FieldManager: managerController})
	case !equality.Semantic.DeepEqual(wanted.Object, app.Object):
		app, err = apps.Update(ctx, wanted, metav1.UpdateOptions{FieldManager: managerController})
	}
	if err != nil {
		return err
	}
	r.status.LastAttemptedVersion = version
	if exists && r.c.options.Release == Release2025 {
		return r.copyStatus(app)
	}
	return nil
}

// copyStatus takes the condition and the message over from the App, which is reconciling
// if its last generation has not been looked at.
func (r *installRun) copyStatus(app *unstructured.Unstructured) error {
	var status genericStatus
	if err := convert(app.Object["status"], &status); err != nil {
		return err
	}
	switch {
	case status.is(reconciling), status.ObservedGeneration != app.GetGeneration():
		r.status.set(reconciling, "")
	case status.is(reconcileSucceeded):
		r.status.set(reconcileSucceeded, "")
	case status.is(reconcileFailed):
		r.status.UsefulErrorMessage = status.UsefulErrorMessage
		r.status.set(reconcileFailed, seeUseful)
	}
	return nil
}

// stopDowngrade fails the PackageInstall if version is lower than the one that was tried
// last and nothing allows that. There is no retry.
func (r *installRun) stopDowngrade(version string) (bool, error) {
	last := r.status.LastAttemptedVersion
	if _, allowed := r.pkgi.GetAnnotations()[downgradable]; allowed || last == "" {
		return false, nil
	}
	lower, err := isLower(version, last)
	if err != nil || !lower {
		return false, err
	}
	r.status.UsefulErrorMessage = fmt.Sprintf("Stopped installing matched version '%s' since last attempted version '%s' is higher."+
		"\nhint: Add annotation %s: \"\" to PackageInstall to proceed with downgrade", version, last, downgradable)
	r.status.set(reconcileFailed, seeUseful)
	return true, nil
}

// selectPackage picks the Package of the namespace that the PackageInstall asks for.
func (r *installRun) selectPackage(ctx context.Context) (*unstructured.Unstructured, string, error) {
	ref := r.spec.PackageRef
	if ref == nil {
		return nil, "", said("Expected non nil PackageRef")
	}
	if ref.VersionSelection == nil {
		return nil, "", said("Expected non-empty version selection")
	}
	list, err := r.c.home.dynamic.Resource(packagesGVR).Namespace(r.key.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, "", err
	}
	byVersion := map[string]*unstructured.Unstructured{}
	var versions []string
	for i := range list.Items {
		if packageName(&list.Items[i]) == ref.RefName {
			version, _, _ := unstructured.NestedString(list.Items[i].Object, "spec", "version")
			byVersion[version] = &list.Items[i]
			versions = append(versions, version)
		}
	}
	if len(versions) == 0 {
		return nil, "", said("Package %s not found", ref.RefName)
	}
	version, err := ref.VersionSelection.highest(versions)
	if err != nil {
		return nil, "", err
	}
	return byVersion[version], version, nil
}

func packageName(u *unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(u.Object, "spec", "refName")
	return name
}

// delete deletes the App and keeps the finalizer until it is gone.
func (r *installRun) delete(ctx context.Context) error {
	apps := r.c.home.dynamic.Resource(appsGVR).Namespace(r.key.namespace)
	app, err := apps.Get(ctx, r.key.name, metav1.GetOptions{})
	if isGone(err) {
		err := r.updateFinalizers(ctx, func(list []string) []string { return without(list, installFinalizer) })
		if isGone(err) {
			return nil
		}
		return err
	}
	if err != nil {
		return err
	}
	if noop, _, _ := unstructured.NestedBool(app.Object, "spec", "noopDelete"); r.spec.NoopDelete && !noop {
		if err := unstructured.SetNestedField(app.Object, true, "spec", "noopDelete"); err != nil {
			return err
		}
		if app, err = apps.Update(ctx, app, metav1.UpdateOptions{FieldManager: managerController}); err != nil {
			return err
		}
	}
	if app.GetDeletionTimestamp() == nil {
		r.status.set(deleting, "")
		if err := apps.Delete(ctx, r.key.name, metav1.DeleteOptions{}); err != nil && !isGone(err) {
			return err
		}
		return r.writeStatus(ctx)
	}
	var status genericStatus
	if err := convert(app.Object["status"], &status); err != nil {
		return err
	}
	r.status.set(deleting, "")
	if status.is(deleteFailed) {
		r.status.UsefulErrorMessage = status.UsefulErrorMessage
		r.status.set(deleteFailed, seeUseful)
	}
	return r.writeStatus(ctx)
}

func (r *installRun) writeStatus(ctx context.Context) error {
	r.status.FriendlyDescription = shorten(r.status.FriendlyDescription)
	return r.c.writeStatus(ctx, installsGVR, r.key, r.status)
}

// blockDeletion adds the finalizer with a full update, as for an App.
func (r *installRun) blockDeletion(ctx context.Context) error {
	if slices.Contains(r.pkgi.GetFinalizers(), installFinalizer) {
		return nil
	}
	return r.updateFinalizers(ctx, func(list []string) []string { return append(without(list, installFinalizer), installFinalizer) })
}

func (r *installRun) updateFinalizers(ctx context.Context, next func([]string) []string) error {
	client := r.c.home.dynamic.Resource(installsGVR).Namespace(r.key.namespace)
	return onConflict(func() error {
		fresh, err := client.Get(ctx, r.key.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		fresh.SetFinalizers(next(fresh.GetFinalizers()))
		if err := normalizeSpec(fresh); err != nil {
			return err
		}
		updated, err := client.Update(ctx, fresh, metav1.UpdateOptions{FieldManager: managerController})
		if err == nil {
			r.pkgi = updated
		}
		return err
	})
}
