package schemas

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// PackageSource are the attributes run_cluster and namespace of a data source
// that looks at a run cluster, or without them into the repository.
func PackageSource() (runCluster, namespace schema.Attribute) {
	runCluster = schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: "The run cluster to look at, a key of the provider's `run_clusters`. Without it, the GitOps repository is looked at: `PACKAGE/packages/` at the tip of the branch.",
		Validators:          []validator.String{RunClusterName(), stringvalidator.AlsoRequires(path.MatchRoot("namespace"))},
	}
	namespace = schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: "The namespace on the run cluster. What the cluster offers in all namespaces is among its packages.",
		Validators:          []validator.String{Name(), stringvalidator.AlsoRequires(path.MatchRoot("run_cluster"))},
	}
	return runCluster, namespace
}
