// Package printable makes text of strangers fit for a terminal. What an API
// server, a Git server, a program or a commit says is shown to the
// practitioner; it must neither move the cursor nor fill the screen.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Most is how long a text may be in an error, in bytes. A Status of an API
// server says what is wrong within a few hundred.
const Most = 2000

// Name is how long a name may be. The API server takes 128 for a field manager
// and 253 for an object.
const Name = 253

// ellipsis stands for what was cut off.
const ellipsis = " ..."

// Text is a text that a terminal shows and does not obey: a control or format
// character, but for a line break and a tab, is written as \x1b or \u202e, and
// what is no UTF-8 as \xff. It keeps its lines. What is longer than most bytes
// is cut, with " ..." in the end.
func Text(text string, most int) string {
	text, cut := cutTo(text, most)
	if !isPlain(text) {
		text = escape(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"))
		var longer bool
		text, longer = cutTo(text, most)
		cut = cut || longer
	}
	if cut {
		text += ellipsis
	}
	return text
}

// Line is Text in one line, without space around it.
func Line(text string, most int) string {
	head, cut := cutTo(text, most)
	if text = Text(strings.Join(strings.Fields(head), " "), most); cut && !strings.HasSuffix(text, ellipsis) {
		text += ellipsis
	}
	return text
}

func isPlain(text string) bool {
	for i := range len(text) {
		if (text[i] < ' ' || text[i] >= 0x7f) && text[i] != '\n' && text[i] != '\t' {
			return false
		}
	}
	return true
}

func escape(text string) string {
	var out strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case r == '\n' || r == '\t' || unicode.IsGraphic(r) && r != '\u2028' && r != '\u2029':
			out.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&out, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
		text = text[size:]
	}
	return out.String()
}

func cutTo(text string, most int) (string, bool) {
	if len(text) <= most {
		return text, false
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most], true
}
