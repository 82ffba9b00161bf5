// Package generated makes the configuration of a resource of its state, for what
// Terraform writes with -generate-config-out. The framework has all that is not
// read-only in it. A Server after it leaves out what a default gives, and asks the
// resource for what the state alone does not tell: which of two attributes that exclude
// each other, or what an import does not take into the state.
package generated

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packed"
)

// Resource tells what the framework does not know of its configuration.
type Resource interface {
	resource.ResourceWithConfigure
	// Generate changes what was made of a state. Without a provider's data, as for a
	// provider that is not configured, it does what it can.
	Generate(ctx context.Context, req Request, resp *Response)
}

// Request has the state.
type Request struct {
	State tfsdk.State
}

// Response has the configuration, which can be changed as a state can be, and what is to
// be said to who reads it.
type Response struct {
	Config      tfsdk.State
	Diagnostics diag.Diagnostics
}

// Provider keeps the data that it gives to its resources. Those of one that does not are
// asked as if it were not configured.
type Provider interface {
	provider.Provider
	// Data is nil before the provider is configured.
	Data() any
}

type server struct {
	packed.ProviderServer
	provider provider.Provider
}

// Server is a server of a provider, with one before it that generates.
func Server(p provider.Provider, next packed.ProviderServer) packed.ProviderServer {
	return &server{ProviderServer: next, provider: p}
}

// Terraform asks for configurations if the server says that it makes them, which the
// framework does not.

func (s *server) GetMetadata(ctx context.Context, req *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	resp, err := s.ProviderServer.GetMetadata(ctx, req)
	if resp != nil && resp.ServerCapabilities != nil {
		resp.ServerCapabilities.GenerateResourceConfig = true
	}
	return resp, err
}

func (s *server) GetProviderSchema(ctx context.Context, req *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	resp, err := s.ProviderServer.GetProviderSchema(ctx, req)
	if resp != nil && resp.ServerCapabilities != nil {
		resp.ServerCapabilities.GenerateResourceConfig = true
	}
	return resp, err
}

func (s *server) GenerateResourceConfig(ctx context.Context, req *tfprotov6.GenerateResourceConfigRequest) (*tfprotov6.GenerateResourceConfigResponse, error) {
	if req.State == nil { // as the client of Terraform 1.14.0 has it; that of 1.14.3 does not
		return &tfprotov6.GenerateResourceConfigResponse{Diagnostics: protocol(diag.Diagnostics{diag.NewErrorDiagnostic(
			"This version of Terraform cannot generate the configuration",
			"It asks for the configuration of a "+req.TypeName+" and does not say what the resource has, as Terraform 1.14.0 does. Use Terraform 1.14.3 or newer, or write the configuration by hand.",
		)})}, nil
	}
	resp, err := s.ProviderServer.GenerateResourceConfig(ctx, req)
	if err != nil || resp == nil || resp.Config == nil {
		return resp, err
	}
	r, described := s.resource(ctx, req.TypeName)
	if r == nil {
		return resp, nil
	}
	kind := described.Type().TerraformType(ctx)
	state, err := req.State.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	config, err := resp.Config.Unmarshal(kind)
	if err != nil || config.IsNull() {
		return resp, err
	}
	if config, err = withoutDefaults(ctx, described, config); err != nil {
		return nil, err
	}
	made := Response{Config: tfsdk.State{Schema: described, Raw: config}}
	if g, ok := r.(Resource); ok {
		if keeps, ok := s.provider.(Provider); ok && keeps.Data() != nil {
			var configured resource.ConfigureResponse
			g.Configure(ctx, resource.ConfigureRequest{ProviderData: keeps.Data()}, &configured)
			made.Diagnostics.Append(configured.Diagnostics...)
		}
		g.Generate(ctx, Request{State: tfsdk.State{Schema: described, Raw: state}}, &made)
	}
	resp.Diagnostics = append(resp.Diagnostics, protocol(made.Diagnostics)...)
	value, err := tfprotov6.NewDynamicValue(kind, made.Config.Raw)
	if err != nil {
		return nil, err
	}
	resp.Config = &value
	return resp, nil
}

// resource is one of the provider's resources by its name, with its schema; nil for a name
// that no resource has.
func (s *server) resource(ctx context.Context, name string) (resource.Resource, schema.Schema) {
	var of provider.MetadataResponse
	s.provider.Metadata(ctx, provider.MetadataRequest{}, &of)
	for _, make := range s.provider.Resources(ctx) {
		r := make()
		var is resource.MetadataResponse
		r.Metadata(ctx, resource.MetadataRequest{ProviderTypeName: of.TypeName}, &is)
		if is.TypeName == name {
			var described resource.SchemaResponse
			r.Schema(ctx, resource.SchemaRequest{}, &described)
			return r, described.Schema
		}
	}
	return nil, schema.Schema{}
}

// withoutDefaults has null for each attribute whose value the schema gives by itself.
func withoutDefaults(ctx context.Context, s schema.Schema, config tftypes.Value) (tftypes.Value, error) {
	fields := map[string]tftypes.Value{}
	if err := config.As(&fields); err != nil {
		return config, err
	}
	for name, attribute := range s.Attributes {
		if given, ok := defaultOf(ctx, attribute); ok && fields[name].Equal(given) {
			fields[name] = tftypes.NewValue(given.Type(), nil)
		}
	}
	return tftypes.NewValue(config.Type(), fields), nil
}

// defaultOf is the default of a text or a truth value, the kinds that have one.
func defaultOf(ctx context.Context, attribute schema.Attribute) (tftypes.Value, bool) {
	switch a := attribute.(type) {
	case schema.StringAttribute:
		if a.Default != nil {
			var resp defaults.StringResponse
			a.Default.DefaultString(ctx, defaults.StringRequest{}, &resp)
			return tftypes.NewValue(tftypes.String, resp.PlanValue.ValueString()), true
		}
	case schema.BoolAttribute:
		if a.Default != nil {
			var resp defaults.BoolResponse
			a.Default.DefaultBool(ctx, defaults.BoolRequest{}, &resp)
			return tftypes.NewValue(tftypes.Bool, resp.PlanValue.ValueBool()), true
		}
	}
	return tftypes.Value{}, false
}

func protocol(diags diag.Diagnostics) []*tfprotov6.Diagnostic {
	out := make([]*tfprotov6.Diagnostic, len(diags))
	for i, d := range diags {
		out[i] = &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityWarning, Summary: d.Summary(), Detail: d.Detail()}
		if d.Severity() == diag.SeverityError {
			out[i].Severity = tfprotov6.DiagnosticSeverityError
		}
	}
	return out
}
