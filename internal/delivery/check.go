package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

// otherVersions bounds how many of the versions that may be selected instead are
// checked against the values.
const otherVersions = 4

// PackageCheck asks which version a package install gets, and whether its
// values fit.
type PackageCheck struct {
	At             repolayout.Install
	Source         PackageSource
	Selection      version.Selection
	AllowDowngrade bool
	Values         map[string]any // nil: none; carvel.Unknown for what is not known yet
	Partial        bool           // values may come from elsewhere as well
	Installed      string         // the version that is installed, if the branch does not tell
}

// PackageVerdict is the answer.
type PackageVerdict struct {
	Version    string
	HeldBack   string                 // a newer version that is only kept out as a prerelease
	Enforced   bool                   // the findings would fail the deployment
	Findings   []valuesschema.Finding // of the values against the version's schema
	Elsewhere  []Misfit               // versions that may be installed later, newest first
	Unreadable []UnreadablePackage
}

// Misfit is a version that the values do not fit.
type Misfit struct {
	Version  string
	Findings []valuesschema.Finding
}

// NoVersionError: no version of the package is accepted. Its Unwrap is
// ErrNotFound if the repository has no directory for the package.
type NoVersionError struct {
	Package    string
	Where      string // the directory and branch, or the namespace and cluster
	Source     PackageSource
	Constraint string
	Available  []string // newest first
	HeldBack   string   // a version that would be accepted if it were no prerelease
	Err        error
}

func (e *NoVersionError) Error() string {
	return fmt.Sprintf("no version of %s in %s matches %q: %v", e.Package, e.Where, e.Constraint, e.Err)
}
func (e *NoVersionError) Unwrap() error { return e.Err }

// DowngradeError: the package would go to a lower version, which the controller
// refuses.
type DowngradeError struct {
	Package, RunCluster, From, To string
}

func (e *DowngradeError) Error() string {
	return fmt.Sprintf("%s on %s would go from %s down to %s", e.Package, e.RunCluster, e.From, e.To)
}

// FoundPackage is what a selection finds among a package's versions.
type FoundPackage struct {
	carvel.Resolved
	Versions   []string             // all, newest first
	Released   map[string]time.Time // for each of them, as carvel.Releases
	Unreadable []UnreadablePackage
}

// Find looks up the version that a selection gets now. Without one it is
// a *NoVersionError.
func (ct *Catalog) Find(ctx context.Context, from PackageSource, name string, s version.Selection) (FoundPackage, error) {
	list, err := ct.Packages(ctx, from, name)
	found := FoundPackage{Versions: carvel.Versions(list.Packages), Released: carvel.Releases(list.Packages), Unreadable: list.Unreadable}
	if err == nil {
		found.Resolved, err = carvel.Resolve(list.Packages, s)
	}
	return found, ct.noVersion(err, from, name, s, found)
}

// noVersion is a *NoVersionError if err says that no version was found, else
// err.
func (ct *Catalog) noVersion(err error, from PackageSource, name string, s version.Selection, found FoundPackage) error {
	if !errors.As(err, new(*version.NoMatchError)) && !errors.Is(err, ErrNotFound) {
		return err
	}
	none := &NoVersionError{
		Package: name, Source: from, Constraint: s.Constraint, Available: found.Versions, Err: err,
		Where: fmt.Sprintf("%s on branch %s", ct.Layout.PackagesDir(name), ct.Location.Branch),
	}
	if from.Kind == FromCluster {
		none.Where = fmt.Sprintf("namespace %s of run cluster %s", from.Namespace, from.RunCluster)
	}
	if found.HeldBack != nil {
		none.HeldBack = found.HeldBack.Version
	}
	return none
}

// Check answers a PackageCheck. The verdict is as complete as it can be
// beside an error, which is a *NoVersionError, a *DowngradeError, or of the
// engine that was asked.
func (ct *Catalog) Check(ctx context.Context, c PackageCheck) (PackageVerdict, error) {
	r, err := ct.Find(ctx, c.Source, c.At.Package, c.Selection)
	v := PackageVerdict{Unreadable: r.Unreadable}
	if err != nil {
		return v, err
	}
	v.Version, v.Enforced = r.Version, r.Enforced
	v.Findings = r.Check(c.Values, c.Partial)
	if r.HeldBack != nil {
		v.HeldBack = r.HeldBack.Version
	}
	next := r.Next()
	for _, other := range next[:min(len(next), otherVersions)] {
		if findings := other.Check(c.Values, c.Partial); other.Enforced && len(findings) > 0 {
			v.Elsewhere = append(v.Elsewhere, Misfit{Version: other.Version, Findings: findings})
		}
	}
	if c.AllowDowngrade {
		return v, nil
	}
	return v, ct.checkDowngrade(ctx, c, r.Versions, v.Version)
}

// checkDowngrade compares with what the branch installs now: the version that
// the constraint there gets, or got while there was one for it.
func (ct *Catalog) checkDowngrade(ctx context.Context, c PackageCheck, versions []string, selected string) error {
	installed := c.Installed
	repository, err := ct.repository()
	if err != nil {
		return err
	}
	file, err := repository.Read(ctx, ct.Layout.Path(c.At, repolayout.PackageInstallFile))
	if err != nil && !errors.Is(err, gitops.ErrNotExist) {
		return err
	}
	if spec, err := carvel.ReadPackageInstall(file.Data); err == nil { // what cannot be read installs nothing
		if now, err := version.Select(versions, spec.Selection()); err == nil {
			installed = now
		}
	}
	if order, err := version.Compare(selected, installed); err == nil && order < 0 { // nothing installed is not a version
		return &DowngradeError{Package: c.At.Package, RunCluster: c.At.RunCluster, From: installed, To: selected}
	}
	return nil
}
