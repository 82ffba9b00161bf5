package pullrequest

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

// none is the state where there is nothing to merge, and was no request.
const none = "none"

func (r *pullRequest) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	notEmpty := []validator.Set{setvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))}
	resp.Schema = schema.Schema{
		MarkdownDescription: "The pull request (GitLab's merge request) that brings `git.push_branch` onto `git.branch`. One is opened if there is something to merge, " +
			"and changed by later applies as long as it is open.\n\n" +
			"The provider needs `git.push_branch` and `git.forge`. [Protected branches and approvals](../guides/protected-branches.md) says more.",
		Attributes: map[string]schema.Attribute{
			"id": schemas.ID("PUSH-BRANCH"),
			"commits": schema.ListAttribute{
				Required: true, ElementType: types.StringType,
				MarkdownDescription: "The `pending_commit` of each package install that the request is for, so that it is opened after all of them were pushed, and once. " +
					"A null is one that does not wait.",
			},
			"title": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Title. The default tells what the request changes.",
				Validators:          []validator.String{stringvalidator.LengthBetween(1, 200)},
			},
			"body": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Text above the changes, in Markdown.",
				Validators:          []validator.String{stringvalidator.LengthAtMost(20_000)},
			},
			"labels": schema.SetAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Labels to put on the request. They have to exist if the host does not make them. Labels that others put there stay.", Validators: notEmpty,
			},
			"reviewers": schema.SetAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Logins of those who are asked for a review; `team:NAME` is a team, if the host has such. Reviewers whom others ask stay.", Validators: notEmpty,
			},
			"draft": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Open it as a draft, which nobody can merge.",
			},
			"auto_merge": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Have the host merge it as soon as its rules allow that: approvals, status checks. If nothing keeps it, that is at once.",
			},
			"merge_method": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "How `auto_merge` merges: `merge`, `squash` or `rebase`. The default is the host's.",
				Validators:          []validator.String{stringvalidator.OneOf(string(forge.Merge), string(forge.Squash), string(forge.Rebase))},
			},
			"delete_branch": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Have `auto_merge` delete the push branch. The next change makes it anew, whether it is there or not.",
			},
			"wait": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(string(delivery.WaitNone)),
				MarkdownDescription: "What an apply waits for, as long as `timeouts` allow: `none`, the default; `mergeable`, that nothing keeps the request from being merged; " +
					"`merged`. A request that is still open by then is a warning: it goes on without Terraform.",
				Validators: []validator.String{stringvalidator.OneOf(string(delivery.WaitNone), string(delivery.WaitMergeable), string(delivery.WaitMerged))},
			},
			"timeouts":     schemas.Timeouts(ctx),
			"source":       computed("The branch that is merged, `git.push_branch`.", true),
			"target":       computed("The branch that it is merged into, `git.branch`.", true),
			"url":          computed("URL of the request's page; null if there is none.", false),
			"number":       schema.Int64Attribute{Computed: true, MarkdownDescription: "Number of the request; null if there is none."},
			"state":        computed("`open`, `merged` or `closed` (without a merge), as the host says; `none` if there was nothing to merge and is no request.", false),
			"head":         computed("The commit that the request asks to merge.", false),
			"merge_commit": computed("The commit of `git.branch` with which it was merged; null as long as it was not. Use it in the `wait_for_commits` of a `carvel_app`.", false),
		},
	}
}

func computed(description string, stays bool) schema.StringAttribute {
	a := schema.StringAttribute{Computed: true, MarkdownDescription: description}
	if stays {
		a.PlanModifiers = []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	}
	return a
}
