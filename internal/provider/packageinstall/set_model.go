package packageinstall

import (
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// setModel is carvel_package_installs. What it has in common with model has the same
// names, so that a package install is made of both.
type setModel struct {
	ID                 types.String   `tfsdk:"id"`
	RunCluster         types.String   `tfsdk:"run_cluster"`
	Namespace          types.String   `tfsdk:"namespace"`
	Labels             types.Map      `tfsdk:"labels"`
	Annotations        types.Map      `tfsdk:"annotations"`
	ServiceAccountName types.String   `tfsdk:"service_account_name"`
	Prereleases        types.Object   `tfsdk:"prereleases"`
	AllowDowngrade     types.Bool     `tfsdk:"allow_downgrade"`
	PackageSource      types.String   `tfsdk:"package_source"`
	SchemaCheck        types.String   `tfsdk:"schema_check"`
	SyncPeriod         types.String   `tfsdk:"sync_period"`
	HashValuesName     types.Bool     `tfsdk:"hash_values_name"`
	Encryption         types.Object   `tfsdk:"encryption"`
	Packages           types.Dynamic  `tfsdk:"packages"`
	ValuesWO           types.Dynamic  `tfsdk:"values_wo"` // null but in a configuration
	ValuesWOVersion    types.String   `tfsdk:"values_wo_version"`
	AdoptExisting      types.Bool     `tfsdk:"adopt_existing"`
	OnDestroy          types.String   `tfsdk:"on_destroy"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
	Creation           types.String   `tfsdk:"creation"`
	Adopted            types.Map      `tfsdk:"adopted"`
	Paths              types.Map      `tfsdk:"paths"`
	ResolvedVersions   types.Map      `tfsdk:"resolved_versions"`
	Commit             types.String   `tfsdk:"commit"`
	PendingCommit      types.String   `tfsdk:"pending_commit"`
}

// of is a package install of the set before its own attributes: what they all share.
func (m setModel) of(packageName string) model {
	return model{
		ID: types.StringNull(), Package: types.StringValue(packageName), RunCluster: m.RunCluster,
		Name: types.StringNull(), Namespace: m.Namespace, Labels: m.Labels, Annotations: m.Annotations,
		ServiceAccountName: m.ServiceAccountName, Cluster: types.ObjectNull(objectType(clusterType)), VersionConstraint: types.StringNull(),
		Prereleases: m.Prereleases, AllowDowngrade: m.AllowDowngrade, PackageSource: m.PackageSource, SchemaCheck: m.SchemaCheck, ResolvedVersion: types.StringNull(),
		SyncPeriod: m.SyncPeriod, Paused: types.BoolNull(), Canceled: types.BoolNull(), NoopDelete: types.BoolNull(), DefaultNamespace: types.StringNull(),
		AdoptExisting: m.AdoptExisting, OnDestroy: types.StringNull(), Timeouts: m.Timeouts, Creation: types.StringNull(), Adopted: types.StringNull(),
		Path: types.StringNull(), Files: types.MapNull(types.StringType), Commit: types.StringNull(), PendingCommit: types.StringNull(),
		Values: types.DynamicNull(), ValuesYAML: types.ListNull(types.StringType), ValuesWO: types.DynamicNull(), ValuesWOVersion: types.StringNull(),
		ValuesSecretName: types.StringNull(), HashValuesName: m.HashValuesName, ExtraValuesSecrets: types.ListNull(types.StringType), Encryption: m.Encryption,
		YttOverlays: types.MapNull(types.StringType), Extensions: types.ObjectNull(objectType(extensionsType)),
	}
}

// at is where a package of the set is installed.
func (m setModel) at(packageName string) repolayout.Install {
	return repolayout.Install{Package: packageName, RunCluster: m.RunCluster.ValueString()}
}

// hold is how the set tells its own files of a package.
func (m setModel) hold(packageName string, others creations) delivery.Hold {
	recorded := m.Creation
	if other, ok := others[packageName]; ok {
		recorded = types.StringValue(other)
	}
	adopted := types.StringNull()
	if m.Adopted.IsUnknown() {
		adopted = types.StringUnknown()
	} else if seen, ok := m.Adopted.Elements()[packageName].(types.String); ok {
		adopted = seen
	}
	return creation.Hold(recorded, adopted, m.AdoptExisting)
}

// texts are the elements of a map that are known.
func texts(m types.Map) map[string]string {
	out := map[string]string{}
	for key, element := range m.Elements() {
		if text, ok := element.(types.String); ok && !text.IsNull() && !text.IsUnknown() {
			out[key] = text.ValueString()
		}
	}
	return out
}

func (m setModel) title() string { return m.RunCluster.ValueString() }

func (m setModel) commits() commits { return commits{m.Commit, m.PendingCommit} }

func (m setModel) committed(c commits) setModel {
	m.Commit, m.PendingCommit = c.commit, c.pending
	return m
}
