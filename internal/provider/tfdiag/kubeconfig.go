package tfdiag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

const dropped = "kapp-controller keeps what is inline in a kubeconfig and drops the rest without a word, so that an App would deploy as nobody."

// NotPortableText is NotPortable in one text, of a function's argument.
func NotPortableText(err error) string {
	var portability *kubeconfig.PortabilityError
	if !errors.As(err, &portability) {
		return err.Error()
	}
	return "The kubeconfig cannot be used from the build cluster: " + strings.Join(portability.Findings, "; ") + ".\n\n" + dropped
}

// NotPortable are the diagnostics of a kubeconfig that kapp-controller could
// not use, one for each thing that is wrong with it.
func NotPortable(at path.Path, err error) diag.Diagnostics {
	const summary = "The kubeconfig cannot be used from the build cluster"
	var diags diag.Diagnostics
	var portability *kubeconfig.PortabilityError
	if !errors.As(err, &portability) {
		diags.AddAttributeError(at, summary, "Problem: "+err.Error())
		return diags
	}
	for _, finding := range portability.Findings {
		diags.AddAttributeError(at, summary, "Problem: "+finding+".\n\n"+
			dropped+" Nothing was written.")
	}
	return diags
}

// LoopbackServer is the warning about an API server's URL that leads the build
// cluster back to itself.
func LoopbackServer(at path.Path, server, advice string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "The build cluster cannot reach this API server",
		fmt.Sprintf("The kubeconfig's server is %s. That is the loopback address of whoever uses it, "+
			"so that an App on the build cluster would look for the run cluster in the controller's own container.\n\n%s", server, advice))
}

// TokenLeft is the warning about a token on a run cluster that is not
// configured any more.
func TokenLeft(left *delivery.TokenLeftError) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("A token is left on run cluster %q", left.RunCluster), tokenLeft(left)+
		fmt.Sprintf("\n\nrun_clusters has no %q any more. If that cluster still exists, delete the Secret there, which revokes the token.", left.RunCluster))
}

// TokenLeftAfter says what a failed operation has left on the run cluster:
// nothing most of the time, which is "".
func TokenLeftAfter(err error) string {
	var left *delivery.TokenLeftError
	if !errors.As(err, &left) {
		return ""
	}
	return tokenLeft(left) + " Apply or destroy again to have it deleted, or delete the Secret, which revokes the token."
}

func tokenLeft(left *delivery.TokenLeftError) string {
	return fmt.Sprintf("Secret %s/%s on run cluster %q holds a token that does not expire, and could not be deleted.",
		left.Namespace, left.Name, left.RunCluster)
}

// StillFailing are the warnings about Apps that fail after their kubeconfig has changed.
func StillFailing(secret string, apps []delivery.FailedApp) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, a := range apps {
		if a.Name == "" {
			diags.AddWarning(fmt.Sprintf("The Apps that use the kubeconfig secret %q could not be looked at", secret),
				"The Secret was written. Apps that failed before it was wait for their next try.\n\nOriginal error: "+fit(a.Message))
			continue
		}
		diags.AddWarning(fmt.Sprintf("The App %q does not succeed with the new kubeconfig", a.Namespace+"/"+a.Name),
			fmt.Sprintf("It had failed before the kubeconfig secret %q was written, and has been made to run again. The controller reports:\n%s", secret, fit(a.Message)))
	}
	return diags
}

// PrivilegedNeighbors is the warning about ServiceAccounts whose rights the one of a run
// namespace can get at.
func PrivilegedNeighbors(namespace, account string, found []string) diag.Diagnostic {
	const most = 20
	if len(found) > most {
		found = append(found[:most:most], fmt.Sprintf("and %d more", len(found)-most))
	}
	return diag.NewWarningDiagnostic(fmt.Sprintf("Other ServiceAccounts of namespace %q have rights of their own", namespace),
		fmt.Sprintf("A delivery needs to write Secrets and workloads in the namespace. Whoever may do that can have Kubernetes make a token for any "+
			"ServiceAccount of the namespace, or run a Pod as it, so that ServiceAccount %q, and whoever has its kubeconfig, can act as these:\n%s\n\n"+
			"Deliver into a namespace of its own, move these ServiceAccounts to another one, or set restrict_service_accounts where they are neither default nor allowed.", account, strings.Join(found, "\n")))
}

// NoServiceAccount is the warning about a ServiceAccount that no token can be
// requested for, since it is not there.
func NoServiceAccount(namespace, name, runCluster string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("service_account_name"),
		fmt.Sprintf("There is no ServiceAccount %s/%s on run cluster %q yet", namespace, name, runCluster),
		"The kubeconfig is unknown until it is there. If this run makes the ServiceAccount, nothing is wrong: refer to the resource that makes it, "+
			"so that the token is requested after it. Otherwise correct namespace and service_account_name.")
}
