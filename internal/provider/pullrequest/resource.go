// Package pullrequest is the resource carvel_pull_request.
package pullrequest

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

var (
	_ resource.ResourceWithConfigure      = (*pullRequest)(nil)
	_ resource.ResourceWithValidateConfig = (*pullRequest)(nil)
	_ resource.ResourceWithModifyPlan     = (*pullRequest)(nil)
	_ resource.ResourceWithImportState    = (*pullRequest)(nil)
)

const noun = "pull request"

// changedKey is whether a read found that the request has to be opened or changed.
const changedKey = "changed"

type pullRequest struct {
	data *providerdata.Data
}

// New makes the resource.
func New() resource.Resource { return &pullRequest{} }

func (r *pullRequest) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_pull_request"
}

func (r *pullRequest) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = providerdata.From(req, resp)
}

// ValidateConfig refuses what says how a merge is made that people make.
func (r *pullRequest) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	if resp.Diagnostics.HasError() || config.AutoMerge.IsUnknown() || config.AutoMerge.ValueBool() {
		return
	}
	for name, value := range map[string]attr.Value{"merge_method": config.MergeMethod, "delete_branch": config.DeleteBranch} {
		if !value.IsNull() && !value.IsUnknown() && !value.Equal(types.BoolValue(false)) {
			resp.Diagnostics.AddAttributeError(path.Root(name), "Invalid "+name, name+" is about the merge that auto_merge asks for. Set auto_merge = true, or leave "+name+" out.")
		}
	}
}

// ModifyPlan tells what the host lacks, and plans the request anew where a read has found that it has to change.
func (r *pullRequest) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	switch {
	case r.data == nil:
		return
	case req.Plan.Raw.IsNull():
		r.planDestroy(ctx, req, resp)
		return
	}
	var plan model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(r.data.CheckGit()...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.data.PlanClaim(ctx, noun, r.data.Location.PushBranch, r.place(), r.data.Location.PushBranch, req, resp)...)
	if !r.data.Unknown.Git {
		proposal, diags := plan.proposal(ctx)
		resp.Diagnostics.Append(diags...)
		if err := r.data.Proposals.CheckProposal(proposal); err != nil {
			resp.Diagnostics.Append(tfdiag.Failure{Verb: "plan", Noun: noun, Name: r.data.Location.PushBranch, Err: err}.Diagnostic())
		}
	}
	if branch := r.data.Location.PushBranch; req.State.Raw.IsNull() && !r.data.Unknown.Git && branch != "" {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("id"), branch)...)
	}
	changed, diags := privatestate.Get[bool](ctx, req.Private, changedKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || req.State.Raw.IsNull() || !changed && req.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	resp.Diagnostics.Append(tfvalue.SetPlan(ctx, &resp.Plan, plan.unknown())...)
}

// planDestroy refuses to close a request that the same plan opens at another address, which is one resource that was renamed.
func (r *pullRequest) planDestroy(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	if !state.isOpen() { // a destroy does nothing
		resp.Diagnostics.Append(creation.PlanDestroy(ctx, resp.Private)...)
		return
	}
	source := state.Source.ValueString()
	resp.Diagnostics.Append(r.data.PlanDestroy(ctx, noun, source, placeOf(source), resp)...)
}

// place is what claims call the request of the provider's push branch; empty: that is not known yet.
func (r *pullRequest) place() string {
	if r.data.Unknown.Git || !r.data.Proposals.Proposed() {
		return ""
	}
	return placeOf(r.data.Location.PushBranch)
}

func placeOf(source string) string { return "carvel_pull_request " + source }

func (r *pullRequest) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	proposal, diags := plan.proposal(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.data.Proposals.Propose(bounded, proposal)
	r.data.Planned.Made(r.place())
	var unfinished *delivery.UnfinishedError
	if err == nil || errors.As(err, &unfinished) {
		resp.Diagnostics.Append(privatestate.Change(ctx, resp.Private, changedKey, err != nil)...)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.found(r.data.Location, done.Request))...)
		resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
	}
	if unfinished != nil { // an error would have the next apply close it and open another one
		resp.Diagnostics.Append(notWhole(unfinished))
		return
	}
	resp.Diagnostics.Append(r.told("create", done, err)...)
}

