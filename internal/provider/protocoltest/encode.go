package protocoltest

import (
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func (r *Resource) encode(c Config) tftypes.Value {
	r.t.Helper()
	for name := range c {
		if _, ok := r.kind.AttributeTypes[name]; !ok {
			r.t.Fatalf("%s has no attribute %s", r.name, name)
		}
	}
	return r.as(r.kind, map[string]any(c))
}

// as is a value of a type.
func (r *Resource) as(kind tftypes.Type, v any) tftypes.Value {
	r.t.Helper()
	if _, is := v.(unknown); is {
		return tftypes.NewValue(kind, tftypes.UnknownValue)
	}
	if kind.Is(tftypes.DynamicPseudoType) && v != nil {
		return r.inferred(v)
	}
	switch v := v.(type) {
	case nil:
		return tftypes.NewValue(kind, nil)
	case int:
		return tftypes.NewValue(kind, big.NewFloat(float64(v)))
	case Config:
		return r.as(kind, map[string]any(v))
	case []any:
		all := make([]tftypes.Value, len(v))
		for i, e := range v {
			all[i] = r.as(element(kind), e)
		}
		return tftypes.NewValue(kind, all)
	case map[string]any:
		all := map[string]tftypes.Value{}
		if object, ok := kind.(tftypes.Object); ok {
			for name, of := range object.AttributeTypes {
				all[name] = r.as(of, v[name])
			}
			return tftypes.NewValue(kind, all)
		}
		for name, e := range v {
			all[name] = r.as(element(kind), e)
		}
		return tftypes.NewValue(kind, all)
	}
	return tftypes.NewValue(kind, v)
}

func element(kind tftypes.Type) tftypes.Type {
	switch kind := kind.(type) {
	case tftypes.List:
		return kind.ElementType
	case tftypes.Set:
		return kind.ElementType
	case tftypes.Map:
		return kind.ElementType
	}
	return tftypes.DynamicPseudoType
}

// inferred is a value of the type that Terraform's language would give it.
func (r *Resource) inferred(v any) tftypes.Value {
	r.t.Helper()
	switch v := v.(type) {
	case nil:
		return tftypes.NewValue(tftypes.DynamicPseudoType, nil)
	case unknown:
		return tftypes.NewValue(tftypes.DynamicPseudoType, tftypes.UnknownValue)
	case string:
		return tftypes.NewValue(tftypes.String, v)
	case bool:
		return tftypes.NewValue(tftypes.Bool, v)
	case int:
		return tftypes.NewValue(tftypes.Number, big.NewFloat(float64(v)))
	case float64:
		return tftypes.NewValue(tftypes.Number, big.NewFloat(v))
	case []any:
		all, kinds := make([]tftypes.Value, len(v)), make([]tftypes.Type, len(v))
		for i, e := range v {
			all[i] = r.inferred(e)
			kinds[i] = all[i].Type()
		}
		return tftypes.NewValue(tftypes.Tuple{ElementTypes: kinds}, all)
	case Uniform:
		all := map[string]tftypes.Value{}
		var kind tftypes.Type = tftypes.DynamicPseudoType
		for name, e := range v {
			all[name] = r.inferred(e)
			kind = all[name].Type()
		}
		return tftypes.NewValue(tftypes.Map{ElementType: kind}, all)
	case map[string]any:
		all, kinds := map[string]tftypes.Value{}, map[string]tftypes.Type{}
		for name, e := range v {
			all[name] = r.inferred(e)
			kinds[name] = all[name].Type()
		}
		return tftypes.NewValue(tftypes.Object{AttributeTypes: kinds}, all)
	}
	r.t.Fatalf("no value of the language: %T", v)
	return tftypes.Value{}
}
