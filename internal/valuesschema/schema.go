// Package valuesschema checks the values for a version of a package against the OpenAPI
// v3 schema in its Package, as ytt does when the controller renders it: a key that the
// schema does not have is refused, and so are a null and a float if it has neither.
// A Finding says where, what is wrong and what to write instead. A feature that schemas
// of ytt do not have is never a reason to refuse anything.
//
// https://carvel.dev/ytt/docs/latest/lang-ref-ytt-schema/
package valuesschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema says which values a version of a package takes: the OpenAPI v3 schema in its Package.
type Schema struct {
	text     json.RawMessage // many are kept, few are looked at
	openAPI  func() map[string]any
	narrow   func() map[string]any // what of it is checked
	compiled func() *jsonschema.Schema
}

// mostProperties bounds a schema, whose compilation takes the square of their number: a second for this many. The largest packages that are
// published have some hundred.
const mostProperties = 10_000

// New takes JSON. It is nil if that is not an object. A part of it that is not understood is passed over. A schema with too
// many properties is an error.
func New(openAPI json.RawMessage) (*Schema, error) {
	object := decodeObject(openAPI)
	if object == nil {
		return nil, nil
	}
	if n := properties(object); n > mostProperties {
		return nil, fmt.Errorf("the values schema has %d properties and alternatives, more than %d; values are not checked", n, mostProperties)
	}
	s := &Schema{text: openAPI}
	s.openAPI = sync.OnceValue(func() map[string]any { return decodeObject(s.text) })
	s.narrow = sync.OnceValue(func() map[string]any { return narrow(s.openAPI()) })
	s.compiled = sync.OnceValue(func() *jsonschema.Schema { return compile(s.narrow()) })
	return s, nil
}

// decodeObject is nil for what is not an object.
func decodeObject(text json.RawMessage) map[string]any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil
	}
	return object
}

// properties counts what narrow makes of a schema: its properties, and the values that they may have.
func properties(schema map[string]any) int {
	values, _ := schema["enum"].([]any)
	n := 1 + len(values)
	named, _ := schema["properties"].(map[string]any)
	for _, property := range named {
		object, _ := property.(map[string]any)
		n += properties(object)
	}
	for _, keyword := range []string{"items", "additionalProperties"} {
		if object, ok := schema[keyword].(map[string]any); ok {
			n += properties(object)
		}
	}
	return n
}

// JSON is the schema as the Package has it.
func (s *Schema) JSON() (string, error) {
	text, err := json.Marshal(s.openAPI())
	return string(text), err
}

// Defaults are the values that the package takes if none are given, as far as the schema says.
func (s *Schema) Defaults() map[string]any {
	defaults, _ := defaultOf(s.openAPI())
	object, ok := defaults.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	return object
}

func defaultOf(schema any) (value any, found bool) {
	object, _ := schema.(map[string]any)
	if value, found := object["default"]; found {
		return value, true
	}
	properties, ok := object["properties"].(map[string]any)
	if !ok {
		return nil, false
	}
	defaults := map[string]any{}
	for name, property := range properties {
		if value, found := defaultOf(property); found {
			defaults[name] = value
		}
	}
	return defaults, true
}

const schemaURL = "carvel:values"

// compile is nil for a schema that the library does not take.
func compile(schema map[string]any) *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4) // OpenAPI v3 has taken its keywords from there
	c.UseLoader(noLoader{})
	c.RegisterVocabulary(&jsonschema.Vocabulary{URL: "carvel:ytt", Compile: compileWhole})
	if err := c.AddResource(schemaURL, schema); err != nil {
		return nil
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		return nil
	}
	return compiled
}

// noLoader keeps a schema from naming others, which would be files.
type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("a values schema stands alone") }

// What the OpenAPI v3 schemas that ytt makes consist of. Anything else is passed over: the values are checked by ytt in the end, and what
// it would let through must not be refused here.
var (
	schemaTypes    = []string{"object", "array", "string", "integer", "number", "boolean"}
	compositions   = []string{"allOf", "anyOf", "oneOf", "not", "patternProperties"}
	lengths        = []string{"minLength", "maxLength", "minItems", "maxItems"}
	exclusiveBound = map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}
)

// narrow translates the part of an OpenAPI v3 schema that is checked into JSON Schema. Keys that are missing take their defaults, so
// nothing is required, and no number of keys.
func narrow(schema map[string]any) map[string]any {
	out := map[string]any{}
	_, reference := schema["$ref"]
	if reference {
		return out
	}
	composed := slices.ContainsFunc(compositions, func(keyword string) bool { _, found := schema[keyword]; return found })
	open := composed || schema["x-kubernetes-preserve-unknown-fields"] == true || schema["x-kubernetes-embedded-resource"] == true
	nullable := composed || schema["nullable"] == true
	if kind, known := schema["type"]; known {
		name, _ := kind.(string)
		if !slices.Contains(schemaTypes, name) {
			return out
		}
		if schema["x-kubernetes-int-or-string"] != true {
			out["type"] = []any{name}
			if nullable {
				out["type"] = []any{name, "null"}
			}
		}
	}
	narrowObject(schema, out, open)
	if items, ok := schema["items"].(map[string]any); ok {
		out["items"] = narrow(items)
	}
	narrowEnum(schema, out, nullable)
	narrowBounds(schema, out)
	return out
}

// narrowEnum keeps values of simple types, each once.
func narrowEnum(schema, out map[string]any, nullable bool) {
	values, _ := schema["enum"].([]any)
	if len(values) > 0 && nullable {
		values = append(slices.Clip(values), nil)
	}
	var allowed []any
	seen := map[any]bool{}
	for _, v := range values {
		switch v.(type) {
		case nil, bool, string:
		default:
			if !isNumber(v) {
				return
			}
		}
		if !seen[v] {
			allowed, seen[v] = append(allowed, v), true
		}
	}
	if len(allowed) > 0 {
		out["enum"] = allowed
	}
}

func narrowObject(schema, out map[string]any, open bool) {
	if properties, ok := schema["properties"].(map[string]any); ok {
		narrowed := make(map[string]any, len(properties))
		for name, property := range properties {
			object, _ := property.(map[string]any)
			narrowed[name] = narrow(object)
		}
		out["properties"] = narrowed
	}
	switch additional := schema["additionalProperties"].(type) {
	case map[string]any:
		if !open {
			out["additionalProperties"] = narrow(additional)
		}
	case bool:
		if !additional && !open {
			out["additionalProperties"] = false
		}
	}
}

func narrowBounds(schema, out map[string]any) {
	for bound, exclusive := range exclusiveBound {
		if isNumber(schema[bound]) {
			out[bound] = schema[bound]
			if schema[exclusive] == true {
				out[exclusive] = true
			}
		}
	}
	for _, keyword := range lengths {
		if n, err := strconv.Atoi(fmt.Sprint(schema[keyword])); err == nil && n >= 0 {
			out[keyword] = json.Number(strconv.Itoa(n))
		}
	}
}

// isNumber tells numbers that one can compute with.
func isNumber(v any) bool {
	switch v := v.(type) {
	case json.Number:
		_, ok := new(big.Rat).SetString(v.String())
		return ok
	case float64, int64:
		return true
	}
	return false
}
