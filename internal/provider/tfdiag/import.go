package tfdiag

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// ImportID is the diagnostic of an import id that has not the resource's form.
func ImportID(resource, form, example, got string) diag.Diagnostic {
	return diag.NewErrorDiagnostic("Invalid import id",
		fmt.Sprintf("The import id of %s is %s, for example %s. Got %q.", resource, form, example, got))
}
