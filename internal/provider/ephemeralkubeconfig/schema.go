package ephemeralkubeconfig

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/ephemeral/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (k *kubeconfig) Schema(ctx context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A short-lived kubeconfig of a ServiceAccount on a run cluster, with just that account's rights. " +
			"Terraform keeps it neither in the state nor in a plan. Feed it to a write-only attribute, such as `kubeconfig_wo` of a `carvel_kubeconfig_secret`, " +
			"or to the configuration of another provider.\n\n" +
			"Every plan and every apply requests a token, which is good until `expires_at`.",
		Attributes: map[string]schema.Attribute{
			"run_cluster": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The run cluster, a key of the provider's `run_clusters`.",
				Validators:          []validator.String{schemas.RunClusterName()},
			},
			"namespace": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Namespace of the ServiceAccount. It is also the namespace of the kubeconfig's context.",
				Validators:          []validator.String{schemas.Name()},
			},
			"service_account_name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Name of the ServiceAccount.",
				Validators:          []validator.String{schemas.ObjectName()},
			},
			"server": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "URL of the run cluster's API server for whoever uses the kubeconfig. " +
					"The default is the URL in the provider's `run_clusters`.",
				Validators: []validator.String{schemas.Check("an https:// URL", carvel.ValidateServer)},
			},
			"expiration_seconds": schema.Int64Attribute{
				Optional: true,
				MarkdownDescription: fmt.Sprintf("How long the token is to live, at least `%d`. The default is `%d`, an hour. "+
					"The API server may grant less: `expires_at` tells.", carvel.MinTokenSeconds, defaultSeconds),
				Validators: []validator.Int64{int64validator.Between(carvel.MinTokenSeconds, carvel.MaxTokenSeconds)},
			},
			"audiences": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Whom the token is for. The default is the API server itself; " +
					"a token for others alone is of no use in a kubeconfig.",
			},
			"timeouts": timeouts.AttributesWithOpts(ctx, timeouts.Opts{
				OpenDescription: "How long requesting the token may take, `1m` by default.",
			}),
			"kubeconfig": schema.StringAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: "The text of the kubeconfig. It names no files and runs no programs, so that it works anywhere the server can be reached from.",
			},
			"token": schema.StringAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: "The bearer token.",
			},
			"cluster_ca_certificate": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "PEM-encoded certificate authorities that the API server's certificate is verified with; null if those of the system are used.",
			},
			"expires_at": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "When the token expires, as an RFC 3339 timestamp.",
			},
		},
	}
}
