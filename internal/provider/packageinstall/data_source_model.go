package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

type dataSourceModel struct {
	RunCluster      types.String   `tfsdk:"run_cluster"`
	Namespace       types.String   `tfsdk:"namespace"`
	Timeouts        timeouts.Value `tfsdk:"timeouts"`
	PackageInstalls []installModel `tfsdk:"package_installs"`
}

type installModel struct {
	Namespace            types.String `tfsdk:"namespace"`
	Name                 types.String `tfsdk:"name"`
	Package              types.String `tfsdk:"package"`
	Constraint           types.String `tfsdk:"version_constraint"`
	Version              types.String `tfsdk:"version"`
	LastAttemptedVersion types.String `tfsdk:"last_attempted_version"`
	Condition            types.String `tfsdk:"condition"`
	Message              types.String `tfsdk:"message"`
	Ready                types.Bool   `tfsdk:"ready"`
	ReadySince           types.String `tfsdk:"ready_since"`
	ReadySinceReason     types.String `tfsdk:"ready_since_reason"`
	ValuesDigest         types.String `tfsdk:"values_digest"`
}

func (m dataSourceModel) with(ctx context.Context, found []delivery.InstalledPackage) dataSourceModel {
	m.PackageInstalls = make([]installModel, 0, len(found))
	for _, i := range found {
		m.PackageInstalls = append(m.PackageInstalls, installModel{
			Namespace:            types.StringValue(i.Namespace),
			Name:                 types.StringValue(i.Name),
			Package:              types.StringValue(i.Package),
			Constraint:           types.StringValue(i.Constraint),
			Version:              tfvalue.String(i.Version),
			LastAttemptedVersion: tfvalue.String(i.LastAttemptedVersion),
			Condition:            tfvalue.String(i.Condition()),
			Message:              tfvalue.String(redact.From(ctx).Text(i.Message())),
			Ready:                types.BoolValue(i.Health.State == health.Current),
			ReadySince:           tfvalue.Time(i.Since.Time),
			ReadySinceReason:     tfvalue.String(redact.From(ctx).Text(i.Since.Reason)),
			ValuesDigest:         tfvalue.String(i.ValuesDigest),
		})
	}
	return m
}
