package kubeconfigsecret

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// ModifyPlan refuses a kubeconfig that the controller could not use, and tells
// from the fingerprint whether the Secret is to be written.
func (r *kubeconfigSecret) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		var state model
		resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
		resp.Diagnostics.Append(r.data.PlanDestroy(ctx, noun, title(state), place(state), resp)...)
		return
	}
	defer identity.PlanID(ctx, resp)
	var plan, config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	resp.Diagnostics.Append(r.data.CheckBuild()...)
	if !plan.ServiceAccount.IsNull() {
		resp.Diagnostics.Append(r.data.CheckRunCluster(plan.RunCluster)...)
		resp.Diagnostics.Append(r.warnInsecure(plan)...)
	}
	var state *model
	var before model
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &before)...)
		state = &before
	}
	resp.Diagnostics.Append(r.checkUsable(path.Root("kubeconfig"), config.Kubeconfig, config.Kubeconfig.Equal(before.Kubeconfig))...)
	resp.Diagnostics.Append(r.checkUsable(path.Root("kubeconfig_wo"), config.KubeconfigWO, config.KubeconfigWOVersion.Equal(before.KubeconfigWOVersion))...)
	if resp.Diagnostics.HasError() || r.data == nil {
		return
	}
	if config.Name.IsNull() {
		plan.Name = types.StringUnknown()
		if !plan.RunCluster.IsUnknown() {
			plan.Name = types.StringValue(carvel.DefaultKubeconfigSecretName(plan.RunCluster.ValueString()))
		}
	}
	at := ""
	if !plan.Namespace.IsUnknown() && !plan.Name.IsUnknown() {
		at = place(plan)
	}
	resp.Diagnostics.Append(r.data.PlanClaim(ctx, noun, title(plan), at, title(plan), req, resp)...)
	if state != nil && !state.Name.Equal(plan.Name) {
		resp.RequiresReplace = append(resp.RequiresReplace, path.Root("name"))
	}
	resp.Diagnostics.Append(plan.planAll(ctx, r.data.Defaults())...)
	known := tfvalue.Known(req.Plan.Raw, "id", "name", "all_labels", "all_annotations", "uid", "server", "fingerprint", "expires_at", "creation", "adopted") && !plan.Name.IsUnknown()
	plan.Server, plan.Fingerprint, plan.ExpiresAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	if config.ServiceAccount.IsNull() {
		plan.ExpiresAt = types.StringNull()
	}
	if known {
		written, diags := privatestate.Get[record](ctx, req.Private, recordKey)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(r.planFingerprint(ctx, &plan, state, written)...)
		resp.Diagnostics.Append(r.warnLoopback(ctx, plan, config)...)
	}
	if at != "" && state == nil {
		resp.Diagnostics.Append(r.planAdoption(ctx, &plan)...)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
	}
	creation.PlanUpdate(ctx, req, resp)
}

// warnInsecure warns of a kubeconfig that is made with the provider's insecure
// = true.
func (r *kubeconfigSecret) warnInsecure(plan model) diag.Diagnostics {
	var diags diag.Diagnostics
	runCluster := plan.RunCluster.ValueString()
	if r.data != nil && !plan.RunCluster.IsUnknown() && r.data.KnowsRunCluster(runCluster) && r.data.Kubeconfigs.IsInsecure(runCluster) {
		diags.Append(tfdiag.InsecureKubeconfig(path.Root("service_account"), runCluster))
	}
	return diags
}

