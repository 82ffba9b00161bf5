package kubeconfigsecret

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	apitypes "k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

type model struct {
	ID                  types.String   `tfsdk:"id"`
	RunCluster          types.String   `tfsdk:"run_cluster"`
	Namespace           types.String   `tfsdk:"namespace"`
	Name                types.String   `tfsdk:"name"`
	Key                 types.String   `tfsdk:"key"`
	Type                types.String   `tfsdk:"type"`
	Kubeconfig          types.String   `tfsdk:"kubeconfig"`
	KubeconfigWO        types.String   `tfsdk:"kubeconfig_wo"` // null but in a configuration
	KubeconfigWOVersion types.String   `tfsdk:"kubeconfig_wo_version"`
	ServiceAccount      types.Object   `tfsdk:"service_account"`
	Labels              types.Map      `tfsdk:"labels"`
	Annotations         types.Map      `tfsdk:"annotations"`
	AllLabels           types.Map      `tfsdk:"all_labels"`
	AllAnnotations      types.Map      `tfsdk:"all_annotations"`
	AdoptExisting       types.Bool     `tfsdk:"adopt_existing"`
	FieldManager        types.Object   `tfsdk:"field_manager"`
	Timeouts            timeouts.Value `tfsdk:"timeouts"`
	Creation            types.String   `tfsdk:"creation"`
	Adopted             types.String   `tfsdk:"adopted"`
	UID                 types.String   `tfsdk:"uid"`
	Server              types.String   `tfsdk:"server"`
	Fingerprint         types.String   `tfsdk:"fingerprint"`
	ExpiresAt           types.String   `tfsdk:"expires_at"`
}

// spec is the Secret with the source that does not need the configuration.
func (m model) spec(ctx context.Context, defaults carvel.Metadata) (delivery.KubeconfigSecret, diag.Diagnostics) {
	labels, diags := tfvalue.ToStringMap(ctx, m.Labels)
	annotations, d := tfvalue.ToStringMap(ctx, m.Annotations)
	diags.Append(d...)
	s := delivery.KubeconfigSecret{
		KubeconfigSecretSpec: carvel.KubeconfigSecretSpec{
			Namespace:   m.Namespace.ValueString(),
			Name:        m.Name.ValueString(),
			Key:         m.Key.ValueString(),
			Type:        m.Type.ValueString(),
			Labels:      labels,
			Annotations: annotations,
			Defaults:    defaults,
		},
		RunCluster: m.RunCluster.ValueString(),
		Kubeconfig: []byte(m.Kubeconfig.ValueString()),
		UID:        apitypes.UID(m.UID.ValueString()),
		ForCluster: schemas.ForCluster(m.FieldManager, creation.Hold(m.Creation, m.Adopted, m.AdoptExisting)),
	}
	s.ServiceAccount, d = serviceAccount(ctx, m.ServiceAccount)
	diags.Append(d...)
	return s, diags
}

// with is the model with what is on the build cluster now.
func (m model) with(r delivery.KubeconfigSecretReceipt) model {
	m.ID = types.StringValue(m.Namespace.ValueString() + "/" + m.Name.ValueString())
	m.UID = types.StringValue(string(r.UID))
	m.Server = types.StringValue(r.Server)
	m.Fingerprint = types.StringValue(r.Fingerprint)
	m.Type = types.StringValue(r.Type)
	return m
}

// someOf is null for an empty map.
func someOf(m map[string]string) types.Map {
	if len(m) == 0 {
		return types.MapNull(types.StringType)
	}
	return tfvalue.StringMap(m)
}

// defaults are those that the state was written with, or now, if it has none.
func (m model) defaults(ctx context.Context, now carvel.Metadata) carvel.Metadata {
	labels, d := tfvalue.ToStringMap(ctx, m.AllLabels)
	annotations, e := tfvalue.ToStringMap(ctx, m.AllAnnotations)
	if len(labels)+len(annotations) == 0 || d.HasError() || e.HasError() {
		return now
	}
	return carvel.Metadata{Labels: labels, Annotations: annotations}
}

// planAll plans what is on the Secret with the provider's defaults.
func (m *model) planAll(ctx context.Context, defaults carvel.Metadata) diag.Diagnostics {
	m.AllLabels, m.AllAnnotations = types.MapUnknown(types.StringType), types.MapUnknown(types.StringType)
	for _, set := range []types.Map{m.Labels, m.Annotations} {
		if value, err := set.ToTerraformValue(ctx); err != nil || !value.IsFullyKnown() {
			return nil
		}
	}
	labels, diags := tfvalue.ToStringMap(ctx, m.Labels)
	annotations, d := tfvalue.ToStringMap(ctx, m.Annotations)
	diags.Append(d...)
	all := defaults.With(carvel.Metadata{Labels: labels, Annotations: annotations})
	m.AllLabels, m.AllAnnotations = someOf(all.Labels), someOf(all.Annotations)
	return diags
}

// written is the model with what has just been written.
func (m model) written(r delivery.KubeconfigSecretReceipt) model {
	m = m.with(r)
	m.ExpiresAt = timestamp(r.Token.Expires)
	// What the plan knows is what was applied; what a policy of the cluster has made of it shows in the next read.
	if m.AllLabels.IsUnknown() {
		m.AllLabels = someOf(r.All.Labels)
	}
	if m.AllAnnotations.IsUnknown() {
		m.AllAnnotations = someOf(r.All.Annotations)
	}
	return m
}

// read is the model with what was found on the build cluster.
func (m model) read(r delivery.KubeconfigSecretReceipt) model {
	m = m.with(r)
	m.Labels, m.Annotations = tfvalue.StringMap(r.Labels), tfvalue.StringMap(r.Annotations)
	m.AllLabels, m.AllAnnotations = someOf(r.All.Labels), someOf(r.All.Annotations)
	return m
}
