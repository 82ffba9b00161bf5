package installfiles

import (
	"bytes"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// sameFile reports whether two texts hold the same objects: comments, the order
// of keys and the way that a scalar is written do not matter, nor how the values
// in a values Secret are written. The documents of one text may be more than
// those of the other by empty ones only.
func sameFile(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errX := ytt.Read(a)
	y, errY := ytt.Read(b)
	return errX == nil && errY == nil && ytt.Same(meant(x), meant(y))
}

// meant replaces the values text in Secrets by what ytt reads in it.
func meant(documents []any) []any {
	out := make([]any, len(documents))
	for i, document := range documents {
		out[i] = document
		object, _ := document.(map[string]any)
		texts, _ := object["stringData"].(map[string]any)
		text, ok := texts[ValuesKey].(string)
		if object["kind"] != "Secret" || !ok {
			continue
		}
		rest, header := strings.CutPrefix(text, ytt.DataValuesHeader)
		values, err := ytt.ParseValues([]byte(rest))
		if err != nil {
			continue
		}
		replaced := ytt.Merge(object, map[string]any{"stringData": map[string]any{ValuesKey: []any{header, values}}})
		out[i] = replaced
	}
	return out
}
