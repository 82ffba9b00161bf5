package kubeconfigsecret

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/generated"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/listing"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

var (
	_ list.ListResourceWithConfigure = (*kubeconfigSecret)(nil)
	_ generated.Resource             = (*kubeconfigSecret)(nil)
)

// NewList makes the list resource.
func NewList() list.ListResource { return &kubeconfigSecret{} }

func (r *kubeconfigSecret) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The Secrets on the build cluster with one key that holds a kubeconfig, by whomever they were made. What is in them is in no result.\n\n" +
			"With `-generate-config-out` the configuration of a Secret that this provider has made for a ServiceAccount is complete. That of another one lacks the kubeconfig, which must be given.",
		Attributes: map[string]schema.Attribute{
			"namespace": schema.StringAttribute{
				Required: true, MarkdownDescription: "The namespace that the Secrets are in.", Validators: []validator.String{schemas.Name()},
			},
		},
	}
}

func (r *kubeconfigSecret) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var namespace types.String
	diags := req.Config.GetAttribute(ctx, path.Root("namespace"), &namespace)
	diags.Append(r.data.CheckBuild()...)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	bounded, cancel := context.WithTimeout(ctx, schemas.ReadTimeout)
	defer cancel()
	found, err := r.data.Kubeconfigs.InNamespace(bounded, namespace.ValueString())
	if err != nil {
		diags.Append(tfdiag.Failure{Verb: "list", Noun: "kubeconfig secrets", Name: namespace.ValueString(), Err: err}.Diagnostic())
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = listing.Stream(req, found, func(secret delivery.FoundKubeconfig) list.ListResult { return r.result(ctx, req, secret) })
}

// result is one Secret of the list.
func (r *kubeconfigSecret) result(ctx context.Context, req list.ListRequest, found delivery.FoundKubeconfig) list.ListResult {
	result := listing.Result(ctx, req, found.Namespace+"/"+found.Name, map[string]string{"namespace": found.Namespace, "name": found.Name})
	if req.IncludeResource {
		listing.Fill(ctx, &result, attributesOf(found.KubeconfigSecret, found.Receipt))
	}
	return result
}

// Generate tells of a kubeconfig that
// only who has it can give.
func (r *kubeconfigSecret) Generate(ctx context.Context, _ generated.Request, resp *generated.Response) {
	var config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, resp.Config, &config)...)
	if resp.Diagnostics.HasError() || !config.ServiceAccount.IsNull() {
		return
	}
	resp.Diagnostics.AddWarning("The kubeconfig must be given",
		"The configuration of "+title(config)+" has no kubeconfig: a Secret is never written into a configuration. Set kubeconfig_wo and kubeconfig_wo_version, or service_account.")
}
