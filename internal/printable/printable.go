// Package printable makes text of strangers fit for a terminal. What an API
// server, a program or a webhook says is shown to the practitioner; it must
// neither move the cursor nor fill the screen.
package printable

import (
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

// Text is a text without control characters, terminal escapes and invisible
// ones, cut to a number of bytes. It keeps its lines.
func Text(text string, most int) string {
	text, cut := cutTo(text, most)
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ReplaceAll(text, "\r\n", "\n"))
	if cut {
		text += " ..."
	}
	return text
}

// Line is Text in one line.
func Line(text string, most int) string {
	head, cut := cutTo(text, most)
	text = strings.Join(strings.Fields(Text(head, len(head))), " ")
	if cut {
		text += " ..."
	}
	return text
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
