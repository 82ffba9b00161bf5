package providerdata

import (
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
)

// PackageSource is where a data source looks for packages: on a run cluster, or
// without one in the repository. ready is false if that has to wait, or
// if it is refused.
func (d *Data) PackageSource(runCluster, namespace types.String, req datasource.ReadRequest, resp *datasource.ReadResponse) (from delivery.PackageSource, ready bool) {
	if runCluster.IsNull() {
		resp.Diagnostics.Append(d.CheckGit()...)
		if d.Unknown.Git {
			Defer("git", req, resp)
			return from, false
		}
		return delivery.PackageSource{Kind: delivery.FromRepository}, true
	}
	name := runCluster.ValueString()
	if !d.KnowsRunCluster(name) {
		Defer(`run_clusters["`+name+`"]`, req, resp)
		return from, false
	}
	resp.Diagnostics.Append(d.CheckRunCluster(runCluster)...)
	return delivery.PackageSource{Kind: delivery.FromCluster, RunCluster: name, Namespace: namespace.ValueString()}, true
}

// PackagePlace names a source for a message.
func (d *Data) PackagePlace(from delivery.PackageSource) string {
	if from.Kind == delivery.FromCluster {
		return from.RunCluster + "/" + from.Namespace
	}
	return d.Location.Branch + " of " + d.Location.URL
}
