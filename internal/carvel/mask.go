package carvel

import (
	"regexp"
	"slices"
	"strings"
)

// Masked stands for a value that is not shown.
const Masked = "(sensitive value)"

// MaskSecret renders a file that holds a Secret with the keys of its values and
// with every leaf masked, for showing in a plan. Text that is not YAML is
// masked as a whole.
func MaskSecret(data []byte) string {
	documents, err := readYAML(data)
	if err != nil {
		return Masked + "\n"
	}
	return show(documents, func(map[string]any) bool { return true })
}

var namesSecret = regexp.MustCompile(`\bSecret\b`)

// MaskSecrets is the text of a file as it is, but for Secrets that somebody has
// put into it.
func MaskSecrets(data []byte) string {
	if !namesSecret.Match(data) {
		return string(data)
	}
	documents, err := readYAML(data)
	if err != nil {
		return Masked + "\n"
	}
	if !slices.ContainsFunc(documents, func(d any) bool { return !isPackageInstall(d) }) {
		return string(data)
	}
	return show(documents, func(d map[string]any) bool { return !isPackageInstall(d) })
}

func isPackageInstall(document any) bool {
	m, _ := document.(map[string]any)
	return m["kind"] == "PackageInstall"
}

func show(documents []any, hide func(map[string]any) bool) string {
	var shown []string
	for _, document := range documents {
		m, ok := document.(map[string]any)
		if !ok {
			shown = append(shown, Masked+"\n")
			continue
		}
		if hide(m) {
			m = maskObject(m)
		}
		text, err := WriteYAML(m)
		if err != nil {
			text = []byte(Masked + "\n")
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
	documents, err := readYAML(data)
	if err != nil {
		return Masked + "\n"
	}
	for _, document := range documents {
		object, _ := document.(map[string]any)
		delete(object, "sops")
		if texts, ok := object["stringData"].(map[string]any); ok {
			for key := range texts {
				texts[key] = Masked
			}
		}
	}
	return show(documents, func(map[string]any) bool { return true })
}

// maskObject shows what an object is. What is none is masked leaf by leaf.
func maskObject(object map[string]any) map[string]any {
	masked, _ := maskLeaves(object).(map[string]any)
	if _, ok := object["kind"].(string); !ok {
		return masked
	}
	keep(object, masked, "apiVersion", "kind")
	if metadata, ok := object["metadata"].(map[string]any); ok {
		shown, _ := masked["metadata"].(map[string]any)
		keep(metadata, shown, "name", "namespace")
	}
	if texts, ok := object["stringData"].(map[string]any); ok {
		masked["stringData"] = maskTexts(texts)
	}
	return masked
}

func keep(from, into map[string]any, fields ...string) {
	for _, field := range fields {
		if text, ok := from[field].(string); ok {
			into[field] = text
		}
	}
}

func maskTexts(texts map[string]any) map[string]any {
	masked := make(map[string]any, len(texts))
	for key, value := range texts {
		text, _ := value.(string)
		masked[key] = maskText(text)
	}
	return masked
}

func maskText(text string) string {
	header := ""
	if rest, found := strings.CutPrefix(text, yttHeader); found {
		header, text = yttHeader, rest
	}
	values, err := ParseValues([]byte(text))
	if err != nil || len(values) == 0 {
		return Masked
	}
	out, err := WriteYAML(maskLeaves(values))
	if err != nil {
		return Masked
	}
	return header + "---\n" + string(out)
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
