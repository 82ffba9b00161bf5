package app

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

func (r *app) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	labels, annotations := schemas.Metadata("App, and on the Secrets of its own")
	resp.Schema = schema.Schema{
		MarkdownDescription: "An App on the build cluster: kapp-controller fetches directories of the GitOps repository and deploys what they hold to a run cluster. " +
			"An apply waits until the run cluster runs that, or fails with the controller's own message.\n\n" +
			"Refer to the other resources, so that the App is destroyed first. [Deliver a package](../guides/deliver-a-package.md) says what to know.",
		Attributes: map[string]schema.Attribute{
			"id":          schemas.ID("NAMESPACE/NAME"),
			"namespace":   schemas.Identity("Namespace of the App on the build cluster.", schemas.Name()),
			"name":        schemas.Identity("Name of the App.", schemas.ObjectName()),
			"labels":      labels,
			"annotations": annotations,
			"service_account_name": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "ServiceAccount in the App's namespace, to deploy to the build cluster itself. Exactly one of it and `cluster` is given.",
				Validators:          []validator.String{schemas.ObjectName()},
			},
			"cluster": clusterAttribute(),
			"run_cluster": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "The run cluster that the App delivers to. With `packages` it names the directories to deliver. " +
					"If it is a key of the provider's `run_clusters`, the wait also looks at the PackageInstalls there; " +
					"else an error in values may show only after the apply. " +
					fmt.Sprintf("They are not looked at if a `fetch` selects more than %d files beside package versions.", delivery.MostFiles),
				Validators: []validator.String{schemas.RunClusterName()},
			},
			"packages": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Names of packages to deliver from the provider's repository, in place of `fetch`: for each, its versions in `PACKAGE/packages` and what " +
					"`PACKAGE/RUN-CLUSTER` holds. Needs `run_cluster`. Both directories must exist, see `create_directories`; the plan warns of those that do not. " +
					"The `sops` steps of a `template` and its first other step get the paths of the directories, and must name none.",
				Validators: []validator.List{
					listvalidator.UniqueValues(),
					listvalidator.ValueStringsAre(schemas.PackageName()),
				},
			},
			"fetch_per_package": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Give the App two Git sources for each of the `packages`, its two directories, in place of one for all of them. The default is `false`. " +
					"It is slower by far, and for a repository that is too large for the controller's memory, or for a `template` whose steps name files by the number of a source.",
			},
			"create_directories": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Commit an empty file `.gitkeep` in each directory of `packages` that does not exist yet, `PACKAGE/packages` included, before the App is created or changed: " +
					"all of them in one commit. The App then succeeds with nothing to deploy until somebody commits a package. The default is `false`. " +
					"It needs the right to push. The files are never removed.",
			},
			"fetch":           fetchAttribute(),
			"template":        templateAttribute(),
			"deploy":          deployAttribute(),
			"git_secret_ref":  gitSecretRefAttribute(),
			"git_credentials": gitCredentialsAttribute(),
			"sops_age_key_wo": schema.StringAttribute{
				Optional: true, WriteOnly: true,
				MarkdownDescription: "age keys to decrypt files with, which are not kept in the state: lines that begin with `AGE-SECRET-KEY-`. " +
					"They are written to a Secret `NAME-sops-age` of the App's own, which `sops` steps use that name none. Needs `sops_age_key_wo_version`.",
				Validators: []validator.String{
					schemas.Check("age keys", carvel.ValidateAgeKey),
					stringvalidator.AlsoRequires(path.MatchRoot("sops_age_key_wo_version")),
				},
			},
			"sops_age_key_wo_version": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Any text; change it to have `sops_age_key_wo` written again.",
				Validators:          []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("sops_age_key_wo"))},
			},
			"sync_period": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "How often the controller looks at the repository, at least `30s`, which is also the controller's default. " +
					"It may be long, such as `1h`, if every change makes the App fetch at once, as `wait_for_commits` does: " +
					"then it is only how soon the App takes up what others commit, and mends what others change on the run cluster.",
				Validators: []validator.String{schemas.SyncPeriod()},
			},
			"paused": optionalBool("Stop the controller from reconciling the App. There is nothing to wait for then. " +
				"Unset or `false` leaves the field to others, such as the action `carvel_app_pause`: an App that they have paused stays so, and an apply that waits for it fails."),
			"canceled":    optionalBool("Stop the controller from reconciling the App, also a run that is under way."),
			"noop_delete": optionalBool("Leave what the App deployed on the run cluster when the App is deleted."),
			"default_namespace": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Namespace for deployed objects that name none. " +
					"The API server of a cluster whose kapp-controller does not know this field refuses the App.",
				Validators: []validator.String{schemas.Name()},
			},
			"on_destroy": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(onDestroyDelete),
				MarkdownDescription: "What happens to what the App deployed when this resource is destroyed.\n" +
					"  - `" + onDestroyDelete + "` (the default): the controller deletes it, with the kubeconfig and its rights.\n" +
					"  - `" + onDestroyOrphan + "`: it stays on the run cluster. Only an App of the same name can take it over later.\n\n" +
					"  Apply a change before you destroy.",
				Validators: []validator.String{stringvalidator.OneOf(onDestroyDelete, onDestroyOrphan)},
			},
			"wait": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Wait until the run cluster runs what the repository holds. The default is `true`.",
			},
			"wait_for_commits": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "The `commit` of each `carvel_package_install` that the App delivers. A new commit then updates the App: " +
					"the controller is made to fetch at once, and waited for. With `git.push_branch`, a null is one that is not merged yet: a warning says so; " +
					"the `merge_commit` of a `carvel_pull_request` with `wait = \"merged\"` goes here as well.",
			},
			"adopt_existing": schemas.AdoptExisting("an App that already exists"),
			"field_manager":  schemas.FieldManagerAttribute(),
			"timeouts":       schemas.Timeouts(ctx),
			"creation":       creation.Attribute("an annotation of the App"),
			"adopted":        creation.AdoptedAttribute(),
			"uid":            schemas.UID("App"),
			"object": schema.StringAttribute{
				Computed: true,
				MarkdownDescription: "The App as YAML, reduced to the fields that this resource sets, defaults included. " +
					"A change by someone else shows here. In place of the content of an inline file there is a slow digest of it.",
			},
			"secrets": schema.MapAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "The Secrets of the App's own, for `git_credentials` and `sops_age_key_wo`: name to the keys that it has. " +
					"A change by someone else shows here.",
			},
			"status": statusAttribute(),
		},
	}
}

