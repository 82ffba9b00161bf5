package provider

import (
	"errors"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// variables are read where the attributes of git are not set.
var variables = map[string]string{
	"url":               "CARVEL_GIT_URL",
	"branch":            "CARVEL_GIT_BRANCH",
	"push_branch":       "CARVEL_GIT_PUSH_BRANCH",
	"http.username":     "CARVEL_GIT_USERNAME",
	"http.password":     "CARVEL_GIT_PASSWORD",
	"http.bearer_token": "CARVEL_GIT_TOKEN",
	"forge.token":       "CARVEL_FORGE_TOKEN",
	"ssh.private_key":   "CARVEL_GIT_SSH_PRIVATE_KEY",
	"ssh.known_hosts":   "CARVEL_GIT_KNOWN_HOSTS",
}

// gitConfigError is about the attribute that is wrong, or about the variable that is read in its place.
func (m model) gitConfigError(err error) diag.Diagnostic {
	var ofForge *forge.ConfigError
	if errors.As(err, &ofForge) {
		err = &gitops.ConfigError{Field: ofForge.Field, Reason: ofForge.Reason}
	}
	var wrong *gitops.ConfigError
	if !errors.As(err, &wrong) {
		return diag.NewAttributeErrorDiagnostic(path.Root("git"), "Invalid git configuration", err.Error())
	}
	summary, name := "Invalid git."+wrong.Field, "git."+wrong.Field
	variable := variables[wrong.Field]
	read := variable != "" && os.Getenv(variable) != "" && m.isUnset(wrong.Field)
	if read {
		name += ", which " + variable + " in the environment sets,"
	}
	text := name + " " + wrong.Reason + "."
	if wrong.Secret || read { // Terraform may show the lines of an attribute that an error is about
		return diag.NewErrorDiagnostic(summary, text)
	}
	at := path.Root("git")
	for name := range strings.SplitSeq(wrong.Field, ".") {
		at = at.AtName(name)
	}
	return diag.NewAttributeErrorDiagnostic(at, summary, text)
}

// isUnset reports whether an attribute of git is null, or in a block that is.
func (m model) isUnset(field string) bool {
	value := m.Git
	names := strings.Split(field, ".")
	for i, name := range names {
		if value.IsNull() {
			return true
		}
		inside := value.Attributes()[name]
		if i == len(names)-1 {
			return inside == nil || inside.IsNull()
		}
		block, ok := inside.(types.Object)
		if !ok {
			return false
		}
		value = block
	}
	return false
}

// checkToken looks at the token of a forge's API, which a user makes a password.
func checkToken(token, user string) error {
	check := credential.Token
	if user != "" {
		check = credential.Text
	}
	if err := check(token); err != nil {
		return &forge.ConfigError{Field: "forge.token", Reason: credential.Decoded(err).Error()}
	}
	return nil
}
