package packageinstall

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
)

// Keys of the resource's private state.
const (
	// seenKey holds the files as they were last seen: what an update or a delete
	// may overwrite.
	seenKey = "seen"
	// secretKey is there if a part of the values is kept out of the state, or may
	// have to be: what is imported has no configuration yet that tells which of the
	// values in Git are write-only, so that the state takes none of them.
	secretKey = "values_wo"
)

func readSeen(ctx context.Context, private privatestate.Reader) (installfiles.Seen, diag.Diagnostics) {
	text, diags := privatestate.Get[json.RawMessage](ctx, private, seenKey)
	seen, err := installfiles.ParseSeen(text)
	if err != nil {
		diags.AddError("Unable to read the resource's private state", err.Error())
	}
	return seen, diags
}

func writeSeen(ctx context.Context, private privatestate.Writer, seen installfiles.Seen) diag.Diagnostics {
	text, err := seen.Text()
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write the resource's private state", err.Error())}
	}
	return privatestate.Set(ctx, private, seenKey, json.RawMessage(text))
}
