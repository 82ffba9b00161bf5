package delivery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Where versions of packages are looked up.
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

// Packages are the versions of a package that a source offers. Where the
// repository has no directory for them it is ErrNotFound.
func (d *Delivery) Packages(ctx context.Context, from PackageSource, name string) (PackageList, error) {
	if from.Kind == FromCluster {
		return d.onCluster(ctx, from, name)
	}
	return d.inRepository(ctx, name)
}

// AllPackages are the versions of all packages that a source offers.
func (d *Delivery) AllPackages(ctx context.Context, from PackageSource) (PackageList, error) {
	if from.Kind == FromCluster {
		return d.onCluster(ctx, from, "")
	}
	var all PackageList
	repository, err := d.repository()
	if err != nil {
		return all, err
	}
	entries, err := repository.List(ctx, d.Layout.Root())
	if err != nil && !errors.Is(err, gitops.ErrNotExist) {
		return all, err
	}
	var names, directories []string
	for _, entry := range entries {
		if entry.Dir() && carvel.ValidatePackageName(entry.Name) == nil {
			names, directories = append(names, entry.Name), append(directories, d.Layout.PackagesDir(entry.Name))
		}
	}
	if err := repository.Prefetch(ctx, directories...); err != nil {
		return all, err
	}
	for _, name := range names {
		one, err := d.inRepository(ctx, name)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return all, err
		}
		all.Packages = append(all.Packages, one.Packages...)
		all.Unreadable = append(all.Unreadable, one.Unreadable...)
	}
	return all, nil
}

func (d *Delivery) inRepository(ctx context.Context, name string) (PackageList, error) {
	var list PackageList
	repository, err := d.repository()
	if err != nil {
		return list, err
	}
	dir := d.Layout.PackagesDir(name)
	if err := repository.Prefetch(ctx, dir); err != nil {
		return list, err
	}
	entries, err := repository.List(ctx, dir)
	if errors.Is(err, gitops.ErrNotExist) {
		return list, ErrNotFound
	}
	if err != nil {
		return list, err
	}
	return list, readDirectory(ctx, repository, name, &list, dir, entries)
}

// readDirectory adds the versions of a package that are in a directory and in
// those below, as the App's ytt reads them. What it does not read does not get
// to a cluster.
func readDirectory(ctx context.Context, repository Repository, name string, list *PackageList, dir string, entries []gitops.Entry) error {
	var below []string
	for _, entry := range entries {
		at := path.Join(dir, entry.Name)
		if entry.Dir() {
			below = append(below, at)
		}
		if !isFile(entry) || !slices.Contains([]string{".yaml", ".yml"}, path.Ext(entry.Name)) {
			continue
		}
		file, err := readPackages(ctx, repository, at, entry.Hash)
		if err != nil {
			return err
		}
		list.Packages = append(list.Packages, carvel.OfPackage(name, file.packages)...)
		if file.err != nil {
			list.Unreadable = append(list.Unreadable, UnreadablePackage{Path: at, Err: file.err})
		}
	}
	if len(below) == 0 {
		return nil
	}
	if err := repository.Prefetch(ctx, below...); err != nil {
		return err
	}
	for _, dir := range below {
		entries, err := repository.List(ctx, dir)
		if errors.Is(err, gitops.ErrNotExist) {
			continue // removed since the directory above was read
		}
		if err != nil {
			return err
		}
		if err := readDirectory(ctx, repository, name, list, dir, entries); err != nil {
			return err
		}
	}
	return nil
}

func isFile(entry gitops.Entry) bool { return strings.HasPrefix(entry.Mode, "100") }

// packageFile is a file as it was read.
type packageFile struct {
	packages []carvel.Package
	err      error // about what could not be read of it
}

// maxPackageFiles bounds what is kept of them.
const maxPackageFiles = 4096

// packageFiles are the files that were read in this process, by their content:
// many package installs look at the same few.
var packageFiles = struct {
	sync.Mutex
	byBlob map[gitops.Hash]packageFile
}{byBlob: map[gitops.Hash]packageFile{}}

func readPackages(ctx context.Context, repository Repository, at string, blob gitops.Hash) (packageFile, error) {
	packageFiles.Lock()
	file, ok := packageFiles.byBlob[blob]
	packageFiles.Unlock()
	if ok {
		return file, nil
	}
	content, err := repository.Read(ctx, at)
	if err != nil {
		return packageFile{}, err
	}
	packageFiles.Lock()
	defer packageFiles.Unlock()
	if file, ok := packageFiles.byBlob[content.Blob]; ok {
		return file, nil
	}
	file.packages, file.err = carvel.ReadPackages(content.Data)
	if len(packageFiles.byBlob) >= maxPackageFiles {
		clear(packageFiles.byBlob)
	}
	packageFiles.byBlob[content.Blob] = file
	return file, nil
}

// PrefetchPackageInstall brings the files of a package install in together with
// those of its package's versions, if they are in the repository, so that
// reading them costs nothing.
func (d *Delivery) PrefetchPackageInstall(ctx context.Context, at repolayout.Install, from string) error {
	repository, err := d.repository()
	if err != nil {
		return err
	}
	var paths []string
	for _, name := range repolayout.AllNames {
		paths = append(paths, d.Layout.Path(at, name))
	}
	if from == FromRepository {
		paths = append(paths, d.Layout.PackagesDir(at.Package))
	}
	return repository.Prefetch(ctx, paths...)
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
func (d *Delivery) onCluster(ctx context.Context, from PackageSource, name string) (PackageList, error) {
	d.asked.Lock()
	key := offerKey{from.RunCluster, from.Namespace, name}
	if d.offered == nil {
		d.offered = map[offerKey]*offer{}
	}
	o := d.offered[key]
	if o == nil {
		o = &offer{}
		d.offered[key] = o
	}
	d.asked.Unlock()
	o.once.Do(func() { o.list, o.err = d.askCluster(ctx, from, name) })
	return o.list, o.err
}

// ForgetPackages has the next look at what a cluster offers ask it again.
func (d *Delivery) ForgetPackages(from PackageSource, name string) {
	d.asked.Lock()
	defer d.asked.Unlock()
	delete(d.offered, offerKey{from.RunCluster, from.Namespace, name})
}

func (d *Delivery) askCluster(ctx context.Context, from PackageSource, name string) (PackageList, error) {
	var list PackageList
	c, err := d.run(from.RunCluster)
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
			continue
		}
		if name == "" || p.Name == name {
			list.Packages = append(list.Packages, p)
		}
	}
	return list, nil
}
