package tfdiag

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// MalformedID is an import id that has not the resource's form.
type MalformedID struct {
	// Resource is its type, such as carvel_app, and Form what its ids look like, such as NAMESPACE/NAME.
	Resource, Form string
	Example, Got   string
}

// Diagnostic says what the id should be.
func (e MalformedID) Diagnostic() diag.Diagnostic {
	return diag.NewErrorDiagnostic("Invalid import id",
		fmt.Sprintf("The import id of %s is %s, for example %s. Got %q.", e.Resource, e.Form, e.Example, e.Got))
}
