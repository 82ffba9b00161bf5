package packed_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packed"
)

// notes are what a resource has been given, and what it makes of it.
type notes struct {
	given  []types.Dynamic
	change func(types.Dynamic) types.Dynamic
}

func (n *notes) one(_ context.Context, value types.Dynamic) types.Dynamic {
	n.given = append(n.given, value)
	if n.change != nil {
		return n.change(value)
	}
	return value
}

// noting is a provider with one resource, of a packed attribute and others.
type noting struct{ *notes }

func (noting) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "test"
}
func (noting) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse)          {}
func (noting) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}
func (n noting) DataSources(context.Context) []func() datasource.DataSource                      { return nil }

func (n noting) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return &noted{n.notes} }}
}

type noted struct{ *notes }

type model struct {
	Name  types.String  `tfsdk:"name"`
	Parts types.List    `tfsdk:"parts"`
	Large types.Dynamic `tfsdk:"large"`
	Other types.Dynamic `tfsdk:"other"`
}

func (*noted) Packed() string { return "large" }
func (*noted) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_noted"
}

func (*noted) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Version: 1, Attributes: map[string]schema.Attribute{
		"name": schema.StringAttribute{Optional: true},
		"parts": schema.ListNestedAttribute{Optional: true, NestedObject: schema.NestedAttributeObject{
			Attributes: map[string]schema.Attribute{"part": schema.StringAttribute{Optional: true}},
		}},
		"large": schema.DynamicAttribute{Required: true},
		"other": schema.DynamicAttribute{Optional: true},
	}}
}

func (r *noted) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	r.one(ctx, m.Large)
}

func (r *noted) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var m model
	for _, from := range []interface {
		Get(context.Context, any) diag.Diagnostics
	}{req.Config, req.State, req.Plan} {
		resp.Diagnostics.Append(from.Get(ctx, &m)...)
		m.Large = r.one(ctx, m.Large)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, m)...)
}

func (r *noted) Create(context.Context, resource.CreateRequest, *resource.CreateResponse) {}

func (r *noted) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	m.Large = r.one(ctx, m.Large)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *noted) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	m.Large = r.one(ctx, m.Large)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (*noted) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

var kind = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
	"name":  tftypes.String,
	"parts": tftypes.List{ElementType: tftypes.Object{AttributeTypes: map[string]tftypes.Type{"part": tftypes.String}}},
	"large": tftypes.DynamicPseudoType, "other": tftypes.DynamicPseudoType,
}}

// object is a resource with these two attributes.
func object(large, other tftypes.Value) tftypes.Value {
	return tftypes.NewValue(kind, map[string]tftypes.Value{
		"name": tftypes.NewValue(tftypes.String, "n"), "parts": tftypes.NewValue(kind.AttributeTypes["parts"], nil), "large": large, "other": other,
	})
}

func encoded(t *testing.T, v tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	d, err := tfprotov6.NewDynamicValue(kind, v)
	if err != nil {
		t.Fatal(err)
	}
	return &d
}

func same(t *testing.T, what string, got *tfprotov6.DynamicValue, want tftypes.Value) {
	t.Helper()
	if got == nil {
		t.Fatalf("%s: no answer", what)
	}
	value, err := got.Unmarshal(kind)
	if err != nil || !value.Equal(want) {
		t.Errorf("%s: %s, want %s (%v)", what, value, want, err)
	}
}

func text(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }

// values are what a dynamic attribute may have, and whether it is packed.
func values() map[string]struct {
	value  tftypes.Value
	packed bool
} {
	uniform := tftypes.Map{ElementType: tftypes.String}
	fields := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"a": tftypes.String, "b": tftypes.Number, "c": uniform}}
	list := tftypes.Tuple{ElementTypes: []tftypes.Type{tftypes.Bool}}
	many := map[string]tftypes.Value{}
	for i := range 300 {
		many[strings.Repeat("k", i+1)] = text("v")
	}
	type row = struct {
		value  tftypes.Value
		packed bool
	}
	return map[string]row{
		"a map":      {tftypes.NewValue(uniform, map[string]tftypes.Value{"k": text("v")}), true},
		"a long map": {tftypes.NewValue(uniform, many), true},
		"an object": {tftypes.NewValue(fields, map[string]tftypes.Value{
			"a": text("ü"), "b": tftypes.NewValue(tftypes.Number, 1.5), "c": tftypes.NewValue(uniform, tftypes.UnknownValue),
		}), true},
		"a list":             {tftypes.NewValue(list, []tftypes.Value{tftypes.NewValue(tftypes.Bool, true)}), true},
		"a text":             {text("{}"), false},
		"an empty text":      {text(""), false},
		"a number":           {tftypes.NewValue(tftypes.Number, 7), false},
		"unknown":            {tftypes.NewValue(tftypes.DynamicPseudoType, tftypes.UnknownValue), false},
		"unknown, but a map": {tftypes.NewValue(uniform, tftypes.UnknownValue), false},
		"null":               {tftypes.NewValue(tftypes.DynamicPseudoType, nil), false},
		"null, but a map":    {tftypes.NewValue(uniform, nil), false},
		"a null text":        {tftypes.NewValue(tftypes.String, nil), false},
	}
}

