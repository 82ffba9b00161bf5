package packageinstall

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
)

func packageSource() schema.Attribute {
	return schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString(delivery.FromRepository),
		MarkdownDescription: "Where the plan looks up the versions of the package, to check `version_constraint` and the values. " +
			"`repository`, the default: in `PACKAGE/packages/` at the tip of the branch. " +
			"`cluster`: in the Packages that the run cluster offers in `namespace`, if a PackageRepository brings them there. " +
			"`none`: nowhere; nothing is checked, as for a package that the same run commits.",
		Validators: []validator.String{stringvalidator.OneOf(delivery.FromRepository, delivery.FromCluster, delivery.FromNowhere)},
	}
}

// The values of schema_check.
const (
	schemaError = "error" // the default
	schemaWarn  = "warn"
	schemaNone  = "none"
)

func schemaCheck() schema.Attribute {
	return schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "What becomes of values that the package's values schema does not take. " +
			"`error`, the default: an error of the plan, if the deployment would fail over them. `warn`: a warning. " +
			"`none`: the values are not checked, for a package whose schema is wrong. The version is looked up whatever this says.",
		Validators: []validator.String{stringvalidator.OneOf(schemaError, schemaWarn, schemaNone)},
	}
}

func resolvedVersion() schema.Attribute {
	return schema.StringAttribute{
		Computed: true,
		MarkdownDescription: "The version that `version_constraint` selects now, by the controller's rules. " +
			"It changes without a commit when a new version comes that the constraint takes. " +
			"Limits that a Package sets on the versions of Kubernetes and the controller are not known here. Null with `package_source = \"none\"`.",
	}
}

func prereleasesAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Let `version_constraint` select prereleases too: `{}` for all of them.",
		Attributes: map[string]schema.Attribute{
			"identifiers": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Only prereleases with one of these identifiers, for example `rc`.",
			},
		},
	}
}
