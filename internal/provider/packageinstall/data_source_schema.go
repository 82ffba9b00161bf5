package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (p *dataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "The PackageInstalls on a run cluster, or in one namespace of it, and what kapp-controller says of each: whoever made them. " +
			"Use it in a `check` block or a postcondition, or to promote to one run cluster the version that is healthy on another.\n\n" +
			"The provider's credentials for the run cluster need the right to `list` `packageinstalls.packaging.carvel.dev`. " +
			"With the right to `list` `apps.kappctrl.k14s.io` as well, `ready` is certain also in the moment after a new version was selected.",
		Attributes: map[string]schema.Attribute{
			"run_cluster": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The run cluster, a key of the provider's `run_clusters`.",
				Validators:          []validator.String{schemas.RunClusterName()},
			},
			"namespace": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "The namespace to look into. Without it, all of them, which needs the rights in the whole cluster: " +
					"set it where the credentials have rights in a namespace alone.",
				Validators: []validator.String{schemas.Name()},
			},
			"timeouts": timeouts.AttributesWithOpts(ctx, timeouts.Opts{ReadDescription: "How long reading may take, `1m` by default."}),
			"package_installs": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The PackageInstalls, by namespace and name.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"namespace":          text("Namespace of the PackageInstall."),
					"name":               text("Name of the PackageInstall."),
					"package":            text("Name of the package, such as `app.default.tap`."),
					"version_constraint": text("The versions that are allowed; empty for any version."),
					"version":            text("The version that is selected. It is what runs where `ready` is true. Null where no version was found."),
					"last_attempted_version": text("The version that kapp-controller tried to install last. It is another one than `version` " +
						"where a downgrade was not allowed. Null where nothing was tried."),
					"condition": text("`Reconciling`, `ReconcileSucceeded`, `ReconcileFailed`, `Deleting` or `DeleteFailed`. Null at the very beginning. " +
						"It may be of an earlier version, or of before a pause; `ready` is not."),
					"message": text("kapp-controller's own words: the error where there is one."),
					"ready": schema.BoolAttribute{
						Computed: true,
						MarkdownDescription: "Whether `version` is installed: kapp-controller has seen the latest change, is not paused, has succeeded, " +
							"and so has the App that installs the package, at that version, where the credentials may read it.",
					},
				}},
			},
		},
	}
}
