package runnamespace

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

type model struct {
	ID                       types.String          `tfsdk:"id"`
	RunCluster               types.String          `tfsdk:"run_cluster"`
	Name                     types.String          `tfsdk:"name"`
	Labels                   types.Map             `tfsdk:"labels"`
	Annotations              types.Map             `tfsdk:"annotations"`
	ServiceAccountName       types.String          `tfsdk:"service_account_name"`
	TanzuApplicationPlatform types.Bool            `tfsdk:"tanzu_application_platform"`
	AdoptExisting            types.Bool            `tfsdk:"adopt_existing"`
	FieldManager             *schemas.FieldManager `tfsdk:"field_manager"`
	Timeouts                 timeouts.Value        `tfsdk:"timeouts"`
	UID                      types.String          `tfsdk:"uid"`
	Objects                  types.Map             `tfsdk:"objects"`
}

func (m model) spec(ctx context.Context) (delivery.RunNamespace, diag.Diagnostics) {
	labels, diags := tfvalue.ToStringMap(ctx, m.Labels)
	annotations, d := tfvalue.ToStringMap(ctx, m.Annotations)
	diags.Append(d...)
	return delivery.RunNamespace{
		Cluster: m.RunCluster.ValueString(),
		RunNamespaceSpec: carvel.RunNamespaceSpec{
			Name:                     m.Name.ValueString(),
			Labels:                   labels,
			Annotations:              annotations,
			ServiceAccountName:       m.ServiceAccountName.ValueString(),
			TanzuApplicationPlatform: m.TanzuApplicationPlatform.ValueBool(),
		},
		ForCluster: schemas.ForCluster(m.FieldManager, m.AdoptExisting),
	}, diags
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
