package ephemeralkubeconfig

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// noServiceAccount is the warning about a ServiceAccount that no token can be
// requested for, since it is not there.
func noServiceAccount(namespace, name, runCluster string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("service_account_name"),
		fmt.Sprintf("There is no ServiceAccount %s/%s on run cluster %q yet", namespace, name, runCluster),
		"The kubeconfig is unknown until it is there. If this run makes the ServiceAccount, nothing is wrong: refer to the resource that makes it, "+
			"so that the token is requested after it. Otherwise correct namespace and service_account_name.")
}
