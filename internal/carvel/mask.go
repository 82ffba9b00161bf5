package carvel

import (
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
	"slices"
	"strings"
)

// Masked stands for a value that is not shown.
const Masked = "(sensitive value)"

// MaskSecret renders a file that holds a Secret with the keys of its values and
// with every leaf masked, for showing in a plan. What is no Secret is masked
// whole: which of its keys are names and which are secrets is not known.
func MaskSecret(data []byte) string {
	documents, err := ytt.Read(data)
	if err != nil {
		return Masked + "\n"
	}
	return show(documents)
}

// MaskSecrets is the text of a file with a PackageInstall as it is. Where
// somebody has put anything else into it, PackageInstalls are shown and the rest
// is masked.
func MaskSecrets(data []byte) string {
	documents, err := ytt.Read(data)
	if err != nil {
		return Masked + "\n"
	}
	if len(documents) > 0 && !slices.ContainsFunc(documents, func(d any) bool { return !isPlainInstall(d) }) {
		return string(data)
	}
	return show(documents)
}

func isPackageInstall(document any) bool {
	m, _ := document.(map[string]any)
	return m["kind"] == "PackageInstall"
}

// isPlainInstall tells a PackageInstall that has no field of another kind.
func isPlainInstall(document any) bool {
	m, _ := document.(map[string]any)
	return isPackageInstall(document) && m["apiVersion"] == PackageInstalls.GroupVersion().String() &&
		hasOnly(m, "apiVersion", "kind", "metadata", "spec", "status")
}

func hasOnly(m map[string]any, fields ...string) bool {
	for field := range m {
		if !slices.Contains(fields, field) {
			return false
		}
	}
	return true
}

func show(documents []any) string {
	var shown []string
	for _, document := range documents {
		m, ok := document.(map[string]any)
		if ok && !isPlainInstall(document) {
			m, ok = maskSecret(m)
		}
		text := []byte(Masked + "\n")
		if ok {
			if written, err := ytt.Write(m); err == nil {
				text = written
			}
		}
		shown = append(shown, string(text))
	}
	if len(shown) == 0 {
		return Masked + "\n"
	}
	return strings.Join(shown, "---\n")
}

// MaskEncrypted renders a Secret that is encrypted in the repository, before or
// after that was done: the names of its keys, and nothing of what is in them.
func MaskEncrypted(data []byte) string {
	documents, err := ytt.Read(data)
	if err != nil {
		return Masked + "\n"
	}
	for _, document := range documents {
		object, _ := document.(map[string]any)
		delete(object, "sops")
		if texts, ok := object["stringData"].(map[string]any); ok {
			for key, text := range texts {
				if _, ok := text.(string); ok {
					texts[key] = Masked
				}
			}
		}
	}
	return show(documents)
}

// maskSecret shows what a Secret is. ok is false for what is none, or has
// anything that a Secret does not.
func maskSecret(object map[string]any) (masked map[string]any, ok bool) {
	if object["kind"] != "Secret" || object["apiVersion"] != "v1" && object["apiVersion"] != nil ||
		!hasOnly(object, "apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData") {
		return nil, false
	}
	masked = map[string]any{}
	for field, value := range object {
		ok := true
		switch field {
		case "apiVersion", "kind":
			masked[field] = value
		case "metadata":
			masked[field], ok = maskMetadata(value)
		case "data", "stringData":
			masked[field], ok = maskTexts(field, value)
		default:
			_, isMap := value.(map[string]any)
			_, isList := value.([]any)
			masked[field], ok = Masked, !isMap && !isList
		}
		if !ok {
			return nil, false
		}
	}
	return masked, true
}

// maskMetadata shows the names, and the keys of the labels and annotations.
func maskMetadata(value any) (masked map[string]any, ok bool) {
	metadata, ok := value.(map[string]any)
	if !ok || !hasOnly(metadata, "name", "namespace", "labels", "annotations", "creationTimestamp") {
		return nil, false
	}
	for _, field := range []string{"name", "namespace", "creationTimestamp"} {
		if _, isText := metadata[field].(string); !isText && metadata[field] != nil {
			return nil, false
		}
	}
	masked, _ = maskLeaves(metadata).(map[string]any)
	for _, field := range []string{"labels", "annotations"} {
		entries, isMap := metadata[field].(map[string]any)
		if !isMap && metadata[field] != nil {
			return nil, false
		}
		for _, entry := range entries {
			if _, ok := entry.(string); !ok {
				return nil, false
			}
		}
	}
	keep(metadata, masked, "name", "namespace")
	return masked, true
}

func keep(from, into map[string]any, fields ...string) {
	for _, field := range fields {
		if text, ok := from[field].(string); ok {
			into[field] = text
		}
	}
}

// maskTexts shows the keys of a Secret. Only the text under the key of the
// values is a document, whose keys are names; a key in another may be a secret.
func maskTexts(field string, value any) (masked map[string]any, ok bool) {
	texts, ok := value.(map[string]any)
	if !ok && value != nil {
		return nil, false
	}
	masked = make(map[string]any, len(texts))
	for key, value := range texts {
		text, isText := value.(string)
		if !isText || ValidateSecretKey(key) != nil {
			return nil, false
		}
		masked[key] = Masked
		if field == "stringData" && key == ValuesKey {
			masked[key] = maskValues(text)
		}
	}
	return masked, true
}

// maskValues shows the keys of a values document. One without any value is
// masked whole: it may be a secret that ends in a colon.
func maskValues(text string) string {
	header := ""
	if rest, found := strings.CutPrefix(text, ytt.DataValuesHeader); found {
		header, text = ytt.DataValuesHeader, rest
	}
	values, err := ytt.ParseValues([]byte(text))
	if err != nil || isBare(values) {
		return Masked
	}
	out, err := ytt.Write(maskLeaves(values))
	if err != nil {
		return Masked
	}
	return header + "---\n" + string(out)
}

// isBare tells whether a map holds nothing but keys.
func isBare(values map[string]any) bool {
	for _, value := range values {
		if m, ok := value.(map[string]any); ok && isBare(m) || value == nil {
			continue
		}
		return false
	}
	return true
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
