package tfvalue

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type testModel struct {
	Name   types.String  `tfsdk:"name"`
	Labels types.Map     `tfsdk:"labels"`
	Values types.Dynamic `tfsdk:"values"`
	Commit types.String  `tfsdk:"commit"`
}

var testSchema = schema.Schema{Attributes: map[string]schema.Attribute{
	"name":   schema.StringAttribute{Required: true},
	"labels": schema.MapAttribute{Optional: true, ElementType: types.StringType},
	"values": schema.DynamicAttribute{Optional: true},
	"commit": schema.StringAttribute{Computed: true},
}}

// TestModel: what Get and Set do is what the framework's own do.
func TestModel(t *testing.T) {
	want := testModel{
		Name: types.StringValue("a"), Labels: StringMap(map[string]string{"x": "y"}),
		Values: types.DynamicValue(types.BoolValue(true)), Commit: types.StringUnknown(),
	}
	theirs, ours := tfsdk.Plan{Schema: testSchema}, tfsdk.Plan{Schema: testSchema}
	if diags := theirs.Set(t.Context(), want); diags.HasError() {
		t.Fatal(diags)
	}
	if diags := SetPlan(t.Context(), &ours, want); diags.HasError() || !ours.Raw.Equal(theirs.Raw) {
		t.Errorf("set %s, want %s (%v)", ours.Raw, theirs.Raw, diags)
	}
	state := tfsdk.State{Schema: testSchema}
	if diags := SetState(t.Context(), &state, want); diags.HasError() || !state.Raw.Equal(theirs.Raw) {
		t.Errorf("set %s, want %s (%v)", state.Raw, theirs.Raw, diags)
	}
	var got testModel
	if diags := Get(t.Context(), theirs, &got); diags.HasError() || cmp.Diff(want, got) != "" {
		t.Errorf("got %+v, want %+v (%v)", got, want, diags)
	}
}

// TestModel_mistakes: a model that does not fit is an error, without the values.
func TestModel_mistakes(t *testing.T) {
	plan := tfsdk.Plan{Schema: testSchema, Raw: tftypes.NewValue(testSchema.Type().TerraformType(t.Context()), map[string]tftypes.Value{
		"name": tftypes.NewValue(tftypes.String, "c4nary"), "labels": tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, nil),
		"values": tftypes.NewValue(tftypes.DynamicPseudoType, nil), "commit": tftypes.NewValue(tftypes.String, nil),
	})}
	var wrong struct {
		Name types.Bool `tfsdk:"name"`
	}
	if diags := Get(t.Context(), plan, &wrong); !diags.HasError() || strings.Contains(diags[0].Detail(), "c4nary") {
		t.Errorf("a field of another type: %v", diags)
	}
	var unknown struct {
		Other types.String `tfsdk:"other"`
	}
	if diags := Get(t.Context(), plan, &unknown); !diags.HasError() {
		t.Error("a field that is not in the schema was read")
	}
	if diags := SetPlan(t.Context(), &plan, unknown); !diags.HasError() {
		t.Error("a field that is not in the schema was written")
	}
	if diags := SetPlan(t.Context(), &plan, struct {
		Name string `tfsdk:"name"`
	}{"a"}); !diags.HasError() {
		t.Error("a field that is no attribute value was written")
	}
	null := tfsdk.State{Schema: testSchema, Raw: tftypes.NewValue(testSchema.Type().TerraformType(t.Context()), nil)}
	if diags := Get(t.Context(), null, &testModel{}); !diags.HasError() {
		t.Error("a state that is not there was read")
	}
}
