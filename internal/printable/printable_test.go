package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                       "plain",
		"two\nlines\tand a tab":       "two\nlines\tand a tab",
		"dos\r\nlines\rand others":    "dos\nlines\nand others",
		"\x1b[2J\x1b]0;title\x07red":  `\x1b[2J\x1b]0;title\x07red`,
		"\x00\x7f\u009b":              `\x00\x7f\x9b`,
		"right\u202eto left\u200b":    `right\u202eto left\u200b`,
		"\u2028":                      `\u2028`,
		"\U000e0041":                  `\U000e0041`,
		"Grüße, 漢字 🎉\u00a0":           "Grüße, 漢字 🎉\u00a0",
		"broken \xff\xfe UTF-8":       `broken \xff\xfe UTF-8`,
		strings.Repeat("a", 35) + "漢": strings.Repeat("a", 35) + " ...",
		strings.Repeat("a", 36):       strings.Repeat("a", 36),
		strings.Repeat("\x1b", 10):    strings.Repeat(`\x1b`, 9) + " ...",
	} {
		t.Run(text, func(t *testing.T) {
			if got := Text(text, 36); got != want {
				t.Errorf("%q: got %q, want %q", text, got, want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	if got := Line("<html>\n\t<b>\x1b[1mLog in</b>\n", 100); got != `<html> <b>\x1b[1mLog in</b>` {
		t.Errorf("got %q", got)
	}
	if got := Line(strings.Repeat("a\n", 100), 10); got != "a a a a a ..." {
		t.Errorf("got %q", got)
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\x1bb\xff\u202e\r\n", 100)
	f.Add("世界", 4)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = max(0, most%1000)
		got := Text(text, most)
		if !utf8.ValidString(got) || Text(got, len(got)) != got || len(got) > most+len(ellipsis) {
			t.Errorf("%q became %q", text, got)
		}
		for _, r := range got {
			if r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
				t.Errorf("%q has %U", got, r)
			}
		}
	})
}
