package packages

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

var _ datasource.DataSourceWithConfigure = (*packageVersions)(nil)

type packageVersions struct {
	data *providerdata.Data
}

// NewVersions makes the data source carvel_package.
func NewVersions() datasource.DataSource { return &packageVersions{} }

func (p *packageVersions) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_package"
}

func (p *packageVersions) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	p.data = providerdata.FromDataSource(req, resp)
}

func (p *packageVersions) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m versionsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	timeout, diags := m.Timeouts.Read(ctx, schemas.DataTimeout)
	resp.Diagnostics.Append(diags...)
	selection, diags := m.selection(ctx)
	resp.Diagnostics.Append(diags...)
	from, ready := p.data.PackageSource(m.RunCluster, m.Namespace, req, resp)
	if resp.Diagnostics.HasError() || !ready {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	name := m.Name.ValueString()
	p.data.Catalog.Forget(from, name)
	found, err := p.data.Catalog.Find(bounded, from, name, selection)
	if len(found.Unreadable) > 0 {
		resp.Diagnostics.Append(tfdiag.UnreadablePackages(found.Unreadable))
	}
	if err != nil {
		resp.Diagnostics.Append(noPackage(name, err))
		return
	}
	m, diags = m.with(found)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}
