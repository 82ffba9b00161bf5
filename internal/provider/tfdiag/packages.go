package tfdiag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
)

// What a message lists at most.
const (
	shownVersions = 10
	shownFindings = 5
)

var constraintAttribute = path.Root("version_constraint")

// Lookup is the diagnostic of a look at a package's versions that failed, or
// that found none; ok is false for an error that is neither.
func Lookup(err error) (d diag.Diagnostic, ok bool) {
	var none *delivery.NoVersionError
	var downgrade *delivery.DowngradeError
	switch {
	case errors.As(err, &none):
		return diag.NewAttributeErrorDiagnostic(constraintAttribute, "No version of "+none.Package, noVersion(none)), true
	case errors.As(err, &downgrade):
		return diag.NewAttributeErrorDiagnostic(constraintAttribute, "Downgrade of "+downgrade.Package,
			fmt.Sprintf("The repository installs version %s on %s, and this goes down to %s. The controller refuses that unless it is permitted. "+
				"Set allow_downgrade = true, or choose a version that is not lower. A destroy plans the configuration first: give it the variables of the last apply.", downgrade.From, downgrade.RunCluster, downgrade.To)), true
	}
	return nil, false
}

// AlreadyCommitted turns the errors about a package install that the plan does
// not change into warnings: the repository has got ahead of it, which must stop
// neither the changes of other resources nor a destroy.
func AlreadyCommitted(diags diag.Diagnostics) diag.Diagnostics {
	out := make(diag.Diagnostics, 0, len(diags))
	for _, d := range diags {
		if d.Severity() != diag.SeverityError {
			out = append(out, d)
			continue
		}
		detail := d.Detail() + "\n\nThe files in the repository say so already, and this plan does not change them, so this is no error here."
		if at, ok := d.(diag.DiagnosticWithPath); ok {
			out = append(out, diag.NewAttributeWarningDiagnostic(at.Path(), d.Summary(), detail))
		} else {
			out = append(out, diag.NewWarningDiagnostic(d.Summary(), detail))
		}
	}
	return out
}

// NoPackage is the diagnostic of a data source that found no version.
func NoPackage(name string, err error) diag.Diagnostic {
	var none *delivery.NoVersionError
	if !errors.As(err, &none) {
		return Unable("read", "package", name, "", err)
	}
	at, advice := constraintAttribute, "Correct version_constraint"
	if len(none.Available) == 0 {
		at, advice = path.Root("name"), "Correct name"
	}
	if none.Source.Kind == delivery.FromCluster {
		advice += ", or leave run_cluster and namespace out to look into the repository."
	} else {
		advice += ", or set run_cluster and namespace to look at what a run cluster offers."
	}
	return diag.NewAttributeErrorDiagnostic(at, "No version of "+none.Package, whyNone(none)+"\n\n"+advice)
}

func noVersion(e *delivery.NoVersionError) string {
	correct, commit := "Correct version_constraint", "commit the Package first"
	switch {
	case e.Source.Kind == delivery.FromCluster:
		commit = "deliver the Package to the cluster first"
	case errors.Is(e.Err, delivery.ErrNotFound):
		commit = "commit its Packages there"
	}
	if len(e.Available) == 0 {
		correct = "Correct package"
	}
	return fmt.Sprintf("%s\n\n%s, or %s. If the versions come from elsewhere, set package_source = %q, or %q to leave the version unchecked.",
		whyNone(e), correct, commit, other(e.Source.Kind), delivery.FromNowhere)
}

// whyNone tells what there is instead.
func whyNone(e *delivery.NoVersionError) string {
	var why string
	switch {
	case errors.Is(e.Err, delivery.ErrNotFound):
		why = fmt.Sprintf("There is no directory %s, where the versions of %s would be.", e.Where, e.Package)
	case len(e.Available) == 0:
		why = fmt.Sprintf("There is no Package of %s in %s.", e.Package, e.Where)
	case e.Constraint == "":
		why = fmt.Sprintf("None of the versions in %s is selected. Available: %s.", e.Where, versions(e.Available))
	default:
		why = fmt.Sprintf("The constraint %q matches none of the versions in %s. Available: %s.", e.Constraint, e.Where, versions(e.Available))
	}
	if e.HeldBack != "" {
		why += fmt.Sprintf("\n\nVersion %s would match, but it is a prerelease. Set prereleases = {} to admit it.", e.HeldBack)
	}
	return why
}