func (r *pullRequest) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := state.Timeouts.Read(ctx, schemas.ReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || r.data.Unknown.Git {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, changed, err := r.data.Proposals.Look(bounded, state.Number.ValueInt64())
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: r.data.Location.PushBranch, Err: err}.Diagnostic())
		return
	}
	before, diags := privatestate.Get[bool](ctx, req.Private, changedKey)
	resp.Diagnostics.Append(diags...)
	open := request != nil && request.State == forge.Open // an apply may have left it incomplete
	resp.Diagnostics.Append(privatestate.Change(ctx, resp.Private, changedKey, changed || before && open)...)
	resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state.found(r.data.Location, request))...)
}

func (r *pullRequest) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := plan.Timeouts.Update(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	proposal, diags := plan.proposal(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.data.Proposals.Propose(bounded, proposal)
	if err == nil || done.Request != nil {
		resp.Diagnostics.Append(privatestate.Change(ctx, resp.Private, changedKey, err != nil)...)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.found(r.data.Location, done.Request))...)
	}
	resp.Diagnostics.Append(r.told("update", done, err)...)
}

// Delete closes a request that is open, unless the resource is replaced: the create goes on with it. What it was for stays on the push
// branch.
func (r *pullRequest) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	replaced, diags := creation.IsRetried(ctx, req.Private, state.Source.ValueString(), types.StringNull())
	resp.Diagnostics.Append(diags...)
	replaced = replaced && r.data.Location.PushBranch == state.Source.ValueString()
	if resp.Diagnostics.HasError() || !state.isOpen() || replaced {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := r.data.Proposals.Withdraw(bounded, state.Number.ValueInt64()); err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "close", Noun: noun, Name: state.URL.ValueString(), Err: err}.Diagnostic())
	}
}

func (r *pullRequest) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := identity.ImportID(ctx, req)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(r.data.CheckGit()...)
	if resp.Diagnostics.HasError() {
		return
	}
	if id != r.data.Location.PushBranch {
		resp.Diagnostics.AddError("There is no such pull request to import",
			fmt.Sprintf("A pull request is imported by the branch that it merges, which is git.push_branch of the provider configuration, %q. Got %q.", r.data.Location.PushBranch, id))
		return
	}
	for attribute, value := range map[string]any{"id": id, "source": id, "draft": false, "auto_merge": false, "wait": string(delivery.WaitNone), "commits": []string{}} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
}

// notWhole is the warning about a request that is open and not all that it is to be.
func notWhole(err *delivery.UnfinishedError) diag.Diagnostic {
	text := "The request " + err.URL + " is open, and is not yet all that the configuration says. The next apply goes on with it."
	if advice := tfdiag.Advice(err); advice != "" {
		text += "\n\n" + advice
	}
	return diag.NewWarningDiagnostic("The pull request is not complete", tfdiag.Fit(text+"\n\nOriginal error: "+err.Err.Error()))
}

// told are the diagnostics of an apply.
func (r *pullRequest) told(verb string, done delivery.ProposalReceipt, err error) diag.Diagnostics {
	var diags diag.Diagnostics
	switch {
	case err != nil:
		diags.Append(tfdiag.Failure{Verb: verb, Noun: noun, Name: r.data.Location.PushBranch, Err: err}.Diagnostic())
	case done.Unfinished != nil:
		diags.AddWarning("The pull request is not merged yet", tfdiag.Fit(fmt.Sprintf("The wait for %s has ended: %v.\n\n"+
			"The request goes on without Terraform. Apply again after the merge, for what depends on it.", done.Request.URL, done.Unfinished)))
	}
	return diags
}
