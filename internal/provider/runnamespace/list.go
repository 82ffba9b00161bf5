package runnamespace

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

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/listing"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

var _ list.ListResourceWithConfigure = (*runNamespace)(nil)

// NewList makes the list resource.
func NewList() list.ListResource { return &runNamespace{} }

func (r *runNamespace) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The namespaces on run clusters that packages are delivered to, by whomever they were set up: those with a Role `app-package-and-pkgi-install-role`. " +
			"The ServiceAccount is the one that a RoleBinding of any name gives this Role. " +
			"It needs the right to list Roles in all namespaces, and to get the objects of a `carvel_run_namespace`.",
		Attributes: map[string]schema.Attribute{
			"run_cluster": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Only those on this run cluster, a key of the provider's `run_clusters`. Without it all of these are looked at.",
				Validators: []validator.String{schemas.RunClusterName()},
			},
		},
	}
}

func (r *runNamespace) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var only types.String
	diags := req.Config.GetAttribute(ctx, path.Root("run_cluster"), &only)
	if !only.IsNull() {
		diags.Append(r.data.CheckRunCluster(only)...)
	}
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	runClusters := []string{only.ValueString()}
	if only.IsNull() {
		runClusters = slices.Sorted(maps.Keys(r.data.Run))
	}
	stream.Results = func(push func(list.ListResult) bool) {
		left := req.Limit
		for _, runCluster := range runClusters {
			for result := range r.on(ctx, req, runCluster) {
				if left--; req.Limit > 0 && left < 0 || !push(result) {
					return
				}
			}
		}
	}
}

// on are the results of one run cluster.
func (r *runNamespace) on(ctx context.Context, req list.ListRequest, runCluster string) func(func(list.ListResult) bool) {
	return func(push func(list.ListResult) bool) {
		bounded, cancel := context.WithTimeout(ctx, schemas.ReadTimeout)
		defer cancel()
		names, err := r.data.Namespaces.On(bounded, runCluster)
		if err != nil {
			push(list.ListResult{Diagnostics: diag.Diagnostics{tfdiag.Failure{Verb: "list", Noun: "run namespaces", Name: runCluster, Err: err}.Diagnostic()}})
		}
		for _, name := range names {
			if !push(r.result(bounded, req, runCluster, name)) {
				return
			}
		}
	}
}

// result is one namespace of the list.
func (r *runNamespace) result(ctx context.Context, req list.ListRequest, runCluster, name string) list.ListResult {
	result := listing.Result(ctx, req, runCluster+"/"+name, map[string]string{"run_cluster": runCluster, "name": name})
	if !req.IncludeResource {
		return result
	}
	values, err := r.imported(ctx, runCluster, name)
	if err != nil {
		result.Diagnostics.Append(tfdiag.Failure{Verb: "list", Noun: noun, Name: result.DisplayName, Err: err}.Diagnostic())
		return result
	}
	listing.Fill(ctx, &result, values)
	return result
}
