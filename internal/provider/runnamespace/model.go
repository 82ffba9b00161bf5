package runnamespace

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	apitypes "k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

type model struct {
	ID                       types.String   `tfsdk:"id"`
	RunCluster               types.String   `tfsdk:"run_cluster"`
	Name                     types.String   `tfsdk:"name"`
	CreateNamespace          types.Bool     `tfsdk:"create_namespace"`
	Labels                   types.Map      `tfsdk:"labels"`
	Annotations              types.Map      `tfsdk:"annotations"`
	ServiceAccountName       types.String   `tfsdk:"service_account_name"`
	TanzuApplicationPlatform types.Bool     `tfsdk:"tanzu_application_platform"`
	ImagePullSecrets         types.List     `tfsdk:"image_pull_secrets"`
	AdditionalRules          types.List     `tfsdk:"additional_rules"`
	RestrictServiceAccounts  types.Object   `tfsdk:"restrict_service_accounts"`
	AdoptExisting            types.Bool     `tfsdk:"adopt_existing"`
	DeleteAdopted            types.Bool     `tfsdk:"delete_adopted"`
	FieldManager             types.Object   `tfsdk:"field_manager"`
	Timeouts                 timeouts.Value `tfsdk:"timeouts"`
	Creation                 types.String   `tfsdk:"creation"`
	Adopted                  types.String   `tfsdk:"adopted"`
	UID                      types.String   `tfsdk:"uid"`
	Objects                  types.Map      `tfsdk:"objects"`
}

type restrictionModel struct {
	Allowed []string `tfsdk:"allowed"`
}

type ruleModel struct {
	APIGroups     []string `tfsdk:"api_groups"`
	Resources     []string `tfsdk:"resources"`
	Verbs         []string `tfsdk:"verbs"`
	ResourceNames []string `tfsdk:"resource_names"`
}

func (m model) rules(ctx context.Context) ([]carvel.Rule, diag.Diagnostics) {
	if m.AdditionalRules.IsNull() {
		return nil, nil
	}
	var models []ruleModel
	diags := m.AdditionalRules.ElementsAs(ctx, &models, false)
	rules := make([]carvel.Rule, len(models))
	for i, r := range models {
		rules[i] = carvel.Rule{Groups: r.APIGroups, Resources: r.Resources, Verbs: r.Verbs, Names: r.ResourceNames}
	}
	return rules, diags
}

func ruleModels(rules []carvel.Rule) []ruleModel {
	var models []ruleModel
	for _, r := range rules {
		models = append(models, ruleModel{APIGroups: r.Groups, Resources: r.Resources, Verbs: r.Verbs, ResourceNames: r.Names})
	}
	return models
}

// restriction is nil if the ServiceAccount is not restricted.
func restriction(s carvel.RunNamespaceSpec) *restrictionModel {
	if !s.Restricted {
		return nil
	}
	return &restrictionModel{Allowed: s.AllowedServiceAccounts}
}

func (m model) spec(ctx context.Context, defaults carvel.Metadata) (delivery.RunNamespace, diag.Diagnostics) {
	labels, diags := tfvalue.ToStringMap(ctx, m.Labels)
	annotations, d := tfvalue.ToStringMap(ctx, m.Annotations)
	diags.Append(d...)
	rules, d := m.rules(ctx)
	diags.Append(d...)
	var restriction restrictionModel
	if !m.RestrictServiceAccounts.IsNull() {
		diags.Append(m.RestrictServiceAccounts.As(ctx, &restriction, basetypes.ObjectAsOptions{})...)
	}
	var imagePullSecrets []string
	if !m.ImagePullSecrets.IsNull() {
		diags.Append(m.ImagePullSecrets.ElementsAs(ctx, &imagePullSecrets, false)...)
	}
	return delivery.RunNamespace{
		Cluster: m.RunCluster.ValueString(),
		RunNamespaceSpec: carvel.RunNamespaceSpec{
			Name:                     m.Name.ValueString(),
			Existing:                 !m.CreateNamespace.ValueBool(),
			Labels:                   labels,
			Annotations:              annotations,
			Defaults:                 defaults,
			ServiceAccountName:       m.ServiceAccountName.ValueString(),
			ImagePullSecrets:         imagePullSecrets,
			AdditionalRules:          rules,
			Restricted:               !m.RestrictServiceAccounts.IsNull(),
			AllowedServiceAccounts:   restriction.Allowed,
			TanzuApplicationPlatform: m.TanzuApplicationPlatform.ValueBool(),
		},
		DeleteAdopted: m.DeleteAdopted.ValueBool(),
		UID:           apitypes.UID(m.UID.ValueString()),
		ForCluster:    schemas.ForCluster(m.FieldManager, creation.Hold(m.Creation, m.Adopted, m.AdoptExisting)),
	}, diags
}

// defaults are those that the state was written with, or now, if it has none yet.
func (m model) defaults(now carvel.Metadata) carvel.Metadata {
	text, _ := m.Objects.Elements()["ServiceAccount/"+m.ServiceAccountName.ValueString()].(types.String)
	if written, ok := delivery.ShownMetadata(text.ValueString()); ok {
		return written
	}
	return now
}

// with is the model with what was done.
func (m model) with(r delivery.RunNamespaceReceipt) model {
	m.ID = types.StringValue(m.RunCluster.ValueString() + "/" + m.Name.ValueString())
	m.UID = types.StringValue(string(r.UID))
	m.Objects = tfvalue.StringMap(r.Objects)
	return m
}

// read is the model with what was found on the cluster.
func (m model) read(r delivery.RunNamespaceReceipt) model {
	m = m.with(r)
	m.Labels, m.Annotations = tfvalue.StringMap(r.Labels), tfvalue.StringMap(r.Annotations)
	return m
}
