package packageinstall

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// document is what is known of the values, and where each of them comes from.
type document struct {
	merged  map[string]any
	partial bool // there may be more
	layers  []layer
}

// layer is one attribute that values come from, by its name. A later one wins.
type layer struct {
	name  string
	value any
}

// document is what is known of the values now. What cannot be read is
// refused elsewhere.
func (m model) document(writeOnly types.Dynamic) document {
	var d document
	d.partial = m.ValuesYAML.IsUnknown() || !isEmpty(m.ExtraValuesSecrets) || m.helmValues()
	for i, element := range m.ValuesYAML.Elements() {
		text, _ := element.(types.String)
		object, err := ytt.ParseValues([]byte(text.ValueString()))
		d.partial = d.partial || text.IsUnknown() || err != nil
		d.add(fmt.Sprintf("values_yaml[%d]", i), object)
	}
	d.addDynamic("values", m.Values)
	d.addDynamic("values_wo", writeOnly)
	return d
}

func isEmpty(list types.List) bool { return !list.IsUnknown() && len(list.Elements()) == 0 }

func (d *document) addDynamic(name string, from types.Dynamic) {
	value, err := tfvalue.ToAnyKnown(from, valuesschema.Unknown{})
	_, unknown := value.(valuesschema.Unknown)
	d.partial = d.partial || unknown || err != nil
	d.add(name, value)
}

// add lays an attribute's values over those before it.
func (d *document) add(name string, value any) {
	if object, ok := value.(map[string]any); ok && object != nil {
		d.merged = ytt.Merge(d.merged, object)
		d.layers = append(d.layers, layer{name, object})
	}
}

// attribute is the one that a diagnostic about the values as a whole names.
func (d document) attribute() string {
	if len(d.layers) == 1 {
		return d.layers[0].name
	}
	return "values"
}

// locate is the attribute that a finding is about, and the name of the value in
// it. Terraform points at the attribute; for a path that goes on inside of one
// it would point at the whole resource.
func (d document) locate(f valuesschema.Finding) (at path.Path, name string) {
	name = d.attribute()
	for _, l := range d.layers {
		if holds(l.value, f.Path) {
			name = l.name
		}
	}
	return root(name), f.In(name)
}

// root is the attribute of a layer.
func root(name string) path.Path {
	attribute, _, _ := strings.Cut(name, "[")
	return path.Root(attribute)
}

// holds reports whether there is something at a path of a document.
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
