package tfvalue

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func numberValue(t *testing.T, s string) types.Number {
	t.Helper()
	f, _, err := big.ParseFloat(s, 10, 512, big.ToNearestEven)
	if err != nil {
		t.Fatal(err)
	}
	return types.NumberValue(f)
}

func TestToAnyAndBack(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"a":null}`, `{"a":"yes","b":true,"c":[1,"2",{"d":false}]}`, `{"n":20230321004057}`, `{"n":-3}`, `{"n":0.1}`, `{"n":123456789012345678901234567890}`,
	} {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var in any
		if err := d.Decode(&in); err != nil {
			t.Fatal(err)
		}
		value, err := FromAny(in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := ToAny(types.DynamicValue(value))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, out); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestToAnyOfCollections(t *testing.T) {
	list := types.ListValueMust(types.StringType, []attr.Value{types.StringValue("a")})
	set := types.SetValueMust(types.NumberType, []attr.Value{numberValue(t, "2")})
	m := types.MapValueMust(types.BoolType, map[string]attr.Value{"k": types.BoolValue(true)})
	for want, in := range map[string]attr.Value{`["a"]`: list, `[2]`: set, `{"k":true}`: m, `null`: types.DynamicNull()} {
		t.Run(want, func(t *testing.T) {
			got, err := ToAny(in)
			if err != nil {
				t.Fatal(err)
			}
			if text, _ := json.Marshal(got); string(text) != want {
				t.Errorf("got %s, want %s", text, want)
			}
		})
	}
	if _, err := ToAny(types.ListValueMust(types.StringType, []attr.Value{types.StringUnknown()})); err == nil {
		t.Error("an unknown element was accepted")
	}
}

func TestKnown(t *testing.T) {
	object := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"a": tftypes.String, "b": tftypes.List{ElementType: tftypes.String}}}
	value := func(a, b any) tftypes.Value {
		return tftypes.NewValue(object, map[string]tftypes.Value{
			"a": tftypes.NewValue(tftypes.String, a),
			"b": tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, []tftypes.Value{tftypes.NewValue(tftypes.String, b)}),
		})
	}
	if !Known(value("x", "y")) || Known(value("x", tftypes.UnknownValue)) || Known(value(tftypes.UnknownValue, "y")) {
		t.Error("an unknown attribute or element was not seen")
	}
	if !Known(value("x", tftypes.UnknownValue), "b") {
		t.Error("an attribute to pass over was looked at")
	}
}

func TestToAnyKnown(t *testing.T) {
	unknown := struct{}{}
	object := types.ObjectValueMust(map[string]attr.Type{"a": types.StringType, "b": types.BoolType}, map[string]attr.Value{
		"a": types.StringUnknown(), "b": types.BoolValue(true),
	})
	for want, in := range map[string]attr.Value{
		`{"a":{},"b":true}`: types.DynamicValue(object),
		`{}`:                types.DynamicUnknown(),
		`[{},"x"]`:          types.ListValueMust(types.StringType, []attr.Value{types.StringUnknown(), types.StringValue("x")}),
	} {
		t.Run(want, func(t *testing.T) {
			got, err := ToAnyKnown(in, unknown)
			if err != nil {
				t.Fatal(err)
			}
			if text, _ := json.Marshal(got); string(text) != want {
				t.Errorf("got %s, want %s", text, want)
			}
		})
	}
}
