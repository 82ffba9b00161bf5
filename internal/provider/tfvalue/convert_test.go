package tfvalue

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// literal is a value as Terraform's language makes it of JSON.
func literal(t *testing.T, v any) attr.Value {
	t.Helper()
	value, err := FromAny(v)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

var someObject = types.ObjectType{AttrTypes: map[string]attr.Type{"name": types.StringType, "list": types.ListType{ElemType: types.StringType}}}

func TestConvert(t *testing.T) {
	for _, row := range []struct {
		name string
		in   any
		to   attr.Type
		want attr.Value
	}{
		{"a text", "a", types.StringType, types.StringValue("a")},
		{"a bool as a text", true, types.StringType, types.StringValue("true")},
		{"a text as a bool", "false", types.BoolType, types.BoolValue(false)},
		{"a tuple", []any{"a", true}, types.ListType{ElemType: types.StringType}, StringList([]string{"a", "true"})},
		{"an object as a map", map[string]any{"a": "b"}, types.MapType{ElemType: types.StringType}, StringMap(map[string]string{"a": "b"})},
		{"a number", json.Number("2"), types.NumberType, numberValue(t, "2")},
		{"null", nil, types.StringType, types.StringNull()},
		{"a dynamic one", "a", types.DynamicType, types.DynamicValue(types.StringValue("a"))},
		{"an object that lacks something", map[string]any{"name": "a"}, someObject, types.ObjectValueMust(someObject.AttrTypes, map[string]attr.Value{
			"name": types.StringValue("a"), "list": types.ListNull(types.StringType),
		})},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := Convert(t.Context(), literal(t, row.in), row.to)
			if err != nil || !got.Equal(row.want) {
				t.Errorf("got %v, want %v: %v", got, row.want, err)
			}
		})
	}
	for _, kind := range []attr.Type{types.StringType, types.DynamicType, someObject} {
		got, err := Convert(t.Context(), types.StringUnknown(), kind)
		if err != nil || !got.IsUnknown() && !got.(types.Dynamic).IsUnderlyingValueUnknown() {
			t.Errorf("what is unknown becomes %v as %s: %v", got, kind, err)
		}
	}
}

// TestConvert_errors tell where the value is that is wrong, and not what it is.
func TestConvert_errors(t *testing.T) {
	for want, row := range map[string]struct {
		in any
		to attr.Type
	}{
		" must be a string, and is a list":        {[]any{}, types.StringType},
		" must be true or false, and is a string": {"s3cret", types.BoolType},
		"[1] must be a string, and is an object":  {[]any{"a", map[string]any{}}, types.ListType{ElemType: types.StringType}},
		`["k"] must be a string, and is a list`:   {map[string]any{"k": []any{}}, types.MapType{ElemType: types.StringType}},
		".list must be a list, and is a string":   {map[string]any{"list": "a"}, someObject},
		".nam is no attribute":                    {map[string]any{"nam": "a"}, someObject},
		" must be a number, and is a string":      {"a", types.NumberType},
		" must be an object, and is a bool":       {true, someObject},
		" must be a map, and is a string":         {"a", types.MapType{ElemType: types.StringType}},
	} {
		t.Run(want, func(t *testing.T) {
			_, err := Convert(t.Context(), literal(t, row.in), row.to)
			if !errors.As(err, new(*ConvertError)) || err.Error() != want {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestLoosen is the reverse of Convert, as far as a configuration can tell.
func TestLoosen(t *testing.T) {
	for _, in := range []any{"a", true, []any{"a", "b"}, map[string]any{"a": "b"}} {
		want := literal(t, in)
		for _, to := range []attr.Type{types.StringType, types.BoolType, types.ListType{ElemType: types.StringType}, types.MapType{ElemType: types.StringType}} {
			converted, err := Convert(t.Context(), want, to)
			if err != nil || in == true && to.Equal(types.StringType) {
				continue
			}
			if got := Loosen(converted); !got.Equal(want) {
				t.Errorf("%v as %s is %v again", want, to, got)
			}
		}
	}
	object := types.ObjectValueMust(someObject.AttrTypes, map[string]attr.Value{"name": types.StringValue("a"), "list": types.ListNull(types.StringType)})
	if got := Loosen(object); !got.Equal(literal(t, map[string]any{"name": "a"})) {
		t.Errorf("what is null is in %v", got)
	}
}
