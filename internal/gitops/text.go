package gitops

import (
	"strconv"
	"strings"
	"unicode"
)

// ellipsis stands for what was cut off.
const ellipsis = "..."

// legible is the form in which other people's text gets into an error or a message: what a server says, what a commit's author has
// written. It has no control characters, so that a terminal obeys nothing in it; it keeps its lines, and ends at a length in bytes.
func legible(text string, most int) string {
	cut := len(text) > 2*most
	if cut {
		text = text[:2*most]
	}
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		if r == '\r' {
			return '\n'
		}
		return -1
	}, strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), "?"))
	text = strings.TrimSpace(text)
	if cut || len(text) > most {
		text = strings.ToValidUTF8(text[:min(len(text), most-len(ellipsis))], "") + ellipsis
	}
	return text
}

// oneLine is legible text without its lines.
func oneLine(text string, most int) string {
	return legible(strings.Join(strings.Fields(legible(text, maxTextBytes)), " "), most)
}

// quoted is a name in quotes, of which nothing is left that a terminal obeys.
func quoted(name string) string { return strconv.Quote(legible(name, maxLineBytes)) }

// textBuffer keeps the first bytes of what it is given.
type textBuffer struct{ data []byte }

func (b *textBuffer) Write(p []byte) (int, error) {
	b.data = append(b.data, p[:min(len(p), maxTextBytes-len(b.data))]...)
	return len(p), nil
}

func (b *textBuffer) String() string { return legible(string(b.data), maxTextBytes) }
