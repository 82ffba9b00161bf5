package delivery

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
)

// InstalledPackage is a PackageInstall as its run cluster reports it.
type InstalledPackage struct {
	carvel.InstallStatus
	Health health.Health
}

// WholeClusterError: the identity may not list a cluster's PackageInstalls in
// all namespaces at once.
type WholeClusterError struct {
	Cluster string
	Err     error
}

func (e *WholeClusterError) Error() string {
	return fmt.Sprintf("list the PackageInstalls of all namespaces of %s: %v", e.Cluster, e.Err)
}
func (e *WholeClusterError) Unwrap() error { return e.Err }

// List reads the PackageInstalls of a namespace of a run
// cluster, "" for all, in the order of their names. Their Apps are read too
// if the identity may.
func (is *Installs) List(ctx context.Context, runCluster, namespace string) ([]InstalledPackage, error) {
	c, err := is.run(runCluster)
	if err != nil {
		return nil, err
	}
	installs, err := c.List(ctx, carvel.PackageInstalls, namespace)
	if namespace == "" && apierrors.IsForbidden(err) {
		return nil, &WholeClusterError{Cluster: c.Name(), Err: err}
	}
	if err != nil || len(installs) == 0 {
		return nil, err
	}
	apps, err := installApps(ctx, c, namespace)
	if err != nil {
		return nil, err
	}
	found := make([]InstalledPackage, 0, len(installs))
	for i := range installs {
		status, err := carvel.ReadInstallStatus(&installs[i])
		if err != nil {
			return nil, fmt.Errorf("read %s on %s: %w", refOf(&installs[i]), c.Name(), err)
		}
		var app *carvel.InstallApp
		if apps != nil {
			app = apps[[2]string{status.Namespace, status.Name}]
			if app == nil {
				app = &carvel.InstallApp{} // it is not there yet
			}
		}
		found = append(found, InstalledPackage{InstallStatus: status, Health: health.Install(status, app, 0)})
	}
	slices.SortFunc(found, func(a, b InstalledPackage) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return found, nil
}

// installApps are the Apps of a namespace by namespace and name; nil if the
// identity may not list them.
func installApps(ctx context.Context, c Cluster, namespace string) (map[[2]string]*carvel.InstallApp, error) {
	list, err := c.List(ctx, carvel.Apps, namespace)
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	apps := make(map[[2]string]*carvel.InstallApp, len(list))
	for i := range list {
		app, err := carvel.ReadInstallApp(&list[i])
		if err != nil {
			return nil, fmt.Errorf("read %s on %s: %w", refOf(&list[i]), c.Name(), err)
		}
		apps[[2]string{list[i].GetNamespace(), list[i].GetName()}] = &app
	}
	return apps, nil
}
