package packageinstall

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// ModifyPlan shows the files that will be committed, and refuses to plan what
// could not be: no repository, an unknown run cluster, files of somebody else.
func (r *packageInstall) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		var state model
		resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
		if isOrphaned(state.OnDestroy) {
			resp.Diagnostics.Append(orphaned(noun, title(state), false, state.commits(), []string{state.Path.ValueString()}))
			return
		}
		resp.Diagnostics.Append(r.data.PlanDestroy(ctx, noun, title(state), place(state), resp)...)
		if r.data != nil && !resp.Diagnostics.HasError() {
			resp.Diagnostics.Append(r.keepsOthers(ctx, req.Private, state, nil)...)
		}
		return
	}
	defer identity.PlanID(ctx, resp)
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
	leaves, diags := leavesFiles(ctx, req.State)
	if resp.Diagnostics.Append(diags...); leaves {
		var state model
		resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
		resp.Diagnostics.Append(state.orphanedBy(plan)...)
	}
	plan.setNames(config)
	plan.Path, plan.Files = types.StringUnknown(), types.MapUnknown(types.StringType)
	plan = plan.committed(planned(r.data))
	if !r.data.Unknown.Git && !plan.Package.IsUnknown() && !plan.RunCluster.IsUnknown() {
		r.planFiles(ctx, req, resp, &plan, config.ValuesWO)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	checked := r.planVersion(ctx, req, &plan, config.ValuesWO)
	if !plan.Commit.IsUnknown() {
		checked = alreadyCommitted(checked)
	}
	resp.Diagnostics.Append(checked...)
	resp.Diagnostics.Append(tfvalue.SetPlan(ctx, &resp.Plan, plan)...)
	creation.PlanUpdate(ctx, req, resp)
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

func (r *packageInstall) planFiles(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan *model, writeOnly types.Dynamic) {
	at := install(*plan)
	plan.Path = types.StringValue(r.data.Layout.Dir(at))
	switch err := r.data.Planned.Claim(place(*plan), req.Config.Raw, !req.State.Raw.IsNull()); {
	case errors.Is(err, providerdata.ErrClaimed):
		resp.Diagnostics.Append(sameFiles(r.data.Layout.Dir(at)))
		return
	case errors.Is(err, providerdata.ErrRenamed):
		resp.Diagnostics.Append(tfdiag.ReplacedInPlace(noun, title(*plan)))
		return
	}
	var planned delivery.PackageInstallReceipt
	known, err := isKnown(ctx, writeOnly)
	if err == nil && known && !plan.Name.IsUnknown() && !plan.ValuesSecretName.IsUnknown() &&
		tfvalue.Known(req.Plan.Raw, "id", "name", "values_secret_name", "path", "files", "commit", "pending_commit", "resolved_version", "creation", "adopted") {
		spec, diags := plan.spec(ctx, writeOnly)
		resp.Diagnostics.Append(diags...)
		if diags.HasError() {
			return
		}
		planned, err = r.data.Installs.Plan(spec)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(*plan), Err: err}.Diagnostic())
		return
	}
	switch {
	case req.State.Raw.IsNull():
		r.planNew(ctx, req, resp, plan, planned, !writeOnly.IsNull())
		if planned.Changed() {
			plan.Files = tfvalue.StringMap(planned.Files)
		}
	case planned.Changed():
		r.planChange(ctx, req, resp, plan, planned, !writeOnly.IsNull())
	}
}

// planNew looks for files that are in the way, and shows what becomes of those
// that are adopted. A resource that is replaced is planned as a new one while
// its files are still there, and Terraform deletes them with the private state
// that is planned here.
func (r *packageInstall) planNew(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan *model, planned delivery.PackageInstallReceipt, secret bool) {
	at := install(*plan)
	private, diags := readSeen(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	bounded, cancel := context.WithTimeout(ctx, schemas.PlanTimeout(ctx, plan.Timeouts))
	defer cancel()
	dir := r.data.Layout.Dir(at)
	ours := func(name string, blob installfiles.Blob) bool { return private.Is(dir, name, blob) }
	found, err := r.data.Installs.CheckNew(bounded, at, planned, plan.hold(), ours)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(*plan), Err: err}.Diagnostic())
		return
	}
	plan.Adopted = creation.Adopted(found.Adoption)
	resp.Diagnostics.Append(tfdiag.Adopts(noun, title(*plan), found.Adoption)...)
	before, diags := privatestate.Get[bool](ctx, req.Private, secretKey)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(writeSeen(ctx, resp.Private, private.See(dir, found.Blobs, nil, secret || before))...)
}

// planChange plans a commit if the files that are there say something else
// than those that are wanted. What they say in another form stays as it is.
func (r *packageInstall) planChange(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, plan *model, planned delivery.PackageInstallReceipt, secret bool) {
	at := install(*plan)
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	there, diags := readSeen(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	shown, diags := tfvalue.ToStringMap(ctx, state.Files)
	resp.Diagnostics.Append(diags...)
	dir := r.data.Layout.Dir(at)
	kept, same := there.Kept(dir, planned.Blobs, secret)
	for _, name := range kept {
		file := r.data.Layout.Path(at, name)
		text, isShown := shown[file]
		if same = same && isShown; isShown {
			planned.Files[file] = text
		}
	}
	plan.Files = tfvalue.StringMap(planned.Files)
	resp.Diagnostics.Append(r.dropped(ctx, req, at, planned, shown)...)
	if !same || !state.Path.Equal(plan.Path) {
		resp.Diagnostics.Append(r.keepsOthers(ctx, req.Private, state, kept)...)
		return
	}
	*plan = plan.committed(state.commits())
	blob, hasValues := planned.Blobs[repolayout.ParamsFile]
	// Of a file that says the same in another form, a read notes it.
	if hasValues && there.IsSecret(dir) != secret && there.Is(dir, repolayout.ParamsFile, blob) {
		resp.Diagnostics.Append(writeSeen(ctx, resp.Private, there.SeeSecret(dir, blob, secret))...)
	}
	resp.Diagnostics.Append(privatestate.Change(ctx, resp.Private, secretKey, secret)...)
}

// dropped warns of values in Git that the state does not show, and that the
// configuration does not have.
func (r *packageInstall) dropped(ctx context.Context, req resource.ModifyPlanRequest, at repolayout.Install, planned delivery.PackageInstallReceipt, shown map[string]string) diag.Diagnostics {
	kept, diags := privatestate.Get[bool](ctx, req.Private, secretKey)
	file := r.data.Layout.Path(at, repolayout.ParamsFile)
	_, there := shown[file]
	if both := r.data.Layout.Path(at, repolayout.PackageInstallFile); !there && strings.Contains(shown[both], "kind: Secret") {
		file, there = both, true
	}
	_, stays := planned.Blobs[repolayout.ParamsFile]
	_, encrypted := planned.Blobs[repolayout.EncryptedParamsFile]
	if kept && there && !stays && !encrypted {
		diags.Append(valuesDropped(file))
	}
	return diags
}
