package packages

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

type versionsModel struct {
	Name              types.String      `tfsdk:"name"`
	RunCluster        types.String      `tfsdk:"run_cluster"`
	Namespace         types.String      `tfsdk:"namespace"`
	VersionConstraint types.String      `tfsdk:"version_constraint"`
	Prereleases       *prereleasesModel `tfsdk:"prereleases"`
	Timeouts          timeouts.Value    `tfsdk:"timeouts"`
	Versions          types.List        `tfsdk:"versions"`
	ReleasedAt        types.Map         `tfsdk:"released_at"`
	ResolvedVersion   types.String      `tfsdk:"resolved_version"`
	ValuesSchema      types.String      `tfsdk:"values_schema"`
	DefaultValues     types.Dynamic     `tfsdk:"default_values"`
}

type prereleasesModel struct {
	Identifiers types.List `tfsdk:"identifiers"`
}

func (m versionsModel) selection(ctx context.Context) (version.Selection, diag.Diagnostics) {
	s := version.Selection{Constraint: m.VersionConstraint.ValueString()}
	if m.Prereleases == nil {
		return s, nil
	}
	s.Prereleases = &version.Prereleases{}
	if m.Prereleases.Identifiers.IsNull() {
		return s, nil
	}
	return s, m.Prereleases.Identifiers.ElementsAs(ctx, &s.Prereleases.Identifiers, false)
}

func (m versionsModel) with(found delivery.FoundPackage) (versionsModel, diag.Diagnostics) {
	var diags diag.Diagnostics
	m.Versions = tfvalue.StringList(found.Versions)
	m.ReleasedAt = tfvalue.Times(found.Released)
	m.ResolvedVersion = types.StringValue(found.Version)
	m.ValuesSchema, m.DefaultValues = types.StringNull(), types.DynamicNull()
	if found.Schema == nil {
		return m, diags
	}
	text, err := found.Schema.JSON()
	if err != nil {
		diags.AddAttributeError(path.Root("values_schema"), "Invalid values schema", err.Error())
	}
	defaults, err := tfvalue.FromAny(found.Schema.Defaults())
	if err != nil {
		diags.AddAttributeError(path.Root("default_values"), "Invalid values schema", err.Error())
		return m, diags
	}
	m.ValuesSchema, m.DefaultValues = types.StringValue(text), types.DynamicValue(defaults)
	return m, diags
}
