package valuesschema_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
)

func parse(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func newSchema(t *testing.T, text string) *valuesschema.Schema {
	t.Helper()
	schema, err := valuesschema.New(json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	m, ok := parse(t, text).(map[string]any)
	if !ok {
		t.Fatalf("%s is no object", text)
	}
	return m
}

// appSchema is as ytt makes it of the delivery document's package, with more.
const appSchema = `{"type":"object","additionalProperties":false,"properties":{
	"workload_name":{"type":"string","title":"Workload name","description":"d","default":""},
	"replicas":{"type":"integer","default":1,"minimum":1,"maximum":10},
	"hostname":{"type":"string","default":"","maxLength":12},
	"ratio":{"type":"number","format":"float","default":0.5},
	"debug":{"type":"boolean","default":false},
	"port":{"type":"integer","nullable":true,"default":null},
	"anything":{"nullable":true,"default":{"a":1}},
	"level":{"type":"string","default":"info","enum":["info","debug"]},
	"ingress":{"type":"object","additionalProperties":false,"properties":{
		"hosts":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"name":{"type":"string","default":""}}},"default":[]},
		"annotations":{"type":"object","additionalProperties":false,"properties":{}}}}}}`

func check(t *testing.T, schema, values string) []string {
	t.Helper()
	found := []string{}
	for _, f := range newSchema(t, schema).Check(object(t, values), true) {
		found = append(found, f.At()+": "+string(f.Kind))
	}
	return found
}

func TestValuesSchema_Check(t *testing.T) {
	for values, want := range map[string][]string{
		`{}`: {},
		`{"workload_name":"app","replicas":2,"hostname":"app.my","ratio":1.5,"debug":true,"port":8080,"level":"debug"}`: {},
		`{"ratio":2}`:                             {},
		`{"port":null}`:                           {},
		`{"anything":null}`:                       {},
		`{"anything":{"b":[1,"2",null]}}`:         {},
		`{"anything":"text"}`:                     {},
		`{"ingress":{"hosts":[{"name":"a"},{}]}}`: {},
		`{"replica":2}`:                           {"replica: unknown key"},
		`{"zzz":1,"replicas":"2"}`:                {"replicas: wrong type", "zzz: unknown key"},
		`{"replicas":2.0}`:                        {"replicas: wrong type"},
		`{"replicas":2e0}`:                        {"replicas: wrong type"},
		`{"replicas":2.5}`:                        {"replicas: wrong type"},
		`{"replicas":true}`:                       {"replicas: wrong type"},
		`{"replicas":null}`:                       {"replicas: null"},
		`{"replicas":0}`:                          {"replicas: out of range"},
		`{"replicas":11}`:                         {"replicas: out of range"},
		`{"port":1.0}`:                            {"port: wrong type"},
		`{"hostname":1}`:                          {"hostname: wrong type"},
		`{"hostname":true}`:                       {"hostname: wrong type"},
		`{"hostname":"much.too.long"}`:            {"hostname: out of range"},
		`{"level":"trace"}`:                       {"level: out of range"},
		`{"ratio":"2"}`:                           {"ratio: wrong type"},
		`{"debug":"yes"}`:                         {"debug: wrong type"},
		`{"debug":1}`:                             {"debug: wrong type"},
		`{"ingress":[]}`:                          {"ingress: wrong type"},
		`{"ingress":null}`:                        {"ingress: null"},
		`{"ingress":{"hosts":{}}}`:                {"ingress.hosts: wrong type"},
		`{"ingress":{"hosts":[{"name":"a"},{"nam":"b"},{"name":3}]}}`: {"ingress.hosts[1].nam: unknown key", "ingress.hosts[2].name: wrong type"},
		`{"ingress":{"annotations":{"a.b/c":"d"}}}`:                   {`ingress.annotations["a.b/c"]: unknown key`},
		`{"replicas":1e999999999}`:                                    {},
	} {
		t.Run(values, func(t *testing.T) {
			if diff := cmp.Diff(want, check(t, appSchema, values)); diff != "" {
				t.Errorf("%s: %s", values, diff)
			}
		})
	}
}

// TestValuesSchema_Check_passesOver: a feature that ytt's schemas do not have is never a reason to refuse anything.
func TestValuesSchema_Check_passesOver(t *testing.T) {
	for schema, values := range map[string]string{
		`{}`:                      `{"a":1}`,
		`{"properties":{"a":{}}}`: `{"a":null,"b":1}`,
		`{"properties":{"a":true,"b":null,"c":"string"}}`: `{"a":1,"b":2,"c":3}`,
		`{"properties":[]}`: `{"a":1}`,
		`{"type":"object","properties":{"a":{"type":"file"}}}`:                                                                                 `{"a":1}`,
		`{"type":"object","properties":{"a":{"type":["string","integer"]}}}`:                                                                   `{"a":true}`,
		`{"type":"object","required":["a"],"minProperties":3}`:                                                                                 `{"b":1}`,
		`{"type":"object","additionalProperties":true}`:                                                                                        `{"b":1}`,
		`{"type":"object","additionalProperties":{}}`:                                                                                          `{"b":null}`,
		`{"type":"object","properties":{"a":{"$ref":"#/components/schemas/A","type":"string"}}}`:                                               `{"a":1}`,
		`{"type":"object","properties":{"a":{"$ref":"file:///etc/passwd"}}}`:                                                                   `{"a":1}`,
		`{"type":"object","properties":{"a":{"$ref":"#"}}}`:                                                                                    `{"a":{"a":1}}`,
		`{"type":"object","additionalProperties":false,"oneOf":[{"properties":{"a":{}}}]}`:                                                     `{"a":1}`,
		`{"type":"object","additionalProperties":false,"patternProperties":{"^x-":{}}}`:                                                        `{"x-a":1}`,
		`{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"integer"}]}}}`:                                                `{"a":true}`,
		`{"type":"object","properties":{"a":{"not":{"type":"string"}}}}`:                                                                       `{"a":"b"}`,
		`{"type":"object","properties":{"a":{"type":"string","anyOf":[{"nullable":true}]}}}`:                                                   `{"a":null}`,
		`{"type":"object","properties":{"a":{"type":"string","format":"date-time","pattern":"^[0-9]+$"}}}`:                                     `{"a":"text"}`,
		`{"type":"object","properties":{"a":{"type":"string","pattern":"(?<!x)["}}}`:                                                           `{"a":"text"}`,
		`{"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true,"type":"string"}}}`:                                             `{"a":1}`,
		`{"type":"object","additionalProperties":false,"x-kubernetes-preserve-unknown-fields":true}`:                                           `{"a":1}`,
		`{"type":"object","properties":{"a":{"type":"object","additionalProperties":false,"x-kubernetes-embedded-resource":true}}}`:            `{"a":{"kind":"K"}}`,
		`{"type":"object","properties":{"a":{"type":"string","x-kubernetes-validations":[{"rule":"false"}]}}}`:                                 `{"a":"b"}`,
		`{"type":"object","properties":{"a":{"type":"array","items":[{"type":"string"}],"uniqueItems":true}}}`:                                 `{"a":[1,1]}`,
		`{"type":"object","properties":{"a":{"type":"integer","exclusiveMinimum":5,"multipleOf":2}}}`:                                          `{"a":3}`,
		`{"type":"object","properties":{"a":{"type":"integer","minimum":"5","maximum":null,"exclusiveMaximum":true}}}`:                         `{"a":3}`,
		`{"type":"object","properties":{"a":{"type":"string","minLength":-1,"maxLength":0.5}}}`:                                                `{"a":"abc"}`,
		`{"type":"object","properties":{"a":{"type":"string","enum":[]},"b":{"enum":[{"c":1}]},"c":{"enum":"x"},"d":{"enum":[1e999999999]}}}`:  `{"a":"b","b":1,"c":1,"d":1}`,
		`{"type":"object","properties":{"a":{"type":"string","enum":["b"],"nullable":true}}}`:                                                  `{"a":null}`,
		`{"$schema":"https://example.com/none","$id":"http://[bad","id":"http://[bad","type":"object"}`:                                        `{"a":1}`,
		`{"type":"object","properties":{"a":{"type":"string","default":5,"example":[],"discriminator":{},"readOnly":true,"deprecated":true}}}`: `{"a":"b"}`,
	} {
		t.Run(schema, func(t *testing.T) {
			if found := check(t, schema, values); len(found) > 0 {
				t.Errorf("%s refuses %s: %v", schema, values, found)
			}
		})
	}
	// What stands beside such a feature is checked all the same.
	for schema, values := range map[string]string{
		`{"type":"object","properties":{"a":{"type":"string","pattern":"["},"b":{"$ref":"#/x"}}}`:                    `{"a":1,"b":2}`,
		`{"type":"object","properties":{"a":{"type":"string","enum":["b","b"]}}}`:                                    `{"a":"c"}`,
		`{"type":"object","properties":{"a":{"type":"string"}},"x-unknown":{}}`:                                      `{"a":null}`,
		`{"type":"object","additionalProperties":{"type":"string"}}`:                                                 `{"a":1}`,
		`{"type":"object","properties":{"a":{"type":"integer","minimum":5,"exclusiveMinimum":true,"format":"odd"}}}`: `{"a":5}`,
	} {
		t.Run(schema, func(t *testing.T) {
			if found := check(t, schema, values); len(found) != 1 || !strings.HasPrefix(found[0], "a: ") {
				t.Errorf("%s on %s: %v, want one finding about a", schema, values, found)
			}
		})
	}
	for _, none := range []string{`null`, `"text"`, `[]`, `true`} {
		if s := newSchema(t, none); s != nil || s.Check(map[string]any{"a": 1}, false) != nil {
			t.Errorf("%s is a schema", none)
		}
	}
}

func TestValuesSchema_Check_messages(t *testing.T) {
	schema := newSchema(t, appSchema)
	for values, want := range map[string]string{
		`{"replica":"s3cret"}`:                "Did you mean replicas?",
		`{"workloadName":"s3cret"}`:           "Did you mean workload_name?",
		`{"hostnmae":"s3cret"}`:               "Did you mean hostname?",
		`{"somethingelse":"s3cret"}`:          "It has anything, debug, hostname, ingress, level, port, ratio, replicas, workload_name.",
		`{"ingress":{"annotations":{"a":1}}}`: "allows no key here",
		`{"ingress":{"host":"s3cret"}}`:       "Did you mean hosts?",
		`{"replicas":"s3cret"}`:               "wants an integer; this is a string. Write it without quotes",
		`{"replicas":3.0}`:                    "wants an integer; this is written as a float",
		`{"replicas":{"a":"s3cret"}}`:         "wants an integer; this is an object.",
		`{"hostname":31337}`:                  "wants a string; this is an integer. Quote it.",
		`{"replicas":31337}`:                  "nothing above 10",
		`{"replicas":-31337}`:                 "nothing below 1",
		`{"port":"s3cret"}`:                   "wants an integer; this is a string",
		`{"hostname":null}`:                   "wants a string and does not allow null",
		`{"level":"s3cret"}`:                  `allows "info" or "debug"`,
		`{"hostname":"s3cret.s3cret"}`:        "at most 12 characters; this has 13",
	} {
		t.Run(values, func(t *testing.T) {
			findings := schema.Check(object(t, values), true)
			if len(findings) != 1 || !strings.Contains(findings[0].Message, want) {
				t.Errorf("%s: %+v, want %q", values, findings, want)
				return
			}
			for _, secret := range []string{"s3cret", "31337"} {
				if strings.Contains(findings[0].Message, secret) {
					t.Errorf("%s: the message quotes the value: %s", values, findings[0].Message)
				}
			}
		})
	}
}

func TestValuesSchema_Check_workloadName(t *testing.T) {
	lacking := func(schema string, values map[string]any, partial bool) bool {
		for _, f := range newSchema(t, schema).Check(values, partial) {
			if f.Kind == valuesschema.MissingWorkloadName && f.At() == "workload_name" {
				return true
			}
		}
		return false
	}
	for _, c := range []struct {
		schema  string
		values  map[string]any
		partial bool
		want    bool
	}{
		{appSchema, nil, false, true},
		{appSchema, map[string]any{}, false, true},
		{appSchema, map[string]any{"workload_name": ""}, false, true},
		{appSchema, map[string]any{"workload_name": "app"}, false, false},
		{appSchema, map[string]any{"workload_name": valuesschema.Unknown{}}, false, false},
		{appSchema, nil, true, false},
		{`{"properties":{"workload_name":{"type":"string"}}}`, nil, false, true},
		{`{"properties":{"workload_name":{"type":"string","default":"app"}}}`, nil, false, false},
		{`{"properties":{"workload_name":{"type":"string","default":"app"}}}`, map[string]any{"workload_name": ""}, false, true},
		{`{"properties":{"other":{"type":"string"}}}`, nil, false, false},
		{`{"properties":{"a":{"properties":{"workload_name":{"type":"string"}}}}}`, nil, false, false},
	} {
		t.Run(c.schema, func(t *testing.T) {
			if got := lacking(c.schema, c.values, c.partial); got != c.want {
				t.Errorf("%v (partial: %v) lacks workload_name: %v, want %v; schema %s", c.values, c.partial, got, c.want, c.schema)
			}
		})
	}
}

func TestValuesSchema_Check_unknown(t *testing.T) {
	schema := newSchema(t, appSchema)
	known := map[string]any{
		"replicas": valuesschema.Unknown{}, "ingress": map[string]any{"hosts": []any{valuesschema.Unknown{}, map[string]any{"name": valuesschema.Unknown{}}}},
	}
	if found := schema.Check(known, true); len(found) > 0 {
		t.Errorf("what is not known is refused: %v", found)
	}
	found := schema.Check(map[string]any{"replica": valuesschema.Unknown{}, "hostname": json.Number("1")}, true)
	if len(found) != 2 || found[0].At() != "hostname" || found[1].At() != "replica" {
		t.Errorf("%+v, want findings about the key that is known and the value that is", found)
	}
	if known["replicas"] != (valuesschema.Unknown{}) {
		t.Error("the document was changed")
	}
}

func TestValuesSchema_Defaults(t *testing.T) {
	want := `{"anything":{"a":1},"debug":false,"hostname":"","ingress":{"annotations":{},"hosts":[]},"level":"info","port":null,"ratio":0.5,"replicas":1,"workload_name":""}`
	for schema, want := range map[string]string{
		appSchema:            want,
		`{}`:                 `{}`,
		`{"default":"text"}`: `{}`,
		`{"properties":{"a":{"type":"string"},"b":{}}}`:   `{}`,
		`{"properties":{"a":{"default":20230321004057}}}`: `{"a":20230321004057}`,
	} {
		t.Run(schema, func(t *testing.T) {
			got, err := json.Marshal(newSchema(t, schema).Defaults())
			if err != nil || string(got) != want {
				t.Errorf("%s: %s, %v, want %s", schema, got, err, want)
			}
		})
	}
}

func TestValuesSchema_JSON(t *testing.T) {
	const text = `{"properties":{"a":{"$ref":"#/x","default":20230321004057}},"x-odd":[1]}`
	if got, err := newSchema(t, text).JSON(); err != nil || got != text {
		t.Errorf("%s, %v", got, err)
	}
}
