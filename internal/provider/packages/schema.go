package packages

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (p *packages) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	runCluster, namespace := schemas.PackageSource()
	resp.Schema = schema.Schema{
		MarkdownDescription: "The packages that can be installed, with their versions: those in the GitOps repository, or those that a run cluster offers. " +
			"Use it in a `check` block, or to install all of them with `for_each`.\n\n" +
			"On a run cluster the provider's credentials need the right to `list` `packages.data.packaging.carvel.dev` in the namespace.",
		Attributes: map[string]schema.Attribute{
			"run_cluster": runCluster,
			"namespace":   namespace,
			"timeouts":    timeouts.AttributesWithOpts(ctx, timeouts.Opts{ReadDescription: "How long reading may take, `1m` by default."}),
			"packages": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The packages, by name.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name": schema.StringAttribute{Computed: true, MarkdownDescription: "Name of the package, such as `app.default.tap`."},
					"versions": schema.ListAttribute{
						Computed: true, ElementType: types.StringType,
						MarkdownDescription: "Its versions, the newest first and prereleases among them.",
					},
					"released_at": releasedAt(),
					"newest": schema.StringAttribute{
						Computed:            true,
						MarkdownDescription: "The newest version that is no prerelease, which `version_constraint = \">=0.0.0\"` installs. Null if all are prereleases.",
					},
				}},
			},
		},
	}
}
