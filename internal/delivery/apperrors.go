package delivery

import (
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// NotReadyError: the time was up, or Terraform was stopped, before the App was
// current.
type NotReadyError struct {
	Ref     cluster.Ref
	Reason  string // what the wait was waiting for
	Stopped bool   // Terraform was stopped
	Err     error
}

func (e *NotReadyError) Error() string {
	return fmt.Sprintf("%s is not current: %s: %v", e.Ref, e.Reason, e.Err)
}
func (e *NotReadyError) Unwrap() error { return e.Err }

// ReconcileError: the controller has failed, and failed again.
type ReconcileError struct {
	Ref     cluster.Ref
	Install string // the PackageInstall on the run cluster that failed, "" for the App itself
	Stage   string // one of carvel's
	Message string // the controller's
	Output  string // the last lines of kapp's, which may be empty
	// Controller is the version of the kapp-controller that failed, "" if it
	// is not known.
	Controller string
	// Missing are files and directories that the App needs, and that are not on the
	// branch, and Where that is.
	Missing []string
	Where   string
}

func (e *ReconcileError) Error() string {
	what := e.Ref.String()
	if e.Install != "" {
		what += ", PackageInstall " + e.Install
	}
	return fmt.Sprintf("%s failed in the %s stage: %s", what, e.Stage, e.Message)
}

// GoneError: the App that was to run something has been deleted, or is being
// deleted.
type GoneError struct {
	Ref     cluster.Ref
	Message string // the controller's last, if the App is still there
	Err     error
}

func (e *GoneError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s has been deleted: %v", e.Ref, e.Err)
	}
	return e.Ref.String() + " has been deleted"
}
func (e *GoneError) Unwrap() error { return e.Err }

// gone makes a *GoneError of an error that tells that the App with the known
// uid is not there any more.
func (a App) gone(err error) error {
	var fields *cluster.ConflictError
	if errors.Is(err, cluster.ErrNotFound) || apierrors.IsConflict(err) && !errors.As(err, &fields) {
		return &GoneError{Ref: a.ref(), Err: err}
	}
	return err
}

// StoppedError: somebody else has paused or canceled the App, so that there is
// nothing to wait for.
type StoppedError struct {
	Ref   cluster.Ref
	Field string // of the spec
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("%s has spec.%s = true", e.Ref, e.Field)
}

// stopped is a *StoppedError for an App that the controller leaves alone, and not
// for a moment only.
func (a App) stopped(live *unstructured.Unstructured) error {
	for _, field := range []string{pausedField, "canceled"} {
		if set, _, err := unstructured.NestedBool(live.Object, "spec", field); err == nil && set && !slices.Contains(a.momentary(live), field) {
			return &StoppedError{Ref: a.ref(), Field: field}
		}
	}
	return nil
}
