package runnamespace

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (r *runNamespace) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	labels, annotations := schemas.Metadata("Namespace and all other objects; with `create_namespace = false`, on these alone")
	resp.Schema = schema.Schema{
		MarkdownDescription: "A namespace on a run cluster that packages are delivered to: the Namespace, a ServiceAccount, and Roles with RoleBindings " +
			"that give it just what kapp-controller needs to deploy Packages, PackageInstalls and their Secrets.\n\n" +
			"Destroying it first waits until no PackageInstall and no App is left in the namespace: one that outlives its ServiceAccount can never be deleted.",
		Attributes: map[string]schema.Attribute{
			"id":          schemas.ID("RUN-CLUSTER/NAME"),
			"run_cluster": schemas.RunCluster("The run cluster, a key of the provider's `run_clusters`."),
			"name":        schemas.Identity("Name of the namespace.", schemas.Name()),
			"create_namespace": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Make the Namespace, and delete it with this resource, unless it was adopted. With `false` it must be there, and is left as it is.\n\n" +
					"Whoever may deliver into a namespace can act as every ServiceAccount of it: choose one without accounts that have further rights, " +
					"or set `restrict_service_accounts`.",
			},
			"labels":      labels,
			"annotations": annotations,
			"service_account_name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Name of the ServiceAccount that gets the rights. The default is `NAME-sa`.",
				Validators:          []validator.String{schemas.ObjectName()},
			},
			"tanzu_application_platform": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "The run cluster is a Tanzu Application Platform cluster, whose developer namespaces grant the rights that workloads need. " +
					"Without it the Role `app-cr-role` grants Deployments, ConfigMaps, Services and Ingresses.",
			},
			"image_pull_secrets": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Names of Secrets in the namespace, for the ServiceAccount to pull images with.",
				Validators:          []validator.List{listvalidator.ValueStringsAre(schemas.ObjectName())},
			},
			"additional_rules": schema.ListNestedAttribute{
				Optional: true,
				MarkdownDescription: "Further rights of the ServiceAccount in the namespace, for what the packages deploy. " +
					"They go into a Role of their own, `app-additional-role`.",
				NestedObject: schema.NestedAttributeObject{Attributes: ruleAttributes()},
			},
			"restrict_service_accounts": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "Keep the ServiceAccount from acting as another ServiceAccount of the namespace, which its right to write Secrets, PackageInstalls and workloads " +
					"would let it do, by a ValidatingAdmissionPolicy. It needs Kubernetes 1.30, and [further rights](../guides/rights.md) of the provider. " +
					"Worth having with `create_namespace = false`.",
				Attributes: map[string]schema.Attribute{
					"allowed": schema.ListAttribute{
						Optional: true, ElementType: types.StringType,
						MarkdownDescription: "Names of ServiceAccounts that Pods may run as besides the ServiceAccount itself and `default`.",
						Validators:          []validator.List{listvalidator.ValueStringsAre(schemas.ObjectName())},
					},
				},
			},
			"adopt_existing": schemas.AdoptExisting("a namespace that already exists, or with `create_namespace = false` the objects in it that do,"),
			"delete_adopted": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Destroying this resource deletes also what was there before `adopt_existing` or an import took it over: the namespace with all " +
					"that anybody has put into it. Without it such a namespace, or another object, is left. Apply a change before you destroy.",
			},
			"field_manager": schemas.FieldManagerAttribute(),
			"timeouts":      schemas.Timeouts(ctx),
			"creation":      creation.Attribute("an annotation of the objects"),
			"adopted":       creation.AdoptedAttribute(),
			"uid":           schemas.UID("Namespace"),
			"objects": schema.MapAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "The objects, `Kind/name` to YAML of the fields that this resource sets. A change or removal by someone else shows here.",
			},
		},
	}
}

func ruleAttributes() map[string]schema.Attribute {
	list := func(description string, validators ...validator.List) schema.Attribute {
		return schema.ListAttribute{
			Required: true, ElementType: types.StringType, MarkdownDescription: description,
			Validators: append(validators, listvalidator.SizeAtLeast(1)),
		}
	}
	return map[string]schema.Attribute{
		"api_groups": list("API groups of the resources; `\"\"` is the core group."),
		"resources":  list("Resources, for example `statefulsets`.", listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))),
		"verbs":      list("Verbs, for example `get`.", listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))),
		"resource_names": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, MarkdownDescription: "Names of single objects, instead of all of them.",
		},
	}
}
