package runnamespace

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// ModifyPlan shows the objects that will be applied, so that a change that
// someone made to one of them is planned to be put right.
func (r *runNamespace) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return // destroy
	}
	var plan, config model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.data.CheckRunCluster(plan.RunCluster)...)
	if config.ServiceAccountName.IsNull() {
		plan.ServiceAccountName = types.StringUnknown()
		if !plan.Name.IsUnknown() {
			plan.ServiceAccountName = types.StringValue(carvel.DefaultServiceAccount(plan.Name.ValueString()))
		}
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("service_account_name"), plan.ServiceAccountName)...)
	}
	objects := types.MapUnknown(types.StringType)
	if tfvalue.Known(resp.Plan.Raw, "id", "uid", "objects") {
		spec, diags := plan.spec(ctx)
		resp.Diagnostics.Append(diags...)
		planned, err := delivery.PlannedObjects(spec.RunNamespaceSpec)
		if err != nil {
			resp.Diagnostics.AddError("Unable to plan run namespace", err.Error())
			return
		}
		objects = tfvalue.StringMap(planned)
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("objects"), objects)...)
}
