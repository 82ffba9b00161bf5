package packed

import (
	"context"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// ProviderServer is a server of all calls of the protocol. The interface of that name in
// tfprotov6 does not have them all yet.
type ProviderServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
}

type server struct {
	ProviderServer
	attributes func() map[string]string // that are packed, by resource
	schemas    func() (*tfprotov6.GetProviderSchemaResponse, error)
}

// Server is the framework's server of a provider, with one before it that packs.
func Server(p provider.Provider) ProviderServer {
	next, ok := providerserver.NewProtocol6(p)().(ProviderServer)
	if !ok {
		panic("the framework's server does not answer all calls of the protocol")
	}
	return &server{
		ProviderServer: next,
		attributes:     sync.OnceValue(func() map[string]string { return attributes(context.Background(), p) }),
		schemas: sync.OnceValues(func() (*tfprotov6.GetProviderSchemaResponse, error) {
			return next.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
		}),
	}
}

func attributes(ctx context.Context, p provider.Provider) map[string]string {
	var of provider.MetadataResponse
	p.Metadata(ctx, provider.MetadataRequest{}, &of)
	all := map[string]string{}
	for _, make := range p.Resources(ctx) {
		if r, ok := make().(Resource); ok {
			var is resource.MetadataResponse
			r.Metadata(ctx, resource.MetadataRequest{ProviderTypeName: of.TypeName}, &is)
			all[is.TypeName] = r.Packed()
		}
	}
	return all
}

// change changes values of a resource, if it has an attribute that is packed.
func (s *server) change(name string, how func([]byte) []byte, values ...**tfprotov6.DynamicValue) {
	attribute, ok := s.attributes()[name]
	for _, value := range values {
		if ok {
			*value = change(*value, attribute, how)
		}
	}
}

// CallFunction gives the framework the nulls that OpenTofu, as of 1.12, leaves out: an
// argument that is null comes without a value, which the framework takes for a mistake.
func (s *server) CallFunction(ctx context.Context, req *tfprotov6.CallFunctionRequest) (*tfprotov6.CallFunctionResponse, error) {
	asked := *req
	asked.Arguments = slices.Clone(req.Arguments)
	for i, a := range asked.Arguments {
		if a == nil || len(a.MsgPack) == 0 && len(a.JSON) == 0 {
			asked.Arguments[i] = &tfprotov6.DynamicValue{MsgPack: []byte{msgpcode.Nil}}
		}
	}
	return s.ProviderServer.CallFunction(ctx, &asked)
}

func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	asked := *req
	s.change(req.TypeName, pack, &asked.Config)
	return s.ProviderServer.ValidateResourceConfig(ctx, &asked)
}

func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	asked := *req
	s.change(req.TypeName, pack, &asked.CurrentState)
	resp, err := s.ProviderServer.ReadResource(ctx, &asked)
	if resp != nil {
		s.change(req.TypeName, unpack, &resp.NewState)
	}
	return resp, err
}

func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	asked := *req
	s.change(req.TypeName, pack, &asked.Config, &asked.PriorState, &asked.ProposedNewState)
	resp, err := s.ProviderServer.PlanResourceChange(ctx, &asked)
	if resp != nil {
		s.change(req.TypeName, unpack, &resp.PlannedState)
	}
	return resp, err
}

func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	asked := *req
	s.change(req.TypeName, pack, &asked.Config, &asked.PriorState, &asked.PlannedState)
	resp, err := s.ProviderServer.ApplyResourceChange(ctx, &asked)
	if resp != nil {
		s.change(req.TypeName, unpack, &resp.NewState)
	}
	return resp, err
}

// ListResource unpacks the resources that are found.
func (s *server) ListResource(ctx context.Context, req *tfprotov6.ListResourceRequest) (*tfprotov6.ListResourceServerStream, error) {
	stream, err := s.ProviderServer.ListResource(ctx, req)
	if stream == nil || stream.Results == nil {
		return stream, err
	}
	results := stream.Results
	stream.Results = func(yield func(tfprotov6.ListResourceResult) bool) {
		for result := range results {
			s.change(req.TypeName, unpack, &result.Resource)
			if !yield(result) {
				return
			}
		}
	}
	return stream, err
}

func (s *server) GenerateResourceConfig(ctx context.Context, req *tfprotov6.GenerateResourceConfigRequest) (*tfprotov6.GenerateResourceConfigResponse, error) {
	asked := *req
	s.change(req.TypeName, pack, &asked.State)
	resp, err := s.ProviderServer.GenerateResourceConfig(ctx, &asked)
	if resp != nil {
		s.change(req.TypeName, unpack, &resp.Config)
	}
	return resp, err
}
