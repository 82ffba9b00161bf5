package delivery

import (
	"fmt"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// Why a Secret has no token that could be rotated.
const (
	// UnfitForeign: no resource of this configuration holds it.
	UnfitForeign = "foreign"
	// UnfitSource: its kubeconfig was not made of a ServiceAccount.
	UnfitSource = "source"
	// UnfitCluster: its kubeconfig is of another run cluster.
	UnfitCluster = "cluster"
	// UnfitKey: somebody else has written the kubeconfig since.
	UnfitKey = "written by somebody else"
)

// UnfitSecretError: a Secret's token cannot be rotated.
type UnfitSecretError struct {
	Ref    cluster.Ref
	Reason string // one of those above
	Of     string // who holds it, or the run cluster that it is of; it may be empty
}

func (e *UnfitSecretError) Error() string {
	return fmt.Sprintf("the token in %s cannot be rotated: %s %s", e.Ref, e.Reason, e.Of)
}

// RotationError: Apps were not shown to work with the new token, so that the old one
// stays.
type RotationError struct {
	Ref cluster.Ref // of the Secret
	// Old are the token Secrets on the run cluster whose tokens stay good, beside the new
	// one; none for a requested token, which is good until it expires.
	Old      []string
	New      string
	Restored bool // the Secret has the kubeconfig with the old token again
	// NotRestored is why it could not be written again.
	NotRestored error
	Err         error
}

func (e *RotationError) Error() string {
	return fmt.Sprintf("not all Apps were shown to work with the new token in %s: %v", e.Ref, e.Err)
}
func (e *RotationError) Unwrap() error { return e.Err }

// AppError is what an App failed with.
type AppError struct {
	Ref cluster.Ref
	Err error
}

func (e *AppError) Error() string { return fmt.Sprintf("%s: %v", e.Ref, e.Err) }
func (e *AppError) Unwrap() error { return e.Err }
