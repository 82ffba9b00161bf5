package packageinstall

import (
	"bytes"
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
)

// Keys of the resource's private state.
const (
	// seenKey holds the files as they were last seen: what an update or a delete
	// may overwrite.
	seenKey = "seen"
	// secretKey is there where a part of the values is kept out of the state, or may
	// have to be: what is imported has no configuration yet that tells which of the
	// values in Git are write-only, so that the state takes none of them.
	secretKey = "values_wo"
)

type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func readSeen(ctx context.Context, private privateReader) (installfiles.Seen, diag.Diagnostics) {
	text, diags := private.GetKey(ctx, seenKey)
	seen, err := installfiles.ParseSeen(text)
	if err != nil {
		diags.AddError("Unable to read the resource's private state", err.Error())
	}
	return seen, diags
}

func writeSeen(ctx context.Context, private privateWriter, seen installfiles.Seen) diag.Diagnostics {
	text, err := seen.Text()
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write the resource's private state", err.Error())}
	}
	return private.SetKey(ctx, seenKey, text)
}

// isSecret tells whether a part of the values is kept out of the state.
func isSecret(ctx context.Context, private privateReader) (bool, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, secretKey)
	return bytes.Equal(data, []byte("true")), diags
}

// setSecret notes it, and writes nothing where nothing was noted.
func setSecret(ctx context.Context, private interface {
	privateReader
	privateWriter
}, secret bool,
) diag.Diagnostics {
	before, diags := isSecret(ctx, private)
	if diags.HasError() || before == secret {
		return diags
	}
	return private.SetKey(ctx, secretKey, fmt.Append(nil, secret))
}
