package tfvalue

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Source is a plan, a state or a configuration.
type Source interface {
	Get(ctx context.Context, target any) diag.Diagnostics
}

// Get reads a plan, a state or a configuration into a model: a pointer to a
// struct whose fields are attribute values with the tag tfsdk. It is what the
// source's own Get does, at half its cost: that one compiles a regular
// expression for every field of the model, every time.
func Get(ctx context.Context, from Source, model any) diag.Diagnostics {
	var object types.Object
	diags := from.Get(ctx, &object)
	if diags.HasError() {
		return diags
	}
	diags.Append(fill(model, object.Attributes())...)
	return diags
}

// Null has each field of a model null; schema is the type of the resource.
func Null(ctx context.Context, schema attr.Type, model any) diag.Diagnostics {
	kind, ok := schema.TerraformType(ctx).(tftypes.Object)
	if !ok {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to read the schema", mismatch(model, schema))}
	}
	fields := make(map[string]tftypes.Value, len(kind.AttributeTypes))
	for name, of := range kind.AttributeTypes {
		fields[name] = tftypes.NewValue(of, nil)
	}
	value, err := schema.ValueFromTerraform(ctx, tftypes.NewValue(kind, fields))
	object, ok := value.(types.Object)
	if err != nil || !ok {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to read the schema", mismatch(model, value))}
	}
	return fill(model, object.Attributes())
}

func fill(model any, attributes map[string]attr.Value) (diags diag.Diagnostics) {
	target := reflect.ValueOf(model).Elem()
	for i, name := range fields(target.Type()) {
		value := reflect.ValueOf(attributes[name])
		if !value.IsValid() || !value.Type().AssignableTo(target.Field(i).Type()) {
			diags.AddError("Unable to read the attribute "+name, mismatch(model, attributes[name]))
			continue
		}
		target.Field(i).Set(value)
	}
	return diags
}

// SetState writes a model into a state.
func SetState(ctx context.Context, state *tfsdk.State, model any) diag.Diagnostics {
	object, diags := object(ctx, state.Schema.Type(), model)
	if diags.HasError() {
		return diags
	}
	return state.Set(ctx, object)
}

// SetPlan writes a model into a plan.
func SetPlan(ctx context.Context, plan *tfsdk.Plan, model any) diag.Diagnostics {
	object, diags := object(ctx, plan.Schema.Type(), model)
	if diags.HasError() {
		return diags
	}
	return plan.Set(ctx, object)
}

func object(ctx context.Context, schema attr.Type, model any) (tftypes.Value, diag.Diagnostics) {
	var diags diag.Diagnostics
	from := reflect.ValueOf(model)
	attributes := map[string]tftypes.Value{}
	for i, name := range fields(from.Type()) {
		value, ok := reflect.TypeAssert[attr.Value](from.Field(i))
		if !ok {
			diags.AddError("Unable to write the attribute "+name, mismatch(model, from.Field(i).Interface()))
			continue
		}
		var err error
		if attributes[name], err = value.ToTerraformValue(ctx); err != nil {
			diags.AddError("Unable to write the attribute "+name, err.Error())
		}
	}
	if diags.HasError() {
		return tftypes.Value{}, diags
	}
	kind := schema.TerraformType(ctx)
	if err := tftypes.ValidateValue(kind, attributes); err != nil {
		diags.AddError("Unable to write the resource", err.Error())
		return tftypes.Value{}, diags
	}
	return tftypes.NewValue(kind, attributes), diags
}

func mismatch(model, value any) string {
	return fmt.Sprintf("The schema and %T disagree (%T). This is a mistake of the provider's.", model, value)
}

var known sync.Map // the names of the fields of a struct, by its type

func fields(model reflect.Type) []string {
	if names, ok := known.Load(model); ok {
		return names.([]string)
	}
	names := make([]string, model.NumField())
	for i := range names {
		names[i] = model.Field(i).Tag.Get("tfsdk")
	}
	known.Store(model, names)
	return names
}
