package delivery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// notFollowed names a PackageInstall whose App does not install its Package as that is
// now, "" if there is none: a Package that was replaced under the same version
// changes no PackageInstall, so that no status tells when it has been taken up. It takes
// a request for each PackageInstall, so that it is looked at only if the packages
// that the App fetches have changed since the wait began. What the run cluster does not
// let be looked at is passed over.
func (w *appWait) notFollowed(ctx context.Context) (string, error) {
	if changed, err := w.packagesChanged(ctx); err != nil || !changed {
		return "", err
	}
	run := w.apps.Run[w.app.RunCluster]
	for _, e := range w.expected {
		status, app, err := w.watch.install(e)
		if err != nil {
			return "", err
		}
		if status == nil || app == nil || run == nil {
			continue
		}
		name := status.Package + "." + status.Version
		pkg, err := run.Get(ctx, cluster.Ref{Resource: carvel.Packages, Namespace: e.namespace, Name: name})
		var notServed *cluster.NotServedError
		switch {
		case errors.Is(err, cluster.ErrNotFound), apierrors.IsForbidden(err), errors.As(err, &notServed):
			continue
		case err != nil:
			return "", err
		case !app.Installs(pkg):
			return fmt.Sprintf("PackageInstall %s: its App has not taken up Package %s as it is now", e.name, name), nil
		}
	}
	return "", nil
}

// findsMore reports whether an App reads a Secret of the branch, since its package says so,
// that nothing looks at yet: it is followed from the next round on, and no other of the
// branch's Secrets is, which the provider may not be let to see.
func (w *appWait) findsMore() (bool, error) {
	more := false
	for _, e := range w.expected {
		_, app, err := w.watch.install(e)
		if err != nil {
			return false, err
		}
		for _, s := range e.others {
			if app != nil && app.Reads(s.Name) {
				w.named[e.reading(s.Name)], more = true, true
			}
		}
	}
	return more, nil
}

// reading names a Secret that the App of the PackageInstall reads.
func (e expectedInstall) reading(secret string) string { return path.Join(e.namespace, e.name, secret) }

// with has the Secrets among the ones that are read that have been found to be.
func (e expectedInstall) with(named map[string]bool) expectedInstall {
	var others []carvel.DeployedSecret
	for _, s := range e.others {
		if named[e.reading(s.Name)] {
			e.reads = append(slices.Clip(e.reads), s)
			continue
		}
		others = append(others, s)
	}
	e.others = others
	return e
}

// packagesChanged reports whether a directory of packages that the App selects is another
// one at the tip than the App had fetched when the wait began.
func (w *appWait) packagesChanged(ctx context.Context) (bool, error) {
	versions := slices.DeleteFunc(w.apps.selected(w.app.AppSpec, w.before), func(s selected) bool { return s.commit == "" || !s.isVersions() })
	sources, err := w.apps.sources(ctx, versions)
	return err != nil || !upToDate(sources), err
}
