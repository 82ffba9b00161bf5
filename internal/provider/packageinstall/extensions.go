package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// extensions are what annotations of the PackageInstall ask of the controller.
// They are one object since few package installs have any of them, and the
// framework's cost grows with the square of a resource's attributes.
type extensions struct {
	IgnoreKubernetesVersionSelection     types.Bool   `tfsdk:"ignore_kubernetes_version_selection"`
	IgnoreKappControllerVersionSelection types.Bool   `tfsdk:"ignore_kapp_controller_version_selection"`
	YttDataValuesOverlays                types.Bool   `tfsdk:"ytt_data_values_overlays"`
	HelmTemplateName                     types.String `tfsdk:"helm_template_name"`
	HelmTemplateNamespace                types.String `tfsdk:"helm_template_namespace"`
	HelmTemplateValuesSecrets            types.List   `tfsdk:"helm_template_values_secrets"`
	FetchSecrets                         types.Map    `tfsdk:"fetch_secrets"`
}

var extensionsType = map[string]attr.Type{
	"ignore_kubernetes_version_selection":      types.BoolType,
	"ignore_kapp_controller_version_selection": types.BoolType,
	"ytt_data_values_overlays":                 types.BoolType,
	"helm_template_name":                       types.StringType,
	"helm_template_namespace":                  types.StringType,
	"helm_template_values_secrets":             types.ListType{ElemType: types.StringType},
	"fetch_secrets":                            types.MapType{ElemType: types.StringType},
}

func extensionsAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "What Carvel calls extensions of a PackageInstall, and other things that few packages need. " +
			"Each of them becomes an annotation, which cannot be set in `annotations`.",
		Attributes: map[string]schema.Attribute{
			"ignore_kubernetes_version_selection":      optionalBool("Install a version of the package also where it says that it does not work with the run cluster's Kubernetes version."),
			"ignore_kapp_controller_version_selection": optionalBool("Install a version of the package also where it says that it does not work with the run cluster's kapp-controller."),
			"ytt_data_values_overlays": optionalBool("Hand the values to ytt as overlays of its data values instead of as plain data values. " +
				"The values given here are marked with `#@data/values` then."),
			"helm_template_name": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Name of the Helm release, for a package that is a Helm chart. The default is the PackageInstall's name.",
				Validators:          []validator.String{schemas.ObjectName()},
			},
			"helm_template_namespace": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Namespace of the Helm release. The default is the PackageInstall's namespace.",
				Validators:          []validator.String{schemas.Name()},
			},
			"helm_template_values_secrets": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Names of Secrets with values for the Helm chart alone, which exist in the PackageInstall's namespace, the last on top.",
				Validators:          []validator.List{listvalidator.ValueStringsAre(schemas.ObjectName())},
			},
			"fetch_secrets": schema.MapAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Secrets with credentials for what the package fetches: the position of an entry in the package's fetch list, from `0`, to the name of a Secret in the PackageInstall's namespace.",
				Validators: []validator.Map{
					mapvalidator.KeysAre(schemas.Check("the position of an entry in the package's fetch list", carvel.ValidateFetchIndex)),
					mapvalidator.ValueStringsAre(schemas.ObjectName()),
				},
			},
		},
	}
}

// spec needs an object that is fully known.
func (e extensions) spec(ctx context.Context) (carvel.Extensions, diag.Diagnostics) {
	var helmSecrets []string
	diags := e.HelmTemplateValuesSecrets.ElementsAs(ctx, &helmSecrets, false)
	fetchSecrets, d := tfvalue.ToStringMap(ctx, e.FetchSecrets)
	diags.Append(d...)
	return carvel.Extensions{
		IgnoreKubernetesVersionSelection:     e.IgnoreKubernetesVersionSelection.ValueBool(),
		IgnoreKappControllerVersionSelection: e.IgnoreKappControllerVersionSelection.ValueBool(),
		YttDataValuesOverlays:                e.YttDataValuesOverlays.ValueBool(),
		HelmTemplateName:                     e.HelmTemplateName.ValueString(),
		HelmTemplateNamespace:                e.HelmTemplateNamespace.ValueString(),
		HelmTemplateValuesSecrets:            helmSecrets,
		FetchSecrets:                         fetchSecrets,
	}, diags
}

func (m model) extensions(ctx context.Context) (carvel.Extensions, diag.Diagnostics) {
	if m.Extensions.IsNull() {
		return carvel.Extensions{}, nil
	}
	var e extensions
	diags := m.Extensions.As(ctx, &e, basetypes.ObjectAsOptions{})
	if diags.HasError() {
		return carvel.Extensions{}, diags
	}
	spec, d := e.spec(ctx)
	diags.Append(d...)
	return spec, diags
}

// helmValues tells whether the package's Helm chart gets values from Secrets,
// or may get some.
func (m model) helmValues() bool {
	secrets, given := m.Extensions.Attributes()["helm_template_values_secrets"].(types.List)
	return m.Extensions.IsUnknown() || given && !isEmpty(secrets)
}

// readExtensions keeps an object that says nothing and was written as such.
func readExtensions(found carvel.Extensions, prior types.Object) types.Object {
	if found.IsZero() && prior.IsNull() {
		return types.ObjectNull(extensionsType)
	}
	written := prior.Attributes()
	flag := func(name string, found bool) attr.Value {
		before, _ := written[name].(types.Bool)
		return tfvalue.Bool(found, before)
	}
	helmSecrets, _ := written["helm_template_values_secrets"].(types.List)
	fetchSecrets, _ := written["fetch_secrets"].(types.Map)
	return types.ObjectValueMust(extensionsType, map[string]attr.Value{
		"ignore_kubernetes_version_selection":      flag("ignore_kubernetes_version_selection", found.IgnoreKubernetesVersionSelection),
		"ignore_kapp_controller_version_selection": flag("ignore_kapp_controller_version_selection", found.IgnoreKappControllerVersionSelection),
		"ytt_data_values_overlays":                 flag("ytt_data_values_overlays", found.YttDataValuesOverlays),
		"helm_template_name":                       tfvalue.String(found.HelmTemplateName),
		"helm_template_namespace":                  tfvalue.String(found.HelmTemplateNamespace),
		"helm_template_values_secrets":             readList(found.HelmTemplateValuesSecrets, helmSecrets),
		"fetch_secrets":                            readMap(found.FetchSecrets, fetchSecrets),
	})
}
