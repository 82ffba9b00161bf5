package kubeconfigsecret

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// writtenKey holds, in the resource's private state, the fingerprint of what
// was last written, to tell from it what someone else has put there.
const writtenKey = "written"

func setWritten(ctx context.Context, private interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}, fingerprint string,
) diag.Diagnostics {
	data, err := json.Marshal(fingerprint)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to record the fingerprint", err.Error())}
	}
	return private.SetKey(ctx, writtenKey, data)
}

func getWritten(ctx context.Context, private interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
},
) (string, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, writtenKey)
	if diags.HasError() || data == nil {
		return "", diags
	}
	var fingerprint string
	if err := json.Unmarshal(data, &fingerprint); err != nil {
		diags.AddError("Unable to read the resource's private state", err.Error())
	}
	return fingerprint, diags
}
