package packageinstall

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// document is what is known of the values, and where each of them comes from.
type document struct {
	merged  map[string]any
	partial bool // there may be more
	layers  []layer
}

// layer is one attribute that values come from. A later one wins.
type layer struct {
	at     path.Path
	value  any
	inside attr.Value // nil: the attribute's value is a text, or must not be told
}

// document is what is known of the values by now. What cannot be read is
// refused elsewhere.
func (m model) document(writeOnly types.Dynamic) document {
	var d document
	d.partial = m.ValuesYAML.IsUnknown() || !isEmpty(m.ExtraValuesSecrets) || !isEmpty(m.HelmTemplateValuesSecrets)
	for i, element := range m.ValuesYAML.Elements() {
		text, _ := element.(types.String)
		object, err := carvel.ParseValues([]byte(text.ValueString()))
		d.partial = d.partial || text.IsUnknown() || err != nil
		d.add(layer{at: path.Root("values_yaml").AtListIndex(i)}, object)
	}
	d.addDynamic(layer{at: path.Root("values"), inside: m.Values}, m.Values)
	d.addDynamic(layer{at: path.Root("values_wo")}, writeOnly)
	return d
}

func isEmpty(list types.List) bool { return !list.IsUnknown() && len(list.Elements()) == 0 }

func (d *document) addDynamic(l layer, from types.Dynamic) {
	value, err := tfvalue.ToAnyKnown(from, carvel.Unknown{})
	_, unknown := value.(carvel.Unknown)
	d.partial = d.partial || unknown || err != nil
	d.add(l, value)
}

// add lays an attribute's values over those before it.
func (d *document) add(l layer, value any) {
	if object, ok := value.(map[string]any); ok && object != nil {
		l.value = object
		d.merged = carvel.MergeValues(d.merged, object)
		d.layers = append(d.layers, l)
	}
}

// attribute is the one that a diagnostic about the values as a whole names.
func (d document) attribute() path.Path {
	if len(d.layers) == 1 {
		return d.layers[0].at
	}
	return path.Root("values")
}

// locate is the attribute that a finding is about, as far down as Terraform
// knows it, and its name.
func (d document) locate(f carvel.Finding) (at path.Path, name string) {
	at = d.attribute()
	for _, l := range d.layers {
		if holds(l.value, f.Path) {
			at = within(l.at, l.inside, f.Path)
			name = l.at.String()
		}
	}
	if name == "" {
		name = at.String()
	}
	if inside := f.At(); strings.HasPrefix(inside, "[") {
		name += inside
	} else {
		name += "." + inside
	}
	return at, name
}

// holds tells whether there is something at a path of a document.
func holds(value any, steps []any) bool {
	for _, step := range steps {
		switch in := value.(type) {
		case map[string]any:
			key, _ := step.(string)
			next, found := in[key]
			if !found {
				return false
			}
			value = next
		case []any:
			i, ok := step.(int)
			if !ok || i >= len(in) {
				return false
			}
			value = in[i]
		default:
			return false
		}
	}
	return true
}

// within goes down a path as far as the value goes.
func within(at path.Path, value attr.Value, steps []any) path.Path {
	for _, step := range steps {
		if dynamic, ok := value.(types.Dynamic); ok {
			value = dynamic.UnderlyingValue()
		}
		key, _ := step.(string)
		i, _ := step.(int)
		switch in := value.(type) {
		case types.Object:
			at, value = at.AtName(key), in.Attributes()[key]
		case types.Map:
			at, value = at.AtMapKey(key), in.Elements()[key]
		case types.Tuple:
			at, value = at.AtTupleIndex(i), in.Elements()[i]
		case types.List:
			at, value = at.AtListIndex(i), in.Elements()[i]
		default:
			return at // of a set, for example, whose elements have no names
		}
	}
	return at
}

func knownInFull(ctx context.Context, value attr.Value) (bool, error) {
	v, err := value.ToTerraformValue(ctx)
	return err == nil && v.IsFullyKnown(), err
}
