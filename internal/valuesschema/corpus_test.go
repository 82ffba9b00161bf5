package valuesschema_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
)

// TestCorpus: schemas in the shapes that published ones have, many of which contradict
// their own defaults, take these defaults, and other values of the defaults' types.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.json")
	if err != nil || len(files) < 30 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			schema := newSchema(t, string(text))
			defaults := schema.Defaults()
			refuses(t, schema, defaults, 0)
			for key, value := range defaults {
				refuses(t, schema, map[string]any{key: value}, 0)
			}
			// What was got from the default values, and changed.
			more := maps.Clone(defaults)
			for key := range defaults {
				delete(more, key)
				refuses(t, schema, more, 0)
				break
			}
			bounded := strings.Contains(string(text), "enum") || strings.Contains(string(text), "minimum")
			if !bounded {
				refuses(t, schema, other(defaults).(map[string]any), 0)
			}
		})
	}
}

func refuses(t *testing.T, schema *valuesschema.Schema, values map[string]any, want int) {
	t.Helper()
	if found := schema.Check(values, false); len(found) != want {
		given, _ := json.Marshal(values)
		t.Errorf("%s: %v, want %d findings", given, found, want)
	}
}

// other is another value of the same type everywhere.
func other(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			out[key] = other(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = other(value)
		}
		return append(out, out...)
	case string:
		return v + "x"
	case bool:
		return !v
	case json.Number:
		if strings.Contains(v.String(), ".") {
			return json.Number("7.25")
		}
		return json.Number("7")
	}
	return v
}

// TestCorpus_refuses: what fits neither the schema nor its defaults is refused all the
// same, also beside what does.
func TestCorpus_refuses(t *testing.T) {
	for file, all := range map[string]map[string]string{
		"null-of-a-string":              {`{"namespace":1}`: "namespace", `{"image":null}`: "image", `{"namespace":null,"imag":""}`: "imag"},
		"null-in-an-object-by-default":  {`{"service":{"type":1,"port":null}}`: "service.type", `{"service":{"port":"http"}}`: "service.port"},
		"null-in-items":                 {`{"hosts":[{"name":null},{"name":1}]}`: "hosts[1].name"},
		"number-of-a-string":            {`{"port":true}`: "port", `{"port":null}`: "port"},
		"string-of-a-number":            {`{"replicas":true}`: "replicas", `{"replicas":"2","ratio":[]}`: "ratio"},
		"float-of-an-integer":           {`{"replicas":"1"}`: "replicas"},
		"keys-the-schema-does-not-have": {`{"labels":{"app":"x","other":"y"}}`: "labels.other", `{"labels":{"app":1}}`: "labels.app"},
		"keys-in-items":                 {`{"rules":[{"host":"b","path":"/x"},{"pth":"/"}]}`: "rules[1].pth"},
		"out-of-its-own-range":          {`{"replicas":-1}`: "replicas", `{"short":"another"}`: "short", `{"port":70001}`: "port"},
		"not-in-its-own-enum":           {`{"level":"trace"}`: "level", `{"mode":4}`: "mode"},
		"additional-properties":         {`{"labels":{"x":[]}}`: "labels.x", `{"limits":{"web":{"cpu":"1"},"other":{"cpu":[]}}}`: "limits.other.cpu"},
		"hand-written-root-default":     {`{"a":1}`: "a", `{"e":1}`: "e"},
		"as-ytt-makes-it":               {`{"namespace":null}`: "namespace", `{"list":[{"name":1}]}`: "list[0].name"},
	} {
		text, err := os.ReadFile("testdata/corpus/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		for values, at := range all {
			found := newSchema(t, string(text)).Check(object(t, values), false)
			if len(found) != 1 || found[0].At() != at {
				t.Errorf("%s: %s: %v, want one finding at %s", file, values, found, at)
			}
		}
	}
}
