package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// expectedInstall is a PackageInstall that an App deploys.
type expectedInstall struct {
	namespace, name string
	reads           []carvel.DeployedSecret // by its App
	others          []carvel.DeployedSecret // of the branch, which its package may have its App read
	values          []string                // names of Secrets in its spec; nil if they are not known
	extensions      map[string]string       // annotations that the controller acts upon; likewise
}

// mostFiles is how many files are looked through for PackageInstalls. A source
// with more is not the directory of a package on a run cluster.
const mostFiles = 500

// expected are the PackageInstalls in what the App fetches from the provider's
// branch, as it is at the tip. Those that are paused, or whose namespace only
// the controller can tell, are left out. If there are too many files to look
// through it is a *ManyFilesError.
func (as *Apps) expected(ctx context.Context, s carvel.AppSpec) ([]expectedInstall, error) {
	all := deployed{left: mostFiles}
	for _, f := range s.Fetch {
		if f.Git == nil || !as.fromBranch(*f.Git) {
			continue
		}
		if err := as.deployedIn(ctx, carvel.CleanSubPath(f.Git.SubPath), &all); err != nil {
			return nil, err
		}
	}
	if all.left < 0 {
		return nil, &ManyFilesError{Most: mostFiles}
	}
	var installs []expectedInstall
	for _, i := range all.Installs {
		e := expectedInstall{namespace: carvel.DeployedNamespace(s, i.Namespace), name: i.Name}
		if i.Stopped || e.namespace == "" {
			continue
		}
		if s.PassesThrough() {
			e.values, e.extensions = i.Values, i.Extensions
		}
		reads := i.Reads()
		for _, name := range reads {
			secret := carvel.DeployedSecret{Name: name}
			if at := slices.IndexFunc(all.Secrets, func(s carvel.DeployedSecret) bool { return s.Name == name }); at >= 0 && s.PassesThrough() {
				secret = all.Secrets[at]
			}
			e.reads = append(e.reads, secret)
		}
		for _, secret := range all.Secrets {
			if !slices.Contains(reads, secret.Name) {
				if !s.PassesThrough() {
					secret.Data = nil
				}
				e.others = append(e.others, secret)
			}
		}
		installs = append(installs, e)
	}
	slices.SortFunc(installs, func(a, b expectedInstall) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	})
	return installs, nil
}

// ManyFilesError: the directories that an App fetches hold too many files to look
// through for PackageInstalls.
type ManyFilesError struct {
	Most int
}

func (e *ManyFilesError) Error() string {
	return fmt.Sprintf("the directories that the App fetches hold more than %d files", e.Most)
}

// deployed is what was found so far, and how many files may still be looked
// through; less than none if there are too many.
type deployed struct {
	carvel.Deployed
	left int
}

// deployedIn reads the YAML files of a directory. The directories of package
// versions have no PackageInstalls, and may have many files.
func (b branch) deployedIn(ctx context.Context, dir string, into *deployed) error {
	if path.Base(dir) == carvel.PackagesDir || into.left < 0 {
		return nil
	}
	entries, err := b.Repository.List(ctx, dir)
	if errors.Is(err, gitops.ErrNotExist) {
		return nil // the controller will say so
	}
	if into.left -= len(entries); err != nil || into.left < 0 {
		return err
	}
	if err := b.Repository.Prefetch(ctx, dir); err != nil {
		return err
	}
	for _, entry := range entries {
		if gitops.CheckName(entry.Name) != nil {
			continue // no path leads there
		}
		at := path.Join(dir, entry.Name)
		extension := path.Ext(entry.Name)
		switch {
		case entry.Dir():
			err = b.deployedIn(ctx, at, into)
		case entry.File() && (extension == ".yaml" || extension == ".yml"):
			var file gitops.File
			if file, err = b.Repository.Read(ctx, at); err == nil {
				found := carvel.ReadDeployed(file.Data, strings.HasSuffix(strings.TrimSuffix(entry.Name, extension), ".sops"))
				into.Installs, into.Secrets = append(into.Installs, found.Installs...), append(into.Secrets, found.Secrets...)
			}
			if tooLarge(err, at) {
				err = nil // holds no PackageInstall that a cluster takes
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// RecordClashError: the App and a PackageInstall that it deploys have the same
// name and namespace on the run cluster. kapp keeps one record for each name,
// so that they would delete each other's objects.
type RecordClashError struct {
	Namespace, Name string
}

func (e *RecordClashError) Error() string {
	return fmt.Sprintf("the App and the PackageInstall %s/%s that it deploys would share one record of kapp", e.Namespace, e.Name)
}

// Check is a *RecordClashError if the App has the name of a PackageInstall
// that it deploys into the namespace if kapp keeps its records. It is none
// if there are too many files to tell.
func (as *Apps) Check(ctx context.Context, s carvel.AppSpec) error {
	if s.Cluster == nil {
		return nil
	}
	installs, err := as.expected(ctx, s)
	for _, i := range installs {
		if i.namespace == s.Cluster.Namespace && i.name == s.Name {
			return &RecordClashError{Namespace: i.namespace, Name: i.name}
		}
	}
	if errors.As(err, new(*ManyFilesError)) {
		return nil
	}
	return err
}
