package app

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

// What happens to what an App deployed when the resource is destroyed.
const (
	onDestroyDelete = "delete"
	onDestroyOrphan = "orphan"
)

type model struct {
	ID                  types.String   `tfsdk:"id"`
	Namespace           types.String   `tfsdk:"namespace"`
	Name                types.String   `tfsdk:"name"`
	Labels              types.Map      `tfsdk:"labels"`
	Annotations         types.Map      `tfsdk:"annotations"`
	ServiceAccountName  types.String   `tfsdk:"service_account_name"`
	Cluster             types.Object   `tfsdk:"cluster"`
	RunCluster          types.String   `tfsdk:"run_cluster"`
	Packages            types.List     `tfsdk:"packages"`
	FetchPerPackage     types.Bool     `tfsdk:"fetch_per_package"`
	CreateDirectories   types.Bool     `tfsdk:"create_directories"`
	Fetch               types.List     `tfsdk:"fetch"`
	Template            types.List     `tfsdk:"template"`
	Deploy              types.Object   `tfsdk:"deploy"`
	GitSecretRef        types.Object   `tfsdk:"git_secret_ref"`
	GitCredentials      types.Object   `tfsdk:"git_credentials"`
	SopsAgeKeyWO        types.String   `tfsdk:"sops_age_key_wo"` // null but in a configuration
	SopsAgeKeyWOVersion types.String   `tfsdk:"sops_age_key_wo_version"`
	SyncPeriod          types.String   `tfsdk:"sync_period"`
	Paused              types.Bool     `tfsdk:"paused"`
	Canceled            types.Bool     `tfsdk:"canceled"`
	NoopDelete          types.Bool     `tfsdk:"noop_delete"`
	DefaultNamespace    types.String   `tfsdk:"default_namespace"`
	OnDestroy           types.String   `tfsdk:"on_destroy"`
	Wait                types.Bool     `tfsdk:"wait"`
	WaitForCommits      types.List     `tfsdk:"wait_for_commits"`
	AdoptExisting       types.Bool     `tfsdk:"adopt_existing"`
	FieldManager        types.Object   `tfsdk:"field_manager"`
	Timeouts            timeouts.Value `tfsdk:"timeouts"`
	Creation            types.String   `tfsdk:"creation"`
	Adopted             types.String   `tfsdk:"adopted"`
	UID                 types.String   `tfsdk:"uid"`
	Object              types.String   `tfsdk:"object"`
	Secrets             types.Map      `tfsdk:"secrets"`
	Status              types.Object   `tfsdk:"status"`
}

// The types of the attributes that hold parts of the App's spec.
var (
	clusterType  = clusterAttribute().GetType()
	fetchType    = fetchAttribute().GetType()
	templateType = templateAttribute().GetType()
	deployType   = deployAttribute().GetType()
)

var statusType = map[string]attr.Type{
	"condition":           types.StringType,
	"message":             types.StringType,
	"fetched_commits":     types.ListType{ElemType: types.StringType},
	"observed_generation": types.Int64Type,
}

// with is the model with what is on the build cluster now.
func (m model) with(ctx context.Context, r delivery.AppReceipt) (model, diag.Diagnostics) {
	m.ID = types.StringValue(m.Namespace.ValueString() + "/" + m.Name.ValueString())
	m.UID = types.StringValue(string(r.UID))
	m.Object = types.StringValue(r.Object)
	m.Secrets = tfvalue.StringMap(r.Secrets)
	commits, diags := types.ListValueFrom(ctx, types.StringType, r.Status.FetchedCommits())
	if commits.IsNull() {
		commits = types.ListValueMust(types.StringType, nil)
	}
	m.Status = types.ObjectValueMust(statusType, map[string]attr.Value{
		"condition":           types.StringValue(r.Status.Condition()),
		"message":             types.StringValue(redact.From(ctx).Text(r.Status.Message())),
		"fetched_commits":     commits,
		"observed_generation": types.Int64Value(r.Status.ObservedGeneration),
	})
	return m, diags
}