// TestServer: whatever the attribute has, the resource can open, and Terraform gets it back
// as it was. What it has is packed for the resource, if there is something in it.
func TestServer(t *testing.T) {
	for name, row := range values() {
		t.Run(name, func(t *testing.T) {
			n := &notes{}
			server := packed.Server(noting{n})
			whole := object(row.value, row.value)
			validated, err := server.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: "test_noted", Config: encoded(t, whole)})
			if err != nil || len(validated.Diagnostics) > 0 && !row.value.IsNull() { // which is required
				t.Fatal(validated, err)
			}
			read, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: "test_noted", CurrentState: encoded(t, whole)})
			if err != nil || len(read.Diagnostics) > 0 {
				t.Fatal(read, err)
			}
			same(t, "read", read.NewState, whole)
			generated, err := server.GenerateResourceConfig(t.Context(), &tfprotov6.GenerateResourceConfigRequest{TypeName: "test_noted", State: encoded(t, whole)})
			if err != nil || len(generated.Diagnostics) > 0 {
				t.Fatal(generated, err)
			}
			config := whole
			if row.value.Equal(text("")) { // which the framework takes for null in what is optional
				config = object(row.value, tftypes.NewValue(tftypes.String, nil))
			}
			same(t, "generated", generated.Config, config)
			planned, err := server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: "test_noted", Config: encoded(t, whole), PriorState: encoded(t, whole), ProposedNewState: encoded(t, whole),
			})
			if err != nil || len(planned.Diagnostics) > 0 {
				t.Fatal(planned, err)
			}
			same(t, "planned", planned.PlannedState, whole)
			before := object(text("another"), row.value)
			applied, err := server.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{
				TypeName: "test_noted", Config: encoded(t, whole), PriorState: encoded(t, before), PlannedState: encoded(t, whole),
			})
			if err != nil || len(applied.Diagnostics) > 0 && row.value.IsFullyKnown() {
				t.Fatal(applied, err)
			}
			if row.value.IsFullyKnown() { // as it is by then
				same(t, "applied", applied.NewState, whole)
			}
			want, err := types.DynamicType.ValueFromTerraform(t.Context(), row.value)
			if err != nil {
				t.Fatal(err)
			}
			if len(n.given) != 6 {
				t.Errorf("the resource was given %d values, want 6", len(n.given))
			}
			for _, given := range n.given {
				opened, err := packed.Open(t.Context(), given)
				if err != nil || !opened.Equal(want) {
					t.Errorf("in it is %s, want %s (%v)", opened, want, err)
				}
				if _, isText := given.UnderlyingValue().(types.String); row.packed && !isText || !row.packed && !given.Equal(want) {
					t.Errorf("the resource was given %s", given)
				}
			}
		})
	}
}

// TestServer_changed: what a resource puts in the place of a packed value needs not be
// packed.
func TestServer_changed(t *testing.T) {
	value := values()["an object"].value
	n := &notes{change: func(types.Dynamic) types.Dynamic {
		return types.DynamicValue(types.ListValueMust(types.StringType, []attr.Value{types.StringValue("new")}))
	}}
	read, err := packed.Server(noting{n}).ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: "test_noted", CurrentState: encoded(t, object(value, value))})
	if err != nil || len(read.Diagnostics) > 0 {
		t.Fatal(read, err)
	}
	same(t, "read", read.NewState, object(tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, []tftypes.Value{text("new")}), value))
}

