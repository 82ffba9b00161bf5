package carvel

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Masked stands for a value that is not shown.
const Masked = "(sensitive value)"

// EqualValues tells whether two values documents mean the same: key order and
// the way a number is written do not matter.
func EqualValues(a, b map[string]any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// unmarshalExact reads YAML and keeps every number as it was written.
func unmarshalExact(data []byte, into *map[string]any) error {
	text, err := yaml.YAMLToJSON(data)
	if err != nil {
		return errors.New("not YAML") // the parser's text may quote a value
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return errors.New("not a YAML object")
	}
	return nil
}

// MaskSecret renders a Secret's YAML with the keys of its values and with
// every leaf masked, for showing in a plan. Text that is not a Secret is
// masked as a whole.
func MaskSecret(data []byte) string {
	s, err := readSecret(data)
	if err != nil {
		return Masked + "\n"
	}
	var obj unstructured.Unstructured
	if err := yaml.Unmarshal(data, &obj.Object); err != nil {
		return Masked + "\n"
	}
	delete(obj.Object, "data")
	masked := map[string]any{}
	for key, text := range s.texts() {
		masked[key] = maskText(text)
	}
	if len(masked) > 0 {
		obj.Object["stringData"] = masked
	}
	out, err := yaml.Marshal(obj.Object)
	if err != nil {
		return Masked + "\n"
	}
	return string(out)
}

func maskText(text string) string {
	var values map[string]any
	if err := unmarshalExact([]byte(text), &values); err != nil || values == nil {
		return Masked
	}
	out, err := yaml.Marshal(maskLeaves(values))
	if err != nil {
		return Masked
	}
	return "---\n" + string(out)
}

func maskLeaves(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = maskLeaves(e)
		}
		return out
	case []any:
		out := slices.Clone(v)
		for i, e := range out {
			out[i] = maskLeaves(e)
		}
		return out
	default:
		return Masked
	}
}
