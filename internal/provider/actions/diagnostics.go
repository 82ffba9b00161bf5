package actions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

// failure is an action that failed.
type failure struct {
	verb, noun, name string
	rights           string // that the action takes
	err              error
}

// diagnostic is that of the failure: what is particular to actions, and for all else what
// resources say of it.
func (f failure) diagnostic() diag.Diagnostic {
	if errors.Is(f.err, delivery.ErrNotFound) {
		return f.notFound()
	}
	if what := f.explain(f.err); what != "" {
		return diag.NewErrorDiagnostic(f.summary(), tfdiag.Fit(what))
	}
	left := ""
	if apierrors.IsForbidden(f.err) {
		left = "The action needs the right to " + plain(f.rights) + "."
	}
	return tfdiag.Failure{Verb: f.verb, Noun: f.noun, Name: f.name, Left: left, Err: f.err}.Diagnostic()
}

func (f failure) summary() string { return fmt.Sprintf("Unable to %s %s %q", f.verb, f.noun, f.name) }

// plain is a description without its marks.
func plain(text string) string { return strings.ReplaceAll(text, "`", "") }

// notFound is about what the action is for and is not there.
func (f failure) notFound() diag.Diagnostic {
	what := map[string]string{"app": "App", "package install": "PackageInstall", "kubeconfig secret": "Secret"}[f.noun]
	where := "The build cluster"
	if f.noun == "package install" {
		where = "The run cluster"
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("name"), fmt.Sprintf("There is no %s %s", what, f.name),
		fmt.Sprintf("%s has no %s of that name, so that there is nothing to %s. Correct namespace and name. "+
			"If the same run makes it, refer to the attributes of the resource that does.", where, what, f.verb))
}

// explain tells what went wrong and what to do; "" if a resource would say it as well.
func (f failure) explain(err error) string {
	var rotation *delivery.RotationError
	var unfit *delivery.UnfitSecretError
	var applied *delivery.AppliedPauseError
	var stopped *delivery.StoppedError
	var late *delivery.NotReadyError
	var failed *delivery.ReconcileError
	var gone *delivery.GoneError
	switch {
	case errors.As(err, &rotation):
		return f.explainRotation(rotation)
	case errors.As(err, &unfit):
		return explainUnfit(unfit)
	case errors.As(err, &applied):
		return fmt.Sprintf("Field manager %q applies spec.paused = true, as a carvel_app with paused = true does, and its next apply would pause the App again. Nothing was changed. "+
			"Remove paused there, and apply.", applied.Manager)
	case errors.As(err, &stopped):
		return explainStopped(stopped)
	case errors.As(err, &late):
		return explainLate(late)
	case errors.As(err, &failed) && failed.Ref.Resource == carvel.PackageInstalls:
		return explainInstall(failed)
	case errors.As(err, &gone):
		what := kind(gone.Ref) + " " + title(gone.Ref)
		if gone.Message != "" {
			return what + " is being deleted, so that it deploys nothing any more. Its controller last reported: " + gone.Message
		}
		return what + " was deleted in the meantime."
	case errors.Is(err, cluster.ErrNotFound):
		return "Something that the action needs is not there any more, such as the ServiceAccount on the run cluster. Restore it, and invoke the action again.\n\nOriginal error: " + err.Error()
	case errors.Is(err, cluster.ErrChanged):
		return "Somebody has changed it in the meantime. Invoke the action again.\n\nOriginal error: " + err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "The time was up. Raise timeout, 15m by default, if it needs longer.\n\nOriginal error: " + err.Error()
	case errors.Is(err, context.Canceled):
		return "Terraform was stopped before this was done. Invoke the action again.\n\nOriginal error: " + err.Error()
	}
	return ""
}

func kind(ref cluster.Ref) string {
	if ref.Resource == carvel.PackageInstalls {
		return "PackageInstall"
	}
	return "App"
}

func title(ref cluster.Ref) string { return ref.Namespace + "/" + ref.Name }

func explainStopped(err *delivery.StoppedError) string {
	resume := "Have whoever set it take it back, and invoke this action again."
	switch {
	case err.Ref.Resource == carvel.PackageInstalls:
		resume = fmt.Sprintf("If a carvel_package_install has %s = true, remove it there and deliver that, and invoke this action again.", err.Field)
	case err.Field == "paused":
		resume = "Invoke carvel_app_resume first, or remove paused from the carvel_app that sets it, and invoke this action again."
	}
	return fmt.Sprintf("%s %s has spec.%s = true, so that the controller leaves it alone and would not run. Nothing was changed. %s", kind(err.Ref), title(err.Ref), err.Field, resume)
}

