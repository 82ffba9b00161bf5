package kubeconfigsecret

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// ModifyPlan refuses a kubeconfig that the controller could not use, and tells
// from the fingerprint whether the Secret is to be written.
func (r *kubeconfigSecret) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return // destroy
	}
	var plan, config model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(r.data.CheckBuild()...)
	if !plan.ServiceAccount.IsNull() {
		resp.Diagnostics.Append(r.data.CheckRunCluster(plan.RunCluster)...)
	}
	resp.Diagnostics.Append(checkPortable(path.Root("kubeconfig"), config.Kubeconfig)...)
	resp.Diagnostics.Append(checkPortable(path.Root("kubeconfig_wo"), config.KubeconfigWO)...)
	if resp.Diagnostics.HasError() || r.data == nil {
		return
	}
	if config.Name.IsNull() {
		plan.Name = types.StringUnknown()
		if !plan.RunCluster.IsUnknown() {
			plan.Name = types.StringValue(carvel.DefaultKubeconfigSecretName(plan.RunCluster.ValueString()))
		}
	}
	var state *model
	if !req.State.Raw.IsNull() {
		state = &model{}
		resp.Diagnostics.Append(req.State.Get(ctx, state)...)
		if !state.Name.Equal(plan.Name) {
			resp.RequiresReplace = append(resp.RequiresReplace, path.Root("name"))
		}
	}
	known := tfvalue.Known(req.Plan.Raw, "id", "name", "uid", "server", "fingerprint") && !plan.Name.IsUnknown()
	plan.Server, plan.Fingerprint = types.StringUnknown(), types.StringUnknown()
	if known {
		written, diags := getWritten(ctx, req.Private)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(r.planFingerprint(ctx, &plan, state, written)...)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
	}
}

// planFingerprint leaves the fingerprint unknown where the Secret will hold
// something that cannot be told yet. written is the fingerprint of what was
// last written.
func (r *kubeconfigSecret) planFingerprint(ctx context.Context, plan, state *model, written string) diag.Diagnostics {
	spec, diags := plan.spec(ctx)
	if diags.HasError() {
		return diags
	}
	if !plan.Kubeconfig.IsNull() {
		kubeconfig, err := carvel.PortableKubeconfig(spec.Kubeconfig)
		if err != nil {
			diags.Append(tfdiag.Unable("plan", noun, title(*plan), "", err))
			return diags
		}
		plan.Server = types.StringValue(kubeconfig.Server)
		plan.Fingerprint = types.StringValue(delivery.Fingerprint(spec.KubeconfigSecretSpec, kubeconfig.YAML))
		return diags
	}
	if state == nil || !state.Key.Equal(plan.Key) {
		return diags
	}
	keep := func() { plan.Server, plan.Fingerprint = state.Server, state.Fingerprint }
	switch {
	case plan.ServiceAccount.IsNull():
		if plan.KubeconfigWOVersion.Equal(state.KubeconfigWOVersion) && state.Fingerprint.ValueString() == written {
			keep()
		}
	case !r.data.KnowsRunCluster(spec.RunCluster):
		keep()
	default:
		bounded, cancel := context.WithTimeout(ctx, schemas.ReadTimeout)
		defer cancel()
		wanted, err := r.data.WantedFingerprint(bounded, spec)
		if err != nil {
			diags.Append(tfdiag.Unable("plan", noun, title(*plan), "", err))
		}
		if wanted == state.Fingerprint.ValueString() && wanted != "" {
			keep()
		}
	}
	return diags
}

func checkPortable(at path.Path, kubeconfig types.String) diag.Diagnostics {
	var diags diag.Diagnostics
	if kubeconfig.IsNull() || kubeconfig.IsUnknown() {
		return diags
	}
	if _, err := carvel.PortableKubeconfig([]byte(kubeconfig.ValueString())); err != nil {
		diags.Append(tfdiag.NotPortable(at, err))
	}
	return diags
}
