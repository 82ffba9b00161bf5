package packageinstall

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (r *packageInstall) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	labels, annotations := schemas.FileMetadata("PackageInstall, and on the Secrets with its values and overlays")
	resp.Schema = schema.Schema{
		MarkdownDescription: "A package on a run cluster: a PackageInstall, and a Secret with the package's values, " +
			"committed to the GitOps repository as `PACKAGE/RUN-CLUSTER/packageinstall.yaml` and `params.yaml`. The plan shows the files. A change of them in Git by someone else is drift; one that happens between plan and apply " +
			"is an error. [Deliver a package](../guides/deliver-a-package.md) says more.",
		Attributes: map[string]schema.Attribute{
			"id":          schemas.ID("PACKAGE/RUN-CLUSTER"),
			"package":     schemas.Identity("Name of the package, for example `app.default.tap`.", schemas.PackageName()),
			"run_cluster": schemas.RunCluster("The run cluster, which is the directory beside the package's versions."),
			"name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Name of the PackageInstall. The default is the first label of `package`.",
				Validators:          []validator.String{schemas.ObjectName()},
			},
			"namespace": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Namespace of the PackageInstall and the Secret. Without it, the App that deploys them decides.",
				Validators:          []validator.String{schemas.Name()},
			},
			"labels":      labels,
			"annotations": annotations,
			"service_account_name": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "ServiceAccount on the run cluster that deploys the package's content. Exactly one of it and `cluster` is given.",
				Validators:          []validator.String{schemas.ObjectName()},
			},
			"cluster": clusterAttribute(),
			"version_constraint": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "Which version of the package to install: a version such as `1.2.3`, or a range such as `>=1.0.0 <2.0.0`. " +
					"Conditions are joined by a space (and) or ` || ` (or); `>=0.0.0` follows the newest version.",
				Validators: []validator.String{schemas.VersionConstraint()},
			},
			"prereleases": prereleasesAttribute(),
			"allow_downgrade": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Let the package go to a lower version than the one that is installed. " +
					"The annotation that permits it is committed together with the version.",
			},
			"package_source":   packageSource(),
			"schema_check":     schemaCheck(),
			"resolved_version": resolvedVersion(),
			"sync_period": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "How often the controller looks at the package, at least `30s`. The controller's default is 10 minutes.",
				Validators:          []validator.String{schemas.SyncPeriod()},
			},
			"paused":      optionalBool("Stop the controller from reconciling the PackageInstall."),
			"canceled":    optionalBool("Stop the controller from reconciling the PackageInstall, also a run that is under way."),
			"noop_delete": optionalBool("Leave what the package deployed on the run cluster when the PackageInstall is deleted."),
			"default_namespace": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Namespace for the package's objects that name none. The default is the PackageInstall's.",
				Validators:          []validator.String{schemas.Name()},
			},
			"ytt_overlays":   overlaysAttribute(),
			"extensions":     extensionsAttribute(),
			"adopt_existing": schemas.AdoptExisting("files of this package install that are already in the repository, and overwrite them,"),
			"on_destroy":     onDestroy("the package install", ""),
			"timeouts":       schemas.Timeouts(ctx),
			"creation":       creation.Attribute("the file `.terraform-provider-carvel` beside the others"),
			"adopted":        creation.AdoptedAttribute(),
			"path": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "Directory of the files in the repository. It is what an App fetches as `sub_path`.",
			},
			"files": schema.MapAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "The files in the repository, path to content. They are known at plan as soon as what they are made of is. " +
					"What is in a Secret is masked; its change shows in `values`, `values_yaml` and `ytt_overlays`. " +
					"The state holds this text for each package install: about 650 bytes, and one line more for each value.",
			},
			"commit":         commitAttribute("the files"),
			"pending_commit": pendingCommitAttribute(),
		},
	}
	maps.Copy(resp.Schema.Attributes, valuesAttributes())
}
