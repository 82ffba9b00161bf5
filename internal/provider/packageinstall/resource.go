// Package packageinstall is the resource carvel_package_install.
package packageinstall

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
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

var (
	_ resource.ResourceWithConfigure      = (*packageInstall)(nil)
	_ resource.ResourceWithValidateConfig = (*packageInstall)(nil)
	_ resource.ResourceWithModifyPlan     = (*packageInstall)(nil)
	_ resource.ResourceWithImportState    = (*packageInstall)(nil)
)

const noun = "package install"

type packageInstall struct {
	data *providerdata.Data
}

// New makes the resource.
func New() resource.Resource { return &packageInstall{} }

func (r *packageInstall) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_package_install"
}

func (r *packageInstall) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = providerdata.From(req, resp)
}

func (r *packageInstall) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := withSource(ctx, plan, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if resp.Diagnostics.Append(r.checkApply(bounded, &plan, req.Config)...); resp.Diagnostics.HasError() {
		return
	}
	done, err := r.data.Installs.Create(bounded, spec)
	r.data.Planned.Made(place(plan))
	if done.Changed() {
		plan.Creation, plan.Adopted = creation.Record(done.Creation, true), creation.Known(plan.Adopted)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.with(r.data.Layout.Dir(spec.At()), done))...)
		resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
		resp.Diagnostics.Append(r.recordSeen(ctx, resp.Private, spec.At(), done, spec.WriteOnlyValues)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "create", Noun: noun, Name: title(plan), Err: err}.Diagnostic())
	}
}

func (r *packageInstall) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := state.Timeouts.Read(ctx, schemas.ReadTimeout)
	resp.Diagnostics.Append(diags...)
	before, diags := readSeen(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	secret, diags := privatestate.Get[bool](ctx, req.Private, secretKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || r.data.Unknown.Git {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	at := install(state)
	if err := r.prefetch(bounded, state); err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: title(state), Err: err}.Diagnostic())
		return
	}
	imported := state.Creation.IsNull() && state.Commit.IsNull() && state.PendingCommit.IsNull()
	found, receipt, err := r.read(bounded, at, before, imported)
	if err == nil {
		state, err = state.read(ctx, found, secret, r.data.Defaults())
	}
	var unreadable *delivery.UnreadableError
	switch {
	case errors.Is(err, delivery.ErrNotFound):
		err := r.missing(bounded, at, state, imported)
		var removal commits
		if err == nil {
			removal, err = state.commits().read(bounded, r.data, false, at)
		}
		switch {
		case err != nil:
			resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: title(state), Err: err}.Diagnostic())
		case removal.waits():
			state = state.committed(removal)
			state.Files = tfvalue.StringMap(map[string]string{})
			resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state)...)
			resp.Diagnostics.Append(r.recordSeen(ctx, resp.Private, at, delivery.PackageInstallReceipt{}, false)...)
			resp.Diagnostics.Append(removalWaits(title(state)))
		default:
			resp.State.RemoveResource(ctx)
		}
		return
	case errors.As(err, &unreadable) && imported:
		resp.Diagnostics.Append(notImported(title(state), unreadable))
		return
	case errors.As(err, &unreadable):
		resp.Diagnostics.Append(unreadableFiles(r.data.Layout.Dir(at), unreadable))
	case err != nil:
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: title(state), Err: err}.Diagnostic())
		return
	}
	if imported {
		state.Creation = creation.Imported(receipt.Mark.Creation)
	}
	// An update of this resource that was interrupted may have written them.
	renewed := (!state.Commit.IsNull() || !state.PendingCommit.IsNull()) && receipt.AsWritten && before.Others(r.data.Layout.Dir(at), receipt.Blobs)
	stand, err := state.commits().read(bounded, r.data, renewed, at)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: title(state), Err: err}.Diagnostic())
		return
	}
	state = state.committed(stand)
	if by, lost := r.data.Installs.Lost(at, receipt.Mark, state.hold()); lost {
		delete(receipt.Blobs, repolayout.MarkFile) // what is seen may be overwritten
		resp.Diagnostics.Append(tfdiag.Taken(noun, title(state), by.Describe()))
	}
	state.Path, state.Files = types.StringValue(r.data.Layout.Dir(at)), tfvalue.StringMap(receipt.Files)
	state, diags = r.readVersion(bounded, state)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state)...)
	resp.Diagnostics.Append(r.recordSeen(ctx, resp.Private, at, receipt, secret)...)
	resp.Diagnostics.Append(writeOthers(ctx, resp.Private, others{}.with(at.Package, receipt.Foreign))...)
}

// read reads the files that were seen, or that are imported.
func (r *packageInstall) read(ctx context.Context, at repolayout.Install, before installfiles.Seen, imported bool) (delivery.PackageInstall, delivery.PackageInstallReceipt, error) {
	if imported {
		return r.data.Installs.ReadNew(ctx, at)
	}
	return r.data.Installs.Read(ctx, at, before.Names(r.data.Layout.Dir(at))...)
}

// missing explains why there are no files, nil if they are gone.
func (r *packageInstall) missing(ctx context.Context, at repolayout.Install, state model, imported bool) error {
	err := r.data.Installs.CheckMoved(ctx, at, state.Path.ValueString())
	if err == nil && imported {
		err = r.data.Installs.CheckMissing(ctx, at)
	}
	return err
}

