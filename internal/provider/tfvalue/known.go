package tfvalue

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Known reports whether every attribute of a resource is known in full, those
// named aside.
func Known(resource tftypes.Value, but ...string) bool {
	var attributes map[string]tftypes.Value
	if err := resource.As(&attributes); err != nil {
		return false
	}
	for name, value := range attributes {
		if !slices.Contains(but, name) && !value.IsFullyKnown() {
			return false
		}
	}
	return true
}
