package cluster

import "slices"

// Project reduces a live object to the fields that shape has, so that the two
// compare equal unless a field of shape's was changed or removed. Fields that
// others added are left out. A list that shape has is taken whole, each element
// reduced to the element of shape at its place.
func Project(live, shape any) any {
	switch shape := shape.(type) {
	case map[string]any:
		m, ok := live.(map[string]any)
		if !ok {
			return live
		}
		out := make(map[string]any, len(shape))
		for k, s := range shape {
			if v, ok := m[k]; ok {
				out[k] = Project(v, s)
			}
		}
		return out
	case []any:
		list, ok := live.([]any)
		if !ok || len(list) != len(shape) {
			return live
		}
		out := slices.Clone(list)
		for i := range out {
			out[i] = Project(list[i], shape[i])
		}
		return out
	default:
		return live
	}
}
