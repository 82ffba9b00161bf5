package app

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (r *app) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	labels, annotations := schemas.Metadata("App")
	resp.Schema = schema.Schema{
		MarkdownDescription: "An App on the build cluster: kapp-controller fetches directories of the GitOps repository and deploys what they hold to a run cluster. " +
			"Creating and updating it waits until the controller has reconciled it, or fails with the controller's own message.\n\n" +
			"The directories must exist when the App is created, so it comes after the `carvel_package_install` resources whose `path` it fetches, " +
			"the `carvel_kubeconfig_secret` that it deploys with and the `carvel_run_namespace` that it deploys to. Refer to their attributes to have that order, " +
			"and its reverse when they are destroyed.",
		Attributes: map[string]schema.Attribute{
			"id":          schemas.ID("NAMESPACE/NAME"),
			"namespace":   schemas.Identity("Namespace of the App on the build cluster.", schemas.Name()),
			"name":        schemas.Identity("Name of the App.", schemas.ObjectName()),
			"labels":      labels,
			"annotations": annotations,
			"service_account_name": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "ServiceAccount in the App's namespace, to deploy to the build cluster itself. Exactly one of it and `cluster` is given.",
				Validators: []validator.String{
					schemas.ObjectName(), stringvalidator.ExactlyOneOf(path.MatchRoot("cluster")),
				},
			},
			"cluster": clusterAttribute(),
			"fetch": schema.ListNestedAttribute{
				Required:            true,
				MarkdownDescription: "What to deploy, from one or more sources.",
				Validators:          []validator.List{listvalidator.SizeAtLeast(1)},
				NestedObject:        schema.NestedAttributeObject{Attributes: fetchAttributes()},
			},
			"deploy": deployAttribute(),
			"sync_period": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "How often the controller looks at the repository, at least `30s`, which is also the controller's default.",
				Validators:          []validator.String{schemas.SyncPeriod()},
			},
			"paused":      optionalBool("Stop the controller from reconciling the App. There is nothing to wait for then."),
			"canceled":    optionalBool("Stop the controller from reconciling the App, also a run that is under way."),
			"noop_delete": optionalBool("Leave what the App deployed on the run cluster when the App is deleted."),
			"default_namespace": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Namespace for deployed objects that name none.",
				Validators:          []validator.String{schemas.Name()},
			},
			"wait": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Wait until the App is reconciled. The default is `true`.",
			},
			"wait_for_commits": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "The `commit` of each `carvel_package_install` that the App delivers. A new commit then updates the App: " +
					"the controller is made to fetch at once, and waited for.",
			},
			"adopt_existing": schemas.AdoptExisting("an App"),
			"field_manager":  schemas.FieldManagerAttribute(),
			"timeouts":       schemas.Timeouts(ctx),
			"uid":            schemas.UID("App"),
			"object": schema.StringAttribute{
				Computed: true,
				MarkdownDescription: "The App as YAML, reduced to the fields that this resource sets, defaults included. " +
					"A change by someone else shows here.",
			},
			"status": statusAttribute(),
		},
	}
}

func clusterAttribute() schema.Attribute {
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

func fetchAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"git": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "A directory of a Git repository.",
			Validators:          []validator.Object{objectvalidator.ExactlyOneOf(path.MatchRelative().AtParent().AtName("inline"))},
			Attributes: map[string]schema.Attribute{
				"url": schema.StringAttribute{Optional: true, MarkdownDescription: "URL of the repository. The default is the provider's `git.url`."},
				"ref": schema.StringAttribute{
					Optional: true, MarkdownDescription: "Branch, tag or commit; `origin/BRANCH` fetches that branch alone. The default is the provider's branch.",
					Validators: []validator.String{schemas.Check("a ref that the controller can fetch, such as origin/main", carvel.ValidateGitRef)},
				},
				"sub_path": schema.StringAttribute{
					Optional: true, MarkdownDescription: "Directory to fetch, which must exist on the branch. Use the `path` of a `carvel_package_install`.",
					Validators: []validator.String{schemas.Check("a directory inside the repository", carvel.ValidateSubPath)},
				},
				"secret_ref": schema.SingleNestedAttribute{
					Optional:            true,
					MarkdownDescription: "Secret in the App's namespace with the credentials: `username` and `password`, or `ssh-privatekey` and `ssh-knownhosts`, and no other key.",
					Attributes: map[string]schema.Attribute{
						"name": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the Secret.", Validators: []validator.String{schemas.ObjectName()}},
					},
				},
			},
		},
		"inline": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "Files that are part of the App.",
			Attributes: map[string]schema.Attribute{
				"paths": schema.MapAttribute{
					Required: true, ElementType: types.StringType, MarkdownDescription: "Path to content.",
					Validators: []validator.Map{mapvalidator.SizeAtLeast(1)},
				},
			},
		},
	}
}

func deployAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How to deploy. Without it, kapp deploys everything into `cluster.namespace`, and may delete everything once the directories are empty.",
		Attributes: map[string]schema.Attribute{
			"kapp": schema.SingleNestedAttribute{
				Required:            true,
				MarkdownDescription: "Deploy by kapp.",
				Attributes: map[string]schema.Attribute{
					"into_ns": schema.StringAttribute{
						Optional: true, MarkdownDescription: "Namespace that every namespaced object goes into, whatever it names.",
						Validators: []validator.String{schemas.Name()},
					},
					"raw_options": schema.ListAttribute{
						Optional: true, ElementType: types.StringType, MarkdownDescription: "Flags of kapp deploy, each `--flag=value`.",
						Validators: []validator.List{
							listvalidator.SizeAtLeast(1),
							listvalidator.ValueStringsAre(schemas.Check("a flag of kapp deploy that the controller lets through, as --flag=value", carvel.ValidateDeployOption)),
						},
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
