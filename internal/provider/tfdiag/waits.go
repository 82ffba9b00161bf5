package tfdiag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
)

// explainWaits is about a destroy that has waited in vain: what for, and who could end
// it.
func explainWaits(err error) (explanation, bool) {
	var remaining *delivery.RemainingError
	var terminating *delivery.TerminatingError
	switch {
	case errors.As(err, &terminating):
		return explainTerminating(terminating), true
	case errors.As(err, &remaining):
		return explainRemaining(remaining), true
	}
	return explanation{}, false
}

func explainRemaining(err *delivery.RemainingError) explanation {
	var lines []string
	stuck := false
	for _, r := range err.Remaining {
		line := r.What
		switch kept := keptBy(r.Finalizers); {
		case !r.Deleting:
			line += ": nobody deletes it"
		case kept != "":
			line, stuck = line+": it is being deleted, and kept by "+kept, true
		default:
			line += ": it is being deleted"
		}
		if r.Message != "" {
			line += ". Its controller reports: " + r.Message
		}
		lines = append(lines, line)
	}
	e := explanation{
		whole: true,
		what:  fmt.Sprintf("Namespace %s on %s still holds what has to go first:\n%s", err.Namespace, err.Cluster, strings.Join(lines, "\n")),
		advice: "An App or PackageInstall that outlives its ServiceAccount is stuck, so the namespace is kept until they are gone. " +
			"Destroy the App that deploys them, or delete them, and destroy again; or raise the time in timeouts.",
	}
	if stuck {
		e.advice += " Where whoever keeps one cannot go on, mend what it reports, or have it leave what was deployed with spec.noopDelete = true."
	}
	return e
}

func explainTerminating(err *delivery.TerminatingError) explanation {
	var lines []string
	for _, api := range err.APIs {
		lines = append(lines, fmt.Sprintf("the API %s, which is down, so that the API server cannot tell whether it has anything in the namespace: mend what serves APIService %s, or delete that, "+
			"kubectl delete apiservice %s, if nothing is to serve it any more", api, carvel.APIService(api), carvel.APIService(api)))
	}
	if kept := keptBy(err.Content); kept != "" {
		of := ""
		if len(err.Kinds) > 0 {
			of = " on " + strings.Join(err.Kinds, ", ")
		}
		lines = append(lines, kept+of)
	} else if len(err.Kinds) > 0 {
		lines = append(lines, "what is still in it: "+strings.Join(err.Kinds, ", "))
	}
	if kept := keptBy(err.Finalizers); kept != "" {
		lines = append(lines, kept+" on the Namespace itself")
	}
	if len(lines) == 0 {
		lines = err.Messages
	}
	what := fmt.Sprintf("Namespace %s on %s is being deleted, and was still there when the time was up.", err.Namespace, err.Cluster)
	if len(lines) > 0 {
		what += " It waits for:\n" + strings.Join(lines, "\n")
	}
	if len(err.Messages) > 0 && len(lines) > 0 && lines[0] != err.Messages[0] {
		what += "\n\nThe API server says:\n" + strings.Join(err.Messages, "\n")
	}
	return explanation{
		whole: true, what: what,
		advice: "It goes by itself once that is settled: destroy again then, or raise the time in timeouts. A finalizer whose owner is gone for good can be taken away by hand, " +
			"if what it stands for needs no cleaning up any more.",
	}
}

// keptBy names finalizers and who takes them away, "" if there are none.
func keptBy(finalizers []string) string {
	parts := make([]string, len(finalizers))
	for i, f := range finalizers {
		parts[i] = fmt.Sprintf("the finalizer %s, which %s takes away", f, carvel.FinalizerOwner(f))
	}
	return strings.Join(parts, ", and ")
}
