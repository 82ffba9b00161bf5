package carvel

import (
	"encoding/json"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestValuesSurviveYAML: what YAML 1.1 would read as another type reaches the
// package as it was given.
func TestValuesSurviveYAML(t *testing.T) {
	values := map[string]any{
		"yes": "yes", "no": "no", "on": "on", "off": "off", "y": "y", "n": "n", "true": "true", "null": "null", "tilde": "~",
		"octal": "012", "float": "1e3", "version": "1.10", "empty": "", "date": "2023-03-21", "sexagesimal": "12:30:45",
		"multi": "a\n  b\n\nc\n", "trailing": "a ", "leading": " a", "colon": "a: b", "hash": "a #b", "ytt": "(@= x @)", "tab": "a\tb",
		"unicode": "žluťoučký", "quote": `"'`, "dashes": "---\na", "number": json.Number("20230321004057"),
		"decimal": json.Number("0.1"), "negative": json.Number("-3"), "bool": true, "nothing": nil,
		"list": []any{"yes", json.Number("1"), map[string]any{"a": "012"}}, "object": map[string]any{},
	}
	spec := PackageInstallSpec{Values: values, ValuesSecretName: "v"}
	secret, err := ValuesSecret(spec)
	if err != nil {
		t.Fatal(err)
	}
	data, err := yaml.Marshal(secret.Object)
	if err != nil {
		t.Fatal(err)
	}
	name, got, err := ReadValues(data)
	if err != nil {
		t.Fatal(err)
	}
	if name != "v" || !EqualValues(values, got) {
		t.Errorf("got %q %#v\nwant %#v\nYAML:\n%s", name, got, values, data)
	}
	again, err := yaml.Marshal(secret.Object)
	if err != nil || string(again) != string(data) {
		t.Error("the same values gave other bytes")
	}
}

func TestReadValuesRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"not YAML":     "{",
		"another kind": "kind: ConfigMap",
		"no key":       "kind: Secret",
		"two keys":     "kind: Secret\nstringData: {a: 'x: 1', b: 'y: 1'}",
		"a list":       "kind: Secret\nstringData: {a: '[s3cret]'}",
		"bad inside":   "kind: Secret\nstringData: {a: 's3cret: ['}",
	} {
		_, _, err := ReadValues([]byte(text))
		if err == nil {
			t.Errorf("%s was accepted", name)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error quotes a value: %v", name, err)
		}
	}
}

func TestReadValuesDecodesData(t *testing.T) {
	_, values, err := ReadValues([]byte("kind: Secret\ndata: {values.yaml: YTogMQo=}"))
	if err != nil || !EqualValues(values, map[string]any{"a": json.Number("1")}) {
		t.Errorf("got %v, %v", values, err)
	}
}

func TestMaskSecret(t *testing.T) {
	const secret = "s3cret"
	for name, text := range map[string]string{
		"values":        "kind: Secret\nstringData:\n  values.yaml: |\n    password: s3cret\n    list: [s3cret, {a: s3cret}]\n",
		"data":          "kind: Secret\ndata: {values.yaml: YTogczNjcmV0Cg==}",
		"not an object": "kind: Secret\nstringData: {values.yaml: s3cret}",
		"not a Secret":  "kind: ConfigMap\ndata: {a: s3cret}",
		"not YAML":      "{s3cret",
		"comment":       "# s3cret\nkind: Secret\nstringData: {a: 'b: s3cret # s3cret'}",
	} {
		got := MaskSecret([]byte(text))
		if strings.Contains(got, secret) || strings.Contains(got, "czNjcmV0") {
			t.Errorf("%s shows the value:\n%s", name, got)
		}
		if !strings.Contains(got, Masked) {
			t.Errorf("%s shows no mask:\n%s", name, got)
		}
	}
	got := MaskSecret([]byte("kind: Secret\nmetadata: {name: v}\nstringData: {values.yaml: 'replicas: 2'}"))
	for _, want := range []string{"name: v", "replicas: " + Masked} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}

func FuzzReadValues(f *testing.F) {
	f.Add([]byte("kind: Secret\nstringData: {a: 'b: 1'}"))
	f.Add([]byte("kind: Secret\ndata: {a: YTogMQo=}"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _, _ = ReadValues(data)
		_, _ = ReadPackageInstall(data)
		MaskSecret(data)
	})
}
