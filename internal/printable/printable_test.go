package printable

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                        "plain",
		"two\nlines\tand a tab":        "two\nlines\tand a tab",
		"dos\r\nlines":                 "dos\nlines",
		"\x1b[2J\x1b]0;title\x07red":   "[2J]0;titlered",
		"back\bspace\x00\x7f":          "backspace",
		"\u009b31mC1":                  "31mC1",
		"right\u202eto left\u200b":     "rightto left",
		"over\rwritten":                "overwritten",
		"größer, 漢字":                   "größer, 漢字",
		"broken \xff\xfe UTF-8":        "broken �� UTF-8",
		strings.Repeat("a", 30) + "漢字": strings.Repeat("a", 30) + " ...",
	} {
		if got := Text(text, 32); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	if got := Line("<html>\n\t<b>\x1b[1mLog in</b>\n", 100); got != "<html> <b>[1mLog in</b>" {
		t.Errorf("got %q", got)
	}
	if got := Line(strings.Repeat("a\n", 100), 10); got != "a a a a a ..." {
		t.Errorf("got %q", got)
	}
}
