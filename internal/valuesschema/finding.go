package valuesschema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
)

// Kind tells findings apart.
type Kind string

// What may be wrong with a value.
const (
	UnknownKey          Kind = "unknown key"
	WrongType           Kind = "wrong type"
	NotNullable         Kind = "null"
	OutOfRange          Kind = "out of range"
	MissingWorkloadName Kind = "workload_name"
)

// Finding is something in a values document that its schema does not allow.
type Finding struct {
	Path []any // keys and, of arrays, indexes
	Kind Kind
	// Message is a sentence without the value itself, which may be a secret.
	Message string
}

// At is the path as one would write it, such as ingress.hosts[0].
func (f Finding) At() string {
	var b strings.Builder
	for i, step := range f.Path {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		case string:
			switch {
			case !plainKey(step):
				fmt.Fprintf(&b, "[%q]", step)
			case i > 0:
				b.WriteString("." + step)
			default:
				b.WriteString(step)
			}
		}
	}
	return b.String()
}

// In is the path below a name, such as values.ingress.hosts[0].
func (f Finding) In(name string) string {
	at := f.At()
	if at == "" || strings.HasPrefix(at, "[") {
		return name + at
	}
	return name + "." + at
}

func plainKey(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func unknownKey(key string, known []string) string {
	const shown = 20
	switch near := nearest(key, known); {
	case near != "":
		return fmt.Sprintf("The schema has no such key. Did you mean %s?", near)
	case len(known) == 0:
		return "The schema allows no key here."
	case len(known) > shown:
		return fmt.Sprintf("The schema has no such key. It has %s and %d more.", strings.Join(known[:shown], ", "), len(known)-shown)
	default:
		return fmt.Sprintf("The schema has no such key. It has %s.", strings.Join(known, ", "))
	}
}

// nearest is the known key that the fewest edits make out of key, "" if all are too far.
func nearest(key string, known []string) string {
	const longest = 100 // of the keys that are compared, which takes the product of their lengths
	best, distance := "", max(len(key)/3, 1)+1
	for _, k := range known {
		if len(key) > longest || len(k) > longest {
			continue
		}
		if d := edits(strings.ToLower(key), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// edits counts the insertions, deletions, substitutions and swaps of neighbors that turn a into b.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range y {
		rows[0][j+1] = j + 1
	}
	for i := range x {
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			d := min(rows[i][j+1]+1, rows[i+1][j]+1, rows[i][j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				d = min(d, rows[i-1][j-1]+1)
			}
			rows[i+1][j+1] = d
		}
	}
	return rows[len(x)][len(y)]
}

// typeName is the type of a value as ytt names it, in the words of a schema.
func typeName(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case json.Number:
		if whole(v) {
			return "integer"
		}
	case int, int64:
		return "integer"
	}
	return "number"
}

func article(name string) string {
	if strings.ContainsRune("aio", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

func adviceForType(want string, value any) string {
	switch typeName(value) {
	case "integer", "number", "boolean":
		if want == "string" {
			return " Quote it."
		}
	case "string":
		if want == "integer" || want == "number" || want == "boolean" {
			return " Write it without quotes, or convert it."
		}
	}
	return ""
}

func alternatives(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte(fmt.Sprint(v))
		}
		texts[i] = string(text)
	}
	if last := len(texts) - 1; last > 0 {
		return strings.Join(texts[:last], ", ") + " or " + texts[last]
	}
	return "only " + texts[0]
}

func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	return strings.TrimRight(r.FloatString(12), "0")
}
