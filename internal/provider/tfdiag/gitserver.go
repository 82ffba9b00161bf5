package tfdiag

import (
	"errors"
	"fmt"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

const gitCredentials = "git.http.username and git.http.password, or git.http.bearer_token, in the provider configuration, or CARVEL_GIT_PASSWORD or CARVEL_GIT_TOKEN."

// explainServer is about a Git server that is not one for this repository.
func explainServer(err error) (explanation, bool) {
	var page *gitops.WebPageError
	var certificate *gitops.ClientCertificateError
	var format *gitops.ObjectFormatError
	switch {
	case errors.As(err, &format):
		return explanation{
			what: fmt.Sprintf("The repository is of Git's object format %s, and this provider works with repositories of the format sha1. Nothing was written.", format.Format),
			advice: "A repository's format cannot be changed. Make another one with git init --object-format=sha1, or choose SHA-1 where the Git host makes it, push the files there, " +
				"and set git.url in the provider configuration, or CARVEL_GIT_URL, to that one.",
		}, true
	case errors.As(err, &certificate) && certificate.Configured:
		return explanation{
			what:   fmt.Sprintf("%s does not take the client certificate that it got, or ended the connection for another reason of its own, which is below.", certificate.Host),
			advice: "Check that git.http.client_certificate is of an authority that the server trusts, with the certificates between them behind it, that it is for clients, and that it has not been revoked.",
		}, true
	case errors.As(err, &certificate):
		return explanation{
			what:   fmt.Sprintf("%s ended the connection: it asks for a client certificate, as it seems, and none is configured.", certificate.Host),
			advice: "Set git.http.client_certificate and git.http.client_key in the provider configuration.",
		}, true
	case errors.As(err, &page):
		return explainPage(page), true
	}
	return explanation{}, false
}

func explainPage(page *gitops.WebPageError) explanation {
	e := explanation{whole: true, what: fmt.Sprintf("%s answered with a web page in place of Git.", page.From)}
	if page.Redirected {
		e.what = fmt.Sprintf("%s redirects to %s, which is a web page and not Git: most often one to log in.", page.From, page.Page)
	}
	if page.Configured {
		e.advice = "Check " + gitCredentials + " They may be wrong or over, or of a kind that the server does not take for Git."
	} else {
		e.advice = "No credentials are configured. If the repository asks for them, set " + gitCredentials
	}
	e.advice += " Check git.url as well: it is the URL to clone from, not that of the repository's page."
	return e
}
