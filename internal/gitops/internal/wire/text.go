package wire

import (
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// textBuffer keeps the first bytes of what it is given.
type textBuffer struct{ data []byte }

func (b *textBuffer) Write(p []byte) (int, error) {
	b.data = append(b.data, p[:min(len(p), MaxTextBytes-len(b.data))]...)
	return len(p), nil
}

func (b *textBuffer) String() string {
	return printable.Text(strings.TrimSpace(string(b.data)), MaxTextBytes)
}
