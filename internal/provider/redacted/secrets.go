package redacted

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

// secretsIn are the texts in values that a schema has as sensitive or
// write-only.
func secretsIn(schema *tfprotov6.Schema, values ...*tfprotov6.DynamicValue) []string {
	if schema == nil || schema.Block == nil || !isSecretBlock(schema.Block.Attributes, schema.Block.BlockTypes) {
		return nil
	}
	var secrets []string
	for _, packed := range values {
		if packed == nil {
			continue
		}
		value, err := packed.Unmarshal(schema.ValueType())
		if err != nil {
			continue // the framework refuses the request before it reads any of it
		}
		inBlock(schema.Block, value, &secrets)
	}
	return secrets
}

func isSecret(a *tfprotov6.SchemaAttribute) bool { return a.Sensitive || a.WriteOnly }

func isSecretBlock(attributes []*tfprotov6.SchemaAttribute, blocks []*tfprotov6.SchemaNestedBlock) bool {
	for _, a := range attributes {
		if isSecret(a) || a.NestedType != nil && isSecretBlock(a.NestedType.Attributes, nil) {
			return true
		}
	}
	for _, b := range blocks {
		if b.Block != nil && isSecretBlock(b.Block.Attributes, b.Block.BlockTypes) {
			return true
		}
	}
	return false
}

func inBlock(block *tfprotov6.SchemaBlock, value tftypes.Value, into *[]string) {
	inAttributes(block.Attributes, value, into)
	fields := fieldsOf(value)
	for _, nested := range block.BlockTypes {
		for _, element := range elementsOf(fields[nested.TypeName], nested.Nesting != tfprotov6.SchemaNestedBlockNestingModeSingle &&
			nested.Nesting != tfprotov6.SchemaNestedBlockNestingModeGroup) {
			inBlock(nested.Block, element, into)
		}
	}
}

func inAttributes(attributes []*tfprotov6.SchemaAttribute, value tftypes.Value, into *[]string) {
	fields := fieldsOf(value)
	for _, a := range attributes {
		switch {
		case isSecret(a):
			texts(fields[a.Name], into)
		case a.NestedType != nil:
			for _, element := range elementsOf(fields[a.Name], a.NestedType.Nesting != tfprotov6.SchemaObjectNestingModeSingle) {
				inAttributes(a.NestedType.Attributes, element, into)
			}
		}
	}
}

// fieldsOf is nil for what is no object, or has none that are known.
func fieldsOf(value tftypes.Value) map[string]tftypes.Value {
	var fields map[string]tftypes.Value
	if value.IsNull() || !value.IsKnown() || value.As(&fields) != nil {
		return nil
	}
	return fields
}

// elementsOf are those of a collection, or the value itself.
func elementsOf(value tftypes.Value, collection bool) []tftypes.Value {
	if !collection {
		return []tftypes.Value{value}
	}
	var elements []tftypes.Value
	for _, element := range fieldsOf(value) {
		elements = append(elements, element)
	}
	var list []tftypes.Value
	if elements == nil && !value.IsNull() && value.IsKnown() && value.As(&list) == nil {
		return list
	}
	return elements
}

// texts are all texts in a value.
func texts(value tftypes.Value, into *[]string) {
	if value.IsNull() || !value.IsKnown() {
		return
	}
	var text string
	if value.Type().Is(tftypes.String) && value.As(&text) == nil {
		*into = append(*into, parts(text)...)
		return
	}
	for _, element := range elementsOf(value, true) {
		texts(element, into)
	}
}

// parts are what is secret in a sensitive text: of a kubeconfig and of a URL it
// is not all of it, and the rest tells the reader of a message where a server is.
func parts(text string) []string {
	if secrets, ok := kubeconfigSecrets(text); ok {
		return secrets
	}
	if isURL(text) {
		return redact.URLPasswords(text)
	}
	return []string{text}
}

// isURL tells a URL from a secret that happens to be like one: its scheme is one
// that an attribute takes.
func isURL(text string) bool {
	for _, scheme := range []string{"http://", "https://", "socks5://"} {
		if rest, ok := strings.CutPrefix(text, scheme); ok && !strings.ContainsAny(rest, " \n") {
			return true
		}
	}
	return false
}
