// Docschema adds the actions and the list resources to what terraform providers schema -json
// has written of the provider, for the documentation: a Terraform before 1.14 leaves them
// out, and the documentation is to be the same with each.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: docschema FILE")
		os.Exit(2)
	}
	if err := complete(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "docschema:", err)
		os.Exit(1)
	}
}

// complete adds them to a file.
func complete(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	served, err := redacted.Server(provider.New("docs")())().GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return err
	}
	data, err = with(data, served.ActionSchemas, served.ListResourceSchemas)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, data, 0o600)
}

// with is the text of Terraform's with the actions and the list resources of its only
// provider.
func with(data []byte, actions map[string]*tfprotov6.ActionSchema, lists map[string]*tfprotov6.Schema) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	var providers map[string]map[string]json.RawMessage
	if err := json.Unmarshal(all["provider_schemas"], &providers); err != nil {
		return nil, err
	}
	if len(providers) != 1 {
		return nil, fmt.Errorf("it has %d providers", len(providers))
	}
	ofActions := map[string]*tfprotov6.Schema{}
	for name, a := range actions {
		ofActions[name] = a.Schema
	}
	for key, schemas := range map[string]map[string]*tfprotov6.Schema{"action_schemas": ofActions, "list_resource_schemas": lists} {
		written, err := written(schemas)
		if err != nil {
			return nil, err
		}
		for _, p := range providers {
			p[key] = written
		}
	}
	var err error
	if all["provider_schemas"], err = json.Marshal(providers); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// written are schemas in Terraform's form.
func written(schemas map[string]*tfprotov6.Schema) (json.RawMessage, error) {
	blocks := map[string]any{}
	for name, s := range schemas {
		block, err := blockOf(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		blocks[name] = map[string]any{"block": block}
	}
	return json.Marshal(blocks)
}

// blockOf is a schema in Terraform's form. Nested attributes and blocks it does not know;
// no action and no list resource has any.
func blockOf(s *tfprotov6.Schema) (map[string]any, error) {
	attributes := map[string]any{}
	for _, a := range s.Block.Attributes {
		if a.NestedType != nil {
			return nil, fmt.Errorf("attribute %s is nested, which is not written", a.Name)
		}
		kind, err := a.Type.MarshalJSON() //nolint:staticcheck // the form of the protocol is that of the file
		if err != nil {
			return nil, err
		}
		attribute := map[string]any{"type": json.RawMessage(kind), "description": a.Description, "description_kind": strings.ToLower(a.DescriptionKind.String())}
		for name, set := range map[string]bool{"required": a.Required, "optional": a.Optional, "sensitive": a.Sensitive, "write_only": a.WriteOnly} {
			if set {
				attribute[name] = true
			}
		}
		attributes[a.Name] = attribute
	}
	if len(s.Block.BlockTypes) > 0 {
		return nil, errors.New("it has blocks, which are not written")
	}
	return map[string]any{"attributes": attributes, "description": s.Block.Description, "description_kind": strings.ToLower(s.Block.DescriptionKind.String())}, nil
}
