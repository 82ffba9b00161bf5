package delivery

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// InstalledPackage is a PackageInstall as its run cluster reports it.
type InstalledPackage struct {
	carvel.InstallStatus
	Health health.Health
	// Since is when it became healthy with what it is now.
	Since health.Since
	// ValuesDigest tells its values from others; "" if it has none or they cannot be read.
	ValuesDigest string
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
// if the identity may, and the Secrets that these are made of.
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
	now := time.Now()
	observed := make([]health.Reconciled, len(installs))
	for i := range installs {
		if observed[i], err = observeInstall(&installs[i], apps, now); err != nil {
			return nil, fmt.Errorf("read %s on %s: %w", refOf(&installs[i]), c.Name(), err)
		}
	}
	secrets, err := readSecrets(ctx, c, observed)
	if err != nil {
		return nil, err
	}
	found := make([]InstalledPackage, len(observed))
	group := errgroup.Group{}
	group.SetLimit(runtime.GOMAXPROCS(0)) // a digest takes a moment, and memory
	for i, o := range observed {
		group.Go(func() (err error) {
			found[i], err = installed(o, secrets)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b InstalledPackage) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return found, nil
}

// observeInstall is a PackageInstall and its App. apps is nil if nobody may read them.
func observeInstall(obj *unstructured.Unstructured, apps map[[2]string]*carvel.InstallApp, now time.Time) (health.Reconciled, error) {
	status, err := carvel.ReadInstallStatus(obj)
	o := health.Reconciled{Install: status, Now: now}
	if apps != nil {
		o.App = apps[[2]string{status.Namespace, status.Name}]
		if o.App == nil {
			o.App = &carvel.InstallApp{} // it is not there yet
		}
	}
	return o, err
}

// installed judges what was observed.
func installed(o health.Reconciled, secrets map[cluster.Ref]readSecret) (InstalledPackage, error) {
	p := InstalledPackage{InstallStatus: o.Install, Health: health.Install(o.Install, o.App, 0)}
	if o.App != nil {
		names, _ := o.App.Content()
		for _, name := range names {
			s := secrets[secretOf(o, name)]
			if s.err != nil {
				o.Unread = fmt.Sprintf("Secret %s cannot be read: %v", name, s.err)
			}
			o.Reads = append(o.Reads, health.ObserveSecret(carvel.DeployedSecret{Name: name}, s.live))
		}
	}
	p.Since = health.ReadySince(o)
	var texts [][]byte
	for _, name := range o.Install.Values {
		s := secrets[secretOf(o, name)].live
		if s == nil {
			return p, nil
		}
		for _, key := range slices.Sorted(slices.Values(carvel.SecretKeys(s))) {
			text, _ := carvel.SecretValue(s, key)
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return p, nil
	}
	digest, err := carvel.ValuesDigest(p.Package, texts...)
	p.ValuesDigest = digest
	return p, err
}

func secretOf(o health.Reconciled, name string) cluster.Ref {
	return cluster.Ref{Resource: carvel.Secrets, Namespace: o.Install.Namespace, Name: name}
}

// readSecret is a Secret, nil if it is not there or err tells that it may not be read.
type readSecret struct {
	live *unstructured.Unstructured
	err  error
}

// secretReads is how many Secrets are read at the same time.
const secretReads = 16

// readSecrets reads the Secrets that PackageInstalls take values from and those that their
// Apps are made of, each once and by its name, for which no right to list is needed. One
// that may not be read is no error.
func readSecrets(ctx context.Context, c Cluster, observed []health.Reconciled) (map[cluster.Ref]readSecret, error) {
	refs := map[cluster.Ref]bool{}
	for _, o := range observed {
		names := o.Install.Values
		if o.App != nil {
			content, _ := o.App.Content()
			names = append(content, names...)
		}
		for _, name := range names {
			refs[secretOf(o, name)] = true
		}
	}
	secrets := make(map[cluster.Ref]readSecret, len(refs))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(secretReads)
	for ref := range refs {
		group.Go(func() error {
			live, err := find(ctx, c, ref)
			if err != nil && !apierrors.IsForbidden(err) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			secrets[ref] = readSecret{live, err}
			return nil
		})
	}
	return secrets, group.Wait()
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
