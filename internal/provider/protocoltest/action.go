package protocoltest

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

// Verb is one action of a configuration.
type Verb struct {
	r *Resource
}

// server is that of another process.
func (a *Verb) server() tfprotov6.ActionServer {
	a.r.t.Helper()
	server, ok := a.r.server().(tfprotov6.ActionServer)
	if !ok {
		a.r.t.Fatal("the server knows no actions")
	}
	return server
}

// NewVerb is an action. data is asked for anew with each run.
func NewVerb(t testing.TB, make func() action.Action, data func() *providerdata.Data) *Verb {
	t.Helper()
	r := &Resource{t: t, actions: []func() action.Action{make}, data: data}
	var meta action.MetadataResponse
	make().Metadata(t.Context(), action.MetadataRequest{ProviderTypeName: "carvel"}, &meta)
	r.name = meta.TypeName
	schemas, err := r.server().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	r.schema = schemas.ActionSchemas[r.name].Schema
	r.kind, _ = r.schema.ValueType().(tftypes.Object)
	return &Verb{r}
}

// Plan validates and plans the action.
func (a *Verb) Plan(c Config) Diagnostics {
	a.r.t.Helper()
	server, config := a.server(), a.r.dynamic(a.r.encode(c))
	checked, err := server.ValidateActionConfig(a.r.t.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: a.r.name, Config: config})
	if err != nil {
		a.r.t.Fatal(err)
	}
	planned, err := server.PlanAction(a.r.t.Context(), &tfprotov6.PlanActionRequest{ActionType: a.r.name, Config: config})
	if err != nil {
		a.r.t.Fatal(err)
	}
	return append(checked.Diagnostics, planned.Diagnostics...)
}

// Invoke invokes the action as another process, and returns what Terraform would print
// meanwhile.
func (a *Verb) Invoke(ctx context.Context, c Config) (progress []string, diags Diagnostics) {
	a.r.t.Helper()
	stream, err := a.server().InvokeAction(ctx, &tfprotov6.InvokeActionRequest{ActionType: a.r.name, Config: a.r.dynamic(a.r.encode(c))})
	if err != nil {
		a.r.t.Fatal(err)
	}
	completed := false
	for event := range stream.Events {
		switch of := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			progress = append(progress, of.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			completed, diags = true, append(diags, of.Diagnostics...)
		}
	}
	if !completed {
		a.r.t.Fatal("the action has not come to its end")
	}
	return progress, diags
}
