package packageinstall

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// ValidateConfig refuses annotations that an attribute stands for, names of
// Secrets that cannot be, and a lookup without a place.
func (r *packageInstall) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	resp.Diagnostics.Append(config.check()...)
}

// check looks at attributes that have to fit each other.
func (m model) check() diag.Diagnostics {
	var diags diag.Diagnostics
	for _, annotation := range slices.Sorted(maps.Keys(m.Annotations.Elements())) {
		attribute := attributeOf(annotation)
		if annotation == carvel.OverlaysAnnotation && !m.YttOverlays.IsNull() {
			attribute = "ytt_overlays"
		}
		if attribute != "" {
			diags.Append(reservedAnnotation(annotation, attribute))
		}
	}
	diags.Append(m.checkNames()...)
	if m.PackageSource.ValueString() == delivery.FromCluster && m.Namespace.IsNull() {
		diags.Append(noNamespace())
	}
	unknown := m.ServiceAccountName.IsUnknown() || m.Cluster.IsUnknown()
	if none := m.ServiceAccountName.IsNull(); none == m.Cluster.IsNull() && !unknown {
		diags.Append(notOneAccount(none))
	}
	return diags
}

// attributeOf is the attribute that an annotation belongs to, "" for one that stands for
// itself.
func attributeOf(annotation string) string {
	fields := strings.Split(carvel.AnnotationField(annotation), ".")
	for i, field := range fields {
		fields[i] = tfvalue.AttributeName(field)
	}
	return strings.Join(fields, ".")
}

// checkNames looks at the names of what is made for a configuration.
func (m model) checkNames() diag.Diagnostics {
	var diags diag.Diagnostics
	checkLength := func(attribute string, given types.String, name string) {
		diags.Append(tfdiag.LongName(path.Root(attribute), given.ValueString(), "Secret that is made", name)...)
	}
	given := m.ValuesSecretName
	m.setNames(m)
	diags.Append(tfdiag.LongName(path.Root("name"), m.Name.ValueString(), "ConfigMap in which kapp records what it deploys", carvel.RecordName(m.Name.ValueString()))...)
	if len(m.YttOverlays.Elements()) > 0 {
		checkLength("name", m.Name, carvel.OverlaysSecretName(m.Name.ValueString()))
	}
	if m.Values.IsNull() && len(m.ValuesYAML.Elements()) == 0 && m.ValuesWO.IsNull() {
		return diags
	}
	own := m.ValuesSecretName.ValueString()
	if slices.Contains(m.ExtraValuesSecrets.Elements(), attr.Value(types.StringValue(own))) {
		diags.Append(ownSecret(own))
	}
	if m.HashValuesName.ValueBool() {
		own = installfiles.LongestHashedName(own)
	}
	checkLength("values_secret_name", given, own)
	return diags
}
