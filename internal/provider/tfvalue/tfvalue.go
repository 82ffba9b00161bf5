// Package tfvalue converts between Go values and Terraform's.
package tfvalue

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// String is a string attribute whose empty value is written as null.
func String(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// Time is null for the zero time, which is one that is not known.
func Time(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}

// Times is a map of them.
func Times(times map[string]time.Time) types.Map {
	elements := make(map[string]attr.Value, len(times))
	for key, t := range times {
		elements[key] = Time(t)
	}
	return types.MapValueMust(types.StringType, elements)
}

// Bool is an optional boolean that was read: one that is false and was not set
// stays null.
func Bool(b bool, prior types.Bool) types.Bool {
	if !b && prior.IsNull() {
		return prior
	}
	return types.BoolValue(b)
}

// StringMap is a map attribute; a nil map is null.
func StringMap(m map[string]string) types.Map {
	if m == nil {
		return types.MapNull(types.StringType)
	}
	elements := make(map[string]attr.Value, len(m))
	for k, v := range m {
		elements[k] = types.StringValue(v)
	}
	return types.MapValueMust(types.StringType, elements)
}

// ToStringMap is the reverse of StringMap for a map that is fully known; a
// null map is nil.
func ToStringMap(ctx context.Context, m types.Map) (map[string]string, diag.Diagnostics) {
	if m.IsNull() || m.IsUnknown() {
		return nil, nil
	}
	out := map[string]string{}
	return out, m.ElementsAs(ctx, &out, false)
}

// StringList is a list attribute; a nil slice is null.
func StringList(list []string) types.List {
	if list == nil {
		return types.ListNull(types.StringType)
	}
	elements := make([]attr.Value, len(list))
	for i, s := range list {
		elements[i] = types.StringValue(s)
	}
	return types.ListValueMust(types.StringType, elements)
}
