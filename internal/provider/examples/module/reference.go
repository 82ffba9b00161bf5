package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// value is an input or an output of a module.
type value struct {
	name, description string
	kind, standard    string // as they are written; empty: none
}

// form says what an input takes, and what it is if it is not set.
func (v value) form() string {
	otherwise := "Required."
	if v.standard != "" {
		otherwise = "Default: `" + v.standard + "`."
	}
	if strings.Contains(v.kind, "\n") {
		return otherwise + " Type:\n\n```terraform\n" + v.kind + "\n```"
	}
	return "Type: `" + v.kind + "`. " + otherwise
}

// reference is the Markdown about the inputs and outputs of a module.
func reference(dir string) (string, error) {
	inputs, err := read(filepath.Join(dir, "variables.tf"), "variable")
	if err != nil {
		return "", err
	}
	outputs, err := read(filepath.Join(dir, "outputs.tf"), "output")
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString("## Inputs\n")
	for _, input := range inputs {
		fmt.Fprintf(&text, "\n### %s\n\n%s\n\n%s\n", input.name, input.description, input.form())
	}
	text.WriteString("\n## Outputs\n")
	text.WriteString("\n")
	for _, output := range outputs {
		fmt.Fprintf(&text, "- `%s`: %s\n", output.name, output.description)
	}
	return text.String(), nil
}

// read returns the blocks of a kind in a file, those without a default first.
func read(file, kind string) ([]value, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	parsed, diags := hclsyntax.ParseConfig(source, file, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok {
		return nil, fmt.Errorf("%s: not in HCL's own syntax", file)
	}
	var values []value
	for _, block := range body.Blocks {
		if block.Type != kind {
			continue
		}
		v := value{name: block.Labels[0]}
		if v.description, err = description(block); err != nil {
			return nil, fmt.Errorf("%s: %s %q: %w", file, kind, v.name, err)
		}
		v.kind, v.standard = written(block, "type", source), written(block, "default", source)
		values = append(values, v)
	}
	slices.SortStableFunc(values, func(a, b value) int {
		return cmp.Compare(min(len(a.standard), 1), min(len(b.standard), 1))
	})
	return values, nil
}

func description(block *hclsyntax.Block) (string, error) {
	attribute := block.Body.Attributes["description"]
	if attribute == nil {
		return "", errors.New("no description")
	}
	v, diags := attribute.Expr.Value(nil)
	if diags.HasErrors() {
		return "", diags
	}
	return strings.Join(strings.Fields(v.AsString()), " "), nil
}

// written is an attribute as it is in the file, without the block's indentation.
func written(block *hclsyntax.Block, name string, source []byte) string {
	attribute := block.Body.Attributes[name]
	if attribute == nil {
		return ""
	}
	return strings.ReplaceAll(string(attribute.Expr.Range().SliceBytes(source)), "\n  ", "\n")
}
