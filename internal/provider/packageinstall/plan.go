package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// ModifyPlan shows the files that will be committed, and refuses to plan what
// could not be: no repository, an unknown run cluster, files of somebody else.
func (r *packageInstall) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return // destroy
	}
	var plan, config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	resp.Diagnostics.Append(r.data.CheckGit()...)
	if r.data != nil && len(r.data.Run) > 0 { // a workspace may configure no cluster and commit alone
		resp.Diagnostics.Append(r.data.CheckRunCluster(plan.RunCluster)...)
	}
	if resp.Diagnostics.HasError() || r.data == nil {
		return
	}
	plan.setNames(config)
	plan.Path, plan.Files = types.StringUnknown(), types.MapUnknown(types.StringType)
	if !r.data.Unknown.Git {
		r.planFiles(ctx, req, resp, &plan)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	plan.Commit = r.planCommit(ctx, req, resp, plan)
	resp.Diagnostics.Append(tfvalue.SetPlan(ctx, &resp.Plan, plan)...)
}

// setNames sets the names that follow from others.
func (m *model) setNames(config model) {
	if config.Name.IsNull() {
		m.Name = types.StringUnknown()
		if !m.Package.IsUnknown() {
			m.Name = types.StringValue(carvel.DefaultInstallName(m.Package.ValueString()))
		}
	}
	if config.ValuesSecretName.IsNull() {
		m.ValuesSecretName = types.StringUnknown()
		if !m.Name.IsUnknown() {
			m.ValuesSecretName = types.StringValue(carvel.DefaultValuesSecretName(m.Name.ValueString()))
		}
	}
}

func (r *packageInstall) planFiles(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan *model) {
	if plan.Package.IsUnknown() || plan.RunCluster.IsUnknown() {
		return
	}
	plan.Path = types.StringValue(r.data.Layout.Dir(install(*plan)))
	var planned delivery.PackageInstallReceipt
	if tfvalue.Known(req.Plan.Raw, "id", "name", "values_secret_name", "path", "files", "commit") &&
		!plan.Name.IsUnknown() && !plan.ValuesSecretName.IsUnknown() {
		spec, diags := plan.spec(ctx)
		resp.Diagnostics.Append(diags...)
		if diags.HasError() {
			return
		}
		var err error
		if planned, err = r.data.PlanPackageInstall(spec); err != nil {
			resp.Diagnostics.Append(tfdiag.Unable("plan", noun, title(*plan), "", err))
			return
		}
		plan.Files = tfvalue.StringMap(planned.Files)
	}
	if req.State.Raw.IsNull() {
		r.planNew(ctx, req, resp, *plan, planned.Blobs)
	}
}

// planNew looks for files that are in the way. A resource that is replaced is
// planned as a new one while its files are still there, and Terraform deletes
// them with the private state that is planned here.
func (r *packageInstall) planNew(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan model, planned delivery.Blobs) {
	private, diags := readSeen(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	before, diags := private.blobs(r.data.Layout, install(plan))
	resp.Diagnostics.Append(diags...)
	bounded, cancel := context.WithTimeout(ctx, schemas.ReadTimeout)
	defer cancel()
	found, err := r.data.FindBlobs(bounded, install(plan))
	if err == nil && !plan.AdoptExisting.ValueBool() {
		err = r.data.CheckNewPackageInstall(bounded, install(plan), found, before, planned)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Unable("plan", noun, title(plan), "", err))
		return
	}
	resp.Diagnostics.Append(private.set(r.data.Layout, install(plan), found).write(ctx, resp.Private)...)
}

// planCommit is unknown where something will be committed. All that the files
// hold shows in files and values.
func (r *packageInstall) planCommit(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan model) types.String {
	if req.State.Raw.IsNull() || plan.Files.IsUnknown() {
		return types.StringUnknown()
	}
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	before, errBefore := state.values()
	after, errAfter := plan.values()
	if errBefore != nil || errAfter != nil || !carvel.EqualValues(before, after) || !state.Files.Equal(plan.Files) {
		return types.StringUnknown()
	}
	return state.Commit
}
