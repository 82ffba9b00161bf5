package app

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

type model struct {
	ID                 types.String          `tfsdk:"id"`
	Namespace          types.String          `tfsdk:"namespace"`
	Name               types.String          `tfsdk:"name"`
	Labels             types.Map             `tfsdk:"labels"`
	Annotations        types.Map             `tfsdk:"annotations"`
	ServiceAccountName types.String          `tfsdk:"service_account_name"`
	Cluster            types.Object          `tfsdk:"cluster"`
	Fetch              types.List            `tfsdk:"fetch"`
	Deploy             types.Object          `tfsdk:"deploy"`
	SyncPeriod         types.String          `tfsdk:"sync_period"`
	Paused             types.Bool            `tfsdk:"paused"`
	Canceled           types.Bool            `tfsdk:"canceled"`
	NoopDelete         types.Bool            `tfsdk:"noop_delete"`
	DefaultNamespace   types.String          `tfsdk:"default_namespace"`
	Wait               types.Bool            `tfsdk:"wait"`
	WaitForCommits     types.List            `tfsdk:"wait_for_commits"`
	AdoptExisting      types.Bool            `tfsdk:"adopt_existing"`
	FieldManager       *schemas.FieldManager `tfsdk:"field_manager"`
	Timeouts           timeouts.Value        `tfsdk:"timeouts"`
	UID                types.String          `tfsdk:"uid"`
	Object             types.String          `tfsdk:"object"`
	Status             types.Object          `tfsdk:"status"`
}

type clusterModel struct {
	Namespace           types.String `tfsdk:"namespace"`
	KubeconfigSecretRef secretModel  `tfsdk:"kubeconfig_secret_ref"`
}

type secretModel struct {
	Name types.String `tfsdk:"name"`
	Key  types.String `tfsdk:"key"`
}

type fetchModel struct {
	Git    *gitModel    `tfsdk:"git"`
	Inline *inlineModel `tfsdk:"inline"`
}

type gitModel struct {
	URL       types.String `tfsdk:"url"`
	Ref       types.String `tfsdk:"ref"`
	SubPath   types.String `tfsdk:"sub_path"`
	SecretRef *nameModel   `tfsdk:"secret_ref"`
}

type nameModel struct {
	Name types.String `tfsdk:"name"`
}

type inlineModel struct {
	Paths types.Map `tfsdk:"paths"`
}

type deployModel struct {
	Kapp kappModel `tfsdk:"kapp"`
}

type kappModel struct {
	IntoNs     types.String `tfsdk:"into_ns"`
	RawOptions types.List   `tfsdk:"raw_options"`
}

var statusType = map[string]attr.Type{
	"condition":           types.StringType,
	"message":             types.StringType,
	"fetched_commits":     types.ListType{ElemType: types.StringType},
	"observed_generation": types.Int64Type,
}

// with is the model with what is on the build cluster by now.
func (m model) with(ctx context.Context, r delivery.AppReceipt) (model, diag.Diagnostics) {
	m.ID = types.StringValue(m.Namespace.ValueString() + "/" + m.Name.ValueString())
	m.UID = types.StringValue(string(r.UID))
	m.Object = types.StringValue(r.Object)
	commits, diags := types.ListValueFrom(ctx, types.StringType, r.Status.FetchedCommits())
	if commits.IsNull() {
		commits = types.ListValueMust(types.StringType, nil)
	}
	m.Status = types.ObjectValueMust(statusType, map[string]attr.Value{
		"condition":           types.StringValue(r.Status.Condition()),
		"message":             types.StringValue(r.Status.Message()),
		"fetched_commits":     commits,
		"observed_generation": types.Int64Value(r.Status.ObservedGeneration),
	})
	return m, diags
}

// imported are the attributes of an App that was found. What the defaults give
// is left out, as a configuration that relies on them has it.
func imported(s carvel.AppSpec, at delivery.Location) map[string]any {
	values := map[string]any{
		"namespace":            s.Namespace,
		"name":                 s.Name,
		"labels":               s.Labels,
		"annotations":          s.Annotations,
		"service_account_name": optional(s.ServiceAccountName),
		"sync_period":          optional(s.SyncPeriod),
		"default_namespace":    optional(s.DefaultNamespace),
		"fetch":                importedFetch(s.Fetch, at),
		"wait":                 true,
		"adopt_existing":       false,
	}
	for name, set := range map[string]bool{"paused": s.Paused, "canceled": s.Canceled, "noop_delete": s.NoopDelete} {
		if set {
			values[name] = true
		}
	}
	if c := s.Cluster; c != nil && c.KubeconfigSecretRef != nil {
		values["cluster"] = clusterModel{
			Namespace: types.StringValue(c.Namespace),
			KubeconfigSecretRef: secretModel{
				Name: types.StringValue(c.KubeconfigSecretRef.Name), Key: optional(c.KubeconfigSecretRef.Key),
			},
		}
	}
	if len(s.Deploy) == 1 && s.Deploy[0].Kapp != nil && !isDefaultDeploy(s) {
		kapp := kappModel{IntoNs: optional(s.Deploy[0].Kapp.IntoNs), RawOptions: types.ListNull(types.StringType)}
		if options := s.Deploy[0].Kapp.RawOptions; len(options) > 0 {
			elements := make([]attr.Value, len(options))
			for i, o := range options {
				elements[i] = types.StringValue(o)
			}
			kapp.RawOptions = types.ListValueMust(types.StringType, elements)
		}
		values["deploy"] = deployModel{Kapp: kapp}
	}
	return values
}
