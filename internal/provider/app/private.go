package app

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// awaitedKey holds, in the resource's private state, whether an update has been
// written and not been waited for to its end, so that the next apply waits.
const awaitedKey = "awaited"

func setAwaited(ctx context.Context, private interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}, awaited bool,
) diag.Diagnostics {
	if awaited {
		return private.SetKey(ctx, awaitedKey, []byte("true"))
	}
	return private.SetKey(ctx, awaitedKey, []byte("false"))
}

func isAwaited(ctx context.Context, private interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
},
) (bool, diag.Diagnostics) {
	value, diags := private.GetKey(ctx, awaitedKey)
	return string(value) == "true", diags
}
