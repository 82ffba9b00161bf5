package packages

import (
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

// noPackage is the diagnostic of a data source that found no version.
func noPackage(name string, err error) diag.Diagnostic {
	var none *delivery.NoVersionError
	if !errors.As(err, &none) {
		return tfdiag.Failure{Verb: "read", Noun: "package", Name: name, Err: err}.Diagnostic()
	}
	at, advice := path.Root("version_constraint"), "Correct version_constraint"
	if len(none.Available) == 0 {
		at, advice = path.Root("name"), "Correct name"
	}
	if none.Source.Kind == delivery.FromCluster {
		advice += ", or leave run_cluster and namespace out to look into the repository."
	} else {
		advice += ", or set run_cluster and namespace to look at what a run cluster offers."
	}
	return diag.NewAttributeErrorDiagnostic(at, "No version of "+none.Package, tfdiag.WhyNoVersion(none)+"\n\n"+advice)
}
