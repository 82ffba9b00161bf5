// Package app is the resource carvel_app.
package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	apitypes "k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

var (
	_ resource.ResourceWithConfigure        = (*app)(nil)
	_ resource.ResourceWithModifyPlan       = (*app)(nil)
	_ resource.ResourceWithImportState      = (*app)(nil)
	_ resource.ResourceWithConfigValidators = (*app)(nil)
	_ resource.ResourceWithValidateConfig   = (*app)(nil)
)

// awaitedKey holds, in the resource's private state, whether an update has been
// written and not been waited for to its end, so that the next apply waits.
const awaitedKey = "awaited"

const noun = "app"

type app struct {
	data *providerdata.Data
}

// New makes the resource.
func New() resource.Resource { return &app{} }

func (r *app) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_app"
}

func (r *app) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = providerdata.From(req, resp)
}

func (r *app) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := plan.spec(ctx, r.data.Delivery)
	resp.Diagnostics.Append(diags...)
	spec.Secrets, diags = secretsIn(ctx, req.Config, spec.Name)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.unmerged(ctx, plan, &spec)...)
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	spec.Progress = progress(ctx, plan)
	done, err := r.data.Apps.Create(bounded, spec)
	r.data.Planned.Made(place(plan))
	resp.Diagnostics.Append(tfdiag.Mutated(noun, title(plan), done.Mutations)...)
	resp.Diagnostics.Append(unseen(done)...)
	if done.Changed() {
		plan.Creation, plan.Adopted = creation.Record(done.Creation, err == nil), creation.Known(plan.Adopted)
		state, diags := plan.with(ctx, done)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state)...)
		resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
		resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, awaitedKey, err != nil)...) // once it is untainted
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "create", Noun: noun, Name: title(plan), Left: exists(done, err, afterCreate), Err: err}.Diagnostic())
	}
}

func (r *app) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := state.Timeouts.Read(ctx, schemas.ReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || r.data.Unknown.Build || r.data.Unknown.Git {
		return
	}
	spec, diags := state.found().spec(ctx, r.data.Delivery)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if written, ok := delivery.ShownMetadata(state.Object.ValueString()); ok {
		spec.Defaults = written // one that is no more is to show
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := r.data.Apps.Read(bounded, spec)
	switch {
	case errors.Is(err, delivery.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case err != nil:
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: title(state), Err: err}.Diagnostic())
	default:
		state, diags := state.with(ctx, found)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state)...)
		resp.Diagnostics.Append(deleting(state, found)...)
		resp.Diagnostics.Append(r.data.Told(noun, title(state), place(state), state.Creation, found.TakenBy)...)
	}
}

func (r *app) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, before model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &before)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := plan.Timeouts.Update(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	awaited, diags := privatestate.Get[bool](ctx, req.Private, awaitedKey)
	resp.Diagnostics.Append(diags...)
	spec, was, diags := r.update(ctx, plan, before, req.Config)
	spec.Kick = spec.Kick || spec.Wait && awaited
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.unmerged(ctx, plan, &spec)...)
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	spec.Progress, spec.Creation = progress(ctx, plan), was.Creation
	done, err := r.data.Apps.Update(bounded, was, spec)
	resp.Diagnostics.Append(tfdiag.Mutated(noun, title(plan), done.Mutations)...)
	resp.Diagnostics.Append(unseen(done)...)
	resp.Diagnostics.Append(tfdiag.Left(done.Left)...)
	if done.Undone {
		before.Creation = creation.Recorded(done.Creation, before.Creation, false)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, before)...)
		resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, awaitedKey, true)...)
	} else if done.Changed() {
		plan.Creation = creation.Recorded(done.Creation, before.Creation, err == nil)
		state, diags := plan.with(ctx, done)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state)...)
		resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, awaitedKey, err != nil)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "update", Noun: noun, Name: title(plan), Left: exists(done, err, afterUpdate), Err: err}.Diagnostic())
	}
}

func (r *app) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := state.identity(ctx)
	resp.Diagnostics.Append(diags...)
	spec.Retried, diags = creation.IsRetried(ctx, req.Private, state.ID.ValueString(), state.Creation)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	left, err := r.data.Apps.Delete(bounded, spec, apitypes.UID(state.UID.ValueString()))
	resp.Diagnostics.Append(tfdiag.Left(left)...)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "delete", Noun: noun, Name: title(state), Err: err}.Diagnostic())
	}
}

// update is the App as it is to be and as it was.
func (r *app) update(ctx context.Context, plan, before model, config tfsdk.Config) (spec, was delivery.App, diags diag.Diagnostics) {
	spec, diags = plan.spec(ctx, r.data.Delivery)
	was, d := before.identity(ctx)
	diags.Append(d...)
	rotates, d := plan.rotates(ctx, before)
	diags.Append(d...)
	if spec.Secrets, d = secretsIn(ctx, config, spec.Name); !rotates && !plan.relabels(before) {
		for i := range spec.Secrets {
			spec.Secrets[i].Data = nil
		}
	}
	diags.Append(d...)
	spec.Kick = spec.Wait && (rotates || !plan.WaitForCommits.Equal(before.WaitForCommits))
	return spec, was, diags
}

// unmerged warns of what the App delivers and is not on the branch that it fetches, and keeps an apply from waiting for an App that can
// only fail until it is.
func (r *app) unmerged(ctx context.Context, plan model, spec *delivery.App) diag.Diagnostics {
	n := 0
	for _, commit := range plan.WaitForCommits.Elements() {
		if commit.IsNull() {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	where := "the merge of " + r.data.Location.PushBranch
	if request := r.data.Proposals.Open(); request != nil {
		where = request.URL
	}
	text := fmt.Sprintf("The App %s fetches branch %s, and %d of its wait_for_commits are null: what they stand for waits for %s. Apply again after the merge, and the App is made to fetch that. ",
		title(plan), r.data.Location.Branch, n, where)
	missing, err := r.data.Apps.Missing(ctx, *spec)
	if err == nil && len(missing) > 0 {
		spec.Wait = false
		text += "Until then it is not waited for: the branch does not have " + tfdiag.Some(missing) + "."
	} else {
		text += "Until then it is waited for as the branch is now."
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("Not all that the App delivers is merged", text)}
}

// progress logs what the wait is waiting for, when that changes.
func progress(ctx context.Context, m model) func(string) {
	return func(reason string) {
		redacted.Info(ctx, "Waiting for App "+title(m)+": "+reason)
	}
}

// place is what claims call the App.
func place(m model) string { return "carvel_app " + title(m) }

func title(m model) string { return m.Namespace.ValueString() + "/" + m.Name.ValueString() }
