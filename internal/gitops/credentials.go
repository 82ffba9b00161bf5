package gitops

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// setSSH takes the place to log in from a URL. A path that begins with ~ is relative to a home directory.
func (t *target) setSSH(u *url.URL) {
	t.endpoint = &url.URL{Scheme: "ssh", Host: u.Host, Path: "/" + strings.TrimLeft(u.Path, "/")}
	t.ssh = &wire.SSHLogin{User: u.User.Username(), Host: u.Hostname(), Port: u.Port(), Path: strings.TrimRight(u.Path, "/")}
	if strings.HasPrefix(t.ssh.Path, "/~") {
		t.ssh.Path = t.ssh.Path[1:]
	}
	if t.ssh.Port == "" {
		t.ssh.Port = "22"
	}
	if t.SSH.Username != "" {
		t.ssh.User = t.SSH.Username
	}
	if t.ssh.User == "" {
		t.ssh.User = "git"
	}
}

func (t *target) checkCredentials() error {
	if t.ssh != nil {
		return t.checkSSH()
	}
	return t.checkHTTP()
}

func (t *target) checkSSH() error {
	if t.HTTP != (HTTPAuth{}) {
		return &ConfigError{Field: "http", Reason: "does not go with an SSH URL"}
	}
	if t.SSH.PrivateKey == "" {
		return &ConfigError{Field: "ssh.private_key", Reason: "is required with an SSH URL"}
	}
	var err error
	if t.ssh.Signer, err = parseSSHKey(t.SSH.PrivateKey, t.SSH.Password, "ssh.private_key", "ssh.password"); err != nil {
		return err
	}
	parse := func() (wire.HostKeys, error) { return wire.ParseKnownHosts(t.SSH.KnownHosts, t.ssh.Host, t.ssh.Port) }
	if strings.TrimSpace(t.SSH.KnownHosts) == "" {
		parse = func() (wire.HostKeys, error) { return wire.BuiltinHostKeys(t.ssh.Host, t.ssh.Port) }
	}
	if t.ssh.Keys, err = parse(); err != nil {
		return &ConfigError{Field: "ssh.known_hosts", Reason: "cannot be read: " + err.Error()}
	}
	if t.ssh.Keys.None() {
		return &ConfigError{Field: "ssh.known_hosts", Reason: t.noHostKey()}
	}
	return nil
}

// noHostKey tells what the known hosts lack.
func (t *target) noHostKey() string {
	name := wire.KnownHost(t.ssh.Host, t.ssh.Port)
	reason := "holds no key for " + name + "; a host is never trusted without. A line for it begins with " + name
	if near := t.ssh.Keys.Near; len(near) > 0 {
		reason += "; " + strings.Join(near, "; ")
	}
	return reason
}

func (t *target) checkHTTP() error {
	switch {
	case t.SSH != (SSHAuth{}):
		return &ConfigError{Field: "ssh", Reason: "does not go with an " + t.endpoint.Scheme + ":// URL"}
	case t.HTTP.BearerToken != "" && t.HTTP.Password != "":
		return &ConfigError{Field: "http.bearer_token", Reason: "and http.password exclude each other"}
	case t.HTTP.Source != nil && (t.HTTP.Password != "" || t.HTTP.BearerToken != ""):
		return &ConfigError{Field: "http.github_app", Reason: "excludes http.password and http.bearer_token"}
	case t.HTTP.Username != "" && t.HTTP.Password == "" && t.HTTP.BearerToken == "" && t.HTTP.Source == nil:
		return &ConfigError{Field: "http.password", Reason: "is required with http.username"}
	case strings.Contains(t.HTTP.Username, ":"):
		return &ConfigError{Field: "http.username", Reason: "must not hold a colon"}
	}
	if (t.HTTP.Password != "" || t.HTTP.Source != nil) && t.HTTP.Username == "" {
		t.HTTP.Username = "git"
	}
	if err := t.checkTexts(); err != nil {
		return err
	}
	return t.checkCertificates()
}

// checkTexts refuses what no server could take, such as the line break that a file ends with.
func (t *target) checkTexts() error {
	for _, one := range []struct {
		field, value string
		check        func(string) error
	}{
		{"http.username", t.HTTP.Username, credential.Text},
		{"http.password", t.HTTP.Password, credential.Text},
		{"http.bearer_token", t.HTTP.BearerToken, credential.Token},
	} {
		if err := one.check(one.value); err != nil {
			return &ConfigError{Field: one.field, Reason: credential.Decoded(err).Error()}
		}
	}
	return nil
}

func (t *target) checkCertificates() (err error) {
	if pem := t.HTTP.CertificateAuthority; pem != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		reason := "holds no PEM certificate"
		if _, err := credential.Authorities([]byte(pem)); err != nil {
			reason = credential.Decoded(err).Error()
		}
		return &ConfigError{Field: "http.certificate_authority", Reason: reason}
	}
	if t.HTTP.ClientCertificate+t.HTTP.ClientKey != "" && t.endpoint.Scheme == "http" {
		return &ConfigError{Field: "http.client_certificate", Reason: "is for an https:// URL; over http:// no certificate is shown"}
	}
	var wrong *credential.PairError
	t.certificate, err = credential.KeyPair(t.HTTP.ClientCertificate, t.HTTP.ClientKey, time.Now())
	switch {
	case errors.As(err, &wrong) && wrong.Key:
		return &ConfigError{Field: "http.client_key", Reason: wrong.Reason}
	case errors.As(err, &wrong):
		return &ConfigError{Field: "http.client_certificate", Reason: wrong.Reason}
	}
	return err
}

// redact takes the credentials out of a text.
func (t *target) redact(text string) string {
	login := base64.StdEncoding.EncodeToString([]byte(t.HTTP.Username + ":" + t.HTTP.Password))
	for _, secret := range []string{t.HTTP.Password, t.HTTP.BearerToken, t.SSH.Password, t.SSH.PrivateKey, t.HTTP.ClientKey, login} {
		if len(secret) >= shortestSecret {
			text = strings.ReplaceAll(text, secret, "(credential)")
		}
	}
	return text
}

// shortestSecret in bytes that is looked for in texts: a shorter one is part of many words.
const shortestSecret = 4
