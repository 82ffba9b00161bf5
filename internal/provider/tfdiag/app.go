package tfdiag

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
)

func explainApp(err error) (explanation, bool) {
	var notReady *delivery.NotReadyError
	var reconcile *delivery.ReconcileError
	var deleting *delivery.DeleteError
	var gone *delivery.GoneError
	var stopped *delivery.StoppedError
	var clash *delivery.RecordClashError
	switch {
	case errors.As(err, &notReady) && notReady.Stopped:
		return explanation{whole: true, what: "Terraform was stopped before the App was ready. " + waitingFor(notReady)}, true
	case errors.As(err, &notReady):
		return explanation{what: waitingFor(notReady), advice: "Raise the time in timeouts, or set wait = false."}, true
	case errors.As(err, &deleting):
		e := explainDelete(deleting)
		var expired *delivery.ExpiredTokenError
		if errors.As(err, &expired) {
			e.what += fmt.Sprintf("\n\nThe token in the kubeconfig Secret %s/%s has expired at %s, and could not be replaced: %v",
				expired.Secret.Namespace, expired.Secret.Name, expired.Expired.UTC().Format(time.RFC3339), expired.Err)
		}
		return e, true
	case errors.As(err, &gone):
		return explainGone(gone), true
	case errors.As(err, &stopped):
		return explanation{
			what: fmt.Sprintf("The App has %s = true, which is not in this configuration, so that the controller leaves it alone and there is nothing to wait for.", stopped.Field),
			advice: fmt.Sprintf("Have whoever set it take it back, for example with the action carvel_app_resume or kctrl app kick, and apply again. "+
				"Or set %s = true here, or wait = false.", stopped.Field),
		}, true
	case errors.As(err, &reconcile):
		return explainReconcile(reconcile), true
	case errors.As(err, &clash):
		return explanation{
			attribute: "name", whole: true,
			what: fmt.Sprintf("The App deploys a PackageInstall that is called %s as well, into the same namespace %s. "+
				"kapp keeps its record of what it deployed there by that name, so that the two would delete each other's objects.", clash.Name, clash.Namespace),
			advice: fmt.Sprintf("Give the App another name, such as %s-app.", clash.Name),
		}, true
	}
	return explanation{}, false
}

func waitingFor(err *delivery.NotReadyError) string {
	if err.Reason == "" {
		return "Waiting for: the first look at it."
	}
	return "Waiting for: " + err.Reason + "."
}

func explainReconcile(err *delivery.ReconcileError) explanation {
	what := fmt.Sprintf("The controller failed in the %s stage", err.Stage)
	if err.Install != "" {
		what = fmt.Sprintf("On the run cluster, PackageInstall %s failed in the %s stage", err.Install, err.Stage)
	}
	if err.Controller != "" {
		what += fmt.Sprintf(" (kapp-controller %s)", err.Controller)
	}
	e := explanation{whole: true, what: what + ", and again when it was tried once more:\n" + err.Message}
	if len(err.Missing) > 0 {
		e.advice = fmt.Sprintf("The App needs what %s lacks: %s. Commit that first: have the App depend on the carvel_package_install that makes it, or commit a file .gitkeep there. "+
			"With packages, create_directories = true has this resource commit the directories that are missing.", err.Where, Some(err.Missing))
	}
	if err.Output != "" {
		e.advice = "The last lines of kapp's output:\n" + err.Output
	}
	return e
}

// shownNames is how many names are worth showing.
const shownNames = 10

// Some are names for a sentence, and how many more there are.
func Some(names []string) string {
	if more := len(names) - shownNames; more > 0 {
		return strings.Join(names[:shownNames], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// restoreAndDestroy is the first way out for an App that its controller cannot
// delete.
const restoreAndDestroy = "restore what the controller misses, most often the kubeconfig Secret, the ServiceAccount and the namespace on the run cluster " +
	"or the rights of the kubeconfig's user, and destroy again"

// leaveAndDestroy is the other one. on_destroy often comes too late for it: the
// destroy has noted what is missing, and Terraform makes that before it comes to
// the App.
func leaveAndDestroy(app cluster.Ref) string {
	return fmt.Sprintf("leave on the run cluster what the App deployed: run this against the build cluster, and destroy again:\n"+
		"kubectl patch apps.kappctrl.k14s.io %s --namespace %s --type merge --patch '{\"spec\":{\"noopDelete\":true}}'\n"+
		"Setting on_destroy = \"orphan\", an apply and a destroy do the same only where this configuration does not make what is missing. "+
		"Otherwise the apply makes it again, and the controller goes on and deletes what the App deployed.", app.Name, app.Namespace)
}

func explainDelete(err *delivery.DeleteError) explanation {
	e := explanation{
		whole:  true,
		what:   "The controller cannot delete what the App deployed, and goes on trying:\n" + err.Message,
		advice: "There are two ways out. Either " + restoreAndDestroy + ". Or " + leaveAndDestroy(err.Ref),
	}
	if !err.Failed {
		e.what = "The time was up before the controller had deleted the App. It last reported: " + err.Message
		if kept := keptBy(err.Finalizers); kept != "" {
			e.what += "\n\nIt is kept by " + kept + "."
		}
		e.advice = "Raise the time in timeouts. If the controller cannot go on, " + restoreAndDestroy + ", or " + leaveAndDestroy(err.Ref)
	}
	return e
}

func explainGone(err *delivery.GoneError) explanation {
	if err.Message == "" {
		return explanation{
			what:   "The App was deleted in the meantime, by somebody else or by an earlier destroy that has come to its end.",
			advice: "If it is to be there, apply again to have it made anew.",
		}
	}
	return explanation{
		what:   "The App is being deleted, by somebody else or by an earlier destroy, so that it deploys nothing any more. Its controller last reported: " + err.Message,
		advice: "If it is to be there, wait until it has gone and apply again. If the controller cannot go on, " + restoreAndDestroy + ", or " + leaveAndDestroy(err.Ref),
	}
}

// UnseenInstalls is the warning about PackageInstalls on a run cluster that were not
// looked at.
func UnseenInstalls(err error) diag.Diagnostic {
	const unknown = "Whether the PackageInstalls on the run cluster run what the repository holds is not known: the App was judged by itself, and it may report success before they have. "
	var many *delivery.ManyFilesError
	if errors.As(err, &many) {
		return diag.NewWarningDiagnostic("The PackageInstalls were not looked at", unknown+
			fmt.Sprintf("What the App selects holds more than %d files beside those of package versions, which is too many to look through. ", many.Most)+
			"Let it select the directories of its run cluster alone, with sub_path or with the paths of its template steps.")
	}
	return diag.NewWarningDiagnostic("The run cluster could not be looked at", unknown+
		"Grant the provider's identity on the run cluster the right to list and watch PackageInstalls, Apps and Secrets, "+
		"in the namespace that is delivered to, or leave run_cluster out of run_clusters.\n\nOriginal error: "+err.Error())
}
