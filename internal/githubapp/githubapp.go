// Package githubapp has the credentials of a GitHub App: tokens for one repository that last an hour, which the app's private key
// gets from GitHub. They are good for Git, as the password of any user, and for the API.
//
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
package githubapp

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
)

// Times of a token.
const (
	// early is how long before its end a token is renewed, so that none ends on its way.
	early = 5 * time.Minute
	// spare is how long a token must be good that is used since no other can be had.
	spare = time.Minute
	// longest is how long GitHub's tokens last. A clock that is slow would make them last longer.
	longest = time.Hour
)

// Config names an app, an installation of it and a repository.
type Config struct {
	// ID of the app, or its client id.
	ID string
	// InstallationID; empty: that for the repository is looked up.
	InstallationID string
	// PrivateKey in PEM, as GitHub gives it out (PKCS #1), or in PKCS #8.
	PrivateKey string
	// PullRequests asks for the right to open and merge them besides that to push.
	PullRequests bool

	// Repository, APIURL, CertificateAuthority, ClientCertificate, ClientKey, AllowInsecure and UserAgent are those of forge.Config.
	Repository, APIURL, CertificateAuthority, ClientCertificate, ClientKey string

	AllowInsecure bool
	UserAgent     string
}

// ConfigError is one wrong field of a Config.
type ConfigError = forge.ConfigError

// Error is a refusal of GitHub to give a token, with what to look at.
type Error struct {
	Check string // a sentence
	Err   error  // of package forge
}

func (e *Error) Error() string {
	return fmt.Sprintf("GitHub gives the app no token. %s Original error: %v", e.Check, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// App mints tokens. It may be used from many goroutines.
type App struct {
	config Config
	key    *rsa.PrivateKey
	api    *forge.Caller
	now    func() time.Time

	turn  chan struct{} // holds one: whoever has it reads and renews what follows
	token string
	until time.Time
}

// Name tells one app and installation from another, without a secret.
func (a *App) Name() string {
	return fmt.Sprintf("GitHub App %s, installation %q, at %q", a.config.ID, a.config.InstallationID, a.config.APIURL)
}

// New checks the configuration. There is no network access. The error is a *ConfigError.
func New(config Config) (*App, error) {
	key, err := parseKey(config.PrivateKey)
	if err != nil {
		return nil, err
	}
	if config.ID == "" {
		return nil, &ConfigError{Field: "http.github_app.id", Reason: "is required"}
	}
	if err := credential.Text(config.ID); err != nil {
		return nil, &ConfigError{Field: "http.github_app.id", Reason: err.Error()}
	}
	if err := credential.Text(config.InstallationID); err != nil {
		return nil, &ConfigError{Field: "http.github_app.installation_id", Reason: err.Error()}
	}
	if _, err := strconv.ParseInt(config.InstallationID, 10, 64); config.InstallationID != "" && err != nil {
		return nil, &ConfigError{Field: "http.github_app.installation_id", Reason: "must be a number: the last part of the URL of the installation's settings"}
	}
	app := &App{config: config, key: key, now: time.Now, turn: make(chan struct{}, 1)}
	app.api, err = forge.NewCaller(forge.Config{
		Kind: forge.GitHub, APIURL: config.APIURL, Repository: config.Repository, CertificateAuthority: config.CertificateAuthority,
		ClientCertificate: config.ClientCertificate, ClientKey: config.ClientKey,
		AllowInsecure: config.AllowInsecure, UserAgent: config.UserAgent,
		Token: func(context.Context) (string, error) { return sign(app.key, app.config.ID, app.now()) },
	})
	if err != nil {
		return nil, err
	}
	return app, nil
}

// Token is one that is good for some minutes at least. Of many callers one asks GitHub.
func (a *App) Token(ctx context.Context) (string, error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if a.now().Before(a.until.Add(-early)) {
		return a.token, nil
	}
	token, until, err := a.mint(ctx)
	if err != nil {
		if errors.As(err, new(*forge.BusyError)) && a.now().Before(a.until.Add(-spare)) {
			return a.token, nil
		}
		return "", a.explain(err)
	}
	a.token, a.until = token, until
	return token, nil
}

// permissions are the least that the work needs; the right to read metadata comes with any.
type permissions struct {
	Contents     string `json:"contents"`
	PullRequests string `json:"pull_requests,omitempty"`
}

// mint asks for a token: https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
func (a *App) mint(ctx context.Context) (string, time.Time, error) {
	installation, err := a.installation(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	body := struct {
		Repositories []string    `json:"repositories"`
		Permissions  permissions `json:"permissions"`
	}{[]string{a.api.Name}, permissions{Contents: "write"}}
	if a.config.PullRequests {
		body.Permissions.PullRequests = "write"
	}
	var answer struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	began := a.now()
	if err := a.api.Post(ctx, "/app/installations/"+installation+"/access_tokens", body, &answer); err != nil {
		return "", time.Time{}, err
	}
	if answer.Token == "" || answer.ExpiresAt.IsZero() {
		return "", time.Time{}, &forge.AnswerError{Kind: forge.GitHub, Text: "there is no token in it"}
	}
	if latest := began.Add(longest); answer.ExpiresAt.After(latest) {
		answer.ExpiresAt = latest
	}
	return answer.Token, answer.ExpiresAt, nil
}

// installation is the configured one, or the one for the repository:
// https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app
func (a *App) installation(ctx context.Context) (string, error) {
	if a.config.InstallationID != "" {
		return a.config.InstallationID, nil
	}
	var answer struct {
		ID int64 `json:"id"`
	}
	err := a.api.Get(ctx, "/repos/"+url.PathEscape(a.api.Owner)+"/"+url.PathEscape(a.api.Name)+"/installation", &answer)
	if err == nil && answer.ID == 0 {
		err = &forge.AnswerError{Kind: forge.GitHub, Text: "there is no id of an installation in it"}
	}
	return strconv.FormatInt(answer.ID, 10), err
}

// explain says what to look at.
func (a *App) explain(err error) error {
	var denied *forge.DeniedError
	var refused *forge.RefusedError
	switch {
	case errors.As(err, &denied) && denied.Status == http.StatusUnauthorized:
		return &Error{Err: err, Check: "It does not take the app's signature: check that the app's id and the private key belong together, " +
			"that the key has not been deleted in the app's settings, and that the clock of this machine is right."}
	case errors.As(err, &denied):
		return &Error{Err: err, Check: "Check that the installation is not suspended, and that the app has been granted what it asks for."}
	case errors.Is(err, forge.ErrNotFound) && a.config.InstallationID == "":
		return &Error{Err: err, Check: fmt.Sprintf("Check that the app is installed for %s/%s.", a.api.Owner, a.api.Name)}
	case errors.Is(err, forge.ErrNotFound):
		return &Error{Err: err, Check: fmt.Sprintf("Check that the installation %s is one of the app %s.", a.config.InstallationID, a.config.ID)}
	case errors.As(err, &refused) && refused.Status == http.StatusUnprocessableEntity:
		return &Error{Err: err, Check: fmt.Sprintf("Check that the installation has been given access to the repository %s, and that the app has the permissions "+
			"to write contents and, for pull requests, those.", a.api.Name)}
	}
	return fmt.Errorf("a token of the GitHub App: %w", err)
}
