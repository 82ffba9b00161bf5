package app

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/listing"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

var _ list.ListResourceWithConfigure = (*app)(nil)

// NewList makes the list resource.
func NewList() list.ListResource { return &app{} }

func (r *app) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The Apps on the build cluster, by whomever they were made, but for those of PackageInstalls. It needs the right to list Apps in the namespace, or in all of them.",
		Attributes: map[string]schema.Attribute{
			"namespace": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Only those in this namespace.", Validators: []validator.String{schemas.Name()},
			},
		},
	}
}

func (r *app) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var namespace types.String
	diags := req.Config.GetAttribute(ctx, path.Root("namespace"), &namespace)
	diags.Append(r.data.CheckBuild()...)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	bounded, cancel := context.WithTimeout(ctx, schemas.ReadTimeout)
	defer cancel()
	found, err := r.data.Apps.InNamespace(bounded, namespace.ValueString())
	if err != nil {
		diags.Append(tfdiag.Failure{Verb: "list", Noun: "Apps", Name: r.data.Build.Name(), Err: err}.Diagnostic())
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = listing.Stream(req, found, func(spec carvel.AppSpec) list.ListResult { return r.result(ctx, req, spec) })
}

// result is one App of the list.
func (r *app) result(ctx context.Context, req list.ListRequest, spec carvel.AppSpec) list.ListResult {
	result := listing.Result(ctx, req, spec.Namespace+"/"+spec.Name, map[string]string{"namespace": spec.Namespace, "name": spec.Name})
	if !req.IncludeResource {
		return result
	}
	values, err := imported(spec, r.data.Delivery)
	if err != nil {
		result.Diagnostics.Append(tfdiag.Failure{Verb: "list", Noun: noun, Name: result.DisplayName, Err: err}.Diagnostic())
		return result
	}
	listing.Fill(ctx, &result, values)
	return result
}
