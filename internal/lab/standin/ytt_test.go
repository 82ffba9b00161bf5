package standin

import (
	"strings"
	"testing"
)

func TestYtt(t *testing.T) {
	const schema = "#@data/values-schema\n---\nworkload_name: \"\"\nreplicas: 1\nhostname: \"\"\nnested:\n  enabled: true\n"
	for name, c := range map[string]struct {
		files, values []file
		want          []string // the documents, or parts of them
		err           string
	}{
		"plain": {
			files: []file{{"a.yaml", "# a comment\n---\na: 1 # more\n---\n# empty\n---\nb: 2\n"}},
			want:  []string{"a: 1", "b: 2"},
		},
		"markers in a block scalar are text": {
			files: []file{{"a.yaml", "values.yaml: |\n  ---\n  #@ code\n  (@ x\n# a comment\nother: \"# no comment #@\"\n"}},
			want:  []string{"#@ code"},
		},
		"values by name": {
			files:  []file{{"a.yaml", schema}, {"b.yaml", "#@ load(\"@ytt:data\", \"data\")\n---\nname: #@ data.values.workload_name\nlist:\n- #@ data.values.nested.enabled\ncount: #@ data.values.replicas\n"}},
			values: []file{{"values.yaml", "---\nworkload_name: 'a: b'\n---\nworkload_name: later\n"}, {"z.yaml", "replicas: 3"}},
			want:   []string{"name: \"later\"\nlist:\n- true\ncount: 3"},
		},
		"no schema": {
			files: []file{{"a.yaml", "a: 1\n"}}, values: []file{{"v", "anything: goes"}}, want: []string{"a: 1"},
		},
		"not YAML": {
			files: []file{{"1/packageinstall.yaml", "---\na: 1\nconstraints: >=0.0.0\n"}},
			err:   "Unmarshaling YAML template '1/packageinstall.yaml': yaml: line 3: did not find expected comment or line break",
		},
		"not YAML, in one line": {
			files: []file{{"a.yaml", "a: [\n"}},
			err:   "panic: Lines are 1 based\n\ngoroutine 1 [running]:",
		},
		"comment beside code": {
			files: []file{{"a.yaml", "#! fine\na: 1\n# not fine\n"}},
			err:   "Failed to parse line 3: '# not fine': Expected ytt-formatted string (use '#@' for annotations or code, '#!' for comments)",
		},
		"value and code": {
			files: []file{{"a.yaml", "name: x #@ y\n"}},
			err:   "to have either computed or YAML value, but found both",
		},
		"overlay": {
			files: []file{
				{"a.yaml", "data: {a: \"1\"}\n---\ndata: {b: \"2\"}\n"},
				{"o.yaml", "#@ load(\"@ytt:overlay\", \"overlay\")\n#@overlay/match by=overlay.all\n---\ndata:\n  #@overlay/match missing_ok=True\n  c: \"3\"\n"},
			},
			want: []string{"data:\n  a: \"1\"\n  c: \"3\"", "data:\n  b: \"2\"\n  c: \"3\""},
		},
		"unknown code": {
			files: []file{{"a.yaml", "#@ for x in y:\na: 1\n"}},
			err:   "the stand-in's ytt does not support '#@ for x in y:'",
		},
		"undeclared": {
			files: []file{{"a.yaml", schema}}, values: []file{{"v.yaml", "bogus_key: 1\n"}},
			err: "found: bogus_key\n    = expected: one of { hostname, nested, replicas, workload_name }",
		},
		"undeclared below": {
			files: []file{{"a.yaml", schema}}, values: []file{{"v.yaml", "nested: {bogus: 1}\n"}},
			err: "found: bogus\n    = expected: one of { enabled }",
		},
		"wrong type": {
			files: []file{{"a.yaml", schema}}, values: []file{{"v.yaml", "replicas: two\n"}},
			err: "found: string\n    = expected: integer",
		},
		"float for an integer": {
			files: []file{{"a.yaml", schema}}, values: []file{{"v.yaml", "replicas: 2.5\n"}},
			err: "found: float\n    = expected: integer",
		},
		"null": {
			files: []file{{"a.yaml", schema}}, values: []file{{"v.yaml", "hostname: null\n"}},
			err: "found: null\n    = expected: string",
		},
		"annotation in values": {
			files: []file{{"a.yaml", schema}}, values: []file{{"v.yaml", "a: 1\n#@ x\n"}},
			err: "Extracting data value from file: Checking data values file: Expected to be plain YAML, having no annotations (hint: remove comments starting with #@)",
		},
		"marker as text in values": {
			files: []file{{"a.yaml", schema}}, values: []file{{"v.yaml", "# a comment\nhostname: \"a#@b\"\n"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := ytt(c.files, c.values, false)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(docs) != len(c.want) {
				t.Fatalf("got %d documents: %q", len(docs), docs)
			}
			for i, want := range c.want {
				if !strings.Contains(docs[i], want) {
					t.Errorf("document %d: got %q, want %q", i, docs[i], want)
				}
			}
		})
	}
}

func TestMismatch_hidesTheValue(t *testing.T) {
	_, err := ytt([]file{{"s.yaml", "#@data/values-schema\n---\nport: 1\n"}}, []file{{"v.yaml", "port: hunter2\n"}}, false)
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "port:") {
		t.Errorf("got %v", err)
	}
}

func TestObjectsOf(t *testing.T) {
	objects, err := objectsOf([]string{
		"{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: a}}, {apiVersion: v1, kind: Secret, metadata: {name: b}}]}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}",
	})
	if err != nil || len(objects) != 3 || objects[2].GetName() != "c" {
		t.Errorf("got %v, %v", objects, err)
	}
	for text, want := range map[string]string{
		"{apiVersion: v1, metadata: {name: a}}": "'kind'",
		"{apiVersion: v1, kind: Secret}":        "'metadata.name'",
		"[1]":                                   "Expected to find kubernetes object",
	} {
		t.Run(text, func(t *testing.T) {
			if _, err := objectsOf([]string{text}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v", text, err)
			}
		})
	}
}
