// Package provider is the Terraform provider: its schema, its configuration
// and its resources.
package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/actions"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/app"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/ephemeralkubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/functions"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/generated"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/kubeconfigsecret"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packageinstall"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packages"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/pullrequest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/runnamespace"
)

var (
	_ provider.ProviderWithEphemeralResources = (*carvelProvider)(nil)
	_ provider.ProviderWithFunctions          = (*carvelProvider)(nil)
	_ provider.ProviderWithListResources      = (*carvelProvider)(nil)
	_ provider.ProviderWithActions            = (*carvelProvider)(nil)
	_ generated.Provider                      = (*carvelProvider)(nil)
)

type carvelProvider struct {
	version string
	data    *providerdata.Data
}

// New makes the provider. version is sent to servers and written into commit
// messages.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &carvelProvider{version: version} }
}

func (p *carvelProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "carvel"
	resp.Version = p.version
}

func (p *carvelProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = providerSchema()
}

func (p *carvelProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config model
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	data, diags := config.data(ctx, "terraform-provider-carvel/"+p.version)
	resp.Diagnostics.Append(diags...)
	resp.ResourceData = data
	resp.DataSourceData = data
	resp.EphemeralResourceData = data
	resp.ListResourceData = data
	resp.ActionData = data
	p.data = data
}

// Data is what resources get, for those that generate their configuration.
func (p *carvelProvider) Data() any {
	if p.data == nil {
		return nil
	}
	return p.data
}

func (p *carvelProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		runnamespace.New,
		packageinstall.New,
		packageinstall.NewSet,
		kubeconfigsecret.New,
		pullrequest.New,
		app.New,
	}
}

// DataSources only read.
func (p *carvelProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		app.NewDataSource,
		packageinstall.NewDataSource,
		packages.New,
		packages.NewVersions,
	}
}

// EphemeralResources are those that Terraform keeps no state of.
func (p *carvelProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{ephemeralkubeconfig.New}
}

// ListResources find what can be imported.
func (p *carvelProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{
		packageinstall.NewList,
		packageinstall.NewSetList,
		kubeconfigsecret.NewList,
		app.NewList,
		runnamespace.NewList,
	}
}

// Functions need no configuration.
func (p *carvelProvider) Functions(context.Context) []func() function.Function {
	return functions.All()
}

// Actions do something with what is there already.
func (p *carvelProvider) Actions(context.Context) []func() action.Action {
	return actions.All()
}
