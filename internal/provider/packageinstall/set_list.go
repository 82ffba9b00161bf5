package packageinstall

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/listing"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

var _ list.ListResourceWithConfigure = (*packageInstalls)(nil)

// NewSetList makes the list resource.
func NewSetList() list.ListResource { return &packageInstalls{} }

func (r *packageInstalls) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The run clusters that have packages in the GitOps repository, each with all of them as one resource. " +
			"Packages that cannot be imported without a commit are left out of it, and a warning says why.\n\n" +
			"With `-generate-config-out` the configuration has the values in clear text, as the repository has them; the results of a query do not have them.",
		Attributes: map[string]schema.Attribute{
			"run_cluster": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Only this run cluster.", Validators: []validator.String{schemas.RunClusterName()},
			},
		},
	}
}

func (r *packageInstalls) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var q query
	diags := req.Config.GetAttribute(ctx, path.Root("run_cluster"), &q.RunCluster)
	diags.Append(r.data.CheckGit()...)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	found, problems, err := q.find(ctx, r.data.Installs)
	if err != nil {
		diags.Append(tfdiag.Failure{Verb: "list", Noun: "package installs", Name: r.data.Location.URL, Err: err}.Diagnostic())
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = listing.Stream(req, byRunCluster(found), func(on []delivery.ListedInstall) list.ListResult { return r.result(ctx, req, on) }, notListed(problems)...)
}

// result is one run cluster of the list.
func (r *packageInstalls) result(ctx context.Context, req list.ListRequest, found []delivery.ListedInstall) list.ListResult {
	runCluster := found[0].At.RunCluster
	result := listing.Result(ctx, req, runCluster, map[string]string{"run_cluster": runCluster})
	if !req.IncludeResource {
		return result
	}
	read := setRead{r: r, imported: true}
	result.Diagnostics.Append(tfvalue.Null(ctx, req.ResourceSchema.Type(), &read.state)...)
	read.state.ID, read.state.RunCluster = types.StringValue(result.DisplayName), types.StringValue(result.DisplayName)
	read.state.AdoptExisting, read.state.AllowDowngrade = types.BoolValue(false), types.BoolValue(false)
	read.state.PackageSource = types.StringValue(delivery.FromRepository)
	result.Diagnostics.Append(read.begin(ctx, nothing{}, namesOf(found))...)
	read.unsure = true
	result.Diagnostics.Append(read.all(ctx)...)
	if result.Diagnostics.HasError() {
		return result
	}
	read.share()
	read.state.Paths = r.paths(read.state, read.entries)
	read.state.Packages = packagesOf(ctx, read.entries, types.DynamicNull())
	result.Diagnostics.Append(result.Resource.Set(ctx, read.state)...)
	return result
}

// nothing is the private state of a resource that has none.
type nothing struct{}

func (nothing) GetKey(context.Context, string) ([]byte, diag.Diagnostics) { return nil, nil }

// byRunCluster are package installs in the order of their run clusters, together with the
// others of theirs.
func byRunCluster(found []delivery.ListedInstall) [][]delivery.ListedInstall {
	on := map[string][]delivery.ListedInstall{}
	for _, l := range found {
		on[l.At.RunCluster] = append(on[l.At.RunCluster], l)
	}
	all := make([][]delivery.ListedInstall, 0, len(on))
	for _, runCluster := range slices.Sorted(maps.Keys(on)) {
		all = append(all, on[runCluster])
	}
	return all
}
