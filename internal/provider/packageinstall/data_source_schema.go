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
			"Use it in a `check` block, or to promote the version that is healthy on another run cluster.\n\n" +
			"What the provider's credentials for the run cluster [may not read](../guides/rights.md) beside the PackageInstalls makes attributes null, and is no error.",
		Attributes: map[string]schema.Attribute{
			"run_cluster": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The run cluster, a key of the provider's `run_clusters`.",
				Validators:          []validator.String{schemas.RunClusterName()},
			},
			"namespace": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "The namespace to look into. Without it, all of them, which needs the rights in the whole cluster: " +
					"set it if the credentials have rights in a namespace alone.",
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
					"version":            text("The version that is selected. It is what runs if `ready` is true. Null if no version was found."),
					"last_attempted_version": text("The version that kapp-controller tried to install last. It is another one than `version` " +
						"where a downgrade was not allowed. Null if nothing was tried."),
					"condition": text("`Reconciling`, `ReconcileSucceeded`, `ReconcileFailed`, `Deleting` or `DeleteFailed`. Null at the very beginning. " +
						"It may be of an earlier version, or of before a pause; `ready` is not."),
					"message": text("kapp-controller's own words: the error if there is one."),
					"ready": schema.BoolAttribute{
						Computed: true,
						MarkdownDescription: "Whether `version` is installed: kapp-controller has seen the latest change, is not paused, has succeeded, " +
							"and so has the App that installs the package, at that version, if the credentials may read it.",
					},
					"ready_since": text("The time, in RFC 3339, since which `version` with its present values has been reconciled without a failure. " +
						"It may be later than the truth and is never earlier, as far as the statuses tell and the times that the API server notes for writes. Null if it cannot be told.\n\n" +
						"[Verify and promote](../guides/verify-and-promote.md) says how it is told."),
					"ready_since_reason": text("Why `ready_since` is null, or no earlier than the last run. Null otherwise."),
					"values_digest": text("A digest of what the values Secrets say, to compare with that of another run cluster, or with the function `values_digest`. " +
						"The same values have the same digest everywhere; comments, quotes and the order of keys make no difference. They are what runs if `ready_since` is not null. " +
						"Null without values, and if they may not be read."),
				}},
			},
		},
	}
}
