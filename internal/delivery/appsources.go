package delivery

import (
	"path"
	"reflect"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// PackageSources are the sources of an App that delivers packages to a run
// cluster: for each its versions, and its directory for the cluster.
func (as *Apps) PackageSources(packages []string, runCluster string) []carvel.Fetch {
	var fetch []carvel.Fetch
	for _, name := range packages {
		for _, dir := range []string{as.Layout.PackagesDir(name), as.Layout.Dir(repolayout.Install{Package: name, RunCluster: runCluster})} {
			fetch = append(fetch, carvel.Fetch{Git: &carvel.GitFetch{SubPath: dir}})
		}
	}
	return fetch
}

// PackagesIn is the reverse of PackageSources for sources that are complete.
// secret is the Secret that all of them name, or "". ok is false for others.
func (as *Apps) PackagesIn(fetch []carvel.Fetch) (packages []string, runCluster, secret string, ok bool) {
	for i := 1; i < len(fetch); i += 2 {
		at := fetch[i].Git
		if at == nil {
			return nil, "", "", false
		}
		name := path.Base(path.Dir(at.SubPath))
		runCluster = path.Base(at.SubPath)
		packages = append(packages, name)
	}
	if len(packages) == 0 || carvel.ValidateRunCluster(runCluster) != nil {
		return nil, "", "", false
	}
	wanted := as.PackageSources(packages, runCluster)
	if ref := fetch[1].Git.SecretRef; ref != nil {
		secret = ref.Name
	}
	for _, f := range wanted {
		as.CompleteGit(f.Git)
	}
	if secret != "" {
		carvel.UseGitSecret(wanted, secret)
	}
	return packages, runCluster, secret, reflect.DeepEqual(wanted, fetch)
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

// sameRepository compares URLs as Git servers do: a slash or .git at the end, or
// who asks, makes no other repository.
func sameRepository(a, b string) bool {
	clean := func(url string) string {
		return strings.TrimSuffix(strings.TrimRight(giturl.Public(url), "/"), ".git")
	}
	return a != "" && clean(a) == clean(b)
}
