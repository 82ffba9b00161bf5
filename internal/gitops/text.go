package gitops

import (
	"strconv"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// quoted is a name in quotes, of which nothing is left that a terminal obeys.
func quoted(name string) string {
	if len(name) > wire.MaxLineBytes {
		name = name[:wire.MaxLineBytes]
	}
	return strconv.Quote(name)
}
