package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func schema(attributes ...*tfprotov6.SchemaAttribute) map[string]*tfprotov6.ActionSchema {
	return map[string]*tfprotov6.ActionSchema{"carvel_do": {Schema: &tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{
		Description: "Does *it*.", DescriptionKind: tfprotov6.StringKindMarkdown, Attributes: attributes,
	}}}}
}

// TestWith: actions and list resources are added in Terraform's form, and the rest stays.
func TestWith(t *testing.T) {
	const before = `{"format_version":"1.0","provider_schemas":{"registry.terraform.io/hashicorp/carvel":{"provider":{"version":0}}}}`
	actions := schema(&tfprotov6.SchemaAttribute{Name: "name", Type: tftypes.String, Required: true, Description: "Whom."})
	got, err := with([]byte(before), actions, map[string]*tfprotov6.Schema{"carvel_it": schema()["carvel_do"].Schema})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"format_version":"1.0","provider_schemas":{"registry.terraform.io/hashicorp/carvel":{` +
		`"action_schemas":{"carvel_do":{"block":{"attributes":{"name":{"description":"Whom.","description_kind":"plain","required":true,"type":"string"}},` +
		`"description":"Does *it*.","description_kind":"markdown"}}},` +
		`"list_resource_schemas":{"carvel_it":{"block":{"attributes":{},"description":"Does *it*.","description_kind":"markdown"}}},"provider":{"version":0}}}}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again, err := with(got, schema(), nil); err != nil || strings.Contains(string(again), "Whom") || !json.Valid(again) {
		t.Errorf("what was there is not replaced: %s, %v", again, err)
	}
	for name, wrong := range map[string]string{"no JSON": "{", "no providers": "{}", "none": `{"provider_schemas":{}}`} {
		if _, err := with([]byte(wrong), schema(), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	nested := &tfprotov6.SchemaAttribute{Name: "more", NestedType: &tfprotov6.SchemaObject{}}
	if _, err := with([]byte(before), schema(nested), nil); err == nil {
		t.Error("a nested attribute is left out without an error")
	}
}
