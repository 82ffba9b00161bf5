package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

var extensionsType = extensionsAttribute().GetType()

// extensionsAttribute is one object since few package installs have any of
// these, and the framework's cost grows with the square of the attributes at the
// top of a schema.
func extensionsAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "What Carvel calls extensions of a PackageInstall, and other things that few packages need. " +
			"Each of them becomes an annotation, which cannot be set in `annotations`.",
		Attributes: map[string]schema.Attribute{
			"ignore_kubernetes_version_selection":      optionalBool("Install a version of the package even if it says that it does not work with the run cluster's Kubernetes version."),
			"ignore_kapp_controller_version_selection": optionalBool("Install a version of the package even if it says that it does not work with the run cluster's kapp-controller."),
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

// helmValues reports whether the package's Helm chart gets values from Secrets,
// or may get some.
func (m model) helmValues() bool {
	secrets, given := m.Extensions.Attributes()["helm_template_values_secrets"].(types.List)
	return m.Extensions.IsUnknown() || given && !isEmpty(secrets)
}

// readExtensions keeps what says nothing and was written as such.
func readExtensions(found carvel.Extensions, prior types.Object) (types.Object, error) {
	value, err := tfvalue.FromStruct(found, extensionsType)
	object, _ := value.(types.Object)
	some := !prior.IsNull()
	for _, value := range object.Attributes() {
		some = some || !value.IsNull()
	}
	if !some || err != nil {
		return types.ObjectNull(object.AttributeTypes(context.Background())), err
	}
	return keepEmpty(object, prior), nil
}

// saysNothing reports whether a value means the same as none.
func saysNothing(v attr.Value) bool {
	switch v := v.(type) {
	case types.Bool:
		return !v.ValueBool()
	case types.List:
		return len(v.Elements()) == 0
	case types.Map:
		return len(v.Elements()) == 0
	default:
		return false
	}
}
