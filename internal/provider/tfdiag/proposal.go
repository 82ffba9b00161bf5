package tfdiag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// explainProposal is about what goes by a branch of its own and a pull request.
func explainProposal(err error) (explanation, bool) {
	var conflict *gitops.ConflictError
	var foreign *gitops.ForeignError
	var unmerged *delivery.UnmergedError
	var unsupported *forge.UnsupportedError
	var denied *forge.DeniedError
	var busy *forge.BusyError
	var refused *forge.RefusedError
	switch {
	case errors.As(err, &conflict):
		return explanation{
			what: fmt.Sprintf("Nothing was pushed: %s and %s have both changed the same files since they parted, and which of the two is meant is for people to say.", conflict.Branch, conflict.Base),
			advice: fmt.Sprintf("Merge %s into %s by hand and apply again, or close the pull request and delete %s: the next apply makes it anew from %s, with what the configuration says.",
				conflict.Base, conflict.Branch, conflict.Branch, conflict.Base),
		}, true
	case errors.As(err, &foreign):
		return explanation{
			what:   "The pull request was closed without a merge, and its branch has commits that others have made. They are not pushed over.",
			advice: fmt.Sprintf("Delete the branch %s, once nobody needs those commits, and apply again; or open the pull request again.", foreign.Branch),
		}, true
	case errors.As(err, &unmerged):
		return explanation{
			what:   "What is on the push branch gets to the clusters with its merge, which has not come in time.",
			advice: "Have the branch merged, and apply again: what is done already is gone on with.",
		}, true
	case errors.As(err, &unsupported):
		attribute, _, _ := strings.Cut(unsupported.What, " ")
		return explanation{attribute: attribute, what: "This kind of Git host has no such thing: " + unsupported.Error() + ".", advice: "Leave it out.", whole: true}, true
	case errors.As(err, &denied):
		return explanation{
			what:   "The Git host's API refuses the token, or this to the token.",
			advice: "Check git.forge.token, or CARVEL_FORGE_TOKEN: without it, the password or the token of git.http is used. It needs the right to read the repository and to write pull requests.",
		}, true
	case errors.As(err, &busy):
		return explanation{what: "The Git host's API cannot answer now, or wants fewer requests.", advice: "Apply again later. What was pushed stays where it is."}, true
	case errors.As(err, &refused):
		return explanation{what: "The Git host does not do that as things are; its own words are below.", advice: "What was pushed stays where it is; apply again when the reason is gone."}, true
	case errors.As(err, new(*forge.RedirectError)), errors.As(err, new(*forge.AnswerError)):
		return explanation{what: "This is not the API of the Git host.", advice: "Check git.forge.kind and git.forge.api_url."}, true
	case errors.Is(err, forge.ErrNotFound):
		return explanation{
			what:   "The Git host's API knows no such repository or pull request, or hides it from this token.",
			advice: "Check git.url, git.forge.api_url and what git.forge.token may see.",
		}, true
	case errors.Is(err, delivery.ErrNotProposed):
		return explanation{
			what:   "Commits go to the branch that the clusters follow, so that there is nothing to merge.",
			advice: "Set git.push_branch in the provider configuration, or leave the resource out.", whole: true,
		}, true
	}
	return explanation{}, false
}

// Waiting is the warning about what waits to be merged. request may be nil; failure is of a host that could not be asked.
func Waiting(at delivery.Location, request *forge.Request, failure error) diag.Diagnostic {
	text := fmt.Sprintf("What package installs have on branch %s is not on %s yet, so that no cluster has it. ", at.PushBranch, at.Branch)
	switch {
	case request != nil:
		text += "It waits for " + request.URL
		if request.Blocked != "" {
			text += ", and " + request.Blocked
		}
		text += "."
	case failure != nil:
		text += "The Git host could not be asked what has become of it: " + failure.Error()
	default:
		text += "No open pull request is known for it."
	}
	return diag.NewWarningDiagnostic("Changes wait to be merged", Fit(text))
}
