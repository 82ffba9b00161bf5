package tfdiag

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// InvalidValues is the diagnostic of an attribute that does not hold values.
func InvalidValues(at path.Path, err error) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Invalid "+at.String(), "The values cannot be used as they are.\n\nProblem: "+err.Error())
}

// ValuesDropped is the warning about values in the repository that are removed,
// and that neither the state nor the configuration has.
func ValuesDropped(file string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("values"), "The values in "+file+" will be removed",
		"The file holds values, and this configuration gives none. An import does not take them into the state, since it cannot tell which of them are to be kept out of it. "+
			"To keep them, give them in values, values_yaml or values_wo.")
}

// LongSecretName is the diagnostic of a Secret whose name follows from another,
// and is too long by what is added to it.
func LongSecretName(attribute, name string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root(attribute), "Invalid "+attribute,
		fmt.Sprintf("The Secret that is made would have a name of %d characters, %q, and a cluster takes no more than 253. Set a shorter %s.",
			len(name), name, attribute))
}

// OwnSecret is the diagnostic of a values Secret that is named as an extra one.
func OwnSecret(name string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("extra_values_secrets"), "Invalid extra_values_secrets",
		fmt.Sprintf("%q is the name of the Secret that the values given here are committed in. It would take the place of the one that exists. "+
			"Set values_secret_name to another name, or leave the Secret out.", name))
}

// SameFiles is the diagnostic of two resources that would write the same files.
func SameFiles(directory string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("package"), "Two package installs in "+directory,
		"This configuration has another carvel_package_install with the same package and run_cluster, so that both would write the files in "+directory+
			". A package is installed once on a run cluster. Remove one of them, or give it another package or run_cluster.")
}

// ReservedAnnotation is the diagnostic of an annotation that has an attribute of
// its own.
func ReservedAnnotation(annotation, attribute string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("annotations").AtMapKey(annotation), "Annotation with an attribute of its own",
		"The annotation "+annotation+" is set by the attribute "+attribute+". Use the attribute, and remove the annotation.")
}
