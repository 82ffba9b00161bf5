package packageinstall

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// read is the model with what the files in the repository say. What they say
// in other words than the practitioner stays as it was written.
func (m model) read(found delivery.PackageInstall) (model, error) {
	m.Name = types.StringValue(found.Name)
	m.Namespace = tfvalue.String(found.Namespace)
	m.Labels = readMap(found.Labels, m.Labels)
	m.Annotations = readMap(found.Annotations, m.Annotations)
	m.ServiceAccountName = types.StringValue(found.ServiceAccountName)
	m.VersionConstraint = types.StringValue(found.VersionConstraint)
	m.Prereleases = readPrereleases(found.Prereleases)
	m.AllowDowngrade = types.BoolValue(found.AllowDowngrade)
	m.Paused = tfvalue.Bool(found.Paused, m.Paused)
	m.Canceled = tfvalue.Bool(found.Canceled, m.Canceled)
	m.NoopDelete = tfvalue.Bool(found.NoopDelete, m.NoopDelete)
	m.DefaultNamespace = tfvalue.String(found.DefaultNamespace)
	if written, err := carvel.CanonicalDuration(m.SyncPeriod.ValueString()); err != nil || written != found.SyncPeriod {
		m.SyncPeriod = tfvalue.String(found.SyncPeriod)
	}
	if found.ValuesSecretName != "" {
		m.ValuesSecretName = types.StringValue(found.ValuesSecretName)
	} else if m.ValuesSecretName.IsNull() {
		m.ValuesSecretName = types.StringValue(carvel.DefaultValuesSecretName(found.Name))
	}
	return m.readValues(found.Values)
}

func (m model) readValues(found map[string]any) (model, error) {
	if found == nil {
		m.Values = types.DynamicNull()
		return m, nil
	}
	if written, err := m.values(); err == nil && written != nil && carvel.EqualValues(written, found) {
		return m, nil
	}
	v, err := tfvalue.FromAny(found)
	m.Values = types.DynamicValue(v)
	return m, err
}

// readMap keeps a map that is empty and was written as such.
func readMap(found map[string]string, prior types.Map) types.Map {
	if len(found) == 0 {
		if !prior.IsNull() && len(prior.Elements()) == 0 {
			return prior
		}
		return types.MapNull(types.StringType)
	}
	return tfvalue.StringMap(found)
}

func readPrereleases(p *carvel.Prereleases) types.Object {
	if p == nil {
		return types.ObjectNull(prereleasesType)
	}
	identifiers := types.ListNull(types.StringType)
	if len(p.Identifiers) > 0 {
		elements := make([]attr.Value, len(p.Identifiers))
		for i, s := range p.Identifiers {
			elements[i] = types.StringValue(s)
		}
		identifiers = types.ListValueMust(types.StringType, elements)
	}
	return types.ObjectValueMust(prereleasesType, map[string]attr.Value{"identifiers": identifiers})
}
