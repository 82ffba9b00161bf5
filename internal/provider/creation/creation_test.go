package creation

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type memory map[string][]byte

func (m memory) GetKey(_ context.Context, key string) ([]byte, diag.Diagnostics) { return m[key], nil }

func (m memory) SetKey(_ context.Context, key string, value []byte) diag.Diagnostics {
	m[key] = value
	return nil
}

// TestIsRetried: a delete is the first half of a retry if the plan before it
// was one of a create at the same place.
func TestIsRetried(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		plan     func(m memory) diag.Diagnostics
		recorded string
		want     bool
		warnings int
	}{
		"a destroy":               {func(m memory) diag.Diagnostics { return PlanDestroy(ctx, m) }, "incomplete:1", false, 0},
		"a destroy after a plan":  {func(m memory) diag.Diagnostics { _ = PlanCreate(ctx, m, "a/b"); return PlanDestroy(ctx, m) }, "1", false, 0},
		"the same place":          {func(m memory) diag.Diagnostics { return PlanCreate(ctx, m, "a/b") }, "1", true, 0},
		"another place":           {func(m memory) diag.Diagnostics { return PlanCreate(ctx, m, "a/c") }, "1", false, 0},
		"a place that is unknown": {func(m memory) diag.Diagnostics { return PlanCreate(ctx, m, "") }, "incomplete:1", true, 1},
		"unknown, and complete":   {func(m memory) diag.Diagnostics { return PlanCreate(ctx, m, "") }, "1", true, 0},
		"a version without plans": {func(memory) diag.Diagnostics { return nil }, "1", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := memory{}
			diags := c.plan(m)
			got, more := IsRetried(ctx, m, "a/b", types.StringValue(c.recorded))
			diags.Append(more...)
			if got != c.want || diags.HasError() || len(diags) != c.warnings {
				t.Errorf("%s: %t, %v", name, got, diags)
			}
		})
	}
}

func TestHold(t *testing.T) {
	failed := Record("1", false)
	h := Hold(failed, types.StringUnknown(), types.BoolValue(true))
	if !h.Incomplete || h.Creation != "1" || !h.Adopt || h.Seen != nil {
		t.Errorf("%+v", h)
	}
	h = Hold(Record("1", true), types.StringNull(), types.BoolNull())
	if h.Incomplete || h.Creation != "1" || h.Adopt || h.Seen == nil || *h.Seen != "" {
		t.Errorf("%+v", h)
	}
	if !IsIncomplete(Recorded("1", failed, false)) || IsIncomplete(Recorded("1", failed, true)) || IsIncomplete(Recorded("1", types.StringNull(), false)) {
		t.Error("an update completes a creation where it succeeds, and never the other way round")
	}
}
