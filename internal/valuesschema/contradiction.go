package valuesschema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
)

// Many schemas that are published contradict their own defaults: a default is null and
// the schema does not allow null, or it is of another type. The templates take what they
// have by default, so that such a value is no finding, and neither is another of its type.

// isDefault reports whether the schema has the value that a finding is about, or one
// around it, as a default, or has a default of its type there.
func (s *Schema) isDefault(f Finding, document map[string]any) bool {
	var value any = document
	at := []defaults{{schema: s.openAPI()}}
	for i := 0; ; i++ {
		given := at[0].values()
		for _, d := range at[1:] {
			given = append(given, d.values()...)
		}
		if slices.ContainsFunc(given, func(d any) bool { return same(d, value) }) {
			return true
		}
		if i == len(f.Path) {
			return f.Kind != OutOfRange && slices.ContainsFunc(given, func(d any) bool { return sameType(d, value) })
		}
		var below any
		switch in := value.(type) {
		case map[string]any:
			key, _ := f.Path[i].(string)
			below = in[key]
		case []any:
			if n, isIndex := f.Path[i].(int); isIndex && n < len(in) {
				below = in[n]
			}
		}
		value = below
		var next []defaults
		for _, d := range at {
			next = append(next, d.below(f.Path[i])...)
		}
		at = next
		if len(at) == 0 {
			return false
		}
	}
}

// defaults are those of one place: of the schema there, or a part of one above it.
type defaults struct {
	schema map[string]any
	part   any
	isPart bool
}

// values are the defaults themselves.
func (d defaults) values() []any {
	if d.isPart {
		return []any{d.part}
	}
	var all []any
	if value, found := d.schema["default"]; found {
		all = append(all, value)
	}
	if _, isObject := d.schema["properties"]; isObject {
		if composed, found := defaultOf(map[string]any{"properties": d.schema["properties"]}); found {
			all = append(all, composed)
		}
	}
	return all
}

// below are the defaults one step further.
func (d defaults) below(step any) []defaults {
	var all []defaults
	for _, value := range d.values() {
		switch in := value.(type) {
		case map[string]any:
			if key, isKey := step.(string); isKey {
				if part, found := in[key]; found {
					all = append(all, defaults{part: part, isPart: true})
				}
			}
		case []any: // an item that was added is as one of them
			if _, isIndex := step.(int); isIndex {
				for _, part := range in {
					all = append(all, defaults{part: part, isPart: true})
				}
			}
		}
	}
	if d.isPart {
		return all
	}
	next := d.schema["items"]
	if key, isKey := step.(string); isKey {
		properties, _ := d.schema["properties"].(map[string]any)
		var found bool
		if next, found = properties[key]; !found {
			next = d.schema["additionalProperties"]
		}
	}
	if schema, isSchema := next.(map[string]any); isSchema {
		all = append(all, defaults{schema: schema})
	}
	return all
}

// same compares two values as ytt would: numbers by what they are.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, same)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case nil, bool, string:
		return a == b
	}
	x, isNumber := number(a)
	y, isOther := number(b)
	return isNumber && isOther && x.Cmp(y) == 0
}

func number(v any) (*big.Rat, bool) {
	switch v.(type) {
	case json.Number, int, int64, float64:
		return new(big.Rat).SetString(fmt.Sprint(v))
	}
	return nil, false
}

func sameType(a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	return typeName(a) == typeName(b)
}
