package protocoltest

import (
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

// Empties gives each optional list and map that has a place in a configuration no
// elements, as modules do that have nothing to set: what comes of it must be what comes
// of the configuration without it, and the plan after it must be empty.
func Empties(t *testing.T, prepare Prepare, c Config) {
	t.Helper()
	_, r := prepare(t)
	for _, at := range r.optional(r.schema.Block.Attributes, map[string]any(c)) {
		t.Run(at.name, func(t *testing.T) {
			without, with := Config(at.edit(c, nil)), Config(at.edit(c, at.empty))
			w, r := prepare(t)
			refused := r.Apply(without)
			want := w.Snapshot()
			other, fresh := prepare(t)
			if diags := fresh.Apply(with); diags.Failed() != refused.Failed() {
				t.Fatalf("empty: %s\nwithout: %s", diags, refused)
			}
			if refused.Failed() {
				return // it is what another one is to be given for
			}
			fresh.mustBeQuiet(t, with)
			if got := other.Snapshot(); !maps.Equal(want, got) {
				t.Error(deliverytest.Differences(want, got))
			}
			r.mustApply(t, with)
			r.mustBeQuiet(t, with)
			if got := w.Snapshot(); !maps.Equal(want, got) {
				t.Errorf("from none to empty:\n%s", deliverytest.Differences(want, got))
			}
			r.mustApply(t, without)
			r.mustBeQuiet(t, without)
		})
	}
}

// place is that of an optional list or map in a configuration.
type place struct {
	name  string
	empty any
	edit  func(c map[string]any, value any) map[string]any
}

func (r *Resource) optional(attributes []*tfprotov6.SchemaAttribute, c map[string]any) []place {
	var all []place
	for _, a := range attributes {
		set := func(c map[string]any, value any) map[string]any {
			c = maps.Clone(c)
			c[a.Name] = value
			return c
		}
		kind := a.ValueType()
		isMap, isList := kind.Is(tftypes.Map{}), kind.Is(tftypes.List{}) || kind.Is(tftypes.Set{})
		switch {
		case !a.Optional:
		case isMap:
			all = append(all, place{a.Name, map[string]any{}, set})
		case isList:
			all = append(all, place{a.Name, []any{}, set})
		}
		if a.NestedType == nil {
			continue
		}
		switch given := c[a.Name].(type) {
		case map[string]any:
			for _, inner := range r.optional(a.NestedType.Attributes, given) {
				all = append(all, place{a.Name + "." + inner.name, inner.empty, func(c map[string]any, value any) map[string]any {
					return set(c, inner.edit(given, value))
				}})
			}
		case []any:
			for i, element := range given {
				object, ok := element.(map[string]any)
				if !ok {
					continue
				}
				for _, inner := range r.optional(a.NestedType.Attributes, object) {
					all = append(all, place{a.Name + "." + inner.name, inner.empty, func(c map[string]any, value any) map[string]any {
						elements := slices.Clone(given)
						elements[i] = inner.edit(object, value)
						return set(c, elements)
					}})
				}
			}
		}
	}
	return all
}
