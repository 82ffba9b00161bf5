package runnamespace

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (r *runNamespace) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	labels, annotations := schemas.Metadata("Namespace")
	resp.Schema = schema.Schema{
		MarkdownDescription: "A namespace on a run cluster that packages are delivered to: the Namespace, a ServiceAccount, and Roles with RoleBindings " +
			"that give it just what kapp-controller needs to deploy Packages, PackageInstalls and their Secrets.\n\n" +
			"Destroying it first waits until no PackageInstall and no App is left in the namespace: one that outlives its ServiceAccount can never be deleted.",
		Attributes: map[string]schema.Attribute{
			"id":          schemas.ID("RUN-CLUSTER/NAME"),
			"run_cluster": schemas.RunCluster("The run cluster, a key of the provider's `run_clusters`."),
			"name":        schemas.Identity("Name of the namespace.", schemas.Name()),
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
			"adopt_existing": schemas.AdoptExisting("a namespace"),
			"field_manager":  schemas.FieldManagerAttribute(),
			"timeouts":       schemas.Timeouts(ctx),
			"uid":            schemas.UID("Namespace"),
			"objects": schema.MapAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "The objects, `Kind/name` to YAML of the fields that this resource sets. A change or removal by someone else shows here.",
			},
		},
	}
}