func explainLate(err *delivery.NotReadyError) string {
	waiting := "Waiting for: the first look at it."
	if err.Reason != "" {
		waiting = "Waiting for: " + err.Reason + "."
	}
	if err.Stopped {
		return fmt.Sprintf("Terraform was stopped before %s %s was ready. The controller goes on. %s", kind(err.Ref), title(err.Ref), waiting)
	}
	return fmt.Sprintf("The time was up before %s %s was ready. The controller goes on. %s\n\nRaise timeout, 15m by default.", kind(err.Ref), title(err.Ref), waiting)
}

func explainInstall(err *delivery.ReconcileError) string {
	what := "The controller on the run cluster"
	if err.Controller != "" {
		what += fmt.Sprintf(" (kapp-controller %s)", err.Controller)
	}
	if err.Stage == "" {
		return what + " has not made it run:\n" + err.Message
	}
	what += fmt.Sprintf(" failed in the %s stage:\n%s", err.Stage, err.Message)
	if err.Output != "" {
		what += "\n\nThe last lines of kapp's output:\n" + err.Output
	}
	return what
}

func explainUnfit(err *delivery.UnfitSecretError) string {
	secret := "Secret " + title(err.Ref)
	switch err.Reason {
	case delivery.UnfitForeign:
		return fmt.Sprintf("%s was not made by a carvel_kubeconfig_secret of this configuration; it belongs to %s. Nothing was changed. Invoke the action in the configuration that has the resource.", secret, err.Of)
	case delivery.UnfitCluster:
		return fmt.Sprintf("The kubeconfig in %s is for run cluster %q. Nothing was changed. Correct run_cluster.", secret, err.Of)
	case delivery.UnfitKey:
		return secret + " holds a kubeconfig that somebody else has written since. Nothing was changed. Apply the carvel_kubeconfig_secret, which writes its own, and invoke the action again."
	}
	return secret + " holds a kubeconfig that the provider has not made of a ServiceAccount, so that it cannot make another token for it. Nothing was changed. " +
		"Set another kubeconfig in the carvel_kubeconfig_secret, or use service_account there."
}

// explainRotation tells of Apps that did not work with the new token, and of the tokens
// that are good now.
func (f failure) explainRotation(err *delivery.RotationError) string {
	parts := []string{"Not every App was shown to work with the new token, so that the old one was not removed."}
	for _, app := range appErrors(err.Err) {
		inner := f.explain(app.Err)
		if inner == "" {
			inner = tfdiag.Failure{Verb: "reconcile", Noun: "app", Name: title(app.Ref), Err: app.Err}.Diagnostic().Detail()
		}
		parts = append(parts, fmt.Sprintf("App %s: %s", title(app.Ref), inner))
	}
	now := fmt.Sprintf("The Secret %s has the new token", title(err.Ref))
	if err.Restored {
		now = fmt.Sprintf("The Secret %s has the old token again, and the Apps take it up with their next try", title(err.Ref))
	}
	if err.NotRestored != nil {
		now += fmt.Sprintf(", and the old one could not be written again: %v", err.NotRestored)
	}
	if err.New == "" {
		now += ". The requested tokens are good until they expire."
	} else {
		now += fmt.Sprintf(". Good are the tokens of these token Secrets on the run cluster: the old one of %s, and the new one of %s.", strings.Join(err.Old, ", "), err.New)
	}
	return strings.Join(append(parts, now, "Mend what the App reports, and invoke the action again: it goes on with the new token. "+
		"If the App failed before for other reasons, its failure is no fault of the token, and it has to succeed first."), "\n\n")
}

// appErrors are those of single Apps in an error.
func appErrors(err error) []*delivery.AppError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*delivery.AppError
		for _, e := range joined.Unwrap() {
			all = append(all, appErrors(e)...)
		}
		return all
	}
	var app *delivery.AppError
	if errors.As(err, &app) {
		return []*delivery.AppError{app}
	}
	return nil
}

// nothingShown is the warning about a rotation of a token that no App uses.
func nothingShown(name string) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("No App uses the kubeconfig secret %q", name),
		"Its token was replaced and the old one removed. Whether the new one works was not shown, since no App in its namespace names the Secret.")
}

// notKnown is about a part of the provider's configuration that is not known when an
// action is invoked.
func notKnown(part string) diag.Diagnostic {
	return diag.NewErrorDiagnostic("The provider's "+part+" is not known yet",
		"This part of the provider configuration comes from something that is still to be made. Apply that first, and invoke the action again; "+
			"an action_trigger of a resource that comes after it is invoked once it is known.")
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
