package delivery

import (
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Packages are what an App delivers to a run cluster from the provider's repository: of
// each its versions, and its directory for the cluster.
type Packages struct {
	Names      []string
	RunCluster string
	// PerPackage has the App fetch each of the directories by itself, and not the
	// repository once.
	PerPackage bool
}

// Paths are their directories below the directory of all packages, in an order that is
// not that of the names.
func (p Packages) Paths() []string {
	var paths []string
	for _, name := range slices.Sorted(slices.Values(p.Names)) {
		paths = append(paths, p.directories(repolayout.Layout{}, name)...)
	}
	return paths
}

func (p Packages) directories(layout repolayout.Layout, name string) []string {
	return []string{layout.PackagesDir(name), layout.Dir(repolayout.Install{Package: name, RunCluster: p.RunCluster})}
}

// PackageSources are the sources of an App that delivers packages: the directory of all
// packages, of which its steps select Paths, or each directory of its own.
func (as *Apps) PackageSources(p Packages) []carvel.Fetch {
	if !p.PerPackage {
		return []carvel.Fetch{{Git: &carvel.GitFetch{SubPath: as.Layout.Root()}}}
	}
	var fetch []carvel.Fetch
	for _, name := range p.Names {
		for _, dir := range p.directories(as.Layout, name) {
			fetch = append(fetch, carvel.Fetch{Git: &carvel.GitFetch{SubPath: dir}})
		}
	}
	return fetch
}

// DeliveredPackages are those of an App, as PackageSources and carvel.SelectPaths write
// them.
type DeliveredPackages struct {
	Packages
	Secret   string            // that all sources name, or ""
	Template []carvel.Template // the steps, without the paths that they select
}

// PackagesIn is the reverse of PackageSources for sources that are complete. ok is false
// for others.
func (as *Apps) PackagesIn(s carvel.AppSpec) (d DeliveredPackages, ok bool) {
	var dirs []string
	if d.Template, dirs = carvel.SelectedPaths(s.Template); len(s.Fetch) > 1 {
		d.PerPackage, d.Template, dirs = true, s.Template, nil
		for _, f := range s.Fetch {
			if f.Git == nil {
				return d, false
			}
			dirs = append(dirs, f.Git.SubPath)
		}
	}
	for i := 1; i < len(dirs); i += 2 {
		d.RunCluster = path.Base(dirs[i])
		d.Names = append(d.Names, path.Base(path.Dir(dirs[i])))
	}
	invalid := func(name string) bool { return carvel.ValidatePackageName(name) != nil }
	if len(d.Names) == 0 || slices.ContainsFunc(d.Names, invalid) || carvel.ValidateRunCluster(d.RunCluster) != nil || s.Fetch[0].Git == nil {
		return d, false
	}
	if ref := s.Fetch[0].Git.SecretRef; ref != nil {
		d.Secret = ref.Name
	}
	wanted := as.PackageSources(d.Packages)
	for _, f := range wanted {
		as.CompleteGit(f.Git)
	}
	if d.Secret != "" {
		carvel.UseGitSecret(wanted, d.Secret)
	}
	template, fits := d.Template, true
	if !d.PerPackage {
		template, _, fits = carvel.SelectPaths(d.Template, d.Paths())
	}
	return d, fits && reflect.DeepEqual(wanted, s.Fetch) && reflect.DeepEqual(template, s.Template)
}

// CompleteGit fills in what a Git source leaves out: the provider's repository,
// and its branch if the source is of that repository. It returns the fields
// that there is nothing for.
func (as *Apps) CompleteGit(g *carvel.GitFetch) (missing []string) {
	if g.URL == "" {
		g.URL = as.Location.URL
	}
	if g.Ref == "" && g.RefSelection == nil && sameRepository(g.URL, as.Location.URL) && as.Location.Branch != "" {
		g.Ref = originRef(as.Location.Branch)
	}
	if g.URL == "" {
		missing = append(missing, "url")
	}
	if g.Ref == "" && g.RefSelection == nil {
		missing = append(missing, "ref")
	}
	return missing
}

// ReduceGit is the reverse of CompleteGit.
func (as *Apps) ReduceGit(g *carvel.GitFetch) {
	if as.Location.URL == "" || !sameRepository(g.URL, as.Location.URL) {
		return
	}
	if g.Ref == originRef(as.Location.Branch) {
		g.Ref = ""
	}
	if g.URL == as.Location.URL {
		g.URL = ""
	}
}

func originRef(branch string) string { return "origin/" + branch }

// sameRepository compares URLs as Git servers do: a slash or .git at the end, who asks,
// or a character that is written with a percent sign makes no other repository.
func sameRepository(a, b string) bool {
	clean := func(url string) string {
		return strings.TrimSuffix(strings.TrimRight(giturl.Normal(giturl.Public(url)), "/"), ".git")
	}
	return a != "" && clean(a) == clean(b)
}