func (r *packageInstall) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := plan.Timeouts.Update(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := withSource(ctx, plan, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	checked := r.checkApply(ctx, &plan, req.Config)
	if plan.Commit.IsUnknown() {
		resp.Diagnostics.Append(checked...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	spec.Creation = state.hold().Creation
	if !plan.Commit.IsUnknown() { // no file changes, so the plan showed no commit
		plan.Creation = state.Creation
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan)...)
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var done delivery.PackageInstallReceipt
	before, err := r.before(bounded, req.Private, spec.At())
	if err == nil {
		done, err = r.data.Installs.Update(bounded, spec, before)
	}
	if done.Changed() {
		plan.Creation = creation.Record(done.Creation, true)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.with(r.data.Layout.Dir(spec.At()), done))...)
		resp.Diagnostics.Append(r.recordSeen(ctx, resp.Private, spec.At(), done, spec.WriteOnlyValues)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "update", Noun: noun, Name: title(plan), Err: err}.Diagnostic())
	}
}

func (r *packageInstall) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	if isOrphaned(state.OnDestroy) {
		resp.Diagnostics.Append(orphan(ctx, r.data, req.Private, install(state))...)
		return
	}
	resp.Diagnostics.Append(r.keepsOthers(ctx, req.Private, state, nil)...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := r.data.Installs.CheckMoved(bounded, install(state), state.Path.ValueString())
	var left []delivery.Left
	var before installfiles.Before
	if err == nil {
		left, err = r.data.Installs.Left(bounded, install(state), state.hold())
	}
	if err == nil && len(left) == 0 {
		before, err = r.before(bounded, req.Private, install(state))
		if err == nil {
			left, err = r.data.Installs.Delete(bounded, install(state), before.Blobs, state.hold())
		}
	}
	resp.Diagnostics.Append(tfdiag.Left(left)...)
	var empty *delivery.EmptyRequestError
	if errors.As(err, &empty) {
		resp.Diagnostics.Append(emptyRequest(empty))
		return
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "delete", Noun: noun, Name: title(state), Err: err}.Diagnostic())
	}
}

func (r *packageInstall) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := identity.ImportID(ctx, req)
	resp.Diagnostics.Append(diags...)
	id, values := strings.CutSuffix(id, valuesSuffix)
	packageName, runCluster, ok := strings.Cut(id, "/")
	if !ok || carvel.ValidatePackageName(packageName) != nil || carvel.ValidateRunCluster(runCluster) != nil {
		resp.Diagnostics.Append(tfdiag.MalformedID{Resource: "carvel_package_install", Form: identity.Form() + ", or " + identity.Form() + valuesSuffix + " if the values are to be read into the state", Example: "app.default.tap/staging", Got: id}.Diagnostic())
		return
	}
	resp.Diagnostics.Append(r.data.CheckGit()...)
	if resp.Diagnostics.HasError() {
		return
	}
	at := repolayout.Install{Package: packageName, RunCluster: runCluster}
	for attribute, value := range map[string]any{
		"id": id, "package": packageName, "run_cluster": runCluster, "path": r.data.Layout.Dir(at), "adopt_existing": false,
		"package_source": delivery.FromRepository,
	} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	resp.Diagnostics.Append(privatestate.Change(ctx, resp.Private, secretKey, !values)...) // until a plan tells that none is
	resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
}

// valuesSuffix at the end of an import id has the values read into the state.
const valuesSuffix = "/values"

// withSource is the plan's spec with the values that only the configuration
// holds.
func withSource(ctx context.Context, plan model, config tfsdk.Config) (delivery.PackageInstall, diag.Diagnostics) {
	secret, diags := writeOnly(ctx, config)
	spec, d := plan.spec(ctx, secret)
	diags.Append(d...)
	return spec, diags
}

// keepsOthers refuses to write over, or to delete, files with documents of somebody
// else, but for those that are kept as they are.
func (r *packageInstall) keepsOthers(ctx context.Context, private privatestate.Reader, m model, kept []string) diag.Diagnostics {
	found, diags := readOthers(ctx, private)
	if lost := found.besides(m.Package.ValueString(), kept); len(lost) > 0 {
		diags.Append(othersInFiles(r.data.Layout.Dir(install(m)), lost))
	}
	return diags
}

// before are the files that the plan saw. It is an error if it can be told
// already that one is another now.
func (r *packageInstall) before(ctx context.Context, private privatestate.Reader, at repolayout.Install) (installfiles.Before, error) {
	seen, diags := readSeen(ctx, private)
	if diags.HasError() {
		return installfiles.Before{}, installfiles.ErrSeen
	}
	var current installfiles.Blobs
	dir := r.data.Layout.Dir(at)
	if seen.IsSecret(dir) {
		var err error
		if current, err = r.data.Installs.Blobs(ctx, at); err != nil {
			return installfiles.Before{}, err
		}
	}
	before, wrong, err := seen.Before(dir, current)
	if wrong != "" {
		return before, r.data.Installs.ChangedFile(ctx, r.data.Layout.Path(at, wrong))
	}
	return before, err
}

// recordSeen notes what is in the repository now.
func (r *packageInstall) recordSeen(ctx context.Context, private privatestate.State, at repolayout.Install, now delivery.PackageInstallReceipt, secret bool) diag.Diagnostics {
	dir := r.data.Layout.Dir(at)
	before, diags := readSeen(ctx, private)
	diags.Append(writeSeen(ctx, private, before.Only(dir).See(dir, now.Blobs, now.Says, secret))...)
	diags.Append(privatestate.Change(ctx, private, secretKey, secret)...)
	return diags
}

func install(m model) repolayout.Install {
	return repolayout.Install{Package: m.Package.ValueString(), RunCluster: m.RunCluster.ValueString()}
}

// place is what claims call the files.
func place(m model) string { return placeOf(install(m)) }

func placeOf(at repolayout.Install) string {
	return "carvel_package_install " + at.Package + "/" + at.RunCluster
}

func title(m model) string { return m.Package.ValueString() + "/" + m.RunCluster.ValueString() }
