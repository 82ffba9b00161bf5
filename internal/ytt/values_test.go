package ytt

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// traps are texts that some YAML reader takes for something else.
var traps = []string{
	"yes", "no", "on", "off", "y", "n", "Y", "N", "true", "TRUE", "null", "~", "", " ", "012", "0o17", "0x1f", "0b11", "1e3", "1.0", "1.10", "1.", ".5", "+1", "-1", "1_000",
	"12:30:45", "190:20:30.15", ".inf", "-.INF", ".nan", "2023-03-21", "2001-12-14t21:59:43.10-05:00", "20230321004057.0.0", "123456789012345678901234567890",
	"---", "--- a", "...", "-", "- a", "?", "? a", ":", "a:", "a: b", ": a", "#", "a #b", "a#b", "#@ x", "a #@ b", "(@= x @)", "!", "!!str a", "&a", "*a", "%a", "@a", "`a", "|", ">", "{}", "[]", "{a: b}", "[a]", ",", "=", "<<",
	"'", `"`, `"'`, `\`, `\n`, "a ", " a", "a  b", "\t", "a\tb", "\ta", "a\n", "a\nb", "a\nb\n", "a\n\n", "\na", " a\nb", "a\n b", "a \nb", "a\n\nb", "a\r\nb\r\n", "\r", "\n", "\n\n", "a\n#@ b\n", "a\n---\nb\n",
	"žluťoučký", "日本", "😀", "\u00a0", "\u0085", "\u2028", "\ufeff", "\u0000", "\u001b", "\u007f", "\ufffe", "\U0010ffff", "a\u2028b", strings.Repeat("long ", 60), strings.Repeat("k", 200),
}

// TestValuesSurviveYAML: what YAML 1.1 would read as another type reaches the
// package as it was given.
func TestValuesSurviveYAML(t *testing.T) {
	for _, trap := range traps {
		surviving(t, map[string]any{"key": trap, "list": []any{trap, map[string]any{"in": trap}}, "map": map[string]any{trap: "value"}})
	}
	surviving(t, map[string]any{
		"numbers": []any{
			json.Number("0"), json.Number("-3"), json.Number("20230321004057"), json.Number("123456789012345678901234567890"), json.Number("0.1"), json.Number("1e-07"),
			json.Number("-1.5e+300"), json.Number("9007199254740993"), json.Number("18446744073709551615"), json.Number("-9223372036854775808"),
		},
		"bool": []any{true, false}, "nothing": nil, "empty": map[string]any{}, "none": []any{}, "nested": []any{[]any{[]any{}, "a"}, map[string]any{"a": []any{map[string]any{}}}},
	})
	surviving(t, map[string]any{})
}

func TestParseValues(t *testing.T) {
	number := func(s string) json.Number { return json.Number(s) }
	for text, want := range map[string]map[string]any{
		"":                                    {},
		"---\n":                               {},
		"# a comment\n":                       {},
		"a: 1\n---\na: 2\nb: 3\n":             {"a": number("2"), "b": number("3")},
		"a: {b: 1}\n---\na: {c: null}\n":      {"a": map[string]any{"b": number("1"), "c": nil}},
		"a: yes\nb: 012\nc: 0x1f\nd: 1e3":     {"a": true, "b": number("10"), "c": number("31"), "d": number("1000.0")},
		"a: 2.0\nb: 1_000\nc: 1.50":           {"a": number("2.0"), "b": number("1000"), "c": number("1.5")},
		"a: 123456789012345678901234567890":   {"a": number("123456789012345678901234567890")},
		"a: 2023-03-21\nb: 12:30:45":          {"a": "2023-03-21", "b": "12:30:45"},
		"a: .inf":                             {"a": number(".inf")},
		"a: '#@ no comment'\nb: |\n  #@ no\n": {"a": "#@ no comment", "b": "#@ no\n"},
		"a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n": {
			"a": map[string]any{"b": number("1")}, "c": map[string]any{"b": number("1")}, "d": map[string]any{"b": number("1"), "e": number("2")},
		},
		"d: {<<: [{a: 1, b: 1}, {b: 2, c: 2}], a: own}": {"d": map[string]any{"a": "own", "b": number("1"), "c": number("2")}},
		"'<<': 1":          {"<<": number("1")},
		"a: !!str 012":     {"a": "012"},
		"\ufeffa: 1":       {"a": number("1")},
		"a: |\r\n  b\r\n":  {"a": "b\n"},
		"a: >\n  b\n  c\n": {"a": "b c\n"},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := ParseValues([]byte(text))
			if err != nil {
				t.Errorf("%q: %v", text, err)
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q: %s", text, diff)
			}
		})
	}
}

func TestParseValuesRefuses(t *testing.T) {
	laughs := "a0: &a0 [s3cret]\n"
	for i := range 30 {
		laughs += strings.NewReplacer("N", string(rune('a'+i%26))+string(rune('a'+i/26)), "P", map[bool]string{true: "a0", false: string(rune('a'+(i-1)%26)) + string(rune('a'+max(i-1, 0)/26))}[i == 0]).
			Replace("xN: &N [*P, *P]\n")
	}
	for want, text := range map[string]string{
		"line 2: a ytt comment":              "a: 1\n#@ s3cret\n",
		"line 3: a ytt comment":              "a: 1\n\nb: s3cret #@ data.values.x\n",
		"line 1: a ytt comment":              "#@data/values\n",
		`line 2: the key "a" comes twice`:    "a: s3cret\na: s3cret\n",
		"top level of values must be a map":  "- s3cret",
		"top level of values must be a map ": "s3cret",
		"line 1: a key that YAML does not":   "y: s3cret",
		"line 1: a key that YAML does not ":  "{a: b}: s3cret",
		"line 1: a tag":                      "a: !s3cret x",
		"line 1: a tag ":                     "a: !!int s3cret",
		"not YAML":                           "a: [s3cret",
		"not YAML ":                          "a: *s3cret",
		"<< with something else":             "a: {<<: s3cret}",
		"an alias of what it is part of":     "a: &x [*x]",
		"too large":                          laughs,
	} {
		t.Run(want, func(t *testing.T) {
			_, err := ParseValues([]byte(text))
			var wrong *Error
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
				t.Errorf("%.80q: got %v, want %s", text, err, want)
			} else if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error quotes a value: %v", err)
			}
		})
	}
}

func TestMergeValues(t *testing.T) {
	one := map[string]any{"map": map[string]any{"a": "1", "b": "1"}, "list": []any{"1", "2"}, "gone": "1", "scalar": "1"}
	two := map[string]any{"map": map[string]any{"b": "2"}, "list": []any{"3"}, "gone": nil, "scalar": map[string]any{"a": "2"}}
	want := map[string]any{"map": map[string]any{"a": "1", "b": "2"}, "list": []any{"3"}, "gone": nil, "scalar": map[string]any{"a": "2"}}
	if diff := cmp.Diff(want, Merge(nil, one, nil, two)); diff != "" {
		t.Error(diff)
	}
	if one["scalar"] != "1" || one["map"].(map[string]any)["b"] != "1" {
		t.Error("a layer was changed")
	}
	if Merge(nil, nil) != nil || Merge(nil, map[string]any{}) == nil {
		t.Error("no values and empty values are two things")
	}
}

func TestSame(t *testing.T) {
	parse := func(text string) map[string]any {
		values, err := ParseValues([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return values
	}
	for _, same := range [][2]string{{"a: 1.50", "a: 1.5"}, {"a: 1e3", "a: 1000.0"}, {"{b: 1, a: yes}", "{a: true, b: 0x1}"}, {"a: 1.0e-7", "a: 0.0000001"}} {
		if !Same(parse(same[0]), parse(same[1])) {
			t.Errorf("%s and %s differ", same[0], same[1])
		}
	}
	for _, other := range [][2]string{{"a: 2.0", "a: 2"}, {"a: '2'", "a: 2"}, {"a: null", "{}"}, {"a: [1, 2]", "a: [2, 1]"}, {"a: 0.1", "a: 0.10000000000000001"}} {
		if Same(parse(other[0]), parse(other[1])) {
			t.Errorf("%s and %s are the same", other[0], other[1])
		}
	}
}

func TestNumbersThatAreTooLarge(t *testing.T) {
	for _, n := range []json.Number{"1e400", "-1e309", json.Number("1" + strings.Repeat("0", 400)), "x", ""} {
		if text, err := Write(map[string]any{"a": n}); err == nil {
			t.Errorf("%s was written as %s", n, text)
		}
	}
}
