package actions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

var (
	_ action.ActionWithConfigure  = (*packageInstallReconcile)(nil)
	_ action.ActionWithModifyPlan = (*packageInstallReconcile)(nil)
)

// packageInstallReconcile makes a PackageInstall on a run cluster run.
type packageInstallReconcile struct{ configured }

func newPackageInstallReconcile() action.Action { return &packageInstallReconcile{} }

func (a *packageInstallReconcile) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_package_install_reconcile"
}

// installRights are what making a PackageInstall run takes.
const installRights = "`get`, `list`, `watch` and `patch` `packageinstalls.packaging.carvel.dev`, and to `get`, `list` and `watch` `apps.kappctrl.k14s.io`, in its namespace on the run cluster"

func (a *packageInstallReconcile) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = described("Makes a PackageInstall on a run cluster run now, and waits until it has succeeded, or fails with the controller's own message. "+
		"It is for a package whose failure has been mended on the run cluster, where the controller would wait for its next try, up to ten minutes.",
		map[string]schema.Attribute{
			"run_cluster": required("The run cluster, a key of the provider's `run_clusters`.", schemas.RunClusterName()),
			"namespace":   required("Namespace of the PackageInstall on the run cluster.", schemas.Name()),
			"name":        required("Name of the PackageInstall.", schemas.ObjectName()),
			"timeout":     timeout(),
		})
}

type packageInstallReconcileModel struct {
	RunCluster types.String `tfsdk:"run_cluster"`
	Namespace  types.String `tfsdk:"namespace"`
	Name       types.String `tfsdk:"name"`
	Timeout    types.String `tfsdk:"timeout"`
}

func (a *packageInstallReconcile) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var m packageInstallReconcileModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	resp.Diagnostics.Append(a.checkRun(m.RunCluster, false)...)
}

func (a *packageInstallReconcile) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m packageInstallReconcileModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	resp.Diagnostics.Append(a.checkRun(m.RunCluster, true)...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := bounded(ctx, m.Timeout)
	defer cancel()
	r := delivery.InstallRun{RunCluster: m.RunCluster.ValueString(), Namespace: m.Namespace.ValueString(), Name: m.Name.ValueString(), Manager: manager}
	title := r.Namespace + "/" + r.Name
	r.Stage, r.Progress = telling(ctx, resp, "PackageInstall "+title)
	version, err := a.data.Installs.Reconcile(bounded, r)
	if err != nil {
		resp.Diagnostics.Append(failure{verb: "reconcile", noun: "package install", name: r.RunCluster + "/" + title, rights: installRights, err: err}.diagnostic())
		return
	}
	tell(ctx, resp)("PackageInstall " + title + ": version " + version + " is installed")
}
