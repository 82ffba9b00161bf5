package installfiles

import (
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// Shown are the files as a plan may show them, by name, every value in a Secret masked.
func (c Contents) Shown() map[string]string {
	shown := make(map[string]string, len(c))
	for name, data := range c {
		mask := maskSecret
		switch name {
		case repolayout.PackageInstallFile:
			mask = maskOthers
		case repolayout.EncryptedParamsFile:
			mask = maskEncrypted
		}
		shown[name] = mask(data)
	}
	return shown
}

// maskSecret renders a file that holds a Secret with the keys of its values and
// with every leaf masked, for showing in a plan. What is no Secret is masked
// whole: which of its keys are names and which are secrets is not known.
func maskSecret(data []byte) string {
	documents, err := ytt.Read(data)
	if err != nil {
		return carvel.Masked + "\n"
	}
	return render(documents)
}

// maskOthers is the text of a file with a PackageInstall as it is. If
// somebody has put anything else into it, PackageInstalls are shown and the rest
// is masked.
func maskOthers(data []byte) string {
	documents, err := ytt.Read(data)
	if err != nil {
		return carvel.Masked + "\n"
	}
	if len(documents) > 0 && !slices.ContainsFunc(documents, func(d any) bool { return !isPlainInstall(d) }) {
		return string(data)
	}
	return render(documents)
}

// isPlainInstall tells a PackageInstall that has no field of another kind.
func isPlainInstall(document any) bool {
	m, _ := document.(map[string]any)
	return carvel.IsPackageInstall(document) && m["apiVersion"] == carvel.PackageInstalls.GroupVersion().String() &&
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

func render(documents []any) string {
	var shown []string
	for _, document := range documents {
		m, ok := document.(map[string]any)
		if ok && !isPlainInstall(document) {
			m, ok = maskObject(m)
		}
		text := []byte(carvel.Masked + "\n")
		if ok {
			if written, err := ytt.Write(m); err == nil {
				text = written
			}
		}
		shown = append(shown, string(text))
	}
	if len(shown) == 0 {
		return carvel.Masked + "\n"
	}
	return strings.Join(shown, "---\n")
}

// maskEncrypted renders a Secret that is encrypted in the repository, before or
// after that was done: the names of its keys, and nothing of what is in them.
func maskEncrypted(data []byte) string {
	documents, err := ytt.Read(data)
	if err != nil {
		return carvel.Masked + "\n"
	}
	for _, document := range documents {
		object, _ := document.(map[string]any)
		delete(object, "sops")
		if texts, ok := object["stringData"].(map[string]any); ok {
			for key, text := range texts {
				if _, ok := text.(string); ok {
					texts[key] = carvel.Masked
				}
			}
		}
	}
	return render(documents)
}

// maskObject shows what a Secret is. ok is false for what is none, or has
// anything that a Secret does not.
func maskObject(object map[string]any) (masked map[string]any, ok bool) {
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
			masked[field], ok = carvel.Masked, !isMap && !isList
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
	copyFields(metadata, masked, "name", "namespace")
	return masked, true
}

func copyFields(from, into map[string]any, fields ...string) {
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
		if !isText || carvel.ValidateSecretKey(key) != nil {
			return nil, false
		}
		masked[key] = carvel.Masked
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
		return carvel.Masked
	}
	out, err := ytt.Write(maskLeaves(values))
	if err != nil {
		return carvel.Masked
	}
	return header + "---\n" + string(out)
}

// isBare reports whether a map holds nothing but keys.
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
		return carvel.Masked
	}
}
