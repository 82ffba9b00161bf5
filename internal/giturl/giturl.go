// Package giturl looks at URLs of Git repositories in both of their forms,
// https://host/path and user@host:path, and at those of other servers in the first:
// without the credentials that may be in one, and by the host that credentials would be
// sent to.
package giturl

import (
	"net/url"
	"strings"
)

// Host is the host of a repository's URL, with the port if it has one.
func Host(repository string) string {
	u, err := Parse(repository)
	if err != nil {
		return ""
	}
	return u.Host
}

// Public is a URL without the user information in it, but for the user of an
// SSH URL, whom one logs in as.
func Public(url string) string {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		return url
	}
	authority, path := rest, ""
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority, path = rest[:end], rest[end:]
	}
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return url
	}
	user, host := "", authority[at+1:]
	if strings.Contains(scheme, "ssh") {
		user, _, _ = strings.Cut(authority[:at], ":")
		user += "@"
	}
	return scheme + "://" + user + host + path
}

// NamesOrganization reports whether the user of a URL is the organization that
// its path begins with, as in the URLs that Azure DevOps gives out: it is no
// token, and tells nothing that the path does not.
func NamesOrganization(u *url.URL) bool {
	if u.User == nil || !strings.EqualFold(u.Host, "dev.azure.com") {
		return false
	}
	organization, _, _ := strings.Cut(strings.TrimLeft(u.Path, "/"), "/")
	_, password := u.User.Password()
	return !password && organization != "" && strings.EqualFold(u.User.Username(), organization)
}
