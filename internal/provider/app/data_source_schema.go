package app

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (a *dataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An App on the build cluster, and whether it delivers what the GitOps repository holds now: whoever made the App. " +
			"Use it in a `check` block or a postcondition.\n\n" +
			"The provider's credentials for the build cluster need the right to `get` `apps.kappctrl.k14s.io` in the namespace.",
		Attributes: map[string]schema.Attribute{
			"namespace": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Namespace of the App on the build cluster.",
				Validators:          []validator.String{schemas.Name()},
			},
			"name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Name of the App.",
				Validators:          []validator.String{schemas.ObjectName()},
			},
			"timeouts": timeouts.AttributesWithOpts(ctx, timeouts.Opts{ReadDescription: "How long reading may take, `1m` by default."}),
			"condition": schema.StringAttribute{
				Computed: true,
				MarkdownDescription: "`Reconciling`, `ReconcileSucceeded`, `ReconcileFailed`, `Deleting` or `DeleteFailed`. Null at the very beginning. " +
					"It may be of an earlier commit, or of before a pause.",
			},
			"message": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The controller's own words: the error if there is one.",
			},
			"generation": schema.Int64Attribute{
				Computed:            true,
				MarkdownDescription: "The generation of the App's specification.",
			},
			"observed_generation": schema.Int64Attribute{
				Computed:            true,
				MarkdownDescription: "The generation that the controller has seen.",
			},
			"fetched_commits": schema.ListAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "The commits that the last fetch got, one for each `git` source in order. Empty if the last fetch failed.",
			},
			"ready": schema.BoolAttribute{
				Computed: true,
				MarkdownDescription: "Whether the controller has seen the latest change of the App, is not paused, and has succeeded. " +
					"With `in_sync` that is a success with what the repository holds. The packages on the run cluster may need a moment longer: " +
					"see the data source `carvel_package_installs`.",
			},
			"in_sync": schema.BoolAttribute{
				Computed: true,
				MarkdownDescription: "Whether the directories that the App's template steps read of the provider's repository and branch are, as they were fetched, those at the tip of the branch. " +
					"Other directories of the repository do not count. Null if the provider has no `git`, or the App fetches nothing from that branch.",
			},
		},
	}
}
