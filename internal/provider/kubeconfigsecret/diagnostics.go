package kubeconfigsecret

import (
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

// notPortable are the diagnostics of a kubeconfig that kapp-controller could
// not use, one for each thing that is wrong with it.
func notPortable(at path.Path, err error) diag.Diagnostics {
	const summary = "The kubeconfig cannot be used from the build cluster"
	var diags diag.Diagnostics
	var portability *kubeconfig.PortabilityError
	if !errors.As(err, &portability) {
		diags.AddAttributeError(at, summary, "Problem: "+err.Error())
		return diags
	}
	for _, finding := range portability.Findings {
		reason := ""
		if finding.Dropped {
			reason = tfdiag.DroppedFromKubeconfigs + " "
		}
		diags.AddAttributeError(at, summary, "Problem: "+finding.Text+".\n\n"+reason+"Nothing was written.")
	}
	return diags
}

// expired is the warning about a kubeconfig that has been written, and cannot be used
// any more.
func expired(at path.Path, err *kubeconfig.PortabilityError) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "The kubeconfig can be used no more",
		"Problem: "+err.Text()+".\n\nApps that deploy with it fail. Set another kubeconfig, or have the provider make one with service_account.")
}

// loopbackServer is the warning about an API server's URL that leads the build
// cluster back to itself.
func loopbackServer(at path.Path, server, advice string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "The build cluster cannot reach this API server",
		fmt.Sprintf("The kubeconfig's server is %s. That is the loopback address of whoever uses it, "+
			"so that an App on the build cluster would look for the run cluster in the controller's own container.\n\n%s", server, advice))
}

// tokenLeft is the warning about a token on a run cluster that is not
// configured any more.
func tokenLeft(left *delivery.TokenLeftError) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("A token is left on run cluster %q", left.RunCluster), whereTokenIsLeft(left)+
		fmt.Sprintf("\n\nrun_clusters has no %q any more. If that cluster still exists, delete the Secret there, which revokes the token.", left.RunCluster))
}

// tokenLeftAfter says what a failed operation has left on the run cluster:
// nothing most of the time, which is "".
func tokenLeftAfter(err error) string {
	var left *delivery.TokenLeftError
	if !errors.As(err, &left) {
		return ""
	}
	return whereTokenIsLeft(left) + " Apply or destroy again to have it deleted, or delete the Secret, which revokes the token."
}

// stillFailing are the warnings about Apps that fail after their kubeconfig has changed.
func stillFailing(secret string, apps []delivery.FailedApp) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, a := range apps {
		if a.Name == "" {
			diags.AddWarning(fmt.Sprintf("The Apps that use the kubeconfig secret %q could not be looked at", secret),
				"The Secret was written. Apps that failed before it was wait for their next try.\n\nOriginal error: "+tfdiag.Fit(a.Message))
			continue
		}
		diags.AddWarning(fmt.Sprintf("The App %q does not succeed with the new kubeconfig", a.Namespace+"/"+a.Name),
			fmt.Sprintf("It had failed before the kubeconfig secret %q was written, and has been made to run again. The controller reports:\n%s", secret, tfdiag.Fit(a.Message)))
	}
	return diags
}

func whereTokenIsLeft(left *delivery.TokenLeftError) string {
	return fmt.Sprintf("Secret %s/%s on run cluster %q holds a token that does not expire, and could not be deleted.",
		left.Namespace, left.Name, left.RunCluster)
}
