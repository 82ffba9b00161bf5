// Package privatestate keeps values in a resource's private state, each as JSON under a
// key. Terraform keeps it beside the state and shows it nobody; what is secret does not
// belong there either.
package privatestate

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// Reader is a private state as requests have it.
type Reader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

// Writer is a private state as responses have it.
type Writer interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// State is one that can be read and written.
type State interface {
	Reader
	Writer
}

// Get is the value under a key, the zero value if there is none.
func Get[T any](ctx context.Context, from Reader, key string) (value T, diags diag.Diagnostics) {
	text, diags := from.GetKey(ctx, key)
	if diags.HasError() || text == nil {
		return value, diags
	}
	if err := json.Unmarshal(text, &value); err != nil {
		diags.AddError("Unable to read the resource's private state", "What is kept under "+key+" is damaged: "+err.Error())
	}
	return value, diags
}

// Set keeps a value under a key.
func Set(ctx context.Context, to Writer, key string, value any) diag.Diagnostics {
	text, err := json.Marshal(value)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write the resource's private state", err.Error())}
	}
	return to.SetKey(ctx, key, text)
}

// Change keeps a value under a key, and writes nothing if it is kept already.
func Change[T comparable](ctx context.Context, in State, key string, value T) diag.Diagnostics {
	before, diags := Get[T](ctx, in, key)
	if diags.HasError() || before == value {
		return diags
	}
	return Set(ctx, in, key, value)
}
