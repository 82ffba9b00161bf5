package gitops

import (
	"strconv"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// quoted is a name in quotes, of which nothing is left that a terminal obeys.
func quoted(name string) string {
	if len(name) > maxLineBytes {
		name = name[:maxLineBytes]
	}
	return strconv.Quote(name)
}

// textBuffer keeps the first bytes of what it is given.
type textBuffer struct{ data []byte }

func (b *textBuffer) Write(p []byte) (int, error) {
	b.data = append(b.data, p[:min(len(p), maxTextBytes-len(b.data))]...)
	return len(p), nil
}

func (b *textBuffer) String() string {
	return printable.Text(strings.TrimSpace(string(b.data)), maxTextBytes)
}
