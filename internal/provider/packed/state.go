package packed

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// UpgradeResourceState hands a state back as the JSON that it came as if it is of the
// current schema, in the version and in its attributes. Terraform asks for every resource
// in every plan, and the framework would decode it and encode it again.
func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	if all, err := s.schemas(); err == nil && all != nil && req.RawState != nil {
		schema := all.ResourceSchemas[req.TypeName]
		if schema != nil && schema.Version == req.Version && hasAttributes(req.RawState.JSON, schema.ValueType()) {
			return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &tfprotov6.DynamicValue{JSON: req.RawState.JSON}}, nil
		}
	}
	return s.ProviderServer.UpgradeResourceState(ctx, req)
}

// hasAttributes reports whether each object in a JSON value has the attributes of its
// type, no more and no fewer. Others are the framework's to leave out and to add.
func hasAttributes(text json.RawMessage, kind tftypes.Type) bool {
	var fields map[string]json.RawMessage
	var elements []json.RawMessage
	switch kind := kind.(type) {
	case tftypes.Object:
		if json.Unmarshal(text, &fields) != nil || fields != nil && len(fields) != len(kind.AttributeTypes) {
			return false
		}
		for name, field := range fields {
			if of, ok := kind.AttributeTypes[name]; !ok || !hasAttributes(field, of) {
				return false
			}
		}
		return true
	case tftypes.Map:
		err := json.Unmarshal(text, &fields)
		return err == nil && haveAttributes(maps.Values(fields), kind.ElementType)
	case tftypes.List:
		err := json.Unmarshal(text, &elements)
		return err == nil && haveAttributes(slices.Values(elements), kind.ElementType)
	default: // no resource has a set
		return !kind.Is(tftypes.Set{}) && !kind.Is(tftypes.Tuple{})
	}
}

func haveAttributes(elements iter.Seq[json.RawMessage], kind tftypes.Type) bool {
	for element := range elements {
		if !hasAttributes(element, kind) {
			return false
		}
	}
	return true
}
