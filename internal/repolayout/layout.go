// Package repolayout maps the objects of a package install to paths and bytes
// in the GitOps repository, PACKAGE/RUN-CLUSTER/{packageinstall,params,overlays}.yaml,
// and back. It is pure.
package repolayout

import (
	"fmt"
	"path"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// Names of the files in a package's directory for a run cluster.
const (
	PackageInstallFile = "packageinstall.yaml"
	ParamsFile         = "params.yaml"
	OverlaysFile       = "overlays.yaml"
	// EncryptedParamsFile is in the place of ParamsFile if the values are
	// encrypted. SOPS makes params.yaml of it.
	EncryptedParamsFile = "params.sops.yaml"
	// MarkFile says which creation the other files belong to: a Mark. ytt passes
	// it over, as it does any file with no extension that it knows.
	MarkFile = ".terraform-provider-carvel"
	// KeepFile keeps the directory when the others are gone: Git drops an
	// empty one, and the App that fetches it then fails without pruning.
	KeepFile = ".gitkeep"
)

// Layout places packages below a directory of the repository; the empty prefix
// is its root.
type Layout struct {
	prefix string
}

// New makes a Layout. prefix is a relative slash-separated path, with or
// without a slash at its end.
func New(prefix string) (Layout, error) {
	if prefix == "" || prefix == "." {
		return Layout{}, nil
	}
	prefix = strings.TrimSuffix(prefix, "/")
	for segment := range strings.SplitSeq(prefix, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return Layout{}, fmt.Errorf("%q is not a directory inside the repository: write a relative path such as clusters/apps", prefix)
		}
	}
	return Layout{prefix: prefix}, nil
}

// Root is the directory of the packages, "" for the repository's root.
func (l Layout) Root() string { return l.prefix }

// Install is where one package install lives. Package and RunCluster are
// checked names (carvel.ValidatePackageName, carvel.ValidateRunCluster).
type Install struct {
	Package, RunCluster string
}

// Dir is the package install's directory.
func (l Layout) Dir(i Install) string { return path.Join(l.prefix, i.Package, i.RunCluster) }

// PackagesDir is the directory of a package's versions.
func (l Layout) PackagesDir(packageName string) string {
	return path.Join(l.prefix, packageName, carvel.PackagesDir)
}

// Path is the path of one of a package install's files.
func (l Layout) Path(i Install, file string) string { return path.Join(l.Dir(i), file) }

// At is the package install whose directory a path is; ok is false for other paths.
func (l Layout) At(dir string) (i Install, ok bool) {
	below, found := dir, true
	if l.prefix != "" {
		below, found = strings.CutPrefix(dir, l.prefix+"/")
	}
	i.Package, i.RunCluster, ok = strings.Cut(below, "/")
	return i, found && ok && i.RunCluster != carvel.PackagesDir && !strings.Contains(i.RunCluster, "/")
}
