package kubeconfigsecret

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// warnLoopback warns of a kubeconfig whose server the build cluster would look
// for in itself. If the build cluster is on this machine as well, the two
// may well reach each other.
func (r *kubeconfigSecret) warnLoopback(ctx context.Context, plan, config model) diag.Diagnostics {
	var diags diag.Diagnostics
	if r.data.Build == nil {
		return diags
	}
	build, err := r.data.Build.Endpoint()
	if err != nil || kubeconfig.IsLoopback(build.Server) {
		return diags // what needs the build cluster says why it cannot be used
	}
	at, server, advice := r.plannedServer(ctx, plan, config)
	if kubeconfig.IsLoopback(server) {
		diags.Append(loopbackServer(at, server, advice))
	}
	return diags
}

// plannedServer is the API server's URL that the kubeconfig will have, "" if
// it cannot be told, and how to change it.
func (r *kubeconfigSecret) plannedServer(ctx context.Context, plan, config model) (at path.Path, server, advice string) {
	if account, _ := serviceAccount(ctx, plan.ServiceAccount); account != nil {
		server, err := r.data.Kubeconfigs.ServerOf(plan.RunCluster.ValueString(), *account)
		if err != nil {
			return path.Empty(), "", ""
		}
		return path.Root("service_account"), server, "Set service_account.server to the URL by which the build cluster reaches the run cluster."
	}
	for at, text := range map[string]types.String{"kubeconfig": config.Kubeconfig, "kubeconfig_wo": config.KubeconfigWO} {
		if text.IsNull() || text.IsUnknown() {
			continue
		}
		if kubeconfig, err := kubeconfig.Portable([]byte(text.ValueString())); err == nil {
			return path.Root(at), kubeconfig.Server, "Set the cluster's server in the kubeconfig to the URL by which the build cluster reaches the run cluster."
		}
	}
	return path.Empty(), "", ""
}
