package standin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// dataValues checks the supplied values against the schema documents of the templates
// and returns the schema's defaults with the values laid over them, later files over
// earlier ones. Without a schema the values are read and ignored.
func dataValues(templates []template, values []file) (map[string]any, error) {
	defaults := map[string]any{}
	hasSchema := false
	for _, t := range templates {
		for _, d := range t.docs {
			if d.kind != schemaDoc {
				continue
			}
			hasSchema = true
			if err := mergeDocument(defaults, t.name, d.text, nil); err != nil {
				return nil, err
			}
		}
	}
	var schema map[string]any
	if hasSchema {
		schema = deepCopy(defaults)
	}
	for _, t := range templates {
		for _, d := range t.docs {
			if d.kind == valuesDoc {
				if err := mergeDocument(defaults, t.name, d.text, schema); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, f := range values {
		if err := mergeValues(defaults, f, schema); err != nil {
			return nil, err
		}
	}
	return defaults, nil
}

// mergeValues lays one data-values file, of one or more documents, over into.
func mergeValues(into map[string]any, f file, schema map[string]any) error {
	lines := strings.Split(f.content, "\n")
	for _, comment := range yamlComments(lines) {
		if strings.HasPrefix(comment, "#@") {
			return said("Extracting data value from file: Checking data values file: Expected to be plain YAML, having no annotations (hint: remove comments starting with #@)")
		}
	}
	start := 0
	for i := 0; i <= len(lines); i++ {
		if i < len(lines) && (i == 0 || !documentStart.MatchString(lines[i])) {
			continue
		}
		text := strings.Repeat("\n", start) + strings.Join(lines[start:i], "\n")
		if err := mergeDocument(into, f.name, text, schema); err != nil {
			return err
		}
		start = i
	}
	return nil
}

// mergeDocument lays one document over into. A schema that is not nil is checked first.
func mergeDocument(into map[string]any, name, text string, schema map[string]any) error {
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return said("Extracting data value from file: Unmarshaling YAML data values file '%s': %s", name, yamlReason(err))
	}
	var value any
	if err := utiljson.Unmarshal(raw, &value); err != nil {
		return err
	}
	if value == nil {
		return nil
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return said("Extracting data value from file: Expected data values file '%s' to be a map, but was %s", name, typeName(value))
	}
	if schema != nil {
		if problem := violation(schema, fields); problem != nil {
			return problem.in(file{name, text})
		}
	}
	merge(into, fields)
	return nil
}

func merge(into, from map[string]any) {
	for name, value := range from {
		below, isMap := value.(map[string]any)
		existing, wasMap := into[name].(map[string]any)
		if isMap && wasMap {
			merge(existing, below)
			continue
		}
		into[name] = value
	}
}

func deepCopy(m map[string]any) map[string]any {
	copied := maps.Clone(m)
	for name, value := range copied {
		if below, ok := value.(map[string]any); ok {
			copied[name] = deepCopy(below)
		}
	}
	return copied
}

// mismatch is one value that its schema does not allow.
type mismatch struct{ summary, key, found, expected string }

// violation finds the first value, by key, that schema does not allow. The values in a
// schema are the defaults, and their types the types. The first item of a list is the
// type of all its items.
func violation(schema, values map[string]any) *mismatch {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, declared := schema[name]; !declared {
			return &mismatch{
				"Given data value is not declared in schema", name, name,
				fmt.Sprintf("one of { %s }", strings.Join(slices.Sorted(maps.Keys(schema)), ", ")),
			}
		}
		if problem := typeViolation(name, schema[name], values[name]); problem != nil {
			return problem
		}
	}
	return nil
}

func typeViolation(name string, declared, given any) *mismatch {
	want, got := typeName(declared), typeName(given)
	if want == "null" || want == "float" && got == "integer" {
		return nil
	}
	if want != got {
		return &mismatch{"One or more data values were invalid", name, got, want}
	}
	switch below := declared.(type) {
	case map[string]any:
		return violation(below, given.(map[string]any))
	case []any:
		for _, item := range given.([]any) {
			if len(below) == 0 {
				break
			}
			if problem := typeViolation(name, below[0], item); problem != nil {
				return problem
			}
		}
	}
	return nil
}

// in words the mismatch as ytt does, with the line of f that holds its key, but without
// the value there: it may be a credential.
func (m *mismatch) in(f file) error {
	line := 1
	for i, l := range strings.Split(f.content, "\n") {
		if strings.HasPrefix(strings.TrimLeft(l, " -\"'"), m.key) {
			line = i + 1
			break
		}
	}
	title := "One or more data values were invalid\n====================================\n\n"
	if m.summary != "One or more data values were invalid" {
		title += m.summary + "\n"
	}
	return said("Overlaying data values (in following order: additional data values): \n%s%s:\n    |\n%3d | %s\n    |\n\n    = found: %s\n    = expected: %s\n",
		title, f.name, line, m.key+":", m.found, m.expected)
}

// typeName is ytt's name for the type of a value.
func typeName(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case float64:
		return "float"
	case map[string]any:
		return "map"
	}
	return "array"
}
