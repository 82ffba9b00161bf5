// Package packageinstall is the resource carvel_package_install.
package packageinstall

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

var (
	_ resource.ResourceWithConfigure   = (*packageInstall)(nil)
	_ resource.ResourceWithModifyPlan  = (*packageInstall)(nil)
	_ resource.ResourceWithImportState = (*packageInstall)(nil)
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
	spec, diags := plan.spec(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.data.CreatePackageInstall(bounded, spec, plan.AdoptExisting.ValueBool())
	if done.Changed() {
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.with(r.data.Layout.Dir(spec.Install()), done))...)
		resp.Diagnostics.Append(seen{}.set(r.data.Layout, spec.Install(), done.Blobs).write(ctx, resp.Private)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Unable("create", noun, title(plan), "", err))
	}
}

func (r *packageInstall) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Read(ctx, schemas.ReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || r.data.Unknown.Git {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, receipt, err := r.data.ReadPackageInstall(bounded, install(state))
	var unreadable *delivery.UnreadableError
	switch {
	case errors.Is(err, delivery.ErrNotFound):
		resp.State.RemoveResource(ctx)
		return
	case errors.As(err, &unreadable):
		resp.Diagnostics.Append(tfdiag.Unreadable(r.data.Layout.Dir(install(state)), unreadable))
	case err != nil:
		resp.Diagnostics.Append(tfdiag.Unable("read", noun, title(state), "", err))
		return
	default:
		if state, err = state.read(found); err != nil {
			resp.Diagnostics.Append(tfdiag.Unable("read", noun, title(state), "", err))
			return
		}
	}
	state.Files = tfvalue.StringMap(receipt.Files)
	resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state)...)
	resp.Diagnostics.Append(seen{}.set(r.data.Layout, install(state), receipt.Blobs).write(ctx, resp.Private)...)
}

func (r *packageInstall) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	timeout, diags := plan.Timeouts.Update(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := plan.spec(ctx)
	resp.Diagnostics.Append(diags...)
	before, diags := r.before(ctx, req.Private, spec.Install())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !plan.Commit.IsUnknown() { // no file changes, so the plan showed no commit
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan)...)
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.data.UpdatePackageInstall(bounded, spec, before)
	if done.Changed() {
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.with(r.data.Layout.Dir(spec.Install()), done))...)
		resp.Diagnostics.Append(seen{}.set(r.data.Layout, spec.Install(), done.Blobs).write(ctx, resp.Private)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Unable("update", noun, title(plan), "", err))
	}
}

func (r *packageInstall) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	before, diags := r.before(ctx, req.Private, install(state))
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := r.data.DeletePackageInstall(bounded, install(state), before); err != nil {
		resp.Diagnostics.Append(tfdiag.Unable("delete", noun, title(state), "", err))
	}
}

func (r *packageInstall) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	packageName, runCluster, ok := strings.Cut(req.ID, "/")
	if !ok || carvel.ValidatePackageName(packageName) != nil || carvel.ValidateRunCluster(runCluster) != nil {
		resp.Diagnostics.Append(tfdiag.ImportID("carvel_package_install", "PACKAGE/RUN-CLUSTER", "app.default.tap/staging", req.ID))
		return
	}
	resp.Diagnostics.Append(r.data.CheckGit()...)
	if resp.Diagnostics.HasError() {
		return
	}
	at := repolayout.Install{Package: packageName, RunCluster: runCluster}
	for attribute, value := range map[string]any{
		"id": req.ID, "package": packageName, "run_cluster": runCluster, "path": r.data.Layout.Dir(at), "adopt_existing": false,
	} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
}

// before are the blobs that the plan saw.
func (r *packageInstall) before(ctx context.Context, private privateReader, at repolayout.Install) (delivery.Blobs, diag.Diagnostics) {
	s, diags := readSeen(ctx, private)
	blobs, d := s.blobs(r.data.Layout, at)
	diags.Append(d...)
	return blobs, diags
}

func install(m model) repolayout.Install {
	return repolayout.Install{Package: m.Package.ValueString(), RunCluster: m.RunCluster.ValueString()}
}

func title(m model) string { return m.Package.ValueString() + "/" + m.RunCluster.ValueString() }