func other(source string) string {
	if source == delivery.FromCluster {
		return delivery.FromRepository
	}
	return delivery.FromCluster
}

func versions(all []string) string {
	text := strings.Join(all[:min(len(all), shownVersions)], ", ")
	if more := len(all) - shownVersions; more > 0 {
		text += fmt.Sprintf(" and %d older", more)
	}
	return text
}

// NotLookedUp is the warning about a cluster that cannot be asked for a
// package's versions now.
func NotLookedUp(name string, err error) diag.Diagnostic {
	advice := "Neither the version nor the values could be checked."
	if e := explain(err); e.advice != "" {
		advice += " " + e.advice
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("package_source"), "The versions of "+name+" are not known",
		advice+"\n\nOriginal error: "+err.Error())
}

// HeldBack is the warning about a newer version that is a prerelease.
func HeldBack(name, runCluster, selected, heldBack string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(constraintAttribute, "A newer version is held back, since it is a prerelease",
		fmt.Sprintf("%s on %s gets version %s. The constraint also takes %s, which is newer, but prereleases are not selected by themselves. "+
			"Set prereleases = {} to have it, or prereleases = { identifiers = [...] } for some of them.", name, runCluster, selected, heldBack))
}

// Removed is the warning about a version that is installed and is no longer
// offered, so that a lower one is selected.
func Removed(name, runCluster, from, to string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(constraintAttribute, "A lower version is selected than before",
		fmt.Sprintf("%s on %s had version %s, and now the constraint selects %s. The controller does not go down to it unless allow_downgrade = true is set.",
			name, runCluster, from, to))
}

// Finding is the diagnostic about a value that does not fit its schema: an
// error where the deployment would fail over it.
func Finding(at path.Path, attribute string, f valuesschema.Finding, v delivery.PackageVerdict, name string) diag.Diagnostic {
	detail := fmt.Sprintf("%s\n\nThis is what the values schema of %s %s says.", f.Message, name, v.Version)
	if v.Enforced {
		return diag.NewAttributeErrorDiagnostic(at, "Invalid "+attribute, detail)
	}
	return diag.NewAttributeWarningDiagnostic(at, "Odd "+attribute,
		detail+" Its templates may take it all the same.")
}

// Elsewhere is the warning about versions that the values do not fit and that
// the constraint may come to.
func Elsewhere(at path.Path, name string, v delivery.PackageVerdict) diag.Diagnostic {
	var b strings.Builder
	fmt.Fprintf(&b, "%s gets version %s, which takes these values. The constraint is a range, and other versions in it do not take them:\n", name, v.Version)
	for _, misfit := range v.Elsewhere {
		fmt.Fprintf(&b, "\n%s:", misfit.Version)
		for _, f := range misfit.Findings[:min(len(misfit.Findings), shownFindings)] {
			fmt.Fprintf(&b, "\n  %s: %s", f.At(), f.Message)
		}
		if more := len(misfit.Findings) - shownFindings; more > 0 {
			fmt.Fprintf(&b, "\n  and %d more", more)
		}
	}
	b.WriteString("\n\nNarrow version_constraint if it must not come to these.")
	return diag.NewAttributeWarningDiagnostic(at, "The values do not fit every version in the range", b.String())
}

// UnreadablePackages is the warning about files that hold no Package.
func UnreadablePackages(unreadable []delivery.UnreadablePackage) diag.Diagnostic {
	lines := make([]string, len(unreadable))
	for i, u := range unreadable {
		lines[i] = u.Path + ": " + u.Err.Error()
	}
	return diag.NewWarningDiagnostic("A Package cannot be read",
		"It was passed over. A version in it can be neither selected nor checked.\n\n"+strings.Join(lines, "\n"))
}

// NoNamespace refuses to look at a cluster without a namespace.
func NoNamespace() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("namespace"), "Missing namespace",
		"With package_source = \"cluster\" the versions are looked up in the PackageInstall's namespace on the run cluster. Set namespace.")
}
