package valuesschema

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/message"
)

// WorkloadName is the value that every package of a Carvel package supply chain needs and has no default for.
const WorkloadName = "workload_name"

// Unknown stands in a values document for a value that is not known yet. It is not checked.
type Unknown struct{}

// Check looks for what ytt would refuse, in the order of the paths. What the schema itself has as a default, or a value of a default's
// type, is nothing to refuse: see isDefault. With partial, values that are not in the document may be given
// elsewhere. A document that is nil has no values.
func (s *Schema) Check(document map[string]any, partial bool) []Finding {
	if s == nil {
		return nil
	}
	var findings []Finding
	var unknown [][]any
	known, _ := withoutUnknown(document, nil, &unknown).(map[string]any)
	var invalid *jsonschema.ValidationError
	if compiled := s.compiled(); compiled != nil && known != nil && errors.As(compiled.Validate(known), &invalid) {
		findings = s.findings(invalid, known, findings)
	}
	findings = slices.DeleteFunc(findings, func(f Finding) bool {
		return f.Kind != UnknownKey && slices.ContainsFunc(unknown, func(path []any) bool { return slices.Equal(path, f.Path) })
	})
	findings = slices.DeleteFunc(findings, func(f Finding) bool { return s.isDefault(f, document) })
	if !partial && s.lacksWorkloadName(document) {
		findings = append(findings, Finding{Path: []any{WorkloadName}, Kind: MissingWorkloadName, Message: "The package needs a value for it: it has no default."})
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.At(), b.At()), strings.Compare(a.Message, b.Message))
	})
	return findings
}

// withoutUnknown copies a document with null for what is unknown, whose paths it collects.
func withoutUnknown(v any, path []any, unknown *[][]any) any {
	switch v := v.(type) {
	case Unknown:
		*unknown = append(*unknown, slices.Clone(path))
		return nil
	case map[string]any:
		if v == nil {
			return nil
		}
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = withoutUnknown(value, append(slices.Clip(path), key), unknown)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = withoutUnknown(value, append(slices.Clip(path), i), unknown)
		}
		return out
	case json.Number:
		if !isNumber(v) { // its exponent is beyond what anybody computes with
			*unknown = append(*unknown, slices.Clone(path))
			return nil
		}
	}
	return v
}

func (s *Schema) lacksWorkloadName(document map[string]any) bool {
	properties, _ := s.openAPI()["properties"].(map[string]any)
	property, found := properties[WorkloadName]
	if !found {
		return false
	}
	value, given := document[WorkloadName]
	if !given {
		value, _ = defaultOf(property)
	}
	return value == nil || value == ""
}

// findings are those of an error and its causes.
func (s *Schema) findings(e *jsonschema.ValidationError, document any, all []Finding) []Finding {
	for _, cause := range e.Causes {
		all = s.findings(cause, document, all)
	}
	path, value := locate(document, e.InstanceLocation)
	add := func(k Kind, format string, args ...any) {
		all = append(all, Finding{Path: path, Kind: k, Message: fmt.Sprintf(format, args...)})
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		known := s.keysAt(path)
		for _, key := range k.Properties {
			all = append(all, Finding{Path: append(slices.Clip(path), key), Kind: UnknownKey, Message: unknownKey(key, known)})
		}
	case *kind.Type:
		want := k.Want[0]
		if want == "null" {
			want = k.Want[1] // the other type of what may be null
		}
		if value == nil {
			add(NotNullable, "The schema wants %s and does not allow null. Leave the key out to get the default.", article(want))
			break
		}
		add(WrongType, "The schema wants %s; this is %s.%s", article(want), article(typeName(value)), adviceForType(want, value))
	case *notWhole:
		add(WrongType, "The schema wants an integer; this is written as a float.")
	case *kind.Enum:
		add(OutOfRange, "The schema allows %s.", alternatives(k.Want))
	case *kind.Minimum:
		add(OutOfRange, "The schema allows nothing below %s.", decimal(k.Want))
	case *kind.Maximum:
		add(OutOfRange, "The schema allows nothing above %s.", decimal(k.Want))
	case *kind.ExclusiveMinimum:
		add(OutOfRange, "The value must be more than %s.", decimal(k.Want))
	case *kind.ExclusiveMaximum:
		add(OutOfRange, "The value must be less than %s.", decimal(k.Want))
	case *kind.MinLength:
		add(OutOfRange, "The schema wants at least %d characters; this has %d.", k.Want, k.Got)
	case *kind.MaxLength:
		add(OutOfRange, "The schema allows at most %d characters; this has %d.", k.Want, k.Got)
	case *kind.MinItems:
		add(OutOfRange, "The schema wants at least %d items; this has %d.", k.Want, k.Got)
	case *kind.MaxItems:
		add(OutOfRange, "The schema allows at most %d items; this has %d.", k.Want, k.Got)
	}
	return all
}

// locate finds the value at a location, and its path with the indexes of arrays as numbers.
func locate(document any, location []string) (path []any, value any) {
	value = document
	for _, step := range location {
		switch in := value.(type) {
		case map[string]any:
			path, value = append(path, step), in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return path, nil
			}
			path, value = append(path, i), in[i]
		}
	}
	return path, value
}

// keysAt are the keys that the schema has for the object at a path.
func (s *Schema) keysAt(path []any) []string {
	schema := s.narrow()
	for _, step := range path {
		next := schema["items"]
		if key, ok := step.(string); ok {
			properties, _ := schema["properties"].(map[string]any)
			if next, ok = properties[key]; !ok {
				next = schema["additionalProperties"]
			}
		}
		schema, _ = next.(map[string]any)
	}
	properties, _ := schema["properties"].(map[string]any)
	keys := make([]string, 0, len(properties))
	for key := range properties {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// compileWhole adds ytt's rule to the type integer: 2.0 is none, although it is one in JSON Schema.
func compileWhole(_ *jsonschema.CompilerContext, schema map[string]any) (jsonschema.SchemaExt, error) {
	if types, ok := schema["type"].([]any); ok && slices.Contains(types, any("integer")) {
		return wholeNumber{}, nil
	}
	return nil, nil
}

type wholeNumber struct{}

func (wholeNumber) Validate(ctx *jsonschema.ValidatorContext, v any) {
	if number, ok := v.(json.Number); ok && !whole(number) {
		ctx.AddError(&notWhole{})
	}
}

// whole tells a number that is written as an integer.
func whole(n json.Number) bool { return !strings.ContainsAny(n.String(), ".eE") }

// notWhole: a float stands if the schema wants an integer.
type notWhole struct{}

func (*notWhole) KeywordPath() []string { return []string{"type"} }

func (*notWhole) LocalizedString(*message.Printer) string { return "a float is not an integer" }
