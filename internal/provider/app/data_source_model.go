package app

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

type dataSourceModel struct {
	Namespace          types.String   `tfsdk:"namespace"`
	Name               types.String   `tfsdk:"name"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
	Condition          types.String   `tfsdk:"condition"`
	Message            types.String   `tfsdk:"message"`
	Generation         types.Int64    `tfsdk:"generation"`
	ObservedGeneration types.Int64    `tfsdk:"observed_generation"`
	FetchedCommits     types.List     `tfsdk:"fetched_commits"`
	Ready              types.Bool     `tfsdk:"ready"`
	InSync             types.Bool     `tfsdk:"in_sync"`
}

func (m dataSourceModel) with(ctx context.Context, found delivery.AppState) (dataSourceModel, diag.Diagnostics) {
	commits, diags := types.ListValueFrom(ctx, types.StringType, append([]string{}, found.Status.FetchedCommits()...))
	m.Condition = tfvalue.String(found.Status.Condition())
	m.Message = tfvalue.String(redact.From(ctx).Text(found.Status.Message()))
	m.Generation = types.Int64Value(found.Status.Generation)
	m.ObservedGeneration = types.Int64Value(found.Status.ObservedGeneration)
	m.FetchedCommits = commits
	m.Ready = types.BoolValue(found.Health.State == health.Current)
	m.InSync = types.BoolPointerValue(found.InSync)
	return m, diags
}
