package delivery

import (
	"html"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// Others commit to a push branch too, and how they call a directory or a version must
// neither break the body of a request nor notify people: no host looks for mentions, links
// and numbers of issues in what is marked as code.

// isTame reports whether a name says nothing but itself, in Markdown and in HTML.
func isTame(name string) bool {
	return name != "" && len(name) <= printable.Name && !strings.ContainsFunc(name, func(r rune) bool { return !isTameRune(r) })
}

func isTameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-/", r)
}

// inCell is a name in a cell of a Markdown table, or in a line of text.
func inCell(name string) string {
	if isTame(name) {
		return name
	}
	text, fence := unmarked(printable.Line(name, printable.Name)), "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	// A code span may begin and end with a space that is not shown. A border of a cell is
	// none behind a backslash, and is one again behind two.
	return fence + " " + strings.NewReplacer(`\|`, `\ \|`, "|", `\|`).Replace(text) + " " + fence
}

// unmarked is a text in which the next change of the body finds none of its own marks.
func unmarked(text string) string {
	return strings.NewReplacer(changesBegin, strings.ToUpper(changesBegin), changesEnd, strings.ToUpper(changesEnd)).Replace(text)
}

// inHTML is a name in an element of HTML.
func inHTML(name string) string {
	if isTame(name) {
		return name
	}
	return "<code>" + html.EscapeString(printable.Line(name, printable.Name)) + "</code>"
}

// inTitle is a name in a title, where nothing can be marked and some hosts look for
// mentions all the same.
func inTitle(name string) string {
	return strings.Map(func(r rune) rune {
		if isTameRune(r) || strings.ContainsRune(" <>=^~|*,+_", r) {
			return r
		}
		return '_'
	}, printable.Line(name, printable.Name))
}
