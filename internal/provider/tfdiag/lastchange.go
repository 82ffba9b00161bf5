package tfdiag

import (
	"fmt"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// lastChanged continues a sentence about a file with who last changed it, if
// that is known.
func lastChanged(by *gitops.LastChange) string {
	if by == nil {
		return ""
	}
	return fmt.Sprintf(" It was last changed by %s <%s> at %s in commit %s: %s",
		by.Author, by.Email, by.Time.Format(time.RFC3339), by.Commit, by.Subject)
}
