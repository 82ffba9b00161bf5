// Package actions holds the actions: what a practitioner does to what is there already,
// by hand or after a change of a resource, and Terraform keeps no state of.
package actions

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

// All are the actions, one of each.
func All() []func() action.Action {
	return []func() action.Action{newAppReconcile, newAppPause, newAppResume, newPackageInstallReconcile, newKubeconfigSecretRotate}
}

// manager is what the objects are changed as. A field that it sets is set and not applied,
// so that no resource's next apply takes it for its own.
var manager = cluster.Manager{Name: carvel.ManagedBy}

// configured is what all actions have: the provider's configuration.
type configured struct {
	data *providerdata.Data
}

func (c *configured) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	c.data = providerdata.FromAction(req, resp)
}

// checkBuild refuses to act without a build cluster. At plan it may not be known yet, and
// it is at apply.
func (c *configured) checkBuild(applies bool) diag.Diagnostics {
	if c.data != nil && c.data.Unknown.Build && applies {
		return diag.Diagnostics{notKnown("build_cluster")}
	}
	return c.data.CheckBuild()
}

// checkRun is checkBuild for a run cluster.
func (c *configured) checkRun(name types.String, applies bool) diag.Diagnostics {
	if c.data != nil && applies && !name.IsNull() && !c.data.KnowsRunCluster(name.ValueString()) {
		return diag.Diagnostics{notKnown("run_clusters")}
	}
	return c.data.CheckRunCluster(name)
}

// bounded bounds what an action does by its attribute timeout.
func bounded(ctx context.Context, timeout types.String) (context.Context, context.CancelFunc) {
	limit := schemas.WriteTimeout
	if d, err := time.ParseDuration(timeout.ValueString()); err == nil { // else it is not set
		limit = d
	}
	return context.WithTimeout(ctx, limit)
}

// tell sends what goes on to Terraform, which prints it at once, and to the log.
func tell(ctx context.Context, resp *action.InvokeResponse) func(string) {
	return func(text string) {
		redacted.Info(ctx, text)
		resp.SendProgress(action.InvokeProgressEvent{Message: text})
	}
}

// stages are the controller's, as they are said.
var stages = map[string]string{carvel.StageFetch: "fetching", carvel.StageTemplate: "templating", carvel.StageDeploy: "deploying"}

// telling tells of one object: the stages of its run, and what it is waited for.
func telling(ctx context.Context, resp *action.InvokeResponse, what string) (stage, reason func(string)) {
	say := tell(ctx, resp)
	return func(stage string) { say(what + ": " + stages[stage]) }, func(reason string) {
		if reason != "" && reason != carvel.Reconciling { // which the stages tell
			say(what + ": " + reason)
		}
	}
}
