package app

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func gitSecretRefAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Secret in the App's namespace with the credentials for the repository: `username` and `password`, or `ssh-privatekey` and `ssh-knownhosts`, and no other key. " +
			"It is for the `git` sources that name none, as far as they are on the host of the first of these.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the Secret.", Validators: []validator.String{schemas.ObjectName()}},
		},
	}
}

func gitCredentialsAttribute() schema.Attribute {
	at := func(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Credentials for the repository, which go into a Secret of the App's own beside it, and not into the state. " +
			"It is for the `git` sources that name none, on the host of the first of these. " +
			"Either `username` and `password_wo` or `ssh_private_key_wo` is given. Give credentials that may only read.",
		Validators: []validator.Object{schemas.ExactlyOneOf("password_wo", "ssh_private_key_wo")},
		Attributes: map[string]schema.Attribute{
			"secret_name": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Name of the Secret. The default is `NAME-git`.", Validators: []validator.String{schemas.ObjectName()},
			},
			"username": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Username for an `https://` URL.",
				Validators: []validator.String{notEmpty(), stringvalidator.AlsoRequires(at("password_wo"))},
			},
			"password_wo": schema.StringAttribute{
				Optional: true, WriteOnly: true, MarkdownDescription: "Password or access token for an `https://` URL.",
				Validators: []validator.String{notEmpty(), stringvalidator.AlsoRequires(at("username"))},
			},
			"ssh_private_key_wo": schema.StringAttribute{
				Optional: true, WriteOnly: true, MarkdownDescription: "Private key for an SSH URL, in PEM or OpenSSH form and without a passphrase.",
				Validators: []validator.String{schemas.Check("a private key in PEM or OpenSSH form", carvel.ValidatePrivateKey), stringvalidator.AlsoRequires(at("known_hosts"))},
			},
			"known_hosts": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Lines of a known_hosts file with the server's host keys. Without them the controller would trust any server.",
				Validators: []validator.String{notEmpty(), stringvalidator.AlsoRequires(at("ssh_private_key_wo"))},
			},
			"version": schema.StringAttribute{
				Required: true, MarkdownDescription: "Any text; change it to have the credentials written again.", Validators: []validator.String{notEmpty()},
			},
		},
	}
}
