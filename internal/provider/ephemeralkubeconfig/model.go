package ephemeralkubeconfig

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/ephemeral/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// defaultSeconds is what the TokenRequest API takes if nothing is asked for.
const defaultSeconds = 3600

type model struct {
	RunCluster           types.String   `tfsdk:"run_cluster"`
	Namespace            types.String   `tfsdk:"namespace"`
	ServiceAccountName   types.String   `tfsdk:"service_account_name"`
	Server               types.String   `tfsdk:"server"`
	ExpirationSeconds    types.Int64    `tfsdk:"expiration_seconds"`
	Audiences            types.List     `tfsdk:"audiences"`
	Timeouts             timeouts.Value `tfsdk:"timeouts"`
	Kubeconfig           types.String   `tfsdk:"kubeconfig"`
	Token                types.String   `tfsdk:"token"`
	ClusterCACertificate types.String   `tfsdk:"cluster_ca_certificate"`
	ExpiresAt            types.String   `tfsdk:"expires_at"`
}

func (m model) account(ctx context.Context) (delivery.ServiceAccount, diag.Diagnostics) {
	var diags diag.Diagnostics
	account := delivery.ServiceAccount{
		Namespace:    m.Namespace.ValueString(),
		Name:         m.ServiceAccountName.ValueString(),
		Server:       m.Server.ValueString(),
		TokenSeconds: defaultSeconds,
	}
	if !m.ExpirationSeconds.IsNull() {
		account.TokenSeconds = m.ExpirationSeconds.ValueInt64()
	}
	if !m.Audiences.IsNull() {
		diags.Append(m.Audiences.ElementsAs(ctx, &account.Audiences, false)...)
	}
	return account, diags
}

func (m model) with(made delivery.ShortLivedKubeconfig) model {
	m.Server = types.StringValue(made.Server)
	m.Kubeconfig = types.StringValue(string(made.YAML))
	m.Token = types.StringValue(string(made.Token.Value))
	m.ClusterCACertificate = tfvalue.String(string(made.CA))
	m.ExpiresAt = types.StringValue(made.Token.Expires.UTC().Format(time.RFC3339))
	return m
}

// unknown is the model of a kubeconfig that can only be requested later.
func (m model) unknown() model {
	if m.Server.IsNull() {
		m.Server = types.StringUnknown()
	}
	m.Kubeconfig, m.Token = types.StringUnknown(), types.StringUnknown()
	m.ClusterCACertificate, m.ExpiresAt = types.StringUnknown(), types.StringUnknown()
	return m
}
