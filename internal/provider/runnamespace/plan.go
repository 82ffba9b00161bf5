package runnamespace

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// ModifyPlan shows the objects that will be applied, so that a change that
// someone made to one of them is planned to be put right.
func (r *runNamespace) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		var state model
		resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
		resp.Diagnostics.Append(r.data.PlanDestroy(ctx, noun, state.Name.ValueString(), place(state), resp)...)
		return
	}
	defer identity.PlanID(ctx, resp)
	var plan, config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	at := ""
	if !plan.RunCluster.IsUnknown() && !plan.Name.IsUnknown() {
		at = place(plan)
	}
	id := plan.RunCluster.ValueString() + "/" + plan.Name.ValueString()
	resp.Diagnostics.Append(r.data.PlanClaim(ctx, noun, plan.Name.ValueString(), at, id, req, resp)...)
	resp.Diagnostics.Append(r.data.CheckRunCluster(plan.RunCluster)...)
	if config.ServiceAccountName.IsNull() {
		plan.ServiceAccountName = types.StringUnknown()
		if !plan.Name.IsUnknown() {
			plan.ServiceAccountName = types.StringValue(carvel.DefaultServiceAccount(plan.Name.ValueString()))
		}
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("service_account_name"), plan.ServiceAccountName)...)
	}
	objects := types.MapUnknown(types.StringType)
	if tfvalue.Known(resp.Plan.Raw, "id", "uid", "objects", "creation", "adopted") {
		spec, diags := plan.spec(ctx, r.data.Defaults())
		resp.Diagnostics.Append(diags...)
		var before types.Map
		if !req.State.Raw.IsNull() {
			resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("objects"), &before)...)
		}
		shown, diags := tfvalue.ToStringMap(ctx, before)
		resp.Diagnostics.Append(diags...)
		planned, err := delivery.PlannedObjects(spec, shown)
		if err != nil {
			resp.Diagnostics.AddError("Unable to plan run namespace", err.Error())
			return
		}
		objects = tfvalue.StringMap(planned)
		if r.data != nil && !resp.Diagnostics.HasError() {
			resp.Diagnostics.Append(r.checkRights(ctx, req, objects, spec)...)
			r.planAdoption(ctx, req, resp, plan, spec)
		}
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("objects"), objects)...)
	creation.PlanUpdate(ctx, req, resp)
}

// planAdoption shows what a creation takes over.
func (r *runNamespace) planAdoption(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan model, spec delivery.RunNamespace) {
	if !req.State.Raw.IsNull() {
		return
	}
	var a delivery.Adoption
	if spec.Adopt {
		if !r.data.KnowsRunCluster(spec.Cluster) {
			return // the cluster may be made by the same run
		}
		bounded, cancel := context.WithTimeout(ctx, schemas.PlanTimeout(ctx, plan.Timeouts))
		defer cancel()
		var err error
		if a, err = r.data.Namespaces.CheckNew(bounded, spec); err != nil {
			resp.Diagnostics.Append(tfdiag.Failure{Verb: "plan", Noun: noun, Name: spec.Name, Err: err}.Diagnostic())
			return
		}
		resp.Diagnostics.Append(tfdiag.Adopts(noun, spec.Name, a)...)
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("adopted"), creation.Adopted(a))...)
}

// checkRights refuses at plan what the API server would refuse at apply: to
// grant rights that the applying identity does not hold. A cluster that does
// not answer now leaves it to the apply.
func (r *runNamespace) checkRights(ctx context.Context, req resource.ModifyPlanRequest, objects types.Map, spec delivery.RunNamespace) diag.Diagnostics {
	if !r.data.KnowsRunCluster(spec.Cluster) {
		return nil
	}
	if !req.State.Raw.IsNull() {
		var before types.Map
		diags := req.State.GetAttribute(ctx, path.Root("objects"), &before)
		if diags.HasError() || before.Equal(objects) {
			return diags
		}
	}
	bounded, cancel := context.WithTimeout(ctx, schemas.LookTimeout)
	defer cancel()
	err := r.data.Namespaces.CheckRights(bounded, spec)
	if err == nil {
		err = r.data.Namespaces.CheckInstalls(bounded, spec.Cluster, spec.Name)
	}
	var lacking *delivery.LackingRightsError
	var connection *cluster.ConnectionError
	var notServed *cluster.NotServedError
	switch {
	case errors.As(err, &notServed):
		return diag.Diagnostics{preflight(notServed)}
	case errors.As(err, &lacking), errors.As(err, &connection):
		return diag.Diagnostics{tfdiag.Failure{Verb: "plan", Noun: noun, Name: spec.Name, Err: err}.Diagnostic()}
	case err != nil:
		redacted.Warn(ctx, "The rights could not be looked at for the plan; the apply will tell", err)
	case spec.Existing || spec.Adopt: // nobody else has been in a new namespace
		return r.neighbors(bounded, spec)
	}
	return nil
}

// neighbors warns of ServiceAccounts that the granted rights reach.
func (r *runNamespace) neighbors(ctx context.Context, spec delivery.RunNamespace) diag.Diagnostics {
	found, err := r.data.Namespaces.PrivilegedNeighbors(ctx, spec)
	if err != nil {
		redacted.Warn(ctx, "The other ServiceAccounts of the namespace could not be looked at", err)
		return nil
	}
	if len(found) == 0 {
		return nil
	}
	return diag.Diagnostics{privilegedNeighbors(spec.Name, spec.ServiceAccountName, found)}
}
