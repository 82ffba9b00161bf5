package redacted

import (
	"context"
	"iter"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

// The calls of list resources and actions, whose answers come as streams.

func (s *server) listed(name string, config *tfprotov6.DynamicValue) *redact.Redactor {
	return s.request(func(all *tfprotov6.GetProviderSchemaResponse) *tfprotov6.Schema { return all.ListResourceSchemas[name] }, config)
}

func (s *server) action(name string, config *tfprotov6.DynamicValue) *redact.Redactor {
	return s.request(func(all *tfprotov6.GetProviderSchemaResponse) *tfprotov6.Schema {
		if schema := all.ActionSchemas[name]; schema != nil {
			return schema.Schema
		}
		return nil
	}, config)
}

func (s *server) ValidateListResourceConfig(ctx context.Context, req *tfprotov6.ValidateListResourceConfigRequest) (*tfprotov6.ValidateListResourceConfigResponse, error) {
	return call(ctx, s.listed(req.TypeName, req.Config), req, s.ProviderServer.ValidateListResourceConfig,
		func(resp *tfprotov6.ValidateListResourceConfigResponse) []*tfprotov6.Diagnostic {
			return resp.Diagnostics
		})
}

// ListResource cleans each result as it comes.
func (s *server) ListResource(ctx context.Context, req *tfprotov6.ListResourceRequest) (*tfprotov6.ListResourceServerStream, error) {
	r := s.listed(req.TypeName, req.Config)
	stream, err := call(ctx, r, req, s.ProviderServer.ListResource, func(*tfprotov6.ListResourceServerStream) []*tfprotov6.Diagnostic { return nil })
	if stream != nil && stream.Results != nil {
		stream.Results = each(stream.Results, func(result tfprotov6.ListResourceResult) tfprotov6.ListResourceResult {
			result.DisplayName = clean(r, result.DisplayName)
			cleanAll(r, result.Diagnostics)
			return result
		})
	}
	return stream, err
}

func (s *server) ValidateActionConfig(ctx context.Context, req *tfprotov6.ValidateActionConfigRequest) (*tfprotov6.ValidateActionConfigResponse, error) {
	return call(ctx, s.action(req.ActionType, req.Config), req, s.ProviderServer.ValidateActionConfig,
		func(resp *tfprotov6.ValidateActionConfigResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

func (s *server) PlanAction(ctx context.Context, req *tfprotov6.PlanActionRequest) (*tfprotov6.PlanActionResponse, error) {
	return call(ctx, s.action(req.ActionType, req.Config), req, s.ProviderServer.PlanAction,
		func(resp *tfprotov6.PlanActionResponse) []*tfprotov6.Diagnostic { return resp.Diagnostics })
}

// InvokeAction cleans each message of progress, and what the last event says.
func (s *server) InvokeAction(ctx context.Context, req *tfprotov6.InvokeActionRequest) (*tfprotov6.InvokeActionServerStream, error) {
	r := s.action(req.ActionType, req.Config)
	stream, err := call(ctx, r, req, s.ProviderServer.InvokeAction, func(*tfprotov6.InvokeActionServerStream) []*tfprotov6.Diagnostic { return nil })
	if stream != nil && stream.Events != nil {
		stream.Events = each(stream.Events, func(event tfprotov6.InvokeActionEvent) tfprotov6.InvokeActionEvent {
			switch of := event.Type.(type) {
			case tfprotov6.ProgressInvokeActionEventType:
				of.Message = clean(r, of.Message)
				event.Type = of
			case tfprotov6.CompletedInvokeActionEventType:
				cleanAll(r, of.Diagnostics)
			}
			return event
		})
	}
	return stream, err
}

// each is a stream with something done to all that comes of it.
func each[V any](stream iter.Seq[V], do func(V) V) iter.Seq[V] {
	return func(yield func(V) bool) {
		for v := range stream {
			if !yield(do(v)) {
				return
			}
		}
	}
}
