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
	_ action.ActionWithConfigure  = (*appPause)(nil)
	_ action.ActionWithModifyPlan = (*appPause)(nil)
)

// appPause stops the controller from reconciling an App, or lets it go on.
type appPause struct {
	configured
	verb, description string
	do                func(*delivery.Apps, context.Context, delivery.App) (changed bool, err error)
	done, same        string // what is said afterwards
}

// pauseRights are what pausing and resuming take.
const pauseRights = "`get` and `patch` `apps.kappctrl.k14s.io` in the App's namespace on the build cluster"

func newAppPause() action.Action {
	return &appPause{
		verb: "pause", do: (*delivery.Apps).Pause, done: "paused", same: "has been paused before",
		description: "Pauses an App on the build cluster, whoever made it: the controller neither fetches nor deploys until it is resumed. " +
			"What runs on the run cluster stays. An App that is paused already is left as it is.",
	}
}

func newAppResume() action.Action {
	return &appPause{
		verb: "resume", do: (*delivery.Apps).Resume, done: "resumed", same: "is not paused",
		description: "Resumes an App on the build cluster, whoever made it: the controller fetches and deploys at once. It is not waited for, see `carvel_app_reconcile`. " +
			"An App that is not paused is left as it is, and so is one that is canceled.",
	}
}

func (a *appPause) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_app_" + a.verb
}

func (a *appPause) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = described(a.description,
		map[string]schema.Attribute{
			"namespace": required("Namespace of the App on the build cluster.", schemas.Name()),
			"name":      required("Name of the App.", schemas.ObjectName()),
			"timeout":   timeout(),
		})
}

type appPauseModel struct {
	Namespace types.String `tfsdk:"namespace"`
	Name      types.String `tfsdk:"name"`
	Timeout   types.String `tfsdk:"timeout"`
}

func (a *appPause) ModifyPlan(_ context.Context, _ action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	resp.Diagnostics.Append(a.checkBuild(false)...)
}

func (a *appPause) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m appPauseModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	resp.Diagnostics.Append(a.checkBuild(true)...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := bounded(ctx, m.Timeout)
	defer cancel()
	title := m.Namespace.ValueString() + "/" + m.Name.ValueString()
	changed, err := a.do(a.data.Apps, bounded, appOf(m.Namespace, m.Name))
	said := a.same
	switch {
	case err != nil:
		resp.Diagnostics.Append(failure{verb: a.verb, noun: "app", name: title, rights: pauseRights, err: err}.diagnostic())
		return
	case changed:
		said = a.done
	}
	tell(ctx, resp)("App " + title + ": " + said)
}
