package installfiles

import (
	"bytes"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// sameFile reports whether a file holds the objects of a text that the provider writes,
// besides foreign ones: comments, the order of keys and the way that a scalar is
// written do not matter, nor how the values in a values Secret are written. The
// documents of one text may be more than those of the other by empty ones only.
func sameFile(name string, data, written []byte, foreign []Document) bool {
	if bytes.Equal(data, written) {
		return true
	}
	x, errX := own(name, data, foreign)
	y, errY := ytt.Read(written)
	return errX == nil && errY == nil && ytt.Same(meant(x), meant(y))
}

// meant replaces the values text in Secrets by what ytt reads in it, and the period of a
// PackageInstall by one way to write it.
func meant(documents []any) []any {
	out := make([]any, len(documents))
	for i, document := range documents {
		out[i] = document
		object, _ := document.(map[string]any)
		spec, _ := object["spec"].(map[string]any)
		if period, ok := spec["syncPeriod"].(string); ok && carvel.IsPackageInstall(document) {
			if canonical, err := carvel.CanonicalDuration(period); err == nil {
				out[i] = ytt.Merge(object, map[string]any{"spec": map[string]any{"syncPeriod": canonical}})
			}
			continue
		}
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
