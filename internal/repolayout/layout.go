// Package repolayout maps the objects of a package install to paths and bytes
// in the GitOps repository, PACKAGE/RUN-CLUSTER/{packageinstall,params}.yaml,
// and back. It is pure.
package repolayout

import (
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// Names of the files in a package's directory for a run cluster.
const (
	PackageInstallFile = "packageinstall.yaml"
	ParamsFile         = "params.yaml"
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
		if segment == "" || segment == "." || segment == ".." || strings.EqualFold(segment, ".git") {
			return Layout{}, fmt.Errorf("%q is not a directory inside the repository: write a relative path such as clusters/apps", prefix)
		}
	}
	return Layout{prefix: prefix}, nil
}

// Install is where one package install lives. Package and RunCluster are
// checked names (carvel.ValidatePackageName, carvel.ValidateRunCluster).
type Install struct {
	Package, RunCluster string
}

// Dir is the package install's directory.
func (l Layout) Dir(i Install) string { return path.Join(l.prefix, i.Package, i.RunCluster) }

// PackageInstallPath is the path of the PackageInstall.
func (l Layout) PackageInstallPath(i Install) string { return path.Join(l.Dir(i), PackageInstallFile) }

// ParamsPath is the path of the values Secret.
func (l Layout) ParamsPath(i Install) string { return path.Join(l.Dir(i), ParamsFile) }

// KeepPath is the path of the file that keeps the directory.
func (l Layout) KeepPath(i Install) string { return path.Join(l.Dir(i), KeepFile) }

// PackagesDir is the directory of a package's versions.
func (l Layout) PackagesDir(packageName string) string {
	return path.Join(l.prefix, packageName, carvel.PackagesDir)
}

// Files are the bytes of a package install. Params is nil where there are no
// values.
type Files struct {
	PackageInstall, Params []byte
}

// Render writes a spec as YAML without comments, keys sorted, so that the same
// spec gives the same bytes.
func Render(spec carvel.PackageInstallSpec) (Files, error) {
	var f Files
	var err error
	if f.PackageInstall, err = yaml.Marshal(carvel.PackageInstall(spec).Object); err != nil {
		return Files{}, fmt.Errorf("render the PackageInstall: %w", err)
	}
	secret, err := carvel.ValuesSecret(spec)
	if err != nil || secret == nil {
		return f, err
	}
	if f.Params, err = yaml.Marshal(secret.Object); err != nil {
		return Files{}, fmt.Errorf("render the values Secret: %w", err)
	}
	return f, nil
}

// Parse reads files back, by whomever they were written. Errors name the file
// and never quote a value.
func Parse(f Files) (carvel.PackageInstallSpec, error) {
	spec, err := carvel.ReadPackageInstall(f.PackageInstall)
	if err != nil {
		return spec, fmt.Errorf("%s: %w", PackageInstallFile, err)
	}
	if f.Params == nil {
		return spec, nil
	}
	name, values, err := carvel.ReadValues(f.Params)
	if err != nil {
		return spec, fmt.Errorf("%s: %w", ParamsFile, err)
	}
	spec.ValuesSecretName, spec.Values = name, values
	return spec, nil
}

// Shown are the files as a plan may show them: paths to content, values masked.
func (l Layout) Shown(i Install, f Files) map[string]string {
	shown := map[string]string{l.PackageInstallPath(i): string(f.PackageInstall)}
	if f.Params != nil {
		shown[l.ParamsPath(i)] = carvel.MaskSecret(f.Params)
	}
	return shown
}
