package schemas

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// TestChoice: the error names all attributes, that which it stands at too.
func TestChoice(t *testing.T) {
	set, null, unknown := types.StringValue("x"), types.StringNull(), types.StringUnknown()
	for name, c := range map[string]struct {
		check Choice
		a, b  attr.Value
		at    string // "" for no error
		says  []string
	}{
		"one":                     {ExactlyOneOf("a", "b"), set, null, "", nil},
		"none":                    {ExactlyOneOf("a", "b"), null, null, "a", []string{"exactly one of a and b", "None of them is set"}},
		"two":                     {ExactlyOneOf("a", "b"), set, set, "a", []string{"exactly one of a and b", "a and b are set", "Remove"}},
		"one, and one not known":  {ExactlyOneOf("a", "b"), set, unknown, "", nil},
		"none, and one not known": {ExactlyOneOf("a", "b"), null, unknown, "", nil},
		"at most one":             {AtMostOneOf("a", "b"), set, set, "a", []string{"at most one of a and b"}},
		"none at most":            {AtMostOneOf("a", "b"), null, null, "", nil},
		"at least one":            {AtLeastOneOf("a", "b"), null, null, "a", []string{"at least one of a and b"}},
		"both at least":           {AtLeastOneOf("a", "b"), set, set, "", nil},
		"the only one":            {AtLeastOneOf("a"), null, null, "a", []string{"a must be set", "Set a."}},
		"an empty list":           {ExactlyOneOf("a", "b"), types.ListValueMust(types.StringType, nil), set, "", nil},
		"an empty map":            {ExactlyOneOf("a", "b"), null, types.MapValueMust(types.StringType, nil), "a", []string{"None of them is set"}},
	} {
		t.Run(name, func(t *testing.T) {
			object := types.ObjectValueMust(map[string]attr.Type{"a": c.a.Type(t.Context()), "b": c.b.Type(t.Context())}, map[string]attr.Value{"a": c.a, "b": c.b})
			var nested validator.ObjectResponse
			c.check.ValidateObject(t.Context(), validator.ObjectRequest{Path: path.Root("of"), ConfigValue: object}, &nested)
			var top resource.ValidateConfigResponse
			raw, err := object.ToTerraformValue(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c.check.ValidateResource(t.Context(), resource.ValidateConfigRequest{Config: tfsdk.Config{Raw: raw, Schema: schemaOf(raw)}}, &top)
			for at, diags := range map[string]diag.Diagnostics{"of." + c.at: nested.Diagnostics, c.at: top.Diagnostics} {
				if c.at == "" {
					if diags.HasError() {
						t.Error(diags)
					}
					continue
				}
				withPath, ok := diags[0].(diag.DiagnosticWithPath)
				if !ok || withPath.Path().String() != at {
					t.Errorf("%v is not at %s", diags, at)
				}
				for _, want := range c.says {
					if text := diags[0].Summary() + " " + diags[0].Detail(); !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
						t.Errorf("%q is not in %q", want, text)
					}
				}
			}
		})
	}
}

func schemaOf(raw tftypes.Value) schema.Schema {
	s := schema.Schema{Attributes: map[string]schema.Attribute{}}
	object, _ := raw.Type().(tftypes.Object)
	for name, kind := range object.AttributeTypes {
		switch {
		case kind.Is(tftypes.String):
			s.Attributes[name] = schema.StringAttribute{Optional: true}
		case kind.Is(tftypes.List{}):
			s.Attributes[name] = schema.ListAttribute{Optional: true, ElementType: types.StringType}
		default:
			s.Attributes[name] = schema.MapAttribute{Optional: true, ElementType: types.StringType}
		}
	}
	return s
}
