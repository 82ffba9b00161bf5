package tfdiag

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// LongName refuses the name at an attribute from which another object's follows, if that
// would be longer than Kubernetes takes. A name that is too long itself is refused by
// its own validator.
func LongName(at path.Path, given, what, name string) diag.Diagnostics {
	if len(given) > carvel.MaxObjectName || len(name) <= carvel.MaxObjectName {
		return nil
	}
	return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(at, "Invalid "+at.String(), fmt.Sprintf(
		"The %s would have a name of %d characters, %q, and a cluster takes no more than %d. Set a shorter %s.",
		what, len(name), name, carvel.MaxObjectName, at))}
}
