package redact

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is the length in bytes beyond which a text is cut: 32 KiB.
const MaxText = 32 << 10

// Printable is a text that a terminal shows and does not obey: a control or
// format character, but for a line break and a tab, is written as \x1b or
// \u202e, and what is no UTF-8 as \xff.
func Printable(text string) string {
	clean := true
	for i := 0; i < len(text) && clean; i++ {
		clean = text[i] >= ' ' && text[i] < 0x7f || text[i] == '\n' || text[i] == '\t'
	}
	if clean {
		return text
	}
	var out strings.Builder
	for text = strings.ReplaceAll(text, "\r\n", "\n"); text != ""; {
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

// Cut shortens a text that is longer than MaxText, and says so.
func Cut(text string) string {
	if len(text) <= MaxText {
		return text
	}
	end := MaxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s\n\n(cut here: %d more bytes)", text[:end], len(text)-end)
}
