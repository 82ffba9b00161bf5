package packageinstall

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
)

// shownFindings is how many a message lists at most.
const shownFindings = 5

// refusedVersion is the diagnostic of a look at a package's versions that failed, or
// that found none; ok is false for an error that is neither.
func refusedVersion(err error) (d diag.Diagnostic, ok bool) {
	var none *delivery.NoVersionError
	var downgrade *delivery.DowngradeError
	switch {
	case errors.As(err, &none):
		return diag.NewAttributeErrorDiagnostic(path.Root("version_constraint"), "No version of "+none.Package, noVersion(none)), true
	case errors.As(err, &downgrade):
		return diag.NewAttributeErrorDiagnostic(path.Root("version_constraint"), "Downgrade of "+downgrade.Package,
			fmt.Sprintf("The repository installs version %s on %s, and this goes down to %s. The controller refuses that unless it is permitted. "+
				"Set allow_downgrade = true, or choose a version that is not lower. A destroy plans the configuration first: give it the variables of the last apply.", downgrade.From, downgrade.RunCluster, downgrade.To)), true
	}
	return nil, false
}

// alreadyCommitted turns the errors about a package install that the plan does
// not change into warnings: the repository has got ahead of it, which must stop
// neither the changes of otherSource resources nor a destroy.
func alreadyCommitted(diags diag.Diagnostics) diag.Diagnostics {
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

// notLookedUp is the warning about a cluster that cannot be asked for a
// package's versions now.
func notLookedUp(name string, err error) diag.Diagnostic {
	advice := "Neither the version nor the values could be checked."
	if more := tfdiag.Advice(err); more != "" {
		advice += " " + more
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("package_source"), "The versions of "+name+" are not known",
		advice+"\n\nOriginal error: "+err.Error())
}

// heldBack is the warning about a newer version that is a prerelease.
func heldBack(m model, v delivery.PackageVerdict) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("version_constraint"), "A newer version is held back, since it is a prerelease",
		fmt.Sprintf("%s on %s gets version %s. The constraint also takes %s, which is newer, but prereleases are not selected by themselves. "+
			"Set prereleases = {} to have it, or prereleases = { identifiers = [...] } for some of them.", m.Package.ValueString(), m.RunCluster.ValueString(), v.Version, v.HeldBack))
}

// removedVersion is the warning about a version that is installed and is no longer
// offered, so that a lower one is selected.
func removedVersion(m model, now string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("version_constraint"), "A lower version is selected than before",
		fmt.Sprintf("%s on %s had version %s, and now the constraint selects %s. The controller does not go down to it unless allow_downgrade = true is set.",
			m.Package.ValueString(), m.RunCluster.ValueString(), m.ResolvedVersion.ValueString(), now))
}

// ofFinding is the diagnostic about a value that does not fit its schema: an
// error if the deployment would fail over it.
func ofFinding(at path.Path, attribute string, f valuesschema.Finding, v delivery.PackageVerdict, name string) diag.Diagnostic {
	detail := fmt.Sprintf("%s\n\nThis is what the values schema of %s %s says.", f.Message, name, v.Version)
	if v.Enforced {
		return diag.NewAttributeErrorDiagnostic(at, "Invalid "+attribute, detail+" If the schema is wrong, set schema_check = \"warn\" or \"none\".")
	}
	return diag.NewAttributeWarningDiagnostic(at, "Odd "+attribute,
		detail+" Its templates may take it all the same.")
}

// elsewhere is the warning about versions that the values do not fit and that
// the constraint may come to.
func elsewhere(at path.Path, name string, v delivery.PackageVerdict) diag.Diagnostic {
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

// noNamespace refuses to look at a cluster without a namespace.
func noNamespace() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("namespace"), "Missing namespace",
		"With package_source = \"cluster\" the versions are looked up in the PackageInstall's namespace on the run cluster. Set namespace.")
}

