package tfdiag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
)

// shownVersions is how many a message lists at most.
const shownVersions = 10

// WhyNoVersion tells what there is instead.
func WhyNoVersion(e *delivery.NoVersionError) string {
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

func versions(all []string) string {
	text := strings.Join(all[:min(len(all), shownVersions)], ", ")
	if more := len(all) - shownVersions; more > 0 {
		text += fmt.Sprintf(" and %d older", more)
	}
	return text
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
