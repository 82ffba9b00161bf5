package guides_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// messagesGuide is the guide that explains messages, in tables whose first column has the
// message as code.
const messagesGuide = root + "templates/guides/when-something-fails.md.tmpl"

var (
	messagesSection = regexp.MustCompile(`(?s)\n## What a message means\n(.*?)\n## `)
	messageOf       = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
	verbOf          = regexp.MustCompile(`%[a-zA-Z]`)
)

// TestGuides_messages: each message that the guide explains is one of the provider's, to
// the letter. What the guide has in capitals stands for a name.
func TestGuides_messages(t *testing.T) {
	text, err := os.ReadFile(messagesGuide)
	if err != nil {
		t.Fatal(err)
	}
	section := messagesSection.FindSubmatch(text)
	if section == nil {
		t.Fatal("the guide has no section about messages")
	}
	explained := messageOf.FindAllStringSubmatch(string(section[1]), -1)
	if len(explained) < 20 {
		t.Fatalf("the guide explains %d messages, want 20 at least", len(explained))
	}
	summaries, texts := messages(t)
	is := func(message string) bool {
		message = names.ReplaceAllString(message, anything)
		return slices.Contains(summaries, message) || slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(text, message) })
	}
	for _, match := range explained {
		if !is(match[1]) {
			t.Errorf("no message of the provider is or begins with %q", match[1])
		}
	}
	for _, wrong := range []string{"No GitOps repository is set up", `Run cluster "NAME" is not known`, "The API server refused these credentials."} {
		if is(wrong) {
			t.Errorf("the test takes %q for a message", wrong)
		}
	}
}

// anything stands for what is known only when a message is made.
const anything = "\x00"

// names are what stands for that in the guide.
var names = regexp.MustCompile(`"?\b(?:NAME|PART|PACKAGE|DIRECTORY|RESOURCE|CLUSTER|COMMAND|PATH|STAGE|ATTRIBUTE)\b"?`)

// messages are what the provider's code has as summaries of diagnostics, and all its other
// texts, which a message may begin with.
func messages(t *testing.T) (summaries, texts []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if summary := summaryOf(n); summary != nil {
					summaries = append(summaries, textOf(summary))
				}
			case *ast.BasicLit:
				texts = append(texts, textOf(n))
			case *ast.BinaryExpr:
				texts = append(texts, textOf(n))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return summaries, texts
}

// summaryOf is the argument of a call that is the summary of a diagnostic, nil if there is
// none.
func summaryOf(call *ast.CallExpr) ast.Expr {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	at, ok := map[string]int{
		"NewErrorDiagnostic": 0, "NewWarningDiagnostic": 0, "AddError": 0, "AddWarning": 0,
		"NewAttributeErrorDiagnostic": 1, "NewAttributeWarningDiagnostic": 1, "AddAttributeError": 1, "AddAttributeWarning": 1,
	}[f.Sel.Name]
	if !ok || len(call.Args) <= at {
		return nil
	}
	return call.Args[at]
}

// textOf is the text of an expression.
func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if value, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return verbOf.ReplaceAllString(value, anything)
		}
	case *ast.BinaryExpr:
		return textOf(e.X) + textOf(e.Y)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" && len(e.Args) > 0 {
			return textOf(e.Args[0])
		}
	}
	return anything
}
