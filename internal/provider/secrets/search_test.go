package secrets_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// canaries are secrets by what they are.
type canaries map[string]string

// needles are the forms in which a text would show a secret.
func needles(secret string) []string {
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	// A part of base64 that is the same whatever stands around the secret, for
	// each of the three ways in which it may be aligned.
	for offset := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("-", offset) + secret))
		if len(encoded) > 16 {
			forms = append(forms, encoded[4:len(encoded)-4])
		}
	}
	return forms
}

// absent checks that a text shows no secret. It does not print the secret.
func (c canaries) absent(t *testing.T, where, text string) {
	t.Helper()
	for what, secret := range c {
		for _, needle := range needles(secret) {
			if at := strings.Index(text, needle); at >= 0 {
				t.Errorf("%s shows %s after: %s", where, what, text[max(0, at-200):at])
				break
			}
		}
	}
}

// TestNeedles: the search finds what it looks for.
func TestNeedles(t *testing.T) {
	const secret = "canary/0123456789+abcdef="
	for _, around := range []string{"", "a", "ab", "abc"} {
		text := around + secret + "zz"
		for form, shown := range map[string]string{
			"plain": text, "base64": base64.StdEncoding.EncodeToString([]byte(text)), "query": "?t=" + url.QueryEscape(text),
		} {
			found := false
			for _, needle := range needles(secret) {
				found = found || strings.Contains(shown, needle)
			}
			if !found {
				t.Errorf("%s with %q before it is not found", form, around)
			}
		}
	}
}

// unmarked is a JSON document of Terraform without the values that it marks as
// sensitive, and without the values of the variables, which the practitioner
// has given it.
func unmarked(t *testing.T, document []byte) string {
	t.Helper()
	var parsed map[string]any
	if err := json.Unmarshal(document, &parsed); err != nil {
		t.Fatal(err)
	}
	delete(parsed, "variables")
	out, err := json.Marshal(withoutMarked(parsed))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func withoutMarked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for value, marks := range map[string]string{"values": "sensitive_values", "after": "after_sensitive", "before": "before_sensitive"} {
			if mark, ok := v[marks]; ok {
				v[value] = remove(v[value], mark)
			}
		}
		for name, element := range v {
			v[name] = withoutMarked(element)
		}
	case []any:
		for i, element := range v {
			v[i] = withoutMarked(element)
		}
	}
	return v
}

// remove takes out what a tree of marks has true for.
func remove(v, mark any) any {
	switch mark := mark.(type) {
	case bool:
		if mark {
			return nil
		}
	case map[string]any:
		if m, ok := v.(map[string]any); ok {
			for name, mark := range mark {
				m[name] = remove(m[name], mark)
			}
		}
	case []any:
		if list, ok := v.([]any); ok {
			for i, mark := range mark {
				if i < len(list) {
					list[i] = remove(list[i], mark)
				}
			}
		}
	}
	return v
}
