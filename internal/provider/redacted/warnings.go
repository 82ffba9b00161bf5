package redacted

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// warnings are about the configuration, and are found while resources are planned and read. Each is given once, with whatever comes next.
type warnings struct {
	mu    sync.Mutex
	finds []func() diag.Diagnostic
}

type warningsKey struct{}

// WarnOnce has the server ask for a warning after each plan and each read from now on, until there is one. It is for the Configure of the
// provider, whose context it takes.
func WarnOnce(ctx context.Context, find func() diag.Diagnostic) {
	w, _ := ctx.Value(warningsKey{}).(*warnings)
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finds = append(w.finds, find)
}

// take are the warnings that there are, and have not been given.
func (w *warnings) take() (found []*tfprotov6.Diagnostic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var left []func() diag.Diagnostic
	for _, find := range w.finds {
		d := find()
		if d == nil {
			left = append(left, find)
			continue
		}
		found = append(found, &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityWarning, Summary: d.Summary(), Detail: d.Detail()})
	}
	w.finds = left
	return found
}
