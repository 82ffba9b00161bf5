package actions

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

var (
	_ action.ActionWithConfigure  = (*kubeconfigSecretRotate)(nil)
	_ action.ActionWithModifyPlan = (*kubeconfigSecretRotate)(nil)
)

// kubeconfigSecretRotate gives a kubeconfig Secret another token.
type kubeconfigSecretRotate struct{ configured }

func newKubeconfigSecretRotate() action.Action { return &kubeconfigSecretRotate{} }

func (a *kubeconfigSecretRotate) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_kubeconfig_secret_rotate"
}

// rotateRights are what a rotation takes.
const rotateRights = "`get`, `list`, `watch` and `patch` `apps.kappctrl.k14s.io` and to `get` and `patch` `secrets` in the namespace of the kubeconfig secret on the build cluster; " +
	"and on the run cluster, in the ServiceAccount's namespace, to `get` `serviceaccounts` and to `get`, `list`, `watch`, `create`, `patch` and `delete` `secrets`, " +
	"or for a requested token to `create` `serviceaccounts/token`"

func (a *kubeconfigSecretRotate) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = described("Replaces the token in the Secret of a `carvel_kubeconfig_secret` with `service_account`, and shows that the Apps work with the new one "+
		"before the old one is revoked. If one does not, the Secret gets the old token again.",
		map[string]schema.Attribute{
			"namespace":   required("Namespace of the Secret on the build cluster.", schemas.Name()),
			"name":        required("Name of the Secret.", schemas.ObjectName()),
			"run_cluster": required("The run cluster that the kubeconfig is for, a key of the provider's `run_clusters`.", schemas.RunClusterName()),
			"timeout":     timeout(),
		})
}

type kubeconfigSecretRotateModel struct {
	Namespace  types.String `tfsdk:"namespace"`
	Name       types.String `tfsdk:"name"`
	RunCluster types.String `tfsdk:"run_cluster"`
	Timeout    types.String `tfsdk:"timeout"`
}

func (a *kubeconfigSecretRotate) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var m kubeconfigSecretRotateModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	resp.Diagnostics.Append(a.checkBuild(false)...)
	resp.Diagnostics.Append(a.checkRun(m.RunCluster, false)...)
}

func (a *kubeconfigSecretRotate) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m kubeconfigSecretRotateModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	resp.Diagnostics.Append(a.checkBuild(true)...)
	resp.Diagnostics.Append(a.checkRun(m.RunCluster, true)...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := bounded(ctx, m.Timeout)
	defer cancel()
	r := delivery.Rotation{Namespace: m.Namespace.ValueString(), Name: m.Name.ValueString(), RunCluster: m.RunCluster.ValueString(), Manager: manager}
	r.Progress = tell(ctx, resp)
	r.Stage = func(app, stage string) { r.Progress("App " + app + ": " + stages[stage]) }
	title := r.Namespace + "/" + r.Name
	done, err := a.data.Kubeconfigs.Rotate(bounded, r)
	if err != nil {
		resp.Diagnostics.Append(failure{verb: "rotate the token of", noun: "kubeconfig secret", name: title, rights: rotateRights, err: err}.diagnostic())
		return
	}
	if len(done.Apps) == 0 {
		resp.Diagnostics.Append(nothingShown(title))
	}
	if done.Token == "" {
		r.Progress(fmt.Sprintf("kubeconfig secret %s: has a new token, which expires at %s", title, timestamp(done.Expires)))
	} else {
		r.Progress(fmt.Sprintf("kubeconfig secret %s: has the token of %s, and %d old ones are removed", title, done.Token, len(done.Removed)))
	}
}
