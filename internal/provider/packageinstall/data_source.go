package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

var _ datasource.DataSourceWithConfigure = (*dataSource)(nil)

type dataSource struct {
	data *providerdata.Data
}

// NewDataSource makes the data source carvel_package_installs.
func NewDataSource() datasource.DataSource { return &dataSource{} }

func (p *dataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_package_installs"
}

func (p *dataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	p.data = providerdata.FromDataSource(req, resp)
}

func (p *dataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m dataSourceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	timeout, diags := m.Timeouts.Read(ctx, schemas.DataTimeout)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(p.data.CheckRunCluster(m.RunCluster)...)
	if resp.Diagnostics.HasError() {
		return
	}
	runCluster, namespace := m.RunCluster.ValueString(), m.Namespace.ValueString()
	if !p.data.KnowsRunCluster(runCluster) {
		providerdata.Defer(`run_clusters["`+runCluster+`"]`, req, resp)
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := p.data.Installs.List(bounded, runCluster, namespace)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "list", Noun: "package installs", Name: dataPlace(runCluster, namespace), Err: err}.Diagnostic())
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m.with(ctx, found))...)
}

func dataPlace(runCluster, namespace string) string {
	if namespace == "" {
		return runCluster
	}
	return runCluster + "/" + namespace
}
