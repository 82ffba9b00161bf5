package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// lastChangeTime is how long an error waits for the name of whoever caused it.
const lastChangeTime = 15 * time.Second

// lastChange is who last changed a path of the branch; nil if that is not
// to be found out. It is a courtesy beside an error, so its own errors are none.
func (b branch) lastChange(ctx context.Context, path string) *gitops.LastChange {
	if b.Repository == nil {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, lastChangeTime)
	defer cancel()
	last, err := b.Repository.LastChange(bounded, path)
	if err != nil {
		return nil
	}
	return last
}

// blame adds to a file that is not as expected who changed it.
func (b branch) blame(ctx context.Context, err error) error {
	var precondition *gitops.PreconditionError
	if errors.As(err, &precondition) && precondition.By == nil {
		precondition.By = b.lastChange(ctx, precondition.Path)
	}
	return err
}
