package tfvalue

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// FromStruct turns an API's struct, or a slice of them, into a value of a type
// that has an attribute for each field: the field's JSON name in snake_case.
// What is empty becomes null.
func FromStruct(v any, t attr.Type) (attr.Value, error) {
	return fromReflect(reflect.ValueOf(v), t)
}

// ToStruct is the reverse of FromStruct for a value that is fully known. into
// is a pointer.
func ToStruct(v attr.Value, into any) error {
	return toReflect(v, reflect.ValueOf(into).Elem())
}

// Part is ToStruct for the attribute of this name.
func Part(name string, from attr.Value, into any) diag.Diagnostics {
	var diags diag.Diagnostics
	if err := ToStruct(from, into); err != nil {
		diags.AddAttributeError(path.Root(name), "Invalid "+name, err.Error())
	}
	return diags
}

// AttributeName is the attribute that stands for a field of an API, from the
// field's JSON name.
func AttributeName(jsonName string) string {
	runes := []rune(strings.Replace(jsonName, "APIs", "Apis", 1))
	var name strings.Builder
	for i, r := range runes {
		starts := unicode.IsUpper(r) && i > 0 &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if starts {
			name.WriteByte('_')
		}
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}

// apiFields are the fields of a struct by their attribute's name.
func apiFields(t reflect.Type) map[string]int {
	names := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		jsonName, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names[AttributeName(jsonName)] = i
	}
	return names
}

func fromReflect(v reflect.Value, t attr.Type) (attr.Value, error) {
	switch t := t.(type) {
	case types.ObjectType:
		return fromStruct(v, t)
	case types.ListType:
		if v.Len() == 0 {
			return types.ListNull(t.ElemType), nil
		}
		elements := make([]attr.Value, v.Len())
		for i := range elements {
			var err error
			if elements[i], err = fromReflect(v.Index(i), t.ElemType); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return types.ListValueMust(t.ElemType, elements), nil
	}
	switch v := v.Interface().(type) {
	case string:
		return String(v), nil
	case bool:
		if !v {
			return types.BoolNull(), nil
		}
		return types.BoolValue(v), nil
	case *int64:
		return types.Int64PointerValue(v), nil
	case map[string]string:
		return StringMap(v), nil
	default:
		return nil, fmt.Errorf("a field of type %T has no attribute of type %s", v, t)
	}
}

func fromStruct(v reflect.Value, t types.ObjectType) (attr.Value, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return types.ObjectNull(t.AttrTypes), nil
		}
		v = v.Elem()
	}
	attributes := make(map[string]attr.Value, len(t.AttrTypes))
	for name, i := range apiFields(v.Type()) {
		attribute, ok := t.AttrTypes[name]
		if !ok {
			return nil, fmt.Errorf("there is no attribute %s", name)
		}
		var err error
		if attributes[name], err = fromReflect(v.Field(i), attribute); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return types.ObjectValueMust(t.AttrTypes, attributes), nil
}

func toReflect(v attr.Value, into reflect.Value) error {
	if v.IsNull() {
		return nil
	}
	if v.IsUnknown() {
		return fmt.Errorf("the value is not known yet")
	}
	switch v := v.(type) {
	case types.Object:
		return toStruct(v, into)
	case types.List:
		elements := v.Elements()
		if len(elements) == 0 {
			return nil // an empty list is none
		}
		into.Set(reflect.MakeSlice(into.Type(), len(elements), len(elements)))
		for i, e := range elements {
			if err := toReflect(e, into.Index(i)); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
	case types.Map:
		if len(v.Elements()) == 0 {
			return nil
		}
		into.Set(reflect.MakeMap(into.Type()))
		for key, e := range v.Elements() {
			element := reflect.New(into.Type().Elem()).Elem()
			if err := toReflect(e, element); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			into.SetMapIndex(reflect.ValueOf(key), element)
		}
	case types.String:
		into.SetString(v.ValueString())
	case types.Bool:
		into.SetBool(v.ValueBool())
	case types.Int64:
		into.Set(reflect.ValueOf(v.ValueInt64Pointer()))
	default:
		return fmt.Errorf("a value of type %T has no field", v)
	}
	return nil
}

func toStruct(v types.Object, into reflect.Value) error {
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	names := apiFields(into.Type())
	for name, value := range v.Attributes() {
		i, ok := names[name]
		if !ok {
			return fmt.Errorf("there is no field for %s", name)
		}
		if err := toReflect(value, into.Field(i)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
