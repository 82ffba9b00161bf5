package ytt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// surviving checks that values come back from the file of the values Secret as
// they went in: through this package, and through readers of YAML 1.1 (as ytt's)
// and 1.2.
func surviving(t *testing.T, values map[string]any) {
	t.Helper()
	text, err := WriteValues(values)
	if err != nil {
		t.Fatal(err)
	}
	secret := map[string]any{"kind": "Secret", "stringData": map[string]any{"values.yaml": text}}
	data, err := Write(secret)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Write(secret)
	if err != nil || !bytes.Equal(again, data) {
		t.Fatal("the same values gave other bytes")
	}
	documents, err := Read(data)
	if err != nil || len(documents) != 1 || !Same(documents[0], secret) {
		t.Fatalf("read %#v, %v\n%s", documents, err, data)
	}
	got, err := ParseValues([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !Same(values, got) {
		t.Fatalf("read %#v\nwant %#v\n%s", got, values, text)
	}
	var object struct {
		StringData map[string]string `json:"stringData"`
	}
	if err := yaml.Unmarshal(data, &object); err != nil { // as Kubernetes reads it
		t.Fatalf("%v\n%s", err, data)
	}
	read := []byte(object.StringData["values.yaml"])
	var old, newer any
	if err := yaml2.Unmarshal(read, &old); err != nil {
		t.Fatalf("YAML 1.1: %v\n%s", err, text)
	}
	if err := yaml3.Unmarshal(read, &newer); err != nil {
		t.Fatalf("YAML 1.2: %v\n%s", err, text)
	}
	want := comparable(values)
	for reader, found := range map[string]any{"1.1": old, "1.2": newer} {
		if diff := cmp.Diff(want, comparable(found)); diff != "" {
			t.Fatalf("YAML %s: %s\n%s", reader, diff, text)
		}
	}
	if line, err := Comment(read); line > 0 || err != nil {
		t.Fatalf("ytt would find a comment of its own in line %d: %v\n%s", line, err, text)
	}
}

// comparable brings what the readers make of a document into one form. A number
// beyond 64 bits is a float to them, so it is one here.
func comparable(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := map[string]any{}
		for k, e := range v {
			out[fmt.Sprintf("%T %v", k, k)] = comparable(e)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out["string "+k] = comparable(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = comparable(e)
		}
		return out
	case json.Number:
		if n, ok := new(big.Int).SetString(v.String(), 10); ok && (n.IsInt64() || n.IsUint64()) {
			return "int " + n.String()
		}
		f, err := strconv.ParseFloat(v.String(), 64)
		if err != nil {
			panic(err)
		}
		return "float " + strconv.FormatFloat(f, 'g', -1, 64)
	case int, int64, uint64:
		return fmt.Sprintf("int %d", v)
	case float64:
		return "float " + strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return v
	}
}

// randomValue is a value as Terraform's language has them.
func randomValue(r *rand.Rand, depth int) any {
	switch kind := r.IntN(10); {
	case kind < 2 && depth > 0:
		m := map[string]any{}
		for range r.IntN(5) {
			m[randomText(r)] = randomValue(r, depth-1)
		}
		return m
	case kind < 4 && depth > 0:
		list := make([]any, r.IntN(5))
		for i := range list {
			list[i] = randomValue(r, depth-1)
		}
		return list
	case kind == 4:
		return r.IntN(2) == 0
	case kind == 5:
		return nil
	case kind == 6:
		return randomNumber(r)
	default:
		return randomText(r)
	}
}

func randomNumber(r *rand.Rand) json.Number {
	sign := []string{"", "-"}[r.IntN(2)]
	digits := func(n int) string {
		s := strconv.Itoa(1 + r.IntN(9))
		for range r.IntN(n) {
			s += strconv.Itoa(r.IntN(10))
		}
		return s
	}
	switch r.IntN(3) {
	case 0:
		return json.Number(sign + digits(40))
	case 1:
		f := math.Float64frombits(r.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			f = 0.5
		}
		return json.Number(new(big.Float).SetFloat64(f).Text('g', -1))
	default:
		return json.Number(sign + "0." + digits(30) + "1")
	}
}

// randomText is a text made to be misread.
func randomText(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return traps[r.IntN(len(traps))]
	}
	pieces := []string{"a", "b", "1", "0", ".", "-", "+", "e", "_", ":", " ", "\n", "\r", "\t", "#", "@", "'", `"`, `\`, "{", "}", "[", "]", ",", "&", "*", "!", "|", ">", "%", "~", "y", "no", "0x", "é", "\u2028", "😀"}
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// TestRandomValuesSurviveYAML: what a configuration holds reaches the package.
func TestRandomValuesSurviveYAML(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		values := map[string]any{}
		for range 1 + r.IntN(6) {
			values[randomText(r)] = randomValue(r, 4)
		}
		surviving(t, values)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestPlainScalarsAreReadAsByYtt compares with the reader that ytt's is made from.
func TestPlainScalarsAreReadAsByYtt(t *testing.T) {
	pieces := []string{"0", "1", "7", "9", "12", "x", "o", "b", "e", "E", "_", ".", "+", "-", "f", "inf", "nan", ".inf", "y", "n", "yes", "no", "on", "off", "true", "null", "~", ":", "T"}
	read := 0
	for seed := range uint64(50000) {
		r := rand.New(rand.NewPCG(seed, 2))
		var text string
		for range 1 + r.IntN(5) {
			text += pieces[r.IntN(len(pieces))]
		}
		var ytts any
		if err := yaml2.Unmarshal([]byte("- "+text), &ytts); err != nil {
			continue
		}
		list, ok := ytts.([]any)
		if !ok || len(list) != 1 || text == "-" || strings.ContainsRune(text, ':') && list[0] != text {
			continue // no scalar
		}
		read++
		want, got := comparable(list[0]), plainScalar(text)
		if n, isNumber := got.(json.Number); isNumber && strings.HasSuffix(n.String(), ".0") {
			got = json.Number(strings.TrimSuffix(n.String(), ".0") + "e0") // a float to comparable as well
		}
		if n, isNumber := got.(json.Number); isNumber && words[n.String()] != nil {
			got = map[string]string{".inf": "float +Inf", "-.inf": "float -Inf", ".nan": "float NaN"}[n.String()]
		}
		if diff := cmp.Diff(want, comparable(got)); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
	}
	if read < 10000 {
		t.Errorf("only %d scalars were compared", read)
	}
}
