package binaries

import (
	"bytes"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// smallBackends need no library of a cloud.
var smallBackends = []string{"http", "inmem"}

var errNoBackends = errors.New("no backend for remote states is in the table of backends")

// cutBackends takes the backends for remote states out of the file with
// Terraform's table of backends.
func cutBackends(file string) error {
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	rest, err := withoutBackends(source)
	if err != nil {
		return err
	}
	return os.WriteFile(file, rest, 0o600)
}

// withoutBackends removes the imports of backends that are not small, and the
// entries of composite literals that use them.
func withoutBackends(source []byte) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "init.go", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, d := range file.Decls {
		if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			d.Specs = slices.DeleteFunc(d.Specs, func(spec ast.Spec) bool {
				name, cut := largeBackend(spec)
				if cut {
					gone = append(gone, name)
				}
				return cut
			})
		}
	}
	if len(gone) == 0 {
		return nil, errNoBackends
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if table, ok := n.(*ast.CompositeLit); ok {
			table.Elts = slices.DeleteFunc(table.Elts, func(entry ast.Expr) bool { return uses(entry, gone) })
		}
		return true
	})
	var rest bytes.Buffer
	err = format.Node(&rest, files, file)
	return rest.Bytes(), err
}

// largeBackend is the name by which an import is used, if it is one of a backend
// that is not small.
func largeBackend(spec ast.Spec) (name string, is bool) {
	imported, ok := spec.(*ast.ImportSpec)
	if !ok {
		return "", false
	}
	importPath, err := strconv.Unquote(imported.Path.Value)
	if err != nil || !strings.HasSuffix(path.Dir(importPath), "/backend/remote-state") || slices.Contains(smallBackends, path.Base(importPath)) {
		return "", false
	}
	if imported.Name != nil {
		return imported.Name.Name, true
	}
	return path.Base(importPath), true
}

// uses reports whether an expression has a selector of one of the packages.
func uses(expression ast.Expr, packages []string) bool {
	found := false
	ast.Inspect(expression, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if from, ok := selector.X.(*ast.Ident); ok && slices.Contains(packages, from.Name) {
				found = true
			}
		}
		return !found
	})
	return found
}
