package gitops

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
)

// Defaults of Config.
const (
	DefaultBranch      = "main"
	DefaultAuthorName  = "terraform-provider-carvel"
	DefaultAuthorEmail = "terraform-provider-carvel@localhost"
	DefaultUserAgent   = "terraform-provider-carvel"
)

// Config names a branch of a repository and how to reach it.
type Config struct {
	// URL of the repository: https://, ssh:// or scp-like (git@host:path); http:// with HTTP.AllowInsecure.
	URL string
	// Branch without refs/heads/. Empty: DefaultBranch.
	Branch string
	// Base, if not empty, is the branch that Branch is to be merged into, by a pull request for one. Branch is made from its tip then, and
	// kept mergeable; what it cannot have in its base is a *ConflictError.
	Base string
	// PushOptions, NAME=VALUE each, go with every push, to a server that takes any. NAME alone means NAME=true.
	PushOptions []string
	// AuthorName and AuthorEmail of the commits, as author and as committer. Empty: the defaults.
	AuthorName, AuthorEmail string
	// MessageAppendix is text of every commit message, before its trailers. Empty: none.
	MessageAppendix string
	// Trailers of every commit message, such as the run that makes the commit. One without a value is left out.
	Trailers []Trailer
	// UserAgent, for example terraform-provider-carvel/1.2.3, goes to the server and into the commit messages. Empty: DefaultUserAgent.
	UserAgent string
	// CreateBranch makes the first Apply create a branch that is not there: at the commit that the default branch is at, or, in an empty
	// repository, with a commit that has no parent. Reads before that see the default branch's files, or none.
	CreateBranch bool
	// PushInterval is the least time between two pushes. Changes that come meanwhile share the next commit.
	PushInterval time.Duration
	Signing      Signing
	HTTP         HTTPAuth
	SSH          SSHAuth
}

// Trailer is a line "NAME: VALUE" at the end of a commit message.
type Trailer struct{ Name, Value string }

// HTTPAuth is how to reach an HTTP server. A proxy is taken from the environment.
type HTTPAuth struct {
	// Username and Password for basic authentication; a password may be an access token. A password alone goes with the username git.
	Username, Password string
	// BearerToken is sent in place of basic authentication.
	BearerToken string
	// Source, if not nil, is asked for the password of each request, in place of Password.
	Source TokenSource `json:"-"`
	// CertificateAuthority holds PEM certificates that are trusted besides the system's.
	CertificateAuthority string
	// ClientCertificate and ClientKey in PEM are for a server that asks for a client certificate.
	ClientCertificate, ClientKey string
	// AllowInsecure permits http:// URLs, over which credentials and content travel in clear.
	AllowInsecure bool
}

// TokenSource has passwords that are good for a while.
type TokenSource interface {
	// Token is good for the next request.
	Token(ctx context.Context) (string, error)
	// Name tells one source from another, without a secret.
	Name() string
}

// SSHAuth is how to reach an SSH server.
type SSHAuth struct {
	// Username; empty: the URL's, else git.
	Username string
	// PrivateKey in PEM or OpenSSH form, and the Password that decrypts it.
	PrivateKey, Password string
	// KnownHosts holds lines in the form of the known_hosts file. Empty: the published keys of github.com, gitlab.com, bitbucket.org
	// and ssh.dev.azure.com. A host is never trusted on first use.
	KnownHosts string
}

// Validate finds what is wrong with the configuration without any network. The error is a *ConfigError.
func (c Config) Validate() error {
	_, err := c.normalize()
	return err
}

// target is a validated configuration with its defaults filled in.
type target struct {
	Config
	// endpoint holds the URL without user information.
	endpoint *url.URL
	ssh      *wire.SSHLogin // nil: HTTP
	sign     signer         // nil: commits are not signed

	certificate *tls.Certificate // of the client; nil: none
}

