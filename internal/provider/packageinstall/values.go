package packageinstall

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// values are the one document of values: values_yaml in order, values over it,
// and the write-only values over both. They are nil if none of them is set.
func (m model) values(ctx context.Context, writeOnly types.Dynamic) (map[string]any, diag.Diagnostics) {
	var texts []string
	var diags diag.Diagnostics
	if !m.ValuesYAML.IsNull() {
		diags.Append(m.ValuesYAML.ElementsAs(ctx, &texts, false)...)
	}
	layers := make([]map[string]any, 0, len(texts)+2)
	for i, text := range texts {
		layer, err := ytt.ParseValues([]byte(text))
		if err != nil {
			diags.Append(invalidValues(path.Root("values_yaml").AtListIndex(i), err))
		}
		layers = append(layers, layer)
	}
	for _, source := range []struct {
		name  string
		value types.Dynamic
	}{{"values", m.Values}, {"values_wo", writeOnly}} {
		layer, err := objectOf(source.value)
		if err != nil {
			diags.Append(invalidValues(path.Root(source.name), err))
		}
		layers = append(layers, layer)
	}
	return ytt.Merge(layers...), diags
}

var errNotAnObject = errors.New("the values must be an object, such as { replicas = 2 }")

// objectOf is nil for a value that is null.
func objectOf(value types.Dynamic) (map[string]any, error) {
	v, err := tfvalue.ToAny(value)
	if v == nil || err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errNotAnObject
	}
	return object, nil
}

// writeOnly are the values that only a configuration holds.
func writeOnly(ctx context.Context, config tfsdk.Config) (types.Dynamic, diag.Diagnostics) {
	var value types.Dynamic
	diags := config.GetAttribute(ctx, path.Root("values_wo"), &value)
	return value, diags
}

// isKnown reports whether no part of a value is unknown.
func isKnown(ctx context.Context, value attr.Value) (bool, error) {
	v, err := value.ToTerraformValue(ctx)
	return err == nil && v.IsFullyKnown(), err
}

// readValues shows what the file of the values says where it is not what the
// attributes say. If they are more than one source, or write-only, it cannot
// be told which of them differs; the plan then shows a commit alone.
func (m model) readValues(ctx context.Context, found map[string]any) (model, error) {
	if found == nil {
		m.Values, m.ValuesYAML = types.DynamicNull(), readList(nil, m.ValuesYAML)
		return m, nil
	}
	written, diags := m.values(ctx, types.DynamicNull())
	if !diags.HasError() && written != nil && ytt.Same(written, found) {
		return m, nil
	}
	texts := len(m.ValuesYAML.Elements())
	switch {
	case texts == 0 && m.Values.IsNull():
		return m.withValues(found)
	case texts == 0:
		v, err := tfvalue.FromAny(found)
		m.Values = types.DynamicValue(v)
		return m, err
	case texts == 1 && m.Values.IsNull():
		text, err := ytt.Write(found)
		m.ValuesYAML = tfvalue.StringList([]string{string(text)})
		return m, err
	default:
		return m, nil
	}
}

// withValues is the model with these values, as an object if that says just the same, or
// else as YAML.
func (m model) withValues(found map[string]any) (model, error) {
	m.Values, m.ValuesYAML = types.DynamicNull(), types.ListNull(types.StringType)
	value, err := tfvalue.FromAny(found)
	if err != nil {
		return m, err
	}
	values := types.DynamicValue(value)
	if again, err := objectOf(values); err == nil && ytt.Same(again, found) {
		m.Values = values
		return m, nil
	}
	text, err := ytt.Write(found)
	m.ValuesYAML = tfvalue.StringList([]string{string(text)})
	return m, err
}
