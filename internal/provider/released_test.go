package provider

import (
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// next has the states of the version that will be released, beside those of the versions
// that were.
const next = "next"

var update = flag.Bool("update", false, "write testdata/states/next")

// resourceState is a resource in a state, as Terraform keeps it.
type resourceState struct {
	SchemaVersion int64          `json:"schema_version"`
	Attributes    map[string]any `json:"attributes"`
}

// TestReleasedStates: the states of every version that was released are read, and nothing that they hold is lost.
func TestReleasedStates(t *testing.T) {
	clear(t)
	server := serve(t, attributes{})
	files, err := filepath.Glob("testdata/states/*/*.json")
	if err != nil || len(files) < len(identities) {
		t.Fatalf("%d states were found (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			name := filepath.Base(file[:len(file)-len(".json")])
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var state resourceState
			if err := json.Unmarshal(text, &state); err != nil {
				t.Fatal(err)
			}
			for _, attribute := range lost(t, server, name, state) {
				t.Errorf("%s is not read as it is", attribute)
			}
		})
	}
}

// TestReleasedStates_next: the states of the next version have all attributes of all resources.
func TestReleasedStates_next(t *testing.T) {
	clear(t)
	schemas, err := serve(t, attributes{}).GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range schemas.ResourceSchemas {
		text, err := json.MarshalIndent(resourceState{schema.Version, whole(schema.Block.Attributes)}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "states", next, name+".json")
		if *update {
			if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if now, err := os.ReadFile(path); string(now) != string(text)+"\n" {
			t.Errorf("%s is not a whole state of %s (%v): go test ./internal/provider -run ReleasedStates -update", path, name, err)
		}
	}
}

// TestReleasedStates_lost: what is not read is told.
func TestReleasedStates_lost(t *testing.T) {
	clear(t)
	state := resourceState{Attributes: map[string]any{"run_cluster": "staging", "renamed": "a"}}
	if got := lost(t, serve(t, attributes{}), "carvel_run_namespace", state); !slices.Equal(got, []string{"renamed"}) {
		t.Errorf("%q are lost, want renamed", got)
	}
}

// TestReleasedStates_versions: a version in the changelog has its states.
func TestReleasedStates_versions(t *testing.T) {
	changelog, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range regexp.MustCompile(`(?m)^## \[(\d[^]]*)\]`).FindAllStringSubmatch(string(changelog), -1) {
		if _, err := os.Stat(filepath.Join("testdata", "states", version[1])); err != nil {
			t.Errorf("version %s: %v: copy testdata/states/%s", version[1], err, next)
		}
	}
}

// lost are the attributes that a state has and that are not, or not the same, once it is
// read.
func lost(t *testing.T, server tfprotov6.ProviderServer, name string, state resourceState) (differ []string) {
	t.Helper()
	raw, err := json.Marshal(state.Attributes)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: name, Version: state.SchemaVersion, RawState: &tfprotov6.RawState{JSON: raw},
	})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatal(err, resp)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	upgraded, err := resp.UpgradedState.Unmarshal(schemas.ResourceSchemas[name].ValueType())
	if err != nil {
		t.Fatal(err)
	}
	read, _ := plain(t, upgraded).(map[string]any)
	for attribute, want := range state.Attributes {
		if dynamic, is := want.(map[string]any); is && len(dynamic) == 2 && dynamic["type"] != nil {
			want = dynamic["value"]
		}
		if !reflect.DeepEqual(want, read[attribute]) {
			differ = append(differ, attribute)
		}
	}
	return differ
}

// whole is a state in which every attribute has a value, but for those that are never kept.
func whole(attributes []*tfprotov6.SchemaAttribute) map[string]any {
	all := map[string]any{}
	for _, a := range attributes {
		if a.WriteOnly {
			continue
		}
		if a.NestedType == nil {
			all[a.Name] = sample(a.Type, a.Name)
			continue
		}
		var v any = whole(a.NestedType.Attributes)
		switch a.NestedType.Nesting {
		case tfprotov6.SchemaObjectNestingModeList, tfprotov6.SchemaObjectNestingModeSet:
			v = []any{v}
		case tfprotov6.SchemaObjectNestingModeMap:
			v = map[string]any{"key": v}
		}
		all[a.Name] = v
	}
	return all
}

// sample is a value of a type, as JSON has it.
func sample(kind tftypes.Type, name string) any {
	switch kind := kind.(type) {
	case tftypes.List:
		return []any{sample(kind.ElementType, name)}
	case tftypes.Set:
		return []any{sample(kind.ElementType, name)}
	case tftypes.Map:
		return map[string]any{"key": sample(kind.ElementType, name)}
	case tftypes.Object:
		all := map[string]any{}
		for attribute, of := range kind.AttributeTypes {
			all[attribute] = sample(of, attribute)
		}
		return all
	}
	switch {
	case kind.Is(tftypes.Bool):
		return true
	case kind.Is(tftypes.Number):
		return 1.5
	case kind.Is(tftypes.DynamicPseudoType):
		return map[string]any{
			"type":  []any{"object", map[string]any{name: "string", "replicas": "number"}},
			"value": map[string]any{name: "of " + name, "replicas": 1.5},
		}
	}
	return "of " + name
}

// plain is a value as JSON has it, without attributes that are null.
func plain(t *testing.T, v tftypes.Value) any {
	t.Helper()
	kind := v.Type()
	if v.IsNull() {
		return nil
	}
	get := func(into any) {
		t.Helper()
		if err := v.As(into); err != nil {
			t.Fatal(err)
		}
	}
	switch {
	case kind.Is(tftypes.String):
		var text string
		get(&text)
		return text
	case kind.Is(tftypes.Bool):
		var is bool
		get(&is)
		return is
	case kind.Is(tftypes.Number):
		var number big.Float
		get(&number)
		f, _ := number.Float64()
		return f
	case kind.Is(tftypes.List{}), kind.Is(tftypes.Set{}), kind.Is(tftypes.Tuple{}):
		var elements []tftypes.Value
		get(&elements)
		all := []any{}
		for _, e := range elements {
			all = append(all, plain(t, e))
		}
		return all
	}
	var elements map[string]tftypes.Value
	get(&elements)
	all := map[string]any{}
	for name, e := range elements {
		if !e.IsNull() {
			all[name] = plain(t, e)
		}
	}
	return all
}
