package tfdiag

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// GitCredentialsMisfit refuses credentials that are not for the kind of URL
// that they are used with.
func GitCredentialsMisfit(err error) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("git_credentials"), "The credentials do not fit the repository", "Problem: "+err.Error()+".")
}

// GitCredentialsUnused refuses credentials that no source takes.
func GitCredentialsUnused() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("git_credentials"), "The credentials are not used",
		"No git source is left that they are for: each names a secret_ref of its own. Remove git_credentials, or the secret_ref of a source.")
}

// NoRepositoryForPackages refuses packages where there is no repository to
// deliver them from.
func NoRepositoryForPackages() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("packages"), "No GitOps repository is configured",
		"packages are delivered from the provider's repository. Set git.url in the provider configuration, or CARVEL_GIT_URL in the environment, or use fetch.")
}

// MissingGitField refuses a git source without its url or ref.
func MissingGitField(source int, name string) diag.Diagnostic {
	at := path.Root("fetch").AtListIndex(source).AtName("git").AtName(name)
	instead := map[string]string{"url": ", or set git.url in the provider configuration.", "ref": ", or set ref_selection."}
	return diag.NewAttributeErrorDiagnostic(at, "Missing "+at.String(),
		"It can be left out for the repository of the provider configuration alone. Set it here"+instead[name])
}

// MissingAgeKey refuses a sops step without a key.
func MissingAgeKey(step int) diag.Diagnostic {
	at := path.Root("template").AtListIndex(step).AtName("sops").AtName("age").AtName("private_keys_secret_ref")
	return diag.NewAttributeErrorDiagnostic(at, "Missing "+at.String(),
		"Set it, or set sops_age_key_wo to have the keys written to a Secret of the App's own.")
}
