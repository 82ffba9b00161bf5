package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// RedirectError: the server sends the client to another host, which is to get neither credentials nor a push. Nothing was sent there.
type RedirectError struct {
	// From and To are the hosts, with the scheme and, if it is not the scheme's own, the port.
	From, To string
	// URL is the repository's place there, for git.url.
	URL string
	// Page: what it leads to is no repository, and most often a page to log in.
	Page bool
	// Encrypted: it is the same host, over https:// in place of http://.
	Encrypted bool
}

func (e *RedirectError) Error() string {
	if e.Encrypted {
		return fmt.Sprintf("%s redirects to %s, and the credentials, which are those of an http:// URL, are not sent there. "+
			"Set git.url to %s", e.From, e.To, e.URL)
	}
	if e.Page {
		return fmt.Sprintf("%s redirects to %s, which is no repository, and most often a page to log in: the server does not take the "+
			"credentials, or git.url is not the repository's", e.From, e.URL)
	}
	return fmt.Sprintf("%s redirects to %s, and credentials and commits go to the configured host alone. "+
		"If the repository has moved there, set git.url to %s", e.From, e.To, e.URL)
}

// checkRedirect is asked before a redirect is followed. Within the host all are. Without credentials reading goes elsewhere as well.
func (s Server) checkRedirect(request *http.Request, _ []*http.Request) error {
	if sameOrigin(s.Endpoint, request.URL) || s.HTTP.none() {
		return nil
	}
	return s.redirected(request.URL)
}

// renamed reports whether a redirect of the discovery has led to another repository of the same server. Servers redirect to the name that
// ends in .git, or does not.
func (s Server) renamed(to *url.URL) bool {
	name := func(path string) string {
		return strings.TrimSuffix(strings.TrimRight(strings.TrimSuffix(path, infoRefs), "/"), ".git")
	}
	return to != nil && sameOrigin(s.Endpoint, to) && name(s.Endpoint.Path) != name(to.Path)
}

// redirected is the refusal to go to a place.
func (s Server) redirected(to *url.URL) *RedirectError {
	if to == nil {
		to = &url.URL{}
	}
	place := &url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path, RawPath: to.EscapedPath()}
	for _, end := range ends {
		place.Path, place.RawPath = strings.TrimSuffix(place.Path, end), strings.TrimSuffix(place.RawPath, end)
	}
	show := func(u *url.URL) string { return printable.Line(u.String(), MaxLineBytes) }
	return &RedirectError{
		From: show(origin(s.Endpoint)), To: show(origin(to)), URL: show(place),
		Page:      !ofRepository(to),
		Encrypted: s.Endpoint.Scheme == "http" && to.Scheme == "https" && strings.EqualFold(s.Endpoint.Hostname(), to.Hostname()),
	}
}

// infoRefs ends the URL of a discovery, and each of ends that of some request for a repository.
const infoRefs = "/info/refs"

var ends = []string{infoRefs, "/git-upload-pack", "/git-receive-pack"}

// ofRepository reports whether a URL is that of a request for a repository.
func ofRepository(u *url.URL) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(u.Path, end) })
}

func origin(u *url.URL) *url.URL { return &url.URL{Scheme: u.Scheme, Host: u.Host} }

// sameOrigin reports whether a redirect has stayed on the server.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
