package forge

import (
	"net/url"
	"strings"
)

// place is a repository in its forge.
type place struct {
	api *url.URL
	// owner and name: owner is the project with Bitbucket Data Center and Azure DevOps, all groups with GitLab, and the workspace with
	// Bitbucket Cloud.
	owner, name string
}

// ends are the ends of the APIs' URLs. A URL that is configured without it gets it.
var ends = map[Kind]string{
	Gitea: "/api/v1", GitHub: "/api/v3", GitLab: "/api/v4", Bitbucket: "/2.0", DataCenter: "/rest/api/latest", AzureDevOps: "",
}

// place finds the API, from the configured URL or from that of the repository, and what the repository is called there.
func (r *repository) place(kind Kind, configured string) (place, error) {
	var p place
	api, err := r.configured(kind, configured)
	if err != nil {
		return p, err
	}
	prefix, owner, name := r.names(kind, api)
	if owner == "" || name == "" {
		return p, &ConfigError{Field: fieldURL, Reason: "does not name a repository of a forge of the kind " + string(kind)}
	}
	if api == nil {
		api = r.derived(kind, prefix)
	}
	return place{api: api, owner: owner, name: name}, nil
}

// configured is the URL that is set; nil: none is.
func (r *repository) configured(kind Kind, text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &ConfigError{Field: fieldAPIURL, Reason: "must be a URL that begins with https://"}
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, &ConfigError{Field: fieldAPIURL, Reason: "must hold neither a user nor a query nor a fragment"}
	}
	path := strings.TrimRight(u.Path, "/")
	end := ends[kind]
	hosted := kind == GitHub && strings.HasPrefix(u.Hostname(), "api.")
	whole := strings.HasSuffix(path, end) || kind == DataCenter && strings.Contains(path, "/rest/api/")
	if !hosted && !whole {
		path += end
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}

// derived is where the API of a forge is whose web pages are below a prefix of the host.
func (r *repository) derived(kind Kind, prefix []string) *url.URL {
	u := *r.web
	u.Path = strings.Join(append([]string{""}, prefix...), "/")
	switch host := u.Hostname(); {
	case kind == GitHub && host == "github.com":
		return &url.URL{Scheme: "https", Host: "api.github.com"}
	case kind == GitHub && strings.HasSuffix(host, ".ghe.com"):
		return &url.URL{Scheme: "https", Host: "api." + host}
	case kind == Bitbucket:
		return &url.URL{Scheme: "https", Host: "api.bitbucket.org", Path: "/2.0"}
	}
	u.Path += ends[kind]
	return &u
}

// names finds owner and name in the repository's path, and the prefix before them. api is nil where it is to be derived.
func (r *repository) names(kind Kind, api *url.URL) (prefix []string, owner, name string) {
	path := r.path
	switch kind {
	case GitLab:
		// Groups are nested, so that a prefix cannot be told from them: the API's URL has it.
		if api != nil {
			path = withoutPrefix(path, strings.TrimSuffix(api.Path, ends[kind]))
		}
		if len(path) < 2 {
			return nil, "", ""
		}
		return nil, strings.Join(path[:len(path)-1], "/"), path[len(path)-1]
	case AzureDevOps:
		return r.azureNames()
	case DataCenter:
		// Over HTTP, /scm/ is before the project.
		for i := len(path) - 3; i >= 0; i-- {
			if path[i] == "scm" {
				return path[:i], path[i+1], path[i+2]
			}
		}
	}
	if len(path) < 2 {
		return nil, "", ""
	}
	if kind == DataCenter || r.ssh {
		return nil, path[len(path)-2], path[len(path)-1]
	}
	return path[:len(path)-2], path[len(path)-2], path[len(path)-1]
}

func withoutPrefix(path []string, prefix string) []string {
	if rest, found := strings.CutPrefix("/"+strings.Join(path, "/"), strings.TrimRight(prefix, "/")+"/"); found {
		return strings.Split(rest, "/")
	}
	return path
}

// azureNames: ORGANIZATION/PROJECT/_git/REPOSITORY, in which a repository with its project's name may come without that, and
// v3/ORGANIZATION/PROJECT/REPOSITORY over SSH. Hosts of the form ORGANIZATION.visualstudio.com are those of the organization.
// https://learn.microsoft.com/en-us/azure/devops/repos/git/use-ssh-keys-to-authenticate
func (r *repository) azureNames() (prefix []string, project, name string) {
	path := r.path
	if r.ssh && len(path) == 4 && path[0] == "v3" {
		return path[1:2], path[2], path[3]
	}
	for i, segment := range path {
		if segment != "_git" || i+1 >= len(path) || i == 0 && !strings.HasSuffix(r.web.Hostname(), ".visualstudio.com") {
			continue
		}
		name = path[len(path)-1]
		organization := 1 // on the host of the service
		switch host := r.web.Hostname(); {
		case strings.HasSuffix(host, ".visualstudio.com"):
			organization = 0
			if path[0] == "DefaultCollection" {
				organization = 1
			}
		case host != "dev.azure.com":
			organization = i - 1 // a server of one's own: the last before _git is the project
		}
		if i <= organization {
			return path[:i], name, name
		}
		return path[:organization], path[i-1], name
	}
	return nil, "", ""
}
