package tfdiag

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// ImportID is the diagnostic of an import id that has not the resource's form.
func ImportID(resource, form, example, got string) diag.Diagnostic {
	return diag.NewErrorDiagnostic("Invalid import id",
		fmt.Sprintf("The import id of %s is %s, for example %s. Got %q.", resource, form, example, got))
}

// Names lists the keys of a map for a message.
func Names(m map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// Preflight is the warning about a run cluster that cannot take what will be
// delivered to it.
func Preflight(err *cluster.NotServedError) diag.Diagnostic {
	return diag.NewWarningDiagnostic("kapp-controller is not installed on "+err.Cluster,
		fmt.Sprintf("%s does not know %s, so no package can be delivered to it. Install kapp-controller there before the Apps that deliver to it.", err.Cluster, err.Resource))
}

// Unreadable is the warning about files in the repository that are not what
// they should be, which the plan will put right.
func Unreadable(directory string, err error) diag.Diagnostic {
	return diag.NewWarningDiagnostic("The files in "+directory+" cannot be read",
		"Someone has changed them into something else. The plan shows what will be written instead.\n\nOriginal error: "+err.Error())
}

// NoSuchApp is the diagnostic of an App that is to be read and is not there.
func NoSuchApp(namespace, name string) diag.Diagnostic {
	return diag.NewErrorDiagnostic(fmt.Sprintf("There is no App %s/%s", namespace, name),
		"The build cluster has no App of that name. Correct namespace and name. If the same run makes the App, refer to the attributes of the resource that does, so that it is read after that.")
}