// key identifies the target in the registry. It does not reveal the credentials.
func (t *target) key() string {
	encoded, _ := json.Marshal(t.Config) // strings, numbers and booleans alone: cannot fail
	if t.HTTP.Source != nil {
		encoded = append(encoded, t.HTTP.Source.Name()...)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// server is where the transports go.
func (t *target) server() wire.Server {
	return wire.Server{
		Endpoint: t.endpoint, Branch: t.Branch, CreateBranch: t.CreateBranch, Base: t.Base, PushOptions: t.PushOptions, UserAgent: t.UserAgent, SSH: t.ssh,
		HTTP: wire.HTTPLogin{
			Username: t.HTTP.Username, Password: t.HTTP.Password, BearerToken: t.HTTP.BearerToken, CertificateAuthority: t.HTTP.CertificateAuthority,
			Source: t.passwords(), Certificate: t.certificate,
		},
	}
}

// passwords are those of the source; nil: there is none.
func (t *target) passwords() func(context.Context) (string, error) {
	if t.HTTP.Source == nil {
		return nil
	}
	return t.HTTP.Source.Token
}

// name is the repository as messages show it.
func (t *target) name() string { return t.endpoint.String() }

func (c Config) normalize() (*target, error) {
	for _, field := range []struct {
		value    *string
		fallback string
	}{
		{&c.Branch, DefaultBranch}, {&c.AuthorName, DefaultAuthorName}, {&c.AuthorEmail, DefaultAuthorEmail}, {&c.UserAgent, DefaultUserAgent},
	} {
		if *field.value == "" {
			*field.value = field.fallback
		}
	}
	t := &target{Config: c}
	for _, check := range []func() error{t.checkURL, t.checkBranch, t.checkIdentity, t.checkCredentials, t.checkSigning} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *target) checkURL() error {
	u, err := giturl.Parse(t.URL)
	if err != nil {
		return &ConfigError{Field: "url", Secret: strings.Contains(t.URL, "@"), Reason: err.Error()}
	}
	switch u.Scheme {
	case "ssh", "git+ssh", "ssh+git", "http", "https":
	default:
		return &ConfigError{Field: "url", Reason: "must begin with https://"}
	}
	if u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return &ConfigError{Field: "url", Reason: "must name a host and a repository"}
	}
	if u.User != nil {
		if _, set := u.User.Password(); set {
			return &ConfigError{Field: "url", Secret: true, Reason: "must not hold a password; use the http or ssh block, or CARVEL_GIT_PASSWORD in the environment"}
		}
	}
	if strings.Contains(u.Scheme, "ssh") {
		u.Scheme = "ssh"
		t.setSSH(u)
		return nil
	}
	if u.User != nil {
		if t.HTTP.Password == "" && t.HTTP.BearerToken == "" && t.HTTP.Source == nil && !giturl.NamesOrganization(u) {
			return &ConfigError{Field: "url", Secret: true, Reason: "holds user information, which may be a token: hosts take one as the user. " +
				"What is there is not used to log in. Remove it with the @, and set git.http.username and git.http.password, or git.http.bearer_token, " +
				"or CARVEL_GIT_PASSWORD or CARVEL_GIT_TOKEN in the environment"}
		}
		if t.HTTP.Username == "" && t.HTTP.Password != "" {
			t.HTTP.Username = u.User.Username()
		}
	}
	if u.Scheme == "http" && !t.HTTP.AllowInsecure {
		return &ConfigError{Field: "url", Reason: "is http://, which sends credentials and content in clear; use https:// or set http.allow_insecure_http"}
	}
	t.endpoint = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/"), RawPath: strings.TrimRight(u.RawPath, "/")}
	return nil
}

func (t *target) checkIdentity() error {
	for field, value := range map[string]string{"author_name": t.AuthorName, "author_email": t.AuthorEmail, "user_agent": t.UserAgent} {
		if strings.ContainsAny(value, "<>\n\r\x00") {
			return &ConfigError{Field: field, Reason: "must not hold <, > or a line break"}
		}
	}
	if strings.ContainsRune(t.MessageAppendix, 0) {
		return &ConfigError{Field: "commit_message_appendix", Reason: "must not hold NUL"}
	}
	return nil
}

// checkBranch looks at the branch, which with a base is the one that commits go to.
func (t *target) checkBranch() error {
	if t.Base == "" {
		if !isBranch(t.Branch) {
			return &ConfigError{Field: "branch", Reason: notABranch(t.Branch)}
		}
		return nil
	}
	switch {
	case !isBranch(t.Base):
		return &ConfigError{Field: "branch", Reason: notABranch(t.Base)}
	case !isBranch(t.Branch):
		return &ConfigError{Field: "push_branch", Reason: notABranch(t.Branch)}
	case t.Branch == t.Base:
		return &ConfigError{Field: "push_branch", Reason: "is the branch that clusters follow; leave it out to push there, or name another one"}
	case t.CreateBranch:
		return &ConfigError{Field: "create_branch", Reason: "does not go with push_branch, which is made from a branch that is there"}
	}
	for i, option := range t.PushOptions {
		if option == "" || strings.ContainsAny(option, "\n\r\x00") {
			return &ConfigError{Field: fmt.Sprintf("push_options[%d]", i), Reason: "must be one line that is not empty"}
		}
	}
	return nil
}

// notABranch says what is wrong with a name.
func notABranch(name string) string {
	if err := credential.Text(name); err != nil {
		return err.Error()
	}
	for _, review := range []string{"refs/for/", "refs/for-review/", "refs/draft/", "refs/drafts/"} {
		if strings.HasPrefix(name, review) {
			return "is no branch: below " + review + " a host takes changes for review (AGit of Gitea and Forgejo, Gerrit), and nothing can be read back from there by name, " +
				"so that no plan could tell what waits to be merged. Set git.push_branch to the name of a branch, such as terraform/prod, and git.forge: " +
				"a carvel_pull_request then opens the request"
		}
	}
	return "is not a branch name (write it without refs/heads/)"
}

// isBranch follows git check-ref-format.
func isBranch(name string) bool {
	bad := strings.HasPrefix(name, "-") || strings.HasPrefix(name, "refs/") || strings.HasSuffix(name, ".") ||
		strings.Contains(name, "..") || strings.Contains(name, "@{") || name == "@" || strings.ContainsAny(name, " ~^:?*[\\\x7f")
	for _, r := range name {
		bad = bad || r < ' '
	}
	for component := range strings.SplitSeq(name, "/") {
		bad = bad || component == "" || strings.HasPrefix(component, ".") || strings.HasSuffix(component, ".lock")
	}
	return !bad
}
