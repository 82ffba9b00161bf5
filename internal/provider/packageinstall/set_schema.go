package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (r *packageInstalls) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	labels, annotations := schemas.FileMetadata("PackageInstalls, and on the Secrets with their values and overlays")
	resp.Schema = schema.Schema{
		MarkdownDescription: "Many packages on a run cluster, as one resource: the files are those of a `carvel_package_install` for each package, and all of them change in one commit or none does. " +
			"Use it if a run cluster has more than some tens of packages, or if a set of versions is to be promoted as a whole. " +
			"[At scale](../guides/at-scale.md) says more.",
		Attributes: map[string]schema.Attribute{
			"id":          schemas.ID("RUN-CLUSTER"),
			"run_cluster": schemas.RunCluster("The run cluster, which is the directory beside each package's versions."),
			"packages": schema.DynamicAttribute{
				Required: true,
				MarkdownDescription: "The packages by their names, an object for each, with `version_constraint` and, if it has any, its `values`. " +
					"It takes the attributes of a [carvel_package_install](package_install.md) but for those of the resource itself, " +
					"and each of those that the packages share below, in whose place it is for this package. [At scale](../guides/at-scale.md#the-attributes-of-a-package) has a list.",
			},
			"values_wo": schema.DynamicAttribute{
				Optional: true, WriteOnly: true,
				MarkdownDescription: "Values that are not kept in the state or in a plan, an object for each package that has some, by the package's name. They lie over its `values` and `values_yaml`. " +
					"What is said about `values_wo` of a [carvel_package_install](package_install.md) holds here too.",
			},
			"values_wo_version": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Any text; change it to show in the plan that `values_wo` has changed.",
				Validators:          []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("values_wo"))},
			},
			"service_account_name": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "ServiceAccount on the run cluster that deploys the packages' content, but for packages that give `cluster`.",
				Validators:          []validator.String{schemas.ObjectName()},
			},
			"namespace": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Namespace of the PackageInstalls and the Secrets. Without it, the App that deploys them decides.",
				Validators:          []validator.String{schemas.Name()},
			},
			"labels":      labels,
			"annotations": annotations,
			"prereleases": prereleasesAttribute(),
			"allow_downgrade": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Let packages go to a lower version than the one that is installed.",
			},
			"package_source": packageSource(),
			"schema_check":   schemaCheck(),
			"sync_period": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "How often the controller looks at a package, at least `30s`. The controller's default is 10 minutes.",
				Validators:          []validator.String{schemas.SyncPeriod()},
			},
			"hash_values_name": optionalBool("Put ten digits of a hash of a package's values behind the name of their Secret, so that the PackageInstall changes with them and the controller reconciles it at once."),
			"encryption":       encryptionAttribute(),
			"adopt_existing":   schemas.AdoptExisting("files of these package installs that are already in the repository, and overwrite them,"),
			"on_destroy":       onDestroy("the packages", " The files of a package that is taken out of `packages` are removed in any case."),
			"timeouts":         schemas.Timeouts(ctx),
			"creation":         creation.Attribute("the file `.terraform-provider-carvel` in each directory"),
			"adopted": schema.MapAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "What `adopt_existing` took over, by package, as the plan saw it. The apply fails if that has changed since the plan.",
			},
			"paths": schema.MapAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "The directory of each package's files in the repository, by package.",
			},
			"resolved_versions": schema.MapAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "The version that each `version_constraint` selects now, by package. A package with `package_source = \"none\"` has none.",
			},
			"commit":         commitAttribute("a file of these packages"),
			"pending_commit": pendingCommitAttribute(),
		},
	}
}
