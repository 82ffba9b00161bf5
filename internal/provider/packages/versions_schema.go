package packages

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (p *packageVersions) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	runCluster, namespace := schemas.PackageSource()
	resp.Schema = schema.Schema{
		MarkdownDescription: "A package, as the GitOps repository or a run cluster has it: its versions, the one that a constraint selects, and the values which that one takes. " +
			"It is an error if no version is selected.\n\n" +
			"On a run cluster the provider's credentials need the right to `list` `packages.data.packaging.carvel.dev` in the namespace.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Name of the package, for example `app.default.tap`.",
				Validators:          []validator.String{schemas.PackageName()},
			},
			"run_cluster": runCluster,
			"namespace":   namespace,
			"version_constraint": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Which version to select: a version such as `1.2.3`, or a range such as `>=1.0.0 <2.0.0`, as in `carvel_package_install`. " +
					"Without it, the newest version.",
				Validators: []validator.String{schemas.VersionConstraint()},
			},
			"prereleases": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "Select prereleases too: `{}` for all of them.",
				Attributes: map[string]schema.Attribute{
					"identifiers": schema.ListAttribute{
						Optional: true, ElementType: types.StringType,
						MarkdownDescription: "Only prereleases with one of these identifiers, for example `rc`.",
					},
				},
			},
			"timeouts": timeouts.AttributesWithOpts(ctx, timeouts.Opts{ReadDescription: "How long reading may take, `1m` by default."}),
			"versions": schema.ListAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "All versions, the newest first and prereleases among them.",
			},
			"released_at":      releasedAt(),
			"resolved_version": schema.StringAttribute{Computed: true, MarkdownDescription: "The version that is selected, by kapp-controller's rules."},
			"values_schema": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The OpenAPI v3 schema of that version's values, as JSON. Null if it has none.",
			},
			"default_values": schema.DynamicAttribute{
				Computed: true,
				MarkdownDescription: "The values that the version takes if none are given, an object, as far as the schema tells. Null if it has none. " +
					"`yamlencode` turns it into a text to begin one's own values with.",
			},
		},
	}
}

// releasedAt are the times of versions.
func releasedAt() schema.Attribute {
	return schema.MapAttribute{
		Computed: true, ElementType: types.StringType,
		MarkdownDescription: "When each version was released, in RFC 3339: version to `spec.releasedAt` of its Package. Null for a version whose Package has none. " +
			"It is what whoever made the Package has written into it, as `kctrl package release` does, and not the time of the commit that brought its file.",
	}
}
