package app

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// ModifyPlan shows the App that will be applied, and refuses one that could
// not be.
func (r *app) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		var state model
		resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
		resp.Diagnostics.Append(r.data.PlanDestroy(ctx, noun, title(state), place(state), resp)...)
		return
	}
	defer identity.PlanID(ctx, resp)
	var plan model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(r.data.CheckBuild()...)
	if r.data != nil && len(r.data.Run) > 0 { // without any, the App is judged by itself
		resp.Diagnostics.Append(r.data.CheckRunCluster(plan.RunCluster)...)
	}
	if resp.Diagnostics.HasError() || r.data == nil {
		return
	}
	at := ""
	if !plan.Namespace.IsUnknown() && !plan.Name.IsUnknown() {
		at = place(plan)
	}
	resp.Diagnostics.Append(r.data.PlanClaim(ctx, noun, title(plan), at, title(plan), req, resp)...)
	plan.Object, plan.Secrets = types.StringUnknown(), types.MapUnknown(types.StringType)
	spec, diags := r.plan(ctx, req, &plan)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	var state model
	changes, awaited := true, false
	if req.State.Raw.IsNull() {
		resp.Diagnostics.Append(r.checkLive(ctx, &plan, spec)...)
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("adopted"), plan.Adopted)...)
	} else {
		resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
		awaited, diags = privatestate.Get[bool](ctx, req.Private, awaitedKey)
		resp.Diagnostics.Append(diags...)
		changes = !state.Object.Equal(plan.Object)
		if changes || !state.Secrets.Equal(plan.Secrets) || awaited && plan.Wait.ValueBool() {
			resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("status"), types.ObjectUnknown(statusType))...)
			if state.UID.ValueString() == "" { // its own Secrets alone are left
				resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("uid"), types.StringUnknown())...)
			}
		}
	}
	if (changes || awaited) && !plan.Object.IsUnknown() {
		resp.Diagnostics.Append(r.checkBranch(ctx, plan, spec)...)
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("object"), plan.Object)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("secrets"), plan.Secrets)...)
	creation.PlanUpdate(ctx, req, resp)
}

// plan sets what can be told of the App and of its own Secrets.
func (r *app) plan(ctx context.Context, req resource.ModifyPlanRequest, plan *model) (delivery.App, diag.Diagnostics) {
	var diags diag.Diagnostics
	var secrets []delivery.AppSecret
	if plan.knowsSecrets() {
		secrets, diags = secretsIn(ctx, req.Config, plan.Name.ValueString())
		plan.Secrets = shownSecrets(secrets)
		for _, s := range secrets {
			if !plan.Namespace.IsUnknown() {
				secret := plan.Namespace.ValueString() + "/" + s.Name
				diags.Append(r.data.Claim("Secret", secret, "Secret "+secret, req)...)
			}
		}
	}
	if r.data.Unknown.Git || !tfvalue.Known(req.Plan.Raw, "id", "uid", "object", "secrets", "status", "wait_for_commits", "creation", "adopted") {
		return delivery.App{}, diags
	}
	spec, d := plan.spec(ctx, r.data.Delivery)
	diags.Append(d...)
	spec.Secrets = secrets
	diags.Append(checkCredentials(spec)...)
	var before types.String
	if !req.State.Raw.IsNull() {
		diags.Append(req.State.GetAttribute(ctx, path.Root("object"), &before)...)
	}
	object, err := delivery.PlannedApp(spec, before.ValueString())
	if err != nil {
		diags.Append(tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(*plan), Err: err}.Diagnostic())
	}
	plan.Object = types.StringValue(object)
	return spec, diags
}

// checkBranch refuses a name that a PackageInstall in the repository has, and warns of
// directories that are not there. A repository that cannot be read now may be made by
// the same run.
func (r *app) checkBranch(ctx context.Context, plan model, spec delivery.App) diag.Diagnostics {
	bounded, cancel := context.WithTimeout(ctx, schemas.LookTimeout)
	defer cancel()
	err := r.data.Apps.Check(bounded, spec.AppSpec)
	var clash *delivery.RecordClashError
	if errors.As(err, &clash) {
		return diag.Diagnostics{tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(plan), Err: err}.Diagnostic()}
	}
	var missing []string
	if err == nil && spec.Packages != nil {
		missing, err = r.data.Apps.Missing(bounded, spec)
	}
	if errors.As(err, new(*delivery.SymlinkError)) {
		return diag.Diagnostics{tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(plan), Err: err}.Diagnostic()}
	}
	if err != nil {
		redacted.Warn(ctx, "The repository could not be looked at for the plan; the apply will tell", err)
		return nil
	}
	missing = slices.DeleteFunc(missing, func(dir string) bool { // the same run makes it
		at, ok := r.data.Layout.At(dir)
		return ok && r.data.Planned.Claimed("carvel_package_install "+at.Package+"/"+at.RunCluster)
	})
	if len(missing) > 0 && !spec.CreateDirectories {
		return diag.Diagnostics{missingDirectories(r.data.Location, missing)}
	}
	return nil
}

// checkLive refuses at plan what the build cluster would refuse at apply: an App
// that is already there, or a cluster that knows no Apps. It shows what an
// adoption takes over.
func (r *app) checkLive(ctx context.Context, plan *model, spec delivery.App) diag.Diagnostics {
	if !plan.AdoptExisting.ValueBool() {
		plan.Adopted = types.StringNull()
	}
	if r.data.Unknown.Build || plan.Namespace.IsUnknown() || plan.Name.IsUnknown() {
		return nil
	}
	if plan.Object.IsUnknown() { // nothing else of it is known
		if plan.AdoptExisting.ValueBool() {
			return nil
		}
		spec.Namespace, spec.Name = plan.Namespace.ValueString(), plan.Name.ValueString()
	}
	timeout := schemas.PlanTimeout(ctx, plan.Timeouts)
	if !spec.Adopt {
		timeout = min(timeout, schemas.LookTimeout)
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a, err := r.data.Apps.CheckNew(bounded, spec)
	var exists *delivery.ExistsError
	var notServed *cluster.NotServedError
	var connection *cluster.ConnectionError
	switch {
	case errors.As(err, &exists), errors.As(err, &notServed), errors.As(err, &connection), err != nil && spec.Adopt:
		return diag.Diagnostics{tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(*plan), Err: err}.Diagnostic()}
	case err != nil:
		redacted.Warn(ctx, "The build cluster could not be looked at for the plan; the apply will tell", err)
		return nil
	}
	if spec.Adopt {
		plan.Adopted = creation.Adopted(a)
	}
	return tfdiag.Adopts(noun, title(*plan), a)
}
