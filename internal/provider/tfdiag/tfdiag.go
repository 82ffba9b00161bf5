// Package tfdiag turns errors into diagnostics. It is the only place with
// prose for the practitioner about what went wrong.
package tfdiag

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// Failure is an operation that failed.
type Failure struct {
	Verb, Noun, Name string // such as create, app and dev/app
	Left             string // what is left behind; it may be empty
	Err              error
}

// Diagnostic is that of the failure.
func (f Failure) Diagnostic() diag.Diagnostic {
	err := f.Err
	var missing *delivery.MissingPartError
	if errors.As(err, &missing) {
		return MissingPart(missing)
	}
	e := explain(err)
	parts := make([]string, 0, 4)
	original := "Original error: " + err.Error()
	if e.whole {
		original = ""
	}
	for _, part := range []string{e.what, f.Left, e.advice, original} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	summary := fmt.Sprintf("Unable to %s %s %q", f.Verb, f.Noun, f.Name)
	detail := Fit(strings.Join(parts, "\n\n"))
	if e.attribute != "" {
		return diag.NewAttributeErrorDiagnostic(path.Root(e.attribute), summary, detail)
	}
	return diag.NewErrorDiagnostic(summary, detail)
}

// Advice is what to do about an error, "" if nothing is known to help.
func Advice(err error) string { return explain(err).advice }

// MissingPart is the diagnostic of a resource that needs a part of the
// provider configuration that is not there.
func MissingPart(err *delivery.MissingPartError) diag.Diagnostic {
	switch err.Part {
	case delivery.PartGit:
		return diag.NewErrorDiagnostic("No GitOps repository is configured",
			"This resource is stored in the GitOps repository. Set git.url in the provider configuration, or CARVEL_GIT_URL in the environment.")
	case delivery.PartForge:
		return diag.NewErrorDiagnostic("No forge is configured",
			"A pull request is opened through the API of the Git host. Set git.forge in the provider configuration; forge = {} is enough where the host tells what it is.")
	case delivery.PartBuildCluster:
		return diag.NewErrorDiagnostic("No build cluster is configured",
			"This resource is stored on the build cluster. Set build_cluster in the provider configuration, or the KUBE_* variables, for example KUBE_CONFIG_PATH.")
	default:
		return diag.NewAttributeErrorDiagnostic(path.Root("run_cluster"), fmt.Sprintf("Run cluster %q is not configured", err.RunCluster),
			"The run cluster must be a key of run_clusters in the provider configuration. Add it there, or correct run_cluster.")
	}
}

// NotKnownYet is the diagnostic of a data source that is to read from a part of
// the provider configuration that the same run makes.
func NotKnownYet(part string) diag.Diagnostic {
	return diag.NewErrorDiagnostic("The provider's "+part+" is not known yet",
		"A data source is read while Terraform plans, and this part of the provider configuration comes from something that the same run makes. "+
			"Give the data source a depends_on with the resource that makes it, so that it is read during the apply, or make that first.")
}

// Moved is the warning about a Git server that redirects from the repository's
// URL to another one.
func Moved(from, to string) diag.Diagnostic {
	return diag.NewWarningDiagnostic("The GitOps repository has been renamed",
		fmt.Sprintf("%s redirects to %s. The provider follows that as long as it lasts: a server redirects no more when somebody takes the former name for another repository, "+
			"which commits would then go to.\n\nSet git.url in the provider configuration, or CARVEL_GIT_URL, to the new URL.", from, to))
}

type explanation struct {
	attribute, what, advice string
	whole                   bool // the error's own text adds nothing
}

