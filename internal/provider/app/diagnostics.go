package app

import (
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

// isDeleting is the warning about an App that is on its way out. message is the
// controller's.
func isDeleting(name, message string) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("The App %q is being deleted", name),
		"It is being deleted, by somebody else or by an earlier destroy, and deploys nothing any more; once it has gone, a plan makes it anew. "+
			"Its controller last reported: "+tfdiag.Fit(message))
}

// gitCredentialsMisfit refuses credentials that are not for the kind of URL
// that they are used with.
func gitCredentialsMisfit(err error) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("git_credentials"), "The credentials do not fit the repository", "Problem: "+err.Error()+".")
}

// gitCredentialsUnused refuses credentials that no source takes.
func gitCredentialsUnused() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("git_credentials"), "The credentials are not used",
		"No git source is left that they are for: each names a secret_ref of its own. Remove git_credentials, or the secret_ref of a source.")
}

// noRepositoryForPackages refuses packages if there is no repository to
// deliver them from.
func noRepositoryForPackages() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("packages"), "No GitOps repository is configured",
		"packages are delivered from the provider's repository. Set git.url in the provider configuration, or CARVEL_GIT_URL in the environment, or use fetch.")
}

// unfitStep refuses a step that cannot read packages from one source.
func unfitStep(step int) diag.Diagnostic {
	at := path.Root("template").AtListIndex(step)
	return diag.NewAttributeErrorDiagnostic(at, "Invalid "+at.String(),
		"With packages, the App has one source for all of them, and template steps read the directories of the packages alone. "+
			"This step names files or directories by itself, or renders a chart or CUE. "+
			"Leave that out; or set fetch_per_package = true, with which each directory of a package is a source, in a directory with a number that steps can name; or list the sources in fetch.")
}

// missingDirectories warns of directories of packages that the App would fail without.
func missingDirectories(in delivery.Location, missing []string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("packages"), "Directories of packages do not exist",
		"The App fails as long as branch "+in.Branch+" of "+in.URL+" lacks "+tfdiag.Some(missing)+". "+
			"Have them committed before the App is applied: a carvel_package_install makes the directory of its run cluster, and whoever publishes a package makes that of its versions. "+
			"Or set create_directories = true, which commits what is missing.")
}

// missingGitField refuses a git source without its url or ref.
func missingGitField(source int, name string) diag.Diagnostic {
	at := path.Root("fetch").AtListIndex(source).AtName("git").AtName(name)
	instead := map[string]string{"url": ", or set git.url in the provider configuration.", "ref": ", or set ref_selection."}
	return diag.NewAttributeErrorDiagnostic(at, "Missing "+at.String(),
		"It can be left out for the repository of the provider configuration alone. Set it here"+instead[name])
}

// missingAgeKey refuses a sops step without a key.
func missingAgeKey(step int) diag.Diagnostic {
	at := path.Root("template").AtListIndex(step).AtName("sops").AtName("age").AtName("private_keys_secret_ref")
	return diag.NewAttributeErrorDiagnostic(at, "Missing "+at.String(),
		"Set it, or set sops_age_key_wo to have the keys written to a Secret of the App's own.")
}

// noSuchApp is the diagnostic of an App that is to be read and is not there.
func noSuchApp(namespace, name string) diag.Diagnostic {
	return diag.NewErrorDiagnostic(fmt.Sprintf("There is no App %s/%s", namespace, name),
		"The build cluster has no App of that name. Correct namespace and name. If the same run makes the App, refer to the attributes of the resource that does, so that it is read after that.")
}

// unseen warns that the PackageInstalls could not be looked at.
func unseen(done delivery.AppReceipt) diag.Diagnostics {
	if done.Unseen == nil {
		return nil
	}
	return diag.Diagnostics{tfdiag.UnseenInstalls(done.Unseen)}
}

// deleting warns of an App that is on its way out.
func deleting(m model, found delivery.AppReceipt) diag.Diagnostics {
	if !found.Deleting {
		return nil
	}
	return diag.Diagnostics{isDeleting(title(m), found.Status.Message())}
}

// What becomes of an App that a failed operation has left behind.
const (
	afterCreate = "The App is on the build cluster, and the controller goes on trying. Terraform has marked it as tainted and will show that it replaces it: " +
		"the next apply deletes nothing, brings the App up to date in place, and waits for it again."
	afterUpdate = "The App is on the build cluster, and the controller goes on trying. The next apply waits for it again."
)

// exists says what a failed operation has left behind.
func exists(done delivery.AppReceipt, err error, what string) string {
	if !done.Changed() || errors.As(err, new(*delivery.GoneError)) || errors.As(err, new(*delivery.StoppedError)) {
		return ""
	}
	return what
}