// ConfigValidators look at attributes of which one is to be set.
func (*app) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{
		schemas.ExactlyOneOf("service_account_name", "cluster"), schemas.ExactlyOneOf("fetch", "packages"), schemas.AtMostOneOf("git_secret_ref", "git_credentials"),
		schemas.Requires("packages", "run_cluster"), schemas.Requires("fetch_per_package", "packages"), schemas.Requires("create_directories", "packages"),
	}
}

// ValidateConfig refuses names from which others follow that are too long.
func (*app) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(config.checkNames(ctx)...)
	}
}

func clusterAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "The run cluster to deploy to.",
		Attributes: map[string]schema.Attribute{
			"namespace": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "Namespace on the run cluster, which must exist: where objects without a namespace go, and where kapp keeps its record. " +
					"Use the `name` of a `carvel_run_namespace`.",
				Validators: []validator.String{schemas.Name()},
			},
			"kubeconfig_secret_ref": schema.SingleNestedAttribute{
				Required:            true,
				MarkdownDescription: "The Secret with the run cluster's kubeconfig, in the App's namespace.",
				Attributes: map[string]schema.Attribute{
					"name": schema.StringAttribute{
						Required: true, MarkdownDescription: "Name of the Secret. Use the `name` of a `carvel_kubeconfig_secret`.",
						Validators: []validator.String{schemas.ObjectName()},
					},
					"key": schema.StringAttribute{
						Optional: true, MarkdownDescription: "Key of the Secret. The default is `value`.",
						Validators: []validator.String{schemas.Check("a key of a Secret", carvel.ValidateSecretKey)},
					},
				},
			},
		},
	}
}

func statusAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Computed:            true,
		MarkdownDescription: "What the controller reports.",
		Attributes: map[string]schema.Attribute{
			"condition":           schema.StringAttribute{Computed: true, MarkdownDescription: "`Reconciling`, `ReconcileSucceeded`, `ReconcileFailed`, `Deleting` or `DeleteFailed`; empty before the first report."},
			"message":             schema.StringAttribute{Computed: true, MarkdownDescription: "The controller's message."},
			"fetched_commits":     schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "The commit that each `git` source was last fetched at."},
			"observed_generation": schema.Int64Attribute{Computed: true, MarkdownDescription: "The generation of the App that the controller has seen."},
		},
	}
}

func optionalBool(description string) schema.Attribute {
	return schema.BoolAttribute{Optional: true, MarkdownDescription: description}
}