// explain finds what the practitioner can do about an error.
func explain(err error) explanation {
	for _, try := range []func(error) (explanation, bool){explainFiles, explainWaits, explainGit, explainProposal, explainOwnership, explainDelivery, explainApp, explainConnection, explainAnswer, explainCluster} {
		if e, ok := try(err); ok {
			return e
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return explanation{advice: "The time was up. Raise it in timeouts if the operation needs longer."}
	}
	if errors.Is(err, context.Canceled) {
		return explanation{advice: "Terraform was stopped before this was done. Plan again to see what is left to do."}
	}
	return explanation{}
}

const protectedBranch = "A protected branch needs a right to push for these credentials; with git.push_branch changes go by pull request in place of that. " +
	"A branch may also require signed commits, for which git.signing and git.author_email are set. " +
	"Where the server says the same of several changes, the others of the run are not pushed."

func explainGit(err error) (explanation, bool) {
	var hook *gitops.HookDeclinedError
	var precondition *gitops.PreconditionError
	var rejected *gitops.RejectedError
	var hostKey *gitops.UnknownHostKeyError
	var notAFile *gitops.PathError
	var throttled *gitops.ThrottledError
	var redirect *gitops.RedirectError
	var denied *gitops.DeniedError
	var unsent *gitops.UnsentError
	var otherBranch *gitops.BranchNotFoundError
	if e, ok := explainServer(err); ok {
		return e, true
	}
	switch {
	case errors.As(err, &notAFile):
		return explanation{advice: "Someone has put something else into the place of a file. Nothing was written. Remove it from the branch, and plan again."}, true
	case errors.Is(err, gitops.ErrOutcomeUnknown):
		return explanation{
			what:   "The commit was sent, and the server did not tell in time whether it took it: the connection broke, or Terraform was stopped meanwhile.",
			advice: "Apply again: what is on the branch by then is gone on with.",
		}, true
	case errors.As(err, new(*gitops.LimitError)):
		return explanation{what: "The Git server or the repository wants more than this provider takes; what it is, and what to do, is below."}, true
	case errors.As(err, &throttled):
		return explanation{
			what:   "The Git host wants fewer requests. The credentials are not what it objects to.",
			advice: "Apply again when the host takes requests again, with fewer runs at a time, or raise the time in timeouts.",
		}, true
	case errors.As(err, &redirect) && redirect.Encrypted:
		return explanation{
			what:   fmt.Sprintf("%s redirects to https://, and the credentials are not taken along.", redirect.From),
			advice: "Set git.url in the provider configuration, or CARVEL_GIT_URL, to " + redirect.URL + ", and remove git.http.allow_insecure_http.",
		}, true
	case errors.As(err, &redirect) && redirect.Page:
		return explanation{
			what: fmt.Sprintf("%s redirects to %s on another host, which was sent neither credentials nor a commit. That is no repository, and most often a page to log in.", redirect.From, redirect.URL),
			advice: "Check the credentials first: " + gitCredentials + " They may be wrong or over, or of a kind that the server does not take for Git. " +
				"Then check git.url: it is the URL to clone from, not that of the repository's page.",
		}, true
	case errors.As(err, &redirect):
		return explanation{
			what:   fmt.Sprintf("%s redirects to another host, %s, which was sent neither credentials nor a commit.", redirect.From, redirect.To),
			advice: "If the repository has moved there, set git.url in the provider configuration to " + redirect.URL + ".",
		}, true
	case errors.As(err, &unsent):
		return unsentCredentials(unsent), true
	case errors.As(err, &denied):
		return explanation{
			what:   "The Git server refused to serve the repository. It was not asked again. Its own words are below.",
			advice: "Check git.url in the provider configuration, that the repository takes pushes, and that the key of git.ssh.private_key, or of CARVEL_GIT_SSH_PRIVATE_KEY, may read it and write to the branch.",
		}, true
	case errors.Is(err, gitops.ErrAuth):
		return explanation{
			what:   "The Git server refused the credentials, or the right to do this. It was not tried again.",
			advice: "Check git.http.username and git.http.password (or git.http.bearer_token, or git.ssh.private_key) in the provider configuration, or the CARVEL_GIT_* variables, and that they may write to the branch.",
		}, true
	case errors.Is(err, gitops.ErrRepositoryNotFound):
		return explanation{advice: "Check git.url in the provider configuration. A server may also hide a repository from credentials that may not read it, and where none are configured."}, true
	case errors.As(err, &otherBranch) && otherBranch.Default == "":
		return explanation{advice: fmt.Sprintf("Check git.branch in the provider configuration, and CARVEL_GIT_BRANCH: there is no branch %s.", otherBranch.Branch)}, true
	case errors.As(err, &otherBranch):
		return explanation{advice: fmt.Sprintf("Check git.branch in the provider configuration, and CARVEL_GIT_BRANCH: the default branch is %s. "+
			"Set that, push a first commit to the branch, or set git.create_branch = true.", otherBranch.Default)}, true
	case errors.Is(err, gitops.ErrBranchNotFound), errors.Is(err, gitops.ErrEmptyRepository):
		return explanation{advice: "Check git.branch in the provider configuration. Push a first commit to the branch, or set git.create_branch = true."}, true
	case errors.Is(err, gitops.ErrBranchMoved):
		return explanation{advice: "Other writers moved the branch until the time was up, and nothing was written. Apply again, or raise the time in timeouts."}, true
	case errors.As(err, &hook) && hook.WantsSignature():
		return explanation{
			what: "The Git server's rules turned the commit down, and nothing was written.",
			advice: "The server's own words are below. They are about signatures, which the branch may require: set git.signing in the provider configuration, " +
				"and git.author_email to an address that the server knows the key by. " + protectedBranch,
		}, true
	case errors.As(err, &hook):
		return explanation{what: "The Git server's rules turned the commit down, and nothing was written.", advice: "The server's own words are below. " + protectedBranch}, true
	case errors.As(err, &rejected):
		return explanation{what: "The Git server failed to take the commit, again and again, and nothing was written."}, true
	case errors.As(err, &hostKey) && hostKey.Reason != "":
		return explanation{
			what: fmt.Sprintf("The SSH server could not be told from an impostor, so nothing was sent to it: its host key is %s, %s.", hostKey.Fingerprint, hostKey.Reason),
			advice: "Compare the fingerprint with the one that the server's owner publishes. If the server has a new key, replace the line in git.ssh.known_hosts in the provider configuration, " +
				"or in CARVEL_GIT_KNOWN_HOSTS.",
		}, true
	case errors.As(err, &hostKey):
		return explanation{
			what:   "The SSH server could not be told from an impostor, so nothing was sent to it.",
			advice: "Compare the fingerprint with the one that the server's owner publishes, and add the server's line to git.ssh.known_hosts in the provider configuration.",
		}, true
	case errors.As(err, &precondition):
		return explanation{
			what:   fmt.Sprintf("%s is not what the plan saw, so it was left as it is.", precondition.Path) + lastChanged(precondition.By),
			advice: "Someone else has changed it in the meantime. Plan again to see the change.",
		}, true
	}
	return explanation{}, false
}

// unsentCredentials tells why none were sent.
func unsentCredentials(unsent *gitops.UnsentError) explanation {
	const set = "Set git.http.username and git.http.password, or git.http.bearer_token, in the provider configuration, or CARVEL_GIT_PASSWORD or CARVEL_GIT_TOKEN"
	switch {
	case unsent.Configured:
		return explanation{
			what:   fmt.Sprintf("%s redirects to %s, which was sent no credentials: they go to the host of git.url alone.", unsent.From, unsent.To),
			advice: "If the repository has moved there, set git.url in the provider configuration to " + unsent.URL + ".",
		}
	case unsent.Redirected():
		return explanation{
			what: fmt.Sprintf("%s redirects to %s, which asks for credentials. None are configured.", unsent.From, unsent.To),
			advice: "If the repository has moved there, set git.url in the provider configuration to " + unsent.URL + ": credentials go to the host of git.url alone. " +
				set + ".",
		}
	}
	return explanation{
		what:   "The Git server asks for credentials, and none are configured. It was not tried again.",
		advice: set + ".",
	}
}

func explainDelivery(err error) (explanation, bool) {
	var inUse *delivery.InUseError
	var portability *kubeconfig.PortabilityError
	var lacking *delivery.LackingRightsError
	var noNamespace *delivery.NamespaceMissingError
	var wholeCluster *delivery.WholeClusterError
	var moved *delivery.MovedError
	switch {
	case errors.As(err, &moved):
		return explanation{
			whole: true,
			what:  fmt.Sprintf("The files are in %s on the branch. With the provider configuration as it is now they would be in %s.", moved.From, moved.To),
			advice: "Files that stay behind would go on being deployed. Set git.path_prefix in the provider configuration back to what it was; " +
				"or move the directory in the repository, and let the Apps that fetch it fetch the new one.",
		}, true
	case errors.As(err, &wholeCluster):
		return explanation{
			attribute: "namespace",
			what:      fmt.Sprintf("The identity that the provider uses on %s may not list the PackageInstalls of all namespaces.", wholeCluster.Cluster),
			advice:    "Set namespace to one that it may read, or grant it the right to list packageinstalls.packaging.carvel.dev in the whole cluster.",
		}, true
	case errors.As(err, &lacking):
		return explanation{
			what: "The API server lets nobody grant a right that they do not hold. The identity that the provider uses on " + lacking.Cluster +
				" lacks:\n" + strings.Join(lacking.Lacking, "\n"),
			advice: "Grant it these rights, or the verbs escalate and bind on roles.rbac.authorization.k8s.io.",
		}, true
	case errors.As(err, &noNamespace):
		return explanation{
			attribute: "name",
			what:      fmt.Sprintf("With create_namespace = false the namespace must be there, and %s has no namespace %s.", noNamespace.Cluster, noNamespace.Namespace),
			advice:    "Have it made first, or set create_namespace = true.",
		}, true
	case errors.As(err, &inUse):
		return explanation{
			what:   "These Apps still deploy with it: " + strings.Join(inUse.Apps, ", ") + ".",
			advice: "Without the kubeconfig they could never be deleted. Delete them first, or let them name another Secret.",
		}, true
	case errors.Is(err, delivery.ErrKubeconfigChanged):
		return explanation{
			what:   "The Secret's kubeconfig is not the one that the plan saw, so it was left as it is.",
			advice: "Someone else has changed it in the meantime. Plan again to see what will be written.",
		}, true
	case errors.As(err, &portability):
		return explanation{
			attribute: "kubeconfig",
			what:      "kapp-controller could not use this kubeconfig: " + portability.Text() + ".",
		}, true
	}
	return explanation{}, false
}

func explainCluster(err error) (explanation, bool) {
	var unreachable *cluster.UnreachableError
	var certificate *cluster.CertificateError
	var notServed *cluster.NotServedError
	var conflict *cluster.ConflictError
	var connection *cluster.ConnectionError
	switch {
	case errors.As(err, &connection) && errors.Is(err, cluster.ErrNotConfigured):
		return explanation{advice: fmt.Sprintf("Set %s.host, .config_path or .kubeconfig in the provider configuration.", connection.Cluster)}, true
	case errors.As(err, &connection):
		return explanation{advice: fmt.Sprintf("Check %s in the provider configuration.", connection.Cluster)}, true
	case errors.As(err, &certificate):
		return explanation{
			what:   fmt.Sprintf("The API server of %s shows a certificate that cannot be verified, so nothing was sent to it.", certificate.Cluster),
			advice: fmt.Sprintf("Check %s.cluster_ca_certificate or the kubeconfig in the provider configuration: the cluster's certificates may have been renewed, or the address is another server's.", certificate.Cluster),
		}, true
	case errors.As(err, &unreachable):
		return explanation{
			what:   fmt.Sprintf("The API server of %s did not answer until the time was up.", unreachable.Cluster),
			advice: fmt.Sprintf("Check %s.host in the provider configuration, and that the server can be reached from here.", unreachable.Cluster),
		}, true
	case errors.As(err, &notServed):
		return explanation{
			what:   fmt.Sprintf("%s does not know the API %s.", notServed.Cluster, notServed.Resource),
			advice: "Install kapp-controller on that cluster, or wait until its CustomResourceDefinitions are there.",
		}, true
	case errors.As(err, &conflict):
		fields := make([]string, len(conflict.Fields))
		for i, f := range conflict.Fields {
			fields[i] = f.Field + ": " + f.Owner
		}
		return explanation{
			what:   "Another field manager owns what was to be written:\n" + strings.Join(fields, "\n"),
			advice: "Set field_manager = { force_conflicts = true } to take the fields over, or leave them to their owner.",
		}, true
	case apierrors.IsUnauthorized(err):
		return explanation{what: "The API server refused the credentials.", advice: "Check the cluster's credentials in the provider configuration."}, true
	case apierrors.IsForbidden(err):
		return explanation{what: "The credentials lack a right on the cluster.", advice: "Grant it to the user that the error names. Rights that a Role grants must be held by whoever creates the Role."}, true
	}
	return explanation{}, false
}