// TestServer_broken: what is not encoded as it should be is an error.
func TestServer_broken(t *testing.T) {
	whole := encoded(t, object(values()["an object"].value, values()["a text"].value))
	server := packed.Server(noting{&notes{}})
	for _, length := range []int{1, 5, len(whole.MsgPack) / 2, len(whole.MsgPack) - 1} {
		resp, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: "test_noted", CurrentState: &tfprotov6.DynamicValue{MsgPack: whole.MsgPack[:length]}})
		if err == nil && len(resp.Diagnostics) == 0 {
			t.Errorf("%d bytes of it are read", length)
		}
	}
	if _, err := packed.Open(t.Context(), types.DynamicValue(types.StringValue("\x92\xc4"))); err == nil {
		t.Error("half a value was opened")
	}
}

// TestUpgradeResourceState: a state of the current schema comes back as it is, and of
// another one as the framework makes it.
func TestUpgradeResourceState(t *testing.T) {
	const large = `"large": {"value": {"a": "b"}, "type": ["map", "string"]}`
	want := func(name any, parts ...tftypes.Value) tftypes.Value {
		list, _ := kind.AttributeTypes["parts"].(tftypes.List)
		v := tftypes.NewValue(list, nil)
		if parts != nil {
			v = tftypes.NewValue(list, parts)
		}
		return tftypes.NewValue(kind, map[string]tftypes.Value{
			"name": tftypes.NewValue(tftypes.String, name), "parts": v, "other": tftypes.NewValue(tftypes.DynamicPseudoType, nil),
			"large": tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, map[string]tftypes.Value{"a": text("b")}),
		})
	}
	list, _ := kind.AttributeTypes["parts"].(tftypes.List)
	part := func(v any) tftypes.Value {
		return tftypes.NewValue(list.ElementType, map[string]tftypes.Value{"part": tftypes.NewValue(tftypes.String, v)})
	}
	server := packed.Server(noting{&notes{}})
	for _, row := range []struct {
		name, state string
		want        tftypes.Value
		asIs        bool
	}{
		{"as it is", `{"name": "n", "parts": [{"part": "p"}, {"part": null}], "other": null, ` + large + `}`, want("n", part("p"), part(nil)), true},
		{"null", `{"name": null, "parts": null, "other": null, ` + large + `}`, want(nil), true},
		{"one attribute fewer", `{"name": "n", "other": null, ` + large + `}`, want("n"), false},
		{"one attribute more", `{"name": "n", "parts": null, "other": null, "gone": 1, ` + large + `}`, want("n"), false},
		{"another attribute", `{"gone": "n", "parts": null, "other": null, ` + large + `}`, want(nil), false},
		{"one fewer in an element", `{"name": "n", "parts": [{}], "other": null, ` + large + `}`, want("n", part(nil)), false},
		{"one more in an element", `{"name": "n", "parts": [{"part": "p", "gone": {}}], "other": null, ` + large + `}`, want("n", part("p")), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			resp, err := server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{TypeName: "test_noted", Version: 1, RawState: &tfprotov6.RawState{JSON: []byte(row.state)}})
			if err != nil || len(resp.Diagnostics) > 0 {
				t.Fatal(resp, err)
			}
			if asIs := string(resp.UpgradedState.JSON) == row.state; asIs != row.asIs {
				t.Errorf("handed back as it is: %t, want %t", asIs, row.asIs)
			}
			same(t, "the state", resp.UpgradedState, row.want)
		})
	}
	for name, req := range map[string]*tfprotov6.UpgradeResourceStateRequest{
		"another version":  {TypeName: "test_noted", Version: 0, RawState: &tfprotov6.RawState{JSON: []byte(`{"name": "n", "parts": null, "other": null, ` + large + `}`)}},
		"another resource": {TypeName: "test_other", Version: 1, RawState: &tfprotov6.RawState{JSON: []byte(`{}`)}},
		"no object":        {TypeName: "test_noted", Version: 1, RawState: &tfprotov6.RawState{JSON: []byte(`[]`)}},
		"no JSON":          {TypeName: "test_noted", Version: 1, RawState: &tfprotov6.RawState{}},
	} {
		resp, err := server.UpgradeResourceState(t.Context(), req)
		if err == nil && !slices.ContainsFunc(resp.Diagnostics, func(d *tfprotov6.Diagnostic) bool { return d.Severity == tfprotov6.DiagnosticSeverityError }) {
			t.Errorf("%s: the framework was not asked: %v", name, resp)
		}
	}
}
