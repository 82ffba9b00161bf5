package delivery

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// If versions of packages are looked up.
const (
	FromRepository = "repository"
	FromCluster    = "cluster"
	FromNowhere    = "none"
)

// PackageSource is a place that offers versions of packages.
type PackageSource struct {
	Kind       string // FromRepository or FromCluster
	RunCluster string // of FromCluster
	Namespace  string // of FromCluster
}

// Catalog are the use cases about the packages that there are.
type Catalog struct {
	branch
	clusters
	Layout  repolayout.Layout
	mu      sync.Mutex
	offered map[offerKey]*offer // what clusters offer
}

// PackageList is what a source offers.
type PackageList struct {
	Packages   []carvel.Package
	Unreadable []UnreadablePackage
}

// UnreadablePackage is a file, or an object on a cluster, that holds no Package
// although its place says so.
type UnreadablePackage struct {
	Path string
	Err  error
}

// Packages are the versions of a package that a source offers. If the
// repository has no directory for them it is ErrNotFound.
func (ct *Catalog) Packages(ctx context.Context, from PackageSource, name string) (PackageList, error) {
	if from.Kind == FromCluster {
		return ct.onCluster(ctx, from, name)
	}
	return ct.inRepository(ctx, name, new(int))
}

// AllPackages are the versions of all packages that a source offers.
func (ct *Catalog) AllPackages(ctx context.Context, from PackageSource) (PackageList, error) {
	if from.Kind == FromCluster {
		return ct.onCluster(ctx, from, "")
	}
	var all PackageList
	repository, err := ct.repository()
	if err != nil {
		return all, err
	}
	entries, err := repository.List(ctx, ct.Layout.Root())
	if err != nil && !errors.Is(err, gitops.ErrNotExist) {
		return all, err
	}
	var names, directories []string
	for _, entry := range entries {
		if carvel.ValidatePackageName(entry.Name) == nil && (entry.Dir() || isSymlink(entry)) {
			names, directories = append(names, entry.Name), append(directories, ct.Layout.PackagesDir(entry.Name))
		}
	}
	if err := repository.Prefetch(ctx, directories...); err != nil {
		return all, err
	}
	var bytes int
	for _, name := range names {
		one, err := ct.inRepository(ctx, name, &bytes)
		var link *SymlinkError
		switch {
		case errors.As(err, &link): // of one package, and no reason to have none of the others
			all.Unreadable = append(all.Unreadable, UnreadablePackage{Path: link.Path, Err: link})
			continue
		case err != nil && !errors.Is(err, ErrNotFound):
			return all, err
		}
		all.Packages = append(all.Packages, one.Packages...)
		all.Unreadable = append(all.Unreadable, one.Unreadable...)
	}
	return all, nil
}

// Prefetch brings the files of a package install in together with
// those of its package's versions, if they are in the repository, so that
// reading them costs nothing.
func (ct *Catalog) Prefetch(ctx context.Context, at repolayout.Install, from string) error {
	repository, err := ct.repository()
	if err != nil {
		return err
	}
	var paths []string
	for _, name := range installfiles.AllNames {
		paths = append(paths, ct.Layout.Path(at, name))
	}
	if from == FromRepository {
		paths = append(paths, ct.Layout.PackagesDir(at.Package))
	}
	return repository.Prefetch(ctx, paths...)
}

// PrefetchPackages brings the versions of packages in, so that looking at them costs nothing.
func (ct *Catalog) PrefetchPackages(ctx context.Context, names []string) error {
	repository, err := ct.repository()
	if err != nil || len(names) == 0 {
		return err
	}
	return repository.Prefetch(ctx, ct.packagesDirs(names)...)
}

// Fingerprints has one for each package, which is another one if any file of its versions
// in the repository is. It reads none of them.
func (ct *Catalog) Fingerprints(ctx context.Context, names []string) ([]string, error) {
	repository, err := ct.repository()
	if err != nil || len(names) == 0 {
		return nil, err
	}
	entries, err := repository.Entries(ctx, gitops.Hash{}, ct.packagesDirs(names)...)
	if err != nil {
		return nil, err
	}
	prints := make([]string, len(names))
	for i, entry := range entries {
		prints[i] = base64.RawStdEncoding.EncodeToString(entry.Hash[:8]) // a state has one for each of hundreds
	}
	return prints, nil
}

func (ct *Catalog) packagesDirs(names []string) []string {
	dirs := make([]string, len(names))
	for i, name := range names {
		dirs[i] = ct.Layout.PackagesDir(name)
	}
	return dirs
}

// offerKey is a question to a cluster; name is "" for all packages.
type offerKey struct{ runCluster, namespace, name string }

// offer is the answer, once it is known.
type offer struct {
	once sync.Once
	list PackageList
	err  error
}

// onCluster asks a cluster once for the same: a plan looks for every package
// install at its package, and a cluster that is down is not to be waited for
// every time.
func (ct *Catalog) onCluster(ctx context.Context, from PackageSource, name string) (PackageList, error) {
	key := offerKey{from.RunCluster, from.Namespace, name}
	all := key
	all.name = ""
	ct.mu.Lock()
	if ct.offered == nil {
		ct.offered = map[offerKey]*offer{}
	}
	o := ct.offered[all]
	if o == nil {
		o = ct.offered[key]
	} else {
		key = all
	}
	if o == nil {
		o = &offer{}
		ct.offered[key] = o
	}
	ct.mu.Unlock()
	o.once.Do(func() { o.list, o.err = ct.askCluster(ctx, from, key.name) })
	list := o.list
	if name != "" {
		list.Packages = carvel.OfPackage(name, list.Packages)
	}
	return list, o.err
}

// AskOnce has one question to a cluster answer all that follow about its packages, until
// Forget.
func (ct *Catalog) AskOnce(ctx context.Context, from PackageSource) {
	_, _ = ct.onCluster(ctx, from, "") // whoever asks about a package is told of the error
}

// Forget has the next look at what a cluster offers ask it again; name is "" for all
// packages.
func (ct *Catalog) Forget(from PackageSource, name string) {
	ct.mu.Lock()
	defer ct.mu.Unlock()
	delete(ct.offered, offerKey{from.RunCluster, from.Namespace, name})
	delete(ct.offered, offerKey{from.RunCluster, from.Namespace, ""})
}

func (ct *Catalog) askCluster(ctx context.Context, from PackageSource, name string) (PackageList, error) {
	var list PackageList
	c, err := ct.run(from.RunCluster)
	if err != nil {
		return list, err
	}
	// The controller's API server selects by this field. Another one, which
	// stores Packages as they are, may not.
	var objects []unstructured.Unstructured
	selected := false
	if name != "" {
		objects, selected, err = c.ListWhere(ctx, carvel.Packages, from.Namespace, "spec.refName="+name)
	}
	if err == nil && !selected {
		objects, err = c.List(ctx, carvel.Packages, from.Namespace)
	}
	if err != nil {
		return list, err
	}
	for i := range objects {
		p, err := carvel.ReadPackage(&objects[i])
		if err != nil {
			at := fmt.Sprintf("Package %s/%s on %s", from.Namespace, objects[i].GetName(), c.Name())
			list.Unreadable = append(list.Unreadable, UnreadablePackage{Path: at, Err: err})
		}
		if p != nil && (name == "" || p.Name == name) {
			list.Packages = append(list.Packages, *p)
		}
	}
	return list, nil
}