// planAdoption shows what a creation takes over.
func (r *kubeconfigSecret) planAdoption(ctx context.Context, plan *model) diag.Diagnostics {
	if !plan.AdoptExisting.ValueBool() {
		plan.Adopted = types.StringNull()
		return nil
	}
	if r.data.Unknown.Build || plan.Key.IsUnknown() || plan.Type.IsUnknown() || plan.Labels.IsUnknown() || plan.Annotations.IsUnknown() {
		return nil
	}
	account := plan.ServiceAccount
	plan.ServiceAccount = types.ObjectNull(account.AttributeTypes(ctx)) // it says nothing of the Secret
	spec, diags := plan.spec(ctx, r.data.Defaults())
	plan.ServiceAccount = account
	bounded, cancel := context.WithTimeout(ctx, schemas.PlanTimeout(ctx, plan.Timeouts))
	defer cancel()
	a, err := r.data.Kubeconfigs.CheckNew(bounded, spec)
	if err != nil {
		diags.Append(tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(*plan), Err: err}.Diagnostic())
		return diags
	}
	plan.Adopted = creation.Adopted(a)
	diags.Append(tfdiag.Adopts(noun, title(*plan), a)...)
	return diags
}

// planFingerprint leaves the fingerprint unknown if the Secret will hold
// something that cannot be told yet.
func (r *kubeconfigSecret) planFingerprint(ctx context.Context, plan, state *model, written record) diag.Diagnostics {
	spec, diags := plan.spec(ctx, r.data.Defaults())
	if diags.HasError() {
		return diags
	}
	if !plan.Kubeconfig.IsNull() {
		kubeconfig, err := kubeconfig.Portable(spec.Kubeconfig)
		if err != nil {
			diags.Append(tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(*plan), Err: err}.Diagnostic())
			return diags
		}
		plan.Server = types.StringValue(kubeconfig.Server)
		plan.Fingerprint = types.StringValue(delivery.Fingerprint(spec.KubeconfigSecretSpec, kubeconfig.YAML))
		return diags
	}
	a := spec.ServiceAccount
	if a != nil && a.TokenSeconds == 0 {
		plan.ExpiresAt = types.StringNull()
	}
	if state == nil || !state.Key.Equal(plan.Key) || !state.Type.Equal(plan.Type) {
		return diags
	}
	keep := func() {
		plan.Server, plan.Fingerprint, plan.ExpiresAt = state.Server, state.Fingerprint, state.ExpiresAt
	}
	if a == nil {
		if plan.KubeconfigWOVersion.Equal(state.KubeconfigWOVersion) && state.Fingerprint.ValueString() == written.Fingerprint {
			keep()
		}
		return diags
	}
	before, d := serviceAccount(ctx, state.ServiceAccount)
	diags.Append(d...)
	switch {
	case !sameToken(a, before), a.TokenSeconds > 0 && r.outdated(state, written):
	case !r.data.KnowsRunCluster(spec.RunCluster) || r.data.Unknown.Build:
		keep()
	default:
		bounded, cancel := context.WithTimeout(ctx, schemas.PlanTimeout(ctx, plan.Timeouts))
		defer cancel()
		spec.TokenSecret = written.TokenSecret
		wanted, err := r.data.Kubeconfigs.WantedFingerprint(bounded, spec)
		if err != nil {
			diags.Append(tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(*plan), Err: err}.Diagnostic())
		}
		if wanted == state.Fingerprint.ValueString() && wanted != "" {
			keep()
		}
	}
	return diags
}

// outdated reports whether another token must be requested: the one in the Secret
// is not the one that was written, or near its end.
func (r *kubeconfigSecret) outdated(state *model, written record) bool {
	return state.Fingerprint.ValueString() != written.Fingerprint || written.life().RenewalDue(r.now())
}

// checkUsable refuses a kubeconfig that the controller could not use. One that has been
// written before and has expired since is a warning: nothing is written, and others of
// the run are not to wait for it.
func (r *kubeconfigSecret) checkUsable(at path.Path, given types.String, isWritten bool) diag.Diagnostics {
	var diags diag.Diagnostics
	if given.IsNull() || given.IsUnknown() {
		return diags
	}
	if _, err := kubeconfig.Portable([]byte(given.ValueString())); err != nil {
		return notPortable(at, err)
	}
	_, err := kubeconfig.Usable([]byte(given.ValueString()), r.now())
	var portability *kubeconfig.PortabilityError
	switch {
	case err != nil && isWritten && errors.As(err, &portability):
		diags.Append(expired(at, portability))
	case err != nil:
		return notPortable(at, err)
	}
	return diags
}
