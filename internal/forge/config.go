package forge

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
)

// DefaultUserAgent is that of a Config without one.
const DefaultUserAgent = "terraform-provider-carvel"

// Config names a repository and how to reach the API of its forge. A proxy is taken from the environment.
type Config struct {
	// Kind; empty: told from the host of Repository, where that is known.
	Kind Kind
	// APIURL is where the API is, for example https://git.example.com/api/v1. Empty: derived from Repository and Kind. It has to be set
	// where the API is on another host or port than the repository, or, with GitLab, below a path.
	APIURL string
	// Repository is the Git URL: https://, ssh:// or scp-like.
	Repository string
	// Token is asked before each request.
	Token func(ctx context.Context) (string, error)
	// Username makes the token the password of basic authentication: with Bitbucket Cloud, the e-mail address of an API token. Azure
	// DevOps takes personal access tokens so in any case. Empty: the token is sent as a bearer token.
	Username string
	// CertificateAuthority holds PEM certificates that are trusted besides the system's.
	CertificateAuthority string
	// ClientCertificate and ClientKey in PEM are for a server that asks for a client certificate.
	ClientCertificate, ClientKey string
	// AllowInsecure permits http:// APIs, over which the token travels in clear.
	AllowInsecure bool
	// UserAgent; empty: DefaultUserAgent.
	UserAgent string
}

// ConfigError is one wrong field of a Config.
type ConfigError struct {
	// Field in the provider's terms, for example forge.kind.
	Field string
	// Reason continues the field's name in a sentence. It holds no secret.
	Reason string
}

func (e *ConfigError) Error() string { return e.Field + " " + e.Reason }

const (
	fieldKind   = "forge.kind"
	fieldAPIURL = "forge.api_url"
	fieldToken  = "forge.token"
	fieldURL    = "url"

	fieldUsername = "forge.username"
)

// Connections, as those of the Git engine.
const (
	idleConnTimeout  = 3 * time.Second
	handshakeTimeout = 30 * time.Second
)

// New returns the forge of a repository. There is no network access. The error is a *ConfigError.
func New(config Config) (Forge, error) {
	c, place, err := open(config)
	if err != nil {
		return nil, err
	}
	return checked{place.forge(c)}, nil
}

func open(config Config) (*client, place, error) {
	repository, err := parse(config.Repository)
	if err != nil {
		return nil, place{}, err
	}
	kind := config.Kind
	if kind == "" {
		if kind = repository.kind(); kind == "" {
			return nil, place{}, &ConfigError{Field: fieldKind, Reason: "must be set: the host of git.url does not tell what kind of forge it is"}
		}
	}
	if _, known := abilities[kind]; !known {
		return nil, place{}, &ConfigError{Field: fieldKind, Reason: "is none of gitea, github, gitlab, bitbucket, bitbucket_data_center and azure_devops"}
	}
	at, err := repository.place(kind, config.APIURL)
	if err != nil {
		return nil, place{}, err
	}
	switch {
	case at.api.Scheme == "http" && !config.AllowInsecure:
		return nil, place{}, &ConfigError{Field: fieldAPIURL, Reason: "is http://, which sends the token in clear; use https:// or set http.allow_insecure_http"}
	case config.Token == nil:
		return nil, place{}, &ConfigError{Field: fieldToken, Reason: "is required"}
	case strings.Contains(config.Username, ":"):
		return nil, place{}, &ConfigError{Field: fieldUsername, Reason: "must not hold a colon"}
	}
	if err := credential.Text(config.Username); err != nil {
		return nil, place{}, &ConfigError{Field: fieldUsername, Reason: err.Error()}
	}
	c := &client{kind: kind, api: at.api, token: config.Token, pause: pause, authorize: authorization(kind, config.Username)}
	if c.http, err = newHTTP(config); err != nil {
		return nil, place{}, err
	}
	agent := config.UserAgent
	if agent == "" {
		agent = DefaultUserAgent
	}
	c.header = http.Header{"User-Agent": {agent}, "Accept": {"application/json"}}
	return c, at, nil
}

// forge is the client of a kind.
func (p place) forge(c *client) Forge {
	switch c.kind {
	case GitHub:
		return newGitHub(c, p)
	case AzureDevOps:
		return newAzure(c, p)
	case Bitbucket:
		return &bitbucket{client: c, workspace: p.owner, slug: p.name}
	case DataCenter:
		return newDataCenter(c, p)
	case GitLab:
		return &gitlab{client: c, project: p.owner + "/" + p.name}
	}
	return &gitea{client: c, owner: p.owner, name: p.name}
}

