package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// TestCallFunction_nullArgument: OpenTofu 1.12 sends nothing for an argument that is null.
func TestCallFunction_nullArgument(t *testing.T) {
	clear(t)
	text := func(s string) *tfprotov6.DynamicValue {
		return pack(t, tftypes.String, tftypes.NewValue(tftypes.String, s))
	}
	resp, err := serve(t, attributes{}).CallFunction(t.Context(), &tfprotov6.CallFunctionRequest{
		Name: "healthy_for", Arguments: []*tfprotov6.DynamicValue{{}, text("24h"), text("2027-01-02T00:00:00Z")},
	})
	if err != nil || resp.Error != nil {
		t.Fatal(err, resp.Error)
	}
	var healthy bool
	if result, err := resp.Result.Unmarshal(tftypes.Bool); err != nil || result.As(&healthy) != nil || healthy {
		t.Errorf("%v, %v", result, err)
	}
}
