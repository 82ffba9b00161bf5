package carvel

import "testing"

func TestValuesDigest(t *testing.T) {
	digest := func(name string, texts ...string) string {
		t.Helper()
		data := make([][]byte, len(texts))
		for i, text := range texts {
			data[i] = []byte(text)
		}
		digest, err := ValuesDigest(name, data...)
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	const name, values = "app.default.tap", "---\nreplicas: 2\nhost: \"yes\"\n"
	want := digest(name, values)
	if len(want) != digestDigits {
		t.Errorf("%q has not %d digits", want, digestDigits)
	}
	for what, texts := range map[string][]string{
		"comments and quotes":     {"# by hand\nreplicas: 2 # two\nhost: 'yes'\n"},
		"another order":           {"{host: \"yes\", replicas: 2}"},
		"an empty text before it": {"---\n", values},
	} {
		t.Run(what, func(t *testing.T) {
			if got := digest(name, texts...); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	seen := map[string]string{want: "the values"}
	for what, texts := range map[string][]string{
		"another value":       {"replicas: 3\nhost: \"yes\"\n"},
		"another kind":        {"replicas: '2'\nhost: \"yes\"\n"},
		"yes is true":         {"replicas: 2\nhost: yes\n"},
		"two documents":       {values, "replicas: 2\n"},
		"in the other order":  {"replicas: 2\n", values},
		"no YAML":             {"a: ["},
		"other text, no YAML": {"a: [["},
		"nothing":             {},
	} {
		t.Run(what, func(t *testing.T) {
			got := digest(name, texts...)
			if other, is := seen[got]; is {
				t.Errorf("%s has the digest of %s", what, other)
			}
			seen[got] = what
		})
	}
	if digest("web.default.tap", values) == want {
		t.Error("a guess can be tried at the values of all packages at once")
	}
}
