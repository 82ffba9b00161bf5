package packageinstall

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

type model struct {
	ID                 types.String   `tfsdk:"id"`
	Package            types.String   `tfsdk:"package"`
	RunCluster         types.String   `tfsdk:"run_cluster"`
	Name               types.String   `tfsdk:"name"`
	Namespace          types.String   `tfsdk:"namespace"`
	Labels             types.Map      `tfsdk:"labels"`
	Annotations        types.Map      `tfsdk:"annotations"`
	ServiceAccountName types.String   `tfsdk:"service_account_name"`
	VersionConstraint  types.String   `tfsdk:"version_constraint"`
	Prereleases        types.Object   `tfsdk:"prereleases"`
	AllowDowngrade     types.Bool     `tfsdk:"allow_downgrade"`
	Values             types.Dynamic  `tfsdk:"values"`
	ValuesSecretName   types.String   `tfsdk:"values_secret_name"`
	SyncPeriod         types.String   `tfsdk:"sync_period"`
	Paused             types.Bool     `tfsdk:"paused"`
	Canceled           types.Bool     `tfsdk:"canceled"`
	NoopDelete         types.Bool     `tfsdk:"noop_delete"`
	DefaultNamespace   types.String   `tfsdk:"default_namespace"`
	AdoptExisting      types.Bool     `tfsdk:"adopt_existing"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
	Path               types.String   `tfsdk:"path"`
	Files              types.Map      `tfsdk:"files"`
	Commit             types.String   `tfsdk:"commit"`
}

var prereleasesType = map[string]attr.Type{"identifiers": types.ListType{ElemType: types.StringType}}

// spec needs a model that is fully known, but for what is computed.
func (m model) spec(ctx context.Context) (delivery.PackageInstall, diag.Diagnostics) {
	labels, diags := tfvalue.ToStringMap(ctx, m.Labels)
	annotations, d := tfvalue.ToStringMap(ctx, m.Annotations)
	diags.Append(d...)
	prereleases, d := m.prereleases(ctx)
	diags.Append(d...)
	values, err := m.values()
	if err != nil {
		diags.AddAttributeError(path.Root("values"), "Invalid values", err.Error())
	}
	syncPeriod, err := carvel.CanonicalDuration(m.SyncPeriod.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("sync_period"), "Invalid sync_period", err.Error())
	}
	return delivery.PackageInstall{
		RunCluster: m.RunCluster.ValueString(),
		PackageInstallSpec: carvel.PackageInstallSpec{
			Package:            m.Package.ValueString(),
			Name:               m.Name.ValueString(),
			Namespace:          m.Namespace.ValueString(),
			Labels:             labels,
			Annotations:        annotations,
			ServiceAccountName: m.ServiceAccountName.ValueString(),
			VersionConstraint:  m.VersionConstraint.ValueString(),
			Prereleases:        prereleases,
			AllowDowngrade:     m.AllowDowngrade.ValueBool(),
			Values:             values,
			ValuesSecretName:   m.ValuesSecretName.ValueString(),
			SyncPeriod:         syncPeriod,
			Paused:             m.Paused.ValueBool(),
			Canceled:           m.Canceled.ValueBool(),
			NoopDelete:         m.NoopDelete.ValueBool(),
			DefaultNamespace:   m.DefaultNamespace.ValueString(),
		},
	}, diags
}

func (m model) prereleases(ctx context.Context) (*carvel.Prereleases, diag.Diagnostics) {
	if m.Prereleases.IsNull() {
		return nil, nil
	}
	out := &carvel.Prereleases{}
	list, ok := m.Prereleases.Attributes()["identifiers"].(types.List)
	if !ok || list.IsNull() {
		return out, nil
	}
	return out, list.ElementsAs(ctx, &out.Identifiers, false)
}

// values are nil where the attribute is null.
func (m model) values() (map[string]any, error) {
	v, err := tfvalue.ToAny(m.Values)
	if v == nil || err != nil {
		return nil, err
	}
	values, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the values must be an object, such as { replicas = 2 }")
	}
	return values, nil
}

// with is the model with what is in the repository by now.
func (m model) with(at string, r delivery.PackageInstallReceipt) model {
	m.ID = types.StringValue(m.Package.ValueString() + "/" + m.RunCluster.ValueString())
	m.Path = types.StringValue(at)
	m.Files = tfvalue.StringMap(r.Files)
	m.Commit = types.StringValue(r.Commit.Hash.String())
	return m
}
