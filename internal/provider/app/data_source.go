package app

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/datasource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

var _ datasource.DataSourceWithConfigure = (*dataSource)(nil)

// dataSource is the data source carvel_app.
type dataSource struct {
	data *providerdata.Data
}

// NewDataSource makes the data source carvel_app.
func NewDataSource() datasource.DataSource { return &dataSource{} }

func (a *dataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_app"
}

func (a *dataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	a.data = providerdata.FromDataSource(req, resp)
}

func (a *dataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m dataSourceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	timeout, diags := m.Timeouts.Read(ctx, schemas.DataTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	switch {
	case a.data.Unknown.Build:
		providerdata.Defer("build_cluster", req, resp)
		return
	case a.data.Unknown.Git:
		providerdata.Defer("git", req, resp)
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	title := m.Namespace.ValueString() + "/" + m.Name.ValueString()
	found, err := a.data.Apps.State(bounded, m.Namespace.ValueString(), m.Name.ValueString())
	switch {
	case errors.Is(err, delivery.ErrNotFound):
		resp.Diagnostics.Append(noSuchApp(m.Namespace.ValueString(), m.Name.ValueString()))
	case err != nil:
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: title, Err: err}.Diagnostic())
	default:
		m, diags := m.with(ctx, found)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	}
}
