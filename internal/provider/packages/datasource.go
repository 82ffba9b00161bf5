// Package packages has the data sources carvel_packages and carvel_package.
package packages

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

var _ datasource.DataSourceWithConfigure = (*packages)(nil)

type packages struct {
	data *providerdata.Data
}

// New makes the data source carvel_packages.
func New() datasource.DataSource { return &packages{} }

func (p *packages) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_packages"
}

func (p *packages) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	p.data = providerdata.FromDataSource(req, resp)
}

func (p *packages) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	timeout, diags := m.Timeouts.Read(ctx, schemas.DataTimeout)
	resp.Diagnostics.Append(diags...)
	from, ready := p.data.PackageSource(m.RunCluster, m.Namespace, req, resp)
	if resp.Diagnostics.HasError() || !ready {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	p.data.Catalog.Forget(from, "")
	found, err := p.data.Catalog.AllPackages(bounded, from)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "list", Noun: "packages", Name: p.data.PackagePlace(from), Err: err}.Diagnostic())
		return
	}
	if len(found.Unreadable) > 0 {
		resp.Diagnostics.Append(tfdiag.UnreadablePackages(found.Unreadable))
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m.with(found.Packages))...)
}