// notOneAccount refuses a package install that says twice, or not at all, where and as
// whom it deploys.
func notOneAccount(none bool) diag.Diagnostic {
	said := "Both are set."
	if none {
		said = "None is set."
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("service_account_name"), "Invalid service_account_name",
		"Exactly one of service_account_name and cluster must be set. "+said+" Give the ServiceAccount of the namespace that deploys the package, "+
			"or in cluster the cluster that it is deployed to.")
}

// notInstalled refuses the import of packages that are not there, of which none are named
// if the run cluster has none at all.
func notInstalled(runCluster, branch string, missing []string) diag.Diagnostic {
	what := "No package"
	if len(missing) > 0 {
		what = strings.Join(missing, ", ")
	}
	return diag.NewErrorDiagnostic("Nothing to import", fmt.Sprintf("%s is installed on %s: branch %s has no PACKAGE/%s/packageinstall.yaml for it. "+
		"Correct the import id, or git.path_prefix in the provider configuration.", what, runCluster, branch, runCluster))
}

// invalidValues is the diagnostic of an attribute that does not hold values.
func invalidValues(at path.Path, err error) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Invalid "+at.String(), "The values cannot be used as they are.\n\nProblem: "+err.Error())
}

// valuesDropped is the warning about values in the repository that are removed,
// and that neither the state nor the configuration has.
func valuesDropped(file string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("values"), "The values in "+file+" will be removed",
		"The file holds values, and this configuration gives none. An import takes them into the state only if its id ends in /values, since it cannot tell which of them are to be kept out of it. "+
			"To keep them, give them in values, values_yaml or values_wo.")
}

// ownSecret is the diagnostic of a values Secret that is named as an extra one.
func ownSecret(name string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("extra_values_secrets"), "Invalid extra_values_secrets",
		fmt.Sprintf("%q is the name of the Secret that the values given here are committed in. It would take the place of the one that exists. "+
			"Set values_secret_name to another name, or leave the Secret out.", name))
}

// sameFiles is the diagnostic of two resources that would write the same files.
func sameFiles(directory string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("package"), "Two package installs in "+directory,
		"This configuration has another carvel_package_install with the same package and run_cluster, so that both would write the files in "+directory+
			". A package is installed once on a run cluster. Remove one of them, or give it another package or run_cluster.")
}

// reservedAnnotation is the diagnostic of an annotation that has an attribute of
// its own.
func reservedAnnotation(annotation, attribute string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("annotations").AtMapKey(annotation), "Annotation with an attribute of its own",
		"The annotation "+annotation+" is set by the attribute "+attribute+". Use the attribute, and remove the annotation.")
}

// notImported refuses the import of files that cannot be read: what is in them could
// only be overwritten.
func notImported(name string, err error) diag.Diagnostic {
	return diag.NewErrorDiagnostic("Unable to import package install \""+name+"\"",
		"The files in the repository cannot be read, so that nothing was imported. Correct what is named below, commit it, and import again.\n\nOriginal error: "+err.Error())
}

// othersInFiles refuses a plan that would lose documents of somebody else.
func othersInFiles(dir string, documents []installfiles.Document) diag.Diagnostic {
	return diag.NewErrorDiagnostic("Files in "+dir+" have more in them than the package install",
		"What this would write over, or delete, is not the package install's:\n"+tfdiag.List(documents)+"\n\n"+tfdiag.OthersAdvice)
}

// unreadableFiles is the warning about files in the repository that are not what
// they should be, which the plan will put right.
func unreadableFiles(directory string, err error) diag.Diagnostic {
	return diag.NewWarningDiagnostic("The files in "+directory+" cannot be read",
		"Someone has changed them into something else. The plan shows what will be written instead.\n\nOriginal error: "+err.Error())
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
		tfdiag.WhyNoVersion(e), correct, commit, otherSource(e.Source.Kind), delivery.FromNowhere)
}

func otherSource(source string) string {
	if source == delivery.FromCluster {
		return delivery.FromRepository
	}
	return delivery.FromCluster
}