// authorization is how a kind is shown a token.
func authorization(kind Kind, username string) func(*http.Request, string) {
	return func(request *http.Request, token string) {
		switch {
		case username != "" || kind == AzureDevOps && !isJWT(token):
			request.SetBasicAuth(username, token)
		case kind == Gitea:
			request.Header.Set("Authorization", "token "+token)
		default:
			request.Header.Set("Authorization", "Bearer "+token)
		}
	}
}

// isJWT tells a token of Microsoft Entra from a personal access token, which Azure DevOps takes as a password alone:
// https://learn.microsoft.com/en-us/azure/devops/integrate/get-started/authentication/authentication-guidance
func isJWT(token string) bool {
	return strings.HasPrefix(token, "eyJ") && strings.Count(token, ".") == 2
}

// newHTTP has connections of its own, and goes nowhere by itself.
func newHTTP(config Config) (*http.Client, error) {
	var roots *x509.CertPool
	if config.CertificateAuthority != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a system without any
		}
		if !pool.AppendCertsFromPEM([]byte(config.CertificateAuthority)) {
			reason := "holds no PEM certificate"
			if _, err := credential.Authorities([]byte(config.CertificateAuthority)); err != nil {
				reason = credential.Decoded(err).Error()
			}
			return nil, &ConfigError{Field: "http.certificate_authority", Reason: reason}
		}
		roots = pool
	}
	certificate, err := credential.KeyPair(config.ClientCertificate, config.ClientKey, time.Now())
	var wrong *credential.PairError
	switch {
	case errors.As(err, &wrong) && wrong.Key:
		return nil, &ConfigError{Field: "http.client_key", Reason: wrong.Reason}
	case err != nil:
		return nil, &ConfigError{Field: "http.client_certificate", Reason: strings.TrimPrefix(err.Error(), "the certificate ")}
	case certificate == nil:
		certificate = &tls.Certificate{} // none is shown
	}
	return &http.Client{
		Timeout:       answerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    2,
			MaxResponseHeaderBytes: maxHeaderBytes,
			IdleConnTimeout:        idleConnTimeout,
			TLSHandshakeTimeout:    handshakeTimeout,
			TLSClientConfig: &tls.Config{
				RootCAs: roots, MinVersion: tls.VersionTLS12,
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil },
			},
		},
	}, nil
}

// repository is a Git URL taken apart.
type repository struct {
	web  *url.URL // scheme and host of the web server, as far as the Git URL tells
	ssh  bool
	path []string // of the URL, without .git
}

// webHosts are the web servers of hosts that are for SSH alone.
var webHosts = map[string]string{
	"ssh.github.com":          "github.com",
	"altssh.gitlab.com":       "gitlab.com",
	"altssh.bitbucket.org":    "bitbucket.org",
	"ssh.dev.azure.com":       "dev.azure.com",
	"vs-ssh.visualstudio.com": "dev.azure.com",
}

// parse does not repeat the URL in its errors: it may hold a password.
func parse(text string) (*repository, error) {
	u, err := giturl.Parse(text)
	if err != nil {
		return nil, &ConfigError{Field: fieldURL, Reason: err.Error()}
	}
	if u.Host == "" {
		return nil, &ConfigError{Field: fieldURL, Reason: "is not a URL of a Git repository"}
	}
	r := &repository{web: &url.URL{Scheme: strings.ToLower(u.Scheme), Host: strings.ToLower(u.Host)}}
	switch r.web.Scheme {
	case "http", "https":
	case "ssh", "git+ssh", "ssh+git":
		r.ssh = true
		host := strings.ToLower(u.Hostname())
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		r.web = &url.URL{Scheme: "https", Host: host}
	default:
		return nil, &ConfigError{Field: fieldURL, Reason: "must begin with https:// or ssh://"}
	}
	if host, special := webHosts[r.web.Host]; special {
		r.web.Host = host
	}
	path := u.EscapedPath()
	if !strings.Contains(text, "://") {
		path = u.Path // no forge has a percent sign in a name: where one is in the scp-like form, as with Azure DevOps, the forge takes it for an escape
	}
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if plain, err := url.PathUnescape(segment); err == nil && plain != "" {
			r.path = append(r.path, plain)
		}
	}
	if len(r.path) > 0 {
		r.path[len(r.path)-1] = strings.TrimSuffix(r.path[len(r.path)-1], ".git")
	}
	return r, nil
}

// kind is told by the hosts that are known.
func (r *repository) kind() Kind {
	host := r.web.Hostname()
	switch {
	case host == "github.com" || strings.HasSuffix(host, ".ghe.com"):
		return GitHub
	case host == "gitlab.com":
		return GitLab
	case host == "bitbucket.org":
		return Bitbucket
	case host == "dev.azure.com" || strings.HasSuffix(host, ".visualstudio.com"):
		return AzureDevOps
	case host == "codeberg.org" || host == "gitea.com":
		return Gitea
	}
	return ""
}
