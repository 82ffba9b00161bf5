package tfvalue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// ConvertError: a value inside of a dynamic one is not of the type that its place has.
type ConvertError struct {
	At   string // what follows the name of the value, such as .cluster.namespace or [0]
	Want string // what it must be, for people
	Got  string
	// Known are the attributes that there are, for a value with another one.
	Known []string
}

func (e *ConvertError) Error() string {
	if e.Known != nil {
		return fmt.Sprintf("%s is no attribute", e.At)
	}
	return fmt.Sprintf("%s must be %s, and is %s", e.At, e.Want, e.Got)
}

// Convert turns a value inside of a dynamic one into one of a type, as Terraform converts
// what a configuration gives to an attribute. What is unknown or null stays so. The error
// is a *ConvertError.
func Convert(ctx context.Context, v attr.Value, to attr.Type) (attr.Value, error) {
	return convert(ctx, v, to, "")
}

func convert(ctx context.Context, v attr.Value, to attr.Type, at string) (attr.Value, error) {
	if dynamic, ok := v.(types.Dynamic); ok && !dynamic.IsNull() && !dynamic.IsUnknown() {
		return convert(ctx, dynamic.UnderlyingValue(), to, at)
	}
	if _, isDynamic := v.(types.Dynamic); to.Equal(types.DynamicType) && !v.IsNull() && !isDynamic {
		return types.DynamicValue(v), nil
	}
	switch {
	case v.IsNull():
		return to.ValueFromTerraform(ctx, tftypes.NewValue(to.TerraformType(ctx), nil))
	case v.IsUnknown():
		return to.ValueFromTerraform(ctx, tftypes.NewValue(to.TerraformType(ctx), tftypes.UnknownValue))
	}
	wrong := func(want string) error { return &ConvertError{At: at, Want: want, Got: kindOf(v)} }
	switch to := to.(type) {
	case types.ListType:
		elements, ok := elementsOf(v)
		if !ok {
			return nil, wrong("a list")
		}
		converted := make([]attr.Value, len(elements))
		for i, e := range elements {
			var err error
			if converted[i], err = convert(ctx, e, to.ElemType, at+"["+strconv.Itoa(i)+"]"); err != nil {
				return nil, err
			}
		}
		return types.ListValueMust(to.ElemType, converted), nil
	case types.MapType:
		fields, ok := FieldsOf(v)
		if !ok {
			return nil, wrong("a map")
		}
		converted := make(map[string]attr.Value, len(fields))
		for key, e := range fields {
			var err error
			if converted[key], err = convert(ctx, e, to.ElemType, at+"["+strconv.Quote(key)+"]"); err != nil {
				return nil, err
			}
		}
		return types.MapValueMust(to.ElemType, converted), nil
	case types.ObjectType:
		return convertObject(ctx, v, to, at)
	}
	return convertPrimitive(v, to, wrong)
}

func convertObject(ctx context.Context, v attr.Value, to types.ObjectType, at string) (attr.Value, error) {
	fields, ok := FieldsOf(v)
	if !ok {
		return nil, &ConvertError{At: at, Want: "an object", Got: kindOf(v)}
	}
	for name := range fields {
		if _, known := to.AttrTypes[name]; !known {
			return nil, &ConvertError{At: at + "." + name, Known: slices.Sorted(maps.Keys(to.AttrTypes))}
		}
	}
	converted := make(map[string]attr.Value, len(to.AttrTypes))
	for name, kind := range to.AttrTypes {
		field, given := fields[name]
		if !given {
			field = types.DynamicNull()
		}
		var err error
		if converted[name], err = convert(ctx, field, kind, at+"."+name); err != nil {
			return nil, err
		}
	}
	return types.ObjectValueMust(to.AttrTypes, converted), nil
}

// convertPrimitive takes a text for a bool and the reverse, and a number for a text, as
// Terraform does.
func convertPrimitive(v attr.Value, to attr.Type, wrong func(want string) error) (attr.Value, error) {
	switch {
	case to.Equal(types.StringType):
		switch v := v.(type) {
		case types.String:
			return v, nil
		case types.Bool:
			return types.StringValue(strconv.FormatBool(v.ValueBool())), nil
		case types.Number:
			return types.StringValue(number(v.ValueBigFloat()).String()), nil
		}
		return nil, wrong("a string")
	case to.Equal(types.BoolType):
		switch v := v.(type) {
		case types.Bool:
			return v, nil
		case types.String:
			if text := v.ValueString(); text == "true" || text == "false" {
				return types.BoolValue(text == "true"), nil
			}
		}
		return nil, wrong("true or false")
	case to.Equal(types.NumberType):
		if v, ok := v.(types.Number); ok {
			return v, nil
		}
		return nil, wrong("a number")
	default:
		return nil, wrong("of type " + to.String())
	}
}

// FieldsOf are the attributes of an object, or the elements of a map; ok is false for
// another value. A dynamic value is looked into.
func FieldsOf(v attr.Value) (fields map[string]attr.Value, ok bool) {
	switch v := v.(type) {
	case types.Dynamic:
		return FieldsOf(v.UnderlyingValue())
	case types.Object:
		return v.Attributes(), true
	case types.Map:
		return v.Elements(), true
	default:
		return nil, false
	}
}

func elementsOf(v attr.Value) ([]attr.Value, bool) {
	switch v := v.(type) {
	case types.List:
		return v.Elements(), true
	case types.Tuple:
		return v.Elements(), true
	case types.Set:
		return v.Elements(), true
	default:
		return nil, false
	}
}

// kindOf names the kind of a value for people.
func kindOf(v attr.Value) string {
	switch v.(type) {
	case types.String:
		return "a string"
	case types.Bool:
		return "a bool"
	case types.Number:
		return "a number"
	case types.Object, types.Map:
		return "an object"
	default:
		return "a list"
	}
}

// Loosen is a value as a configuration's literals have it inside of a dynamic one: a list
// is a tuple, a map is an object, in which what is null is left out. What is dynamic
// itself stays as it is.
func Loosen(v attr.Value) attr.Value {
	if dynamic, ok := v.(types.Dynamic); ok && !dynamic.IsNull() && !dynamic.IsUnknown() {
		return dynamic.UnderlyingValue()
	}
	if v.IsNull() || v.IsUnknown() {
		return v
	}
	ctx := context.Background()
	if elements, ok := elementsOf(v); ok {
		loose, kinds := make([]attr.Value, len(elements)), make([]attr.Type, len(elements))
		for i, e := range elements {
			loose[i] = Loosen(e)
			kinds[i] = loose[i].Type(ctx)
		}
		return types.TupleValueMust(kinds, loose)
	}
	if fields, ok := FieldsOf(v); ok {
		return Object(fields)
	}
	return v
}

// Object is one of loose values, without those that are null.
func Object(fields map[string]attr.Value) types.Object {
	loose := make(map[string]attr.Value, len(fields))
	for name, v := range fields {
		if !v.IsNull() {
			loose[name] = Loosen(v)
		}
	}
	return ObjectOf(loose)
}

// ObjectOf is an object of values as they are.
func ObjectOf(fields map[string]attr.Value) types.Object {
	kinds := make(map[string]attr.Type, len(fields))
	for name, v := range fields {
		kinds[name] = v.Type(context.Background())
	}
	return types.ObjectValueMust(kinds, fields)
}
