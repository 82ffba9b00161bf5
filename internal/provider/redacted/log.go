package redacted

import (
	"context"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

// Info logs a message.
func Info(ctx context.Context, message string) {
	tflog.Info(ctx, clean(redact.From(ctx), message))
}

// Warn logs an error that is no reason to fail.
func Warn(ctx context.Context, message string, err error) {
	r := redact.From(ctx)
	tflog.Warn(ctx, clean(r, message), map[string]any{"error": clean(r, err.Error())})
}
