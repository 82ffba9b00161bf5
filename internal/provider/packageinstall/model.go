package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
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
	Cluster            types.Object   `tfsdk:"cluster"`
	VersionConstraint  types.String   `tfsdk:"version_constraint"`
	Prereleases        types.Object   `tfsdk:"prereleases"`
	AllowDowngrade     types.Bool     `tfsdk:"allow_downgrade"`
	PackageSource      types.String   `tfsdk:"package_source"`
	SchemaCheck        types.String   `tfsdk:"schema_check"`
	ResolvedVersion    types.String   `tfsdk:"resolved_version"`
	SyncPeriod         types.String   `tfsdk:"sync_period"`
	Paused             types.Bool     `tfsdk:"paused"`
	Canceled           types.Bool     `tfsdk:"canceled"`
	NoopDelete         types.Bool     `tfsdk:"noop_delete"`
	DefaultNamespace   types.String   `tfsdk:"default_namespace"`
	AdoptExisting      types.Bool     `tfsdk:"adopt_existing"`
	OnDestroy          types.String   `tfsdk:"on_destroy"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
	Creation           types.String   `tfsdk:"creation"`
	Adopted            types.String   `tfsdk:"adopted"`
	Path               types.String   `tfsdk:"path"`
	Files              types.Map      `tfsdk:"files"`
	Commit             types.String   `tfsdk:"commit"`
	PendingCommit      types.String   `tfsdk:"pending_commit"`

	Values             types.Dynamic `tfsdk:"values"`
	ValuesYAML         types.List    `tfsdk:"values_yaml"`
	ValuesWO           types.Dynamic `tfsdk:"values_wo"` // null but in a configuration
	ValuesWOVersion    types.String  `tfsdk:"values_wo_version"`
	ValuesSecretName   types.String  `tfsdk:"values_secret_name"`
	HashValuesName     types.Bool    `tfsdk:"hash_values_name"`
	ExtraValuesSecrets types.List    `tfsdk:"extra_values_secrets"`
	Encryption         types.Object  `tfsdk:"encryption"`

	YttOverlays types.Map    `tfsdk:"ytt_overlays"`
	Extensions  types.Object `tfsdk:"extensions"`
}

var (
	prereleasesType = prereleasesAttribute().GetType()
	clusterType     = clusterAttribute().GetType()
	encryptionType  = map[string]attr.Type{"age_recipients": types.ListType{ElemType: types.StringType}}
)

// spec needs a model that is fully known, but for what is computed, and the
// write-only values of the configuration.
func (m model) spec(ctx context.Context, writeOnly types.Dynamic) (delivery.PackageInstall, diag.Diagnostics) {
	var diags diag.Diagnostics
	stringMap := func(from types.Map) map[string]string {
		out, d := tfvalue.ToStringMap(ctx, from)
		diags.Append(d...)
		return out
	}
	stringList := func(from types.List) []string {
		var out []string
		if !from.IsNull() {
			diags.Append(from.ElementsAs(ctx, &out, false)...)
		}
		return out
	}
	values, d := m.values(ctx, writeOnly)
	diags.Append(d...)
	syncPeriod, err := carvel.CanonicalDuration(m.SyncPeriod.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("sync_period"), "Invalid sync_period", err.Error())
	}
	s := installfiles.Spec{
		Install: carvel.PackageInstallSpec{
			Name:               m.Name.ValueString(),
			Namespace:          m.Namespace.ValueString(),
			Labels:             stringMap(m.Labels),
			Annotations:        stringMap(m.Annotations),
			ServiceAccountName: m.ServiceAccountName.ValueString(),
			PackageRef: carvel.PackageRef{
				RefName:          m.Package.ValueString(),
				VersionSelection: carvel.VersionSelection{Constraints: m.VersionConstraint.ValueString()},
			},
			Values:           carvel.SecretsWithValues(stringList(m.ExtraValuesSecrets)...),
			SyncPeriod:       syncPeriod,
			Paused:           m.Paused.ValueBool(),
			Canceled:         m.Canceled.ValueBool(),
			NoopDelete:       m.NoopDelete.ValueBool(),
			DefaultNamespace: m.DefaultNamespace.ValueString(),
			AllowDowngrade:   m.AllowDowngrade.ValueBool(),
		},
		Values:           values,
		ValuesSecretName: m.ValuesSecretName.ValueString(),
		HashValuesName:   m.HashValuesName.ValueBool(),
		WriteOnlyValues:  !writeOnly.IsNull(),
		Overlays:         stringMap(m.YttOverlays),
	}
	diags.Append(tfvalue.Part("prereleases", m.Prereleases, &s.Install.PackageRef.VersionSelection.Prereleases)...)
	diags.Append(tfvalue.Part("cluster", m.Cluster, &s.Install.Cluster)...)
	diags.Append(tfvalue.Part("extensions", m.Extensions, &s.Install.Extensions)...)
	s.Recipients, d = m.recipients(ctx)
	diags.Append(d...)
	return delivery.PackageInstall{RunCluster: m.RunCluster.ValueString(), Spec: s, Hold: m.hold()}, diags
}

func (m model) hold() delivery.Hold { return creation.Hold(m.Creation, m.Adopted, m.AdoptExisting) }

func (m model) recipients(ctx context.Context) (recipients []string, diags diag.Diagnostics) {
	if list, ok := m.Encryption.Attributes()["age_recipients"].(types.List); ok && !list.IsNull() {
		diags = list.ElementsAs(ctx, &recipients, false)
	}
	return recipients, diags
}

// with is the model with what is in the repository now.
func (m model) with(at string, r delivery.PackageInstallReceipt) model {
	m.ID = types.StringValue(m.Package.ValueString() + "/" + m.RunCluster.ValueString())
	m.Path = types.StringValue(at)
	m.Files = tfvalue.StringMap(r.Files)
	return m.committed(written(r.Reached))
}

func (m model) commits() commits { return commits{m.Commit, m.PendingCommit} }

func (m model) committed(c commits) model {
	m.Commit, m.PendingCommit = c.commit, c.pending
	return m
}
