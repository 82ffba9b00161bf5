// Package ephemeralkubeconfig is the ephemeral resource carvel_kubeconfig.
package ephemeralkubeconfig

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

var _ ephemeral.EphemeralResourceWithConfigure = (*kubeconfig)(nil)

const noun = "kubeconfig"

type kubeconfig struct {
	data *providerdata.Data
}

// New makes the ephemeral resource.
func New() ephemeral.EphemeralResource { return &kubeconfig{} }

func (k *kubeconfig) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_kubeconfig"
}

func (k *kubeconfig) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	k.data = providerdata.FromEphemeral(req, resp)
}

// Open requests the token. It is not renewed, since Terraform does not take
// another result, and not revoked, since it may have been written somewhere to
// be used until it expires.
func (k *kubeconfig) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	timeout, diags := m.Timeouts.Open(ctx, schemas.ReadTimeout)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(k.data.CheckRunCluster(m.RunCluster)...)
	account, diags := m.account(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	runCluster := m.RunCluster.ValueString()
	if !k.data.KnowsRunCluster(runCluster) {
		resp.Diagnostics.Append(resp.Result.Set(ctx, m.unknown())...) // the cluster is made by the same run
		return
	}
	if k.data.Kubeconfigs.IsInsecure(runCluster) {
		resp.Diagnostics.Append(tfdiag.InsecureKubeconfig(path.Root("run_cluster"), runCluster))
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	made, err := k.data.Kubeconfigs.Request(bounded, runCluster, account)
	switch {
	case errors.Is(err, cluster.ErrNotFound):
		// A plan is not told from an apply here, nor an account that the same run
		// makes from a wrong name. Terraform opens the resource again at apply.
		resp.Diagnostics.Append(noServiceAccount(account.Namespace, account.Name, runCluster))
		resp.Diagnostics.Append(resp.Result.Set(ctx, m.unknown())...)
	case err != nil:
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "request", Noun: noun, Name: runCluster + "/" + account.Namespace + "/" + account.Name, Err: err}.Diagnostic())
	default:
		resp.Diagnostics.Append(resp.Result.Set(ctx, m.with(made))...)
	}
}
