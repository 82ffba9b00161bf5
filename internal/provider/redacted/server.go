// Package redacted is the provider's server as Terraform talks to it. It stands
// before the framework's, learns from each request what is sensitive or
// write-only by the schema, and takes that and the secrets of the provider's
// configuration out of every diagnostic, error and log. Resources get the
// Redactor of their request by redact.From, to tell it what they make or find.
package redacted

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/generated"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packed"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

// server adds to the framework's server what happens before and after each call.
type server struct {
	packed.ProviderServer
	known    *redact.Redactor // the secrets of the configuration
	warnings *warnings        // of the configuration
	// schemas are the framework's, read when they are needed first.
	schemas func() (*tfprotov6.GetProviderSchemaResponse, error)
}

// Server makes servers of a provider.
func Server(p provider.Provider) func() tfprotov6.ProviderServer {
	return func() tfprotov6.ProviderServer { return newServer(generated.Server(p, packed.Server(p))) }
}

func newServer(next packed.ProviderServer) *server {
	return &server{ProviderServer: next, known: redact.New(), warnings: new(warnings), schemas: sync.OnceValues(func() (*tfprotov6.GetProviderSchemaResponse, error) {
		return next.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	})}
}

// call makes a call with the Redactor of its request, and cleans what comes back.
func call[Request, Response any](ctx context.Context, r *redact.Redactor, req *Request,
	next func(context.Context, *Request) (*Response, error), said func(*Response) []*tfprotov6.Diagnostic,
) (*Response, error) {
	resp, err := next(redact.NewContext(ctx, r), req)
	if resp != nil {
		cleanAll(r, said(resp))
	}
	if err != nil {
		if text := clean(r, err.Error()); text != err.Error() {
			err = errors.New(text)
		}
	}
	return resp, err
}

func cleanAll(r *redact.Redactor, diagnostics []*tfprotov6.Diagnostic) {
	for _, d := range diagnostics {
		d.Summary, d.Detail = clean(r, d.Summary), clean(r, d.Detail)
	}
}

// maxText is the length in bytes beyond which a text is cut.
const maxText = 32 << 10

// clean is a text as it may leave the provider. Secrets are taken out first: a
// cut one, or one with its control characters replaced, would not be found.
func clean(r *redact.Redactor, text string) string {
	return printable.Text(r.Text(text), maxText)
}

// resource is the Redactor of a request about a resource; values are what it
// gives of it.
func (s *server) resource(name string, values ...*tfprotov6.DynamicValue) *redact.Redactor {
	return s.request(func(all *tfprotov6.GetProviderSchemaResponse) *tfprotov6.Schema { return all.ResourceSchemas[name] }, values...)
}

func (s *server) request(of func(*tfprotov6.GetProviderSchemaResponse) *tfprotov6.Schema, values ...*tfprotov6.DynamicValue) *redact.Redactor {
	return s.known.Child(func() []string {
		all, err := s.schemas()
		if err != nil || all == nil {
			return nil // Terraform, which has asked for them too, has had the error
		}
		return secretsIn(of(all), values...)
	})
}

// configuration has the provider's own secrets known, for good.
func (s *server) configuration(config *tfprotov6.DynamicValue) *redact.Redactor {
	if all, err := s.schemas(); err == nil && all != nil {
		s.known.Know(secretsIn(all.Provider, config)...)
	}
	return s.known
}
