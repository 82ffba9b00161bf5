// Package suite tells the unit suite, which is `go test ./internal/...` as it is, from the
// acceptance suite, which is the same with TF_ACC set, as terraform-plugin-testing has it.
package suite

import (
	"os"
	"testing"
)

// Acceptance skips a test in the unit suite, and says why: it takes what a machine may
// lack (clusters, the terraform program, a compiler's time), or longer than somebody
// who has changed a line wants to wait.
func Acceptance(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip(why + ": set TF_ACC=1")
	}
}
