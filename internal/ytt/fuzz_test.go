package ytt

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// FuzzValues: values that can be read are written so that every reader sees the
// same.
func FuzzValues(f *testing.F) {
	for _, trap := range traps {
		f.Add("key: " + trap)
		if quoted, err := Write(map[string]any{trap: trap}); err == nil {
			f.Add(string(quoted))
		}
	}
	f.Add("a: &x {b: 1}\nc: {<<: *x, d: [1, 2.0, 1e3, 0x1f, 012, 1_000]}\n---\nd: |\n  x\n\n  y\n")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := ParseValues([]byte(text))
		if err == nil && !infinite(values) {
			surviving(t, values)
		}
	})
}

// infinite values have no form that is the same in every reader's language.
func infinite(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			if infinite(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, infinite)
	case json.Number:
		return words[v.String()] != nil
	}
	return false
}

// FuzzText: a text comes back as it was, as a key and as a value.
func FuzzText(f *testing.F) {
	for _, trap := range traps {
		f.Add(trap)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text != strings.ToValidUTF8(text, "") {
			if _, err := Write(text); err == nil {
				t.Error("text that is not UTF-8 was written")
			}
			return
		}
		surviving(t, map[string]any{text: text, "list": []any{text}})
	})
}

// FuzzNumbers: every number that is written is read as that number.
func FuzzNumbers(f *testing.F) {
	for _, text := range []string{"0", "-0", "1", "-1.5", "1e3", "1E-7", "0.1", "123456789012345678901234567890", "1e400", "1.0e+21", ".5", "1.", "01", "0x1", "1_0", ".inf", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := numberText(json.Number(text)); err != nil || words[text] != nil || !json.Valid([]byte(text)) {
			return
		}
		surviving(t, map[string]any{"n": json.Number(text)})
	})
}
