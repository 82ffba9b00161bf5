package redacted

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

func (s *server) data(name string, config *tfprotov6.DynamicValue) *redact.Redactor {
	return s.request(func(all *tfprotov6.GetProviderSchemaResponse) *tfprotov6.Schema { return all.DataSourceSchemas[name] }, config)
}

func (s *server) ephemeral(name string, config *tfprotov6.DynamicValue) *redact.Redactor {
	return s.request(func(all *tfprotov6.GetProviderSchemaResponse) *tfprotov6.Schema {
		return all.EphemeralResourceSchemas[name]
	}, config)
}

// The calls of the protocol, each with the Redactor of its request.

func (s *server) GetMetadata(ctx context.Context, req *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.GetMetadata,
		func(resp *tfprotov6.GetMetadataResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) GetProviderSchema(ctx context.Context, req *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.GetProviderSchema,
		func(resp *tfprotov6.GetProviderSchemaResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) GetResourceIdentitySchemas(ctx context.Context, req *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.GetResourceIdentitySchemas,
		func(resp *tfprotov6.GetResourceIdentitySchemasResponse) []*tfprotov6.Diagnostic {
			return resp.Diagnostics
		})
}

func (s *server) ValidateProviderConfig(ctx context.Context, req *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return call(ctx, s.configuration(req.Config), req, s.ProviderServer.ValidateProviderConfig,
		func(resp *tfprotov6.ValidateProviderConfigResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return call(context.WithValue(ctx, warningsKey{}, s.warnings), s.configuration(req.Config), req, s.ProviderServer.ConfigureProvider,
		func(resp *tfprotov6.ConfigureProviderResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return call(ctx, s.resource(req.TypeName, req.Config), req, s.ProviderServer.ValidateResourceConfig,
		func(resp *tfprotov6.ValidateResourceConfigResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.UpgradeResourceState,
		func(resp *tfprotov6.UpgradeResourceStateResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return call(ctx, s.resource(req.TypeName, req.CurrentState), req, s.ProviderServer.ReadResource,
		func(resp *tfprotov6.ReadResourceResponse) []*tfprotov6.Diagnostic {
			resp.Diagnostics = append(resp.Diagnostics, s.warnings.take()...)
			return resp.Diagnostics
		})
}

func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return call(ctx, s.resource(req.TypeName, req.Config, req.PriorState, req.ProposedNewState), req, s.ProviderServer.PlanResourceChange,
		func(resp *tfprotov6.PlanResourceChangeResponse) []*tfprotov6.Diagnostic {
			resp.Diagnostics = append(resp.Diagnostics, s.warnings.take()...)
			return resp.Diagnostics
		})
}

func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return call(ctx, s.resource(req.TypeName, req.Config, req.PriorState, req.PlannedState), req, s.ProviderServer.ApplyResourceChange,
		func(resp *tfprotov6.ApplyResourceChangeResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.ImportResourceState,
		func(resp *tfprotov6.ImportResourceStateResponse) []*tfprotov6.Diagnostic {
			resp.Diagnostics = append(resp.Diagnostics, s.warnings.take()...)
			return resp.Diagnostics
		})
}

func (s *server) MoveResourceState(ctx context.Context, req *tfprotov6.MoveResourceStateRequest) (*tfprotov6.MoveResourceStateResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.MoveResourceState,
		func(resp *tfprotov6.MoveResourceStateResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) UpgradeResourceIdentity(ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.UpgradeResourceIdentity,
		func(resp *tfprotov6.UpgradeResourceIdentityResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) GenerateResourceConfig(ctx context.Context, req *tfprotov6.GenerateResourceConfigRequest) (*tfprotov6.GenerateResourceConfigResponse, error) {
	return call(ctx, s.resource(req.TypeName, req.State), req, s.ProviderServer.GenerateResourceConfig,
		func(resp *tfprotov6.GenerateResourceConfigResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) ValidateDataResourceConfig(ctx context.Context, req *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return call(ctx, s.data(req.TypeName, req.Config), req, s.ProviderServer.ValidateDataResourceConfig,
		func(resp *tfprotov6.ValidateDataResourceConfigResponse) []*tfprotov6.Diagnostic {
			return resp.Diagnostics
		})
}

func (s *server) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	return call(ctx, s.data(req.TypeName, req.Config), req, s.ProviderServer.ReadDataSource,
		func(resp *tfprotov6.ReadDataSourceResponse) []*tfprotov6.Diagnostic {
			resp.Diagnostics = append(resp.Diagnostics, s.warnings.take()...)
			return resp.Diagnostics
		})
}

func (s *server) GetFunctions(ctx context.Context, req *tfprotov6.GetFunctionsRequest) (*tfprotov6.GetFunctionsResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.GetFunctions,
		func(resp *tfprotov6.GetFunctionsResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) ValidateEphemeralResourceConfig(ctx context.Context, req *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return call(ctx, s.ephemeral(req.TypeName, req.Config), req, s.ProviderServer.ValidateEphemeralResourceConfig,
		func(resp *tfprotov6.ValidateEphemeralResourceConfigResponse) []*tfprotov6.Diagnostic {
			return resp.Diagnostics
		})
}

func (s *server) OpenEphemeralResource(ctx context.Context, req *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	return call(ctx, s.ephemeral(req.TypeName, req.Config), req, s.ProviderServer.OpenEphemeralResource,
		func(resp *tfprotov6.OpenEphemeralResourceResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) RenewEphemeralResource(ctx context.Context, req *tfprotov6.RenewEphemeralResourceRequest) (*tfprotov6.RenewEphemeralResourceResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.RenewEphemeralResource,
		func(resp *tfprotov6.RenewEphemeralResourceResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) CloseEphemeralResource(ctx context.Context, req *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.CloseEphemeralResource,
		func(resp *tfprotov6.CloseEphemeralResourceResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

// StopProvider answers with a text in place of diagnostics.
func (s *server) StopProvider(ctx context.Context, req *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return call(ctx, s.known, req, s.ProviderServer.StopProvider, func(resp *tfprotov6.StopProviderResponse) []*tfprotov6.Diagnostic {
		resp.Error = clean(s.known, resp.Error)
		return nil
	})
}

// CallFunction answers with an error in place of diagnostics. An argument is not
// sensitive by a schema, and may be a kubeconfig.
func (s *server) CallFunction(ctx context.Context, req *tfprotov6.CallFunctionRequest) (*tfprotov6.CallFunctionResponse, error) {
	r := s.known.Child(func() []string {
		var secrets []string
		for _, packed := range req.Arguments {
			var text string
			value, err := packed.Unmarshal(tftypes.String)
			if err != nil || value.IsNull() || !value.IsKnown() || value.As(&text) != nil {
				continue // no text
			}
			found, _ := kubeconfigSecrets(text)
			secrets = append(secrets, found...)
		}
		return secrets
	})
	return call(ctx, r, req, s.ProviderServer.CallFunction, func(resp *tfprotov6.CallFunctionResponse) []*tfprotov6.Diagnostic {
		if resp.Error != nil {
			resp.Error.Text = clean(r, resp.Error.Text)
		}
		return nil
	})
}
