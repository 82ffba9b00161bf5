package runnamespace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// namesOf lists the keys of a map for a message.
func namesOf(m map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// preflight is the warning about a run cluster that cannot take what will be
// delivered to it.
func preflight(err *cluster.NotServedError) diag.Diagnostic {
	return diag.NewWarningDiagnostic("kapp-controller is not installed on "+err.Cluster,
		fmt.Sprintf("%s does not know %s, so no package can be delivered to it. Install kapp-controller there before the Apps that deliver to it.", err.Cluster, err.Resource))
}

// privilegedNeighbors is the warning about ServiceAccounts whose rights the one of a run
// namespace can get at.
func privilegedNeighbors(namespace, account string, found []string) diag.Diagnostic {
	const most = 20
	if len(found) > most {
		found = append(found[:most:most], fmt.Sprintf("and %d more", len(found)-most))
	}
	return diag.NewWarningDiagnostic(fmt.Sprintf("Other ServiceAccounts of namespace %q have rights of their own", namespace),
		fmt.Sprintf("A delivery needs to write Secrets and workloads in the namespace. Whoever may do that can have Kubernetes make a token for any "+
			"ServiceAccount of the namespace, or run a Pod as it, so that ServiceAccount %q, and whoever has its kubeconfig, can act as these:\n%s\n\n"+
			"Deliver into a namespace of its own, move these ServiceAccounts to another one, or set restrict_service_accounts where they are neither default nor allowed.", account, strings.Join(found, "\n")))
}
