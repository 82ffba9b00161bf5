package tfvalue

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ToAny turns a value that is fully known into what json.Marshal writes as the
// same JSON: maps, slices, strings, booleans, json.Number and nil.
func ToAny(v attr.Value) (any, error) { return toAny(v, nil) }

// ToAnyKnown is ToAny for a value that is known in part: unknown stands for
// what is not.
func ToAnyKnown(v attr.Value, unknown any) (any, error) { return toAny(v, unknown) }

func toAny(v attr.Value, unknown any) (any, error) {
	if v.IsNull() {
		return nil, nil
	}
	if v.IsUnknown() {
		if unknown == nil {
			return nil, fmt.Errorf("the value is not known yet")
		}
		return unknown, nil
	}
	switch v := v.(type) {
	case types.Dynamic:
		return toAny(v.UnderlyingValue(), unknown)
	case types.String:
		return v.ValueString(), nil
	case types.Bool:
		return v.ValueBool(), nil
	case types.Number:
		return number(v.ValueBigFloat()), nil
	case types.Object:
		return anyMap(v.Attributes(), unknown)
	case types.Map:
		return anyMap(v.Elements(), unknown)
	case types.Tuple:
		return anySlice(v.Elements(), unknown)
	case types.List:
		return anySlice(v.Elements(), unknown)
	case types.Set:
		return anySlice(v.Elements(), unknown)
	default:
		return nil, fmt.Errorf("a value of type %T cannot be written as YAML", v)
	}
}

// number writes an integer without exponent and anything else with as few
// digits as give the same number back.
func number(f *big.Float) json.Number {
	if f.IsInt() {
		return json.Number(f.Text('f', 0))
	}
	return json.Number(f.Text('g', -1))
}

func anyMap(elements map[string]attr.Value, unknown any) (map[string]any, error) {
	out := make(map[string]any, len(elements))
	for k, e := range elements {
		v, err := toAny(e, unknown)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		out[k] = v
	}
	return out, nil
}

func anySlice(elements []attr.Value, unknown any) ([]any, error) {
	out := make([]any, len(elements))
	for i, e := range elements {
		v, err := toAny(e, unknown)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out[i] = v
	}
	return out, nil
}

// FromAny turns decoded JSON, its numbers as json.Number, into a value:
// objects become objects and arrays tuples, as Terraform's own literals are.
func FromAny(v any) (attr.Value, error) {
	switch v := v.(type) {
	case nil:
		return types.DynamicNull(), nil
	case string:
		return types.StringValue(v), nil
	case bool:
		return types.BoolValue(v), nil
	case json.Number:
		f, _, err := big.ParseFloat(v.String(), 10, 512, big.ToNearestEven)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", v)
		}
		return types.NumberValue(f), nil
	case map[string]any:
		attributes, kinds := map[string]attr.Value{}, map[string]attr.Type{}
		for k, e := range v {
			value, err := FromAny(e)
			if err != nil {
				return nil, err
			}
			attributes[k], kinds[k] = value, value.Type(context.Background())
		}
		return types.ObjectValueMust(kinds, attributes), nil
	case []any:
		elements, kinds := make([]attr.Value, len(v)), make([]attr.Type, len(v))
		for i, e := range v {
			value, err := FromAny(e)
			if err != nil {
				return nil, err
			}
			elements[i], kinds[i] = value, value.Type(context.Background())
		}
		return types.TupleValueMust(kinds, elements), nil
	default:
		return nil, fmt.Errorf("cannot read a %T", v)
	}
}
