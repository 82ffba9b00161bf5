package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
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

// MostFiles is how many files are looked through for PackageInstalls in what an App
// selects, unless that are packages by their names. One fetch brings them all: it keeps 64
// MB of files, so that they may have 32 KB each, and what a delivery consists of has 4 KB
// at most. A directory with more is not the one of a package on a run cluster.
const MostFiles = 2000

// expected are the PackageInstalls in what the App selects of the provider's branch, as
// it is at the tip. Those that are paused, or whose namespace only the controller can
// tell, are left out. If there are too many files to look through it is a
// *ManyFilesError.
func (as *Apps) expected(ctx context.Context, s carvel.AppSpec) ([]expectedInstall, error) {
	all := deployed{left: MostFiles}
	if _, ok := as.PackagesIn(s); ok {
		all.left = math.MaxInt
	}
	look := slices.DeleteFunc(as.selected(s, carvel.AppStatus{}), selected.isVersions)
	if err := as.deployed(ctx, pathsOf(look), &all); err != nil {
		return nil, err
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

// deployed is what was found so far, and how many files may still be looked through.
type deployed struct {
	carvel.Deployed
	left int
}

// deployed reads the YAML files at the paths, and those of directories. All of one depth
// are fetched together.
func (b branch) deployed(ctx context.Context, paths []string, into *deployed) error {
	if len(paths) == 0 {
		return nil
	}
	entries, err := b.Repository.Entries(ctx, gitops.Hash{}, paths...)
	if err != nil {
		return err
	}
	var files, dirs []string
	for i, entry := range entries { // of what is missing the controller will tell
		switch {
		case entry.File():
			files = append(files, paths[i])
		case entry.Dir():
			dirs = append(dirs, paths[i])
		}
	}
	into.left -= len(files)
	for len(files)+len(dirs) > 0 {
		more, below, err := b.inDirectories(ctx, dirs, into)
		if err != nil {
			return err
		}
		if into.left < 0 {
			return &ManyFilesError{Most: MostFiles}
		}
		if err := b.Repository.Prefetch(ctx, slices.Concat(files, dirs)...); err != nil && !isLargeFile(err) {
			return err
		}
		if err := b.readDeployed(ctx, slices.Concat(files, more), into); err != nil {
			return err
		}
		files, dirs = nil, below
	}
	return nil
}

// inDirectories are the YAML files that are directly in directories, and the directories
// there. Those of package versions have no PackageInstalls, and may have many files.
func (b branch) inDirectories(ctx context.Context, dirs []string, into *deployed) (files, below []string, err error) {
	if len(dirs) == 0 {
		return nil, nil, nil
	}
	lists, err := b.Repository.ListAll(ctx, dirs...)
	if err != nil {
		return nil, nil, err
	}
	for i, entries := range lists {
		into.left -= len(entries)
		for _, entry := range entries {
			at := path.Join(dirs[i], entry.Name)
			switch {
			case gitops.CheckName(entry.Name) != nil: // no path leads there
			case entry.Dir() && entry.Name != carvel.PackagesDir:
				below = append(below, at)
			case entry.File() && isYAML(entry.Name):
				files = append(files, at)
			}
		}
	}
	return files, below, nil
}

func isYAML(name string) bool { return slices.Contains([]string{".yaml", ".yml"}, path.Ext(name)) }

func (b branch) readDeployed(ctx context.Context, files []string, into *deployed) error {
	for _, at := range files {
		file, err := b.Repository.Read(ctx, at)
		if tooLarge(err, at) {
			continue // holds no PackageInstall that a cluster takes
		}
		if err != nil {
			return err
		}
		found := carvel.ReadDeployed(file.Data, strings.HasSuffix(strings.TrimSuffix(at, path.Ext(at)), ".sops"))
		into.Installs, into.Secrets = append(into.Installs, found.Installs...), append(into.Secrets, found.Secrets...)
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
