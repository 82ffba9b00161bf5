package actions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

var (
	_ action.ActionWithConfigure  = (*appReconcile)(nil)
	_ action.ActionWithModifyPlan = (*appReconcile)(nil)
)

// appReconcile makes an App run.
type appReconcile struct{ configured }

func newAppReconcile() action.Action { return &appReconcile{} }

func (a *appReconcile) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_app_reconcile"
}

// appRights are what making an App run takes.
const appRights = "`get`, `list`, `watch` and `patch` `apps.kappctrl.k14s.io` in the App's namespace on the build cluster"

func (a *appReconcile) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = described("Makes an App on the build cluster fetch, template and deploy now, whoever made it, and waits for it as `carvel_app` does: "+
		"until the run cluster runs what the repository holds, or with the controller's own message if it fails.",
		map[string]schema.Attribute{
			"namespace": required("Namespace of the App on the build cluster.", schemas.Name()),
			"name":      required("Name of the App.", schemas.ObjectName()),
			"run_cluster": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "The run cluster that the App delivers to, a key of the provider's `run_clusters`. " +
					"With it the wait also looks at the PackageInstalls on the run cluster that the App deploys, for which it needs the right to `list` and `watch` " +
					"PackageInstalls, Apps and Secrets in their namespace. Without it an error in a package's values may show only later.",
				Validators: []validator.String{schemas.RunClusterName()},
			},
			"timeout": timeout(),
		})
}

type appReconcileModel struct {
	Namespace  types.String `tfsdk:"namespace"`
	Name       types.String `tfsdk:"name"`
	RunCluster types.String `tfsdk:"run_cluster"`
	Timeout    types.String `tfsdk:"timeout"`
}

func (m appReconcileModel) app() delivery.App { return appOf(m.Namespace, m.Name) }

// appOf is an App by its name.
func appOf(namespace, name types.String) delivery.App {
	app := delivery.App{ForCluster: delivery.ForCluster{Manager: manager}}
	app.Namespace, app.Name = namespace.ValueString(), name.ValueString()
	return app
}

func (a *appReconcile) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var m appReconcileModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	resp.Diagnostics.Append(a.checkBuild(false)...)
	resp.Diagnostics.Append(a.checkRun(m.RunCluster, false)...)
}

func (a *appReconcile) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m appReconcileModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	resp.Diagnostics.Append(a.checkBuild(true)...)
	resp.Diagnostics.Append(a.checkRun(m.RunCluster, true)...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := bounded(ctx, m.Timeout)
	defer cancel()
	app, title := m.app(), m.Namespace.ValueString()+"/"+m.Name.ValueString()
	app.RunCluster = m.RunCluster.ValueString()
	app.Stage, app.Progress = telling(ctx, resp, "App "+title)
	done, err := a.data.Apps.Reconcile(bounded, app)
	if err != nil {
		resp.Diagnostics.Append(failure{verb: "reconcile", noun: "app", name: title, rights: appRights, err: err}.diagnostic())
		return
	}
	if done.Unseen != nil {
		resp.Diagnostics.Append(tfdiag.UnseenInstalls(done.Unseen))
	}
}
