package packageinstall

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// read is the model with what the files in the repository say. What they say
// in other words than the practitioner stays as it was written, and so do the
// values if a part of them is kept out of the state.
func (m model) read(ctx context.Context, found delivery.PackageInstall, secret bool, defaults carvel.Metadata) (model, error) {
	m.Name = types.StringValue(found.Install.Name)
	m.Namespace = tfvalue.String(found.Install.Namespace)
	m.Labels = readMap(own(found.Install.Labels, defaults.Labels, m.Labels), m.Labels)
	m.Annotations = readMap(own(found.Install.Annotations, defaults.Annotations, m.Annotations), m.Annotations)
	m.ServiceAccountName = tfvalue.String(found.Install.ServiceAccountName)
	m.VersionConstraint = types.StringValue(found.Install.PackageRef.VersionSelection.Constraints)
	m.AllowDowngrade = types.BoolValue(found.Install.AllowDowngrade)
	m.Paused = tfvalue.Bool(found.Install.Paused, m.Paused)
	m.Canceled = tfvalue.Bool(found.Install.Canceled, m.Canceled)
	m.NoopDelete = tfvalue.Bool(found.Install.NoopDelete, m.NoopDelete)
	m.DefaultNamespace = tfvalue.String(found.Install.DefaultNamespace)
	if written, err := carvel.CanonicalDuration(m.SyncPeriod.ValueString()); err != nil || written != found.Install.SyncPeriod {
		m.SyncPeriod = tfvalue.String(found.Install.SyncPeriod)
	}
	m.YttOverlays = readMap(found.Overlays, m.YttOverlays)
	m, err := m.readParts(found)
	if err != nil {
		return m, err
	}
	m = m.readSecrets(found)
	m.Encryption = types.ObjectNull(encryptionType)
	if len(found.Recipients) > 0 {
		m.Encryption = types.ObjectValueMust(encryptionType, map[string]attr.Value{"age_recipients": tfvalue.StringList(found.Recipients)})
	}
	if secret || found.HiddenValuesSecret != "" {
		return m, nil
	}
	read, err := m.readValues(ctx, found.Values)
	if err != nil {
		return m, &delivery.UnreadableError{Err: err}
	}
	return read, nil
}

// readParts takes over the parts of the spec that are objects.
func (m model) readParts(found delivery.PackageInstall) (model, error) {
	cluster, err := tfvalue.FromStruct(found.Install.Cluster, clusterType)
	if err != nil {
		return m, err
	}
	prereleases, err := tfvalue.FromStruct(found.Install.PackageRef.VersionSelection.Prereleases, prereleasesType)
	if err != nil {
		return m, err
	}
	m.Cluster, _ = cluster.(types.Object)
	read, _ := prereleases.(types.Object)
	m.Prereleases = keepEmpty(read, m.Prereleases)
	m.Extensions, err = readExtensions(found.Install.Extensions, m.Extensions)
	return m, err
}

// keepEmpty keeps what an object has written as empty where nothing is found.
func keepEmpty(found, prior types.Object) types.Object {
	if found.IsNull() {
		return found
	}
	attributes, written := found.Attributes(), prior.Attributes()
	for name, value := range attributes {
		if value.IsNull() && saysNothing(written[name]) {
			attributes[name] = written[name]
		}
	}
	return types.ObjectValueMust(found.AttributeTypes(context.Background()), attributes)
}

// readSecrets takes over the names of the values Secrets.
func (m model) readSecrets(found delivery.PackageInstall) model {
	prior := m.ValuesSecretName.ValueString()
	extra := found.Install.ValuesSecrets()
	switch {
	case found.HiddenValuesSecret != "":
		if !m.HashValuesName.ValueBool() || !installfiles.IsHashedName(found.HiddenValuesSecret, prior) {
			m.ValuesSecretName = types.StringValue(found.HiddenValuesSecret)
		}
	case found.Values == nil:
		// Without the file, the PackageInstall alone does not tell which Secret
		// is the one that the file had, unless the configuration has named it.
		written := m.ExtraValuesSecrets.Elements()
		extra = slices.DeleteFunc(extra, func(name string) bool {
			ours := name == prior || installfiles.IsHashedName(name, prior)
			return ours && !slices.Contains(written, attr.Value(types.StringValue(name)))
		})
		if m.ValuesSecretName.IsNull() {
			m.ValuesSecretName = types.StringValue(carvel.DefaultValuesSecretName(found.Install.Name))
		}
	case m.HashValuesName.ValueBool() && installfiles.IsHashedName(found.ValuesSecretName, prior):
		// The hash of a content that somebody has changed is not the one in the name.
	default:
		m.ValuesSecretName = types.StringValue(found.ValuesSecretName)
		m.HashValuesName = tfvalue.Bool(found.HashValuesName, m.HashValuesName)
	}
	m.ExtraValuesSecrets = readList(extra, m.ExtraValuesSecrets)
	return m
}

// own are labels, or annotations, without those that are the provider's defaults and
// that the practitioner has not set as well.
func own(found, defaults map[string]string, prior types.Map) map[string]string {
	out := maps.Clone(found)
	for key, value := range defaults {
		if _, set := prior.Elements()[key]; !set && found[key] == value {
			delete(out, key)
		}
	}
	return out
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

// readList is readMap for a list.
func readList(found []string, prior types.List) types.List {
	if len(found) == 0 {
		if !prior.IsNull() && len(prior.Elements()) == 0 {
			return prior
		}
		return types.ListNull(types.StringType)
	}
	return tfvalue.StringList(found)
}
