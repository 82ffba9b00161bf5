package wire

import (
	"errors"
	"fmt"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrAuth: the server refuses the credentials, or the right to do this. It is not retried, and it is remembered until Open is called again.
	ErrAuth = errors.New("the Git server refused the credentials")
	// ErrBranchNotFound: the repository has no such branch.
	ErrBranchNotFound = errors.New("the repository does not have the branch")
	// ErrEmptyRepository: the repository has no commit yet.
	ErrEmptyRepository = errors.New("the repository is empty")
	// ErrRepositoryNotFound: the server knows no such repository, or hides it from these credentials.
	ErrRepositoryNotFound = errors.New("repository not found")
)

// BranchNotFoundError: the repository has no such branch, and another default branch. It is ErrBranchNotFound as well.
type BranchNotFoundError struct {
	// Branch that is not there.
	Branch string
	// Default branch of the repository, without control characters; empty: the server does not tell.
	Default string
}

func (e *BranchNotFoundError) Error() string {
	text := fmt.Sprintf("%v: %s", ErrBranchNotFound, e.Branch)
	if e.Default != "" {
		text += "; the default branch is " + e.Default
	}
	return text
}

// Is makes it ErrBranchNotFound.
func (e *BranchNotFoundError) Is(target error) bool { return target == ErrBranchNotFound }

// DeniedError is a server's refusal to serve a repository, in its own words. It is ErrAuth as well.
type DeniedError struct {
	// Text is what the server said, without control characters, at most 16 KiB.
	Text string
}

func (e *DeniedError) Error() string { return "the Git server refuses: " + e.Text }

// Is makes it ErrAuth: another attempt meets the same.
func (e *DeniedError) Is(target error) bool { return target == ErrAuth }

// CredentialsError: there are no credentials to log in with, since their source has none. It is ErrAuth as well.
type CredentialsError struct{ Err error }

func (e *CredentialsError) Error() string { return e.Err.Error() }
func (e *CredentialsError) Unwrap() error { return e.Err }

// Is makes it ErrAuth: another attempt meets the same.
func (e *CredentialsError) Is(target error) bool { return target == ErrAuth }

// UnsentError is a server that refuses a request which went there without credentials. It is ErrAuth as well.
type UnsentError struct {
	Status int
	// From is the host that is configured and To the one that refuses, with the scheme. They differ after a redirect.
	From, To string
	// URL is the repository's place there, for git.url.
	URL string
	// Configured: there are credentials, for From alone.
	Configured bool
	// Text is what the server said, in one line. It may be empty.
	Text string
}

// Redirected reports whether the refusal is that of another host than the one that is configured.
func (e *UnsentError) Redirected() bool { return e.From != e.To }

func (e *UnsentError) Error() string {
	text := e.To + " asks for credentials"
	if e.Redirected() {
		text = fmt.Sprintf("%s redirects to %s, which asks for credentials", e.From, e.To)
	}
	if text += fmt.Sprintf(" (HTTP %d), and ", e.Status); e.Configured {
		text += "those that are configured were not sent there"
	} else {
		text += "none are configured"
	}
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

// Is makes it ErrAuth: another attempt meets the same.
func (e *UnsentError) Is(target error) bool { return target == ErrAuth }

// WebPageError is a server that answers with a page for people in place of Git.
type WebPageError struct {
	// From is the host that is configured, and Page the page, without what may be secret in its URL.
	From, Page string
	// Redirected: the server has led there.
	Redirected bool
	// Configured: there are credentials.
	Configured bool
}

func (e *WebPageError) Error() string {
	text := e.From + " answered with a web page, not with Git"
	if e.Redirected {
		text = fmt.Sprintf("%s redirects to %s, which is a web page and not Git", e.From, e.Page)
	}
	if text += "; check the URL, and whether "; e.Configured {
		return text + "the credentials are those of the repository: a server that takes none may show a page to log in"
	}
	return text + "the repository asks for credentials: none are configured"
}

// ClientCertificateError is a server that asks for a client certificate, or does not take the one that it got.
type ClientCertificateError struct {
	Host       string
	Configured bool // there is one
	Err        error
}

func (e *ClientCertificateError) Error() string {
	if e.Configured {
		return fmt.Sprintf("%s does not take the client certificate: %v", e.Host, e.Err)
	}
	return fmt.Sprintf("%s asks for a client certificate, and none is configured: %v", e.Host, e.Err)
}

func (e *ClientCertificateError) Unwrap() error { return e.Err }

// UnknownHostKeyError is an SSH server whose host key is not in the known hosts, or is another one than there.
type UnknownHostKeyError struct {
	Host string
	// Fingerprint of the key that the server showed, in the form SHA256:... Empty: it has none of a kind that is known.
	Fingerprint string
	// Mismatch: the known hosts hold another key for the host.
	Mismatch bool
	// Reason, if there is one besides, continues a sentence about the key, and names the line of the known hosts.
	Reason string
}

func (e *UnknownHostKeyError) Error() string {
	if e.Fingerprint == "" {
		return fmt.Sprintf("%s has no host key of a kind that known_hosts holds for it", e.Host)
	}
	if e.Reason != "" {
		return fmt.Sprintf("the host key of %s is %s, %s", e.Host, e.Fingerprint, e.Reason)
	}
	if e.Mismatch {
		return fmt.Sprintf("the host key of %s is %s, which is not the one in known_hosts", e.Host, e.Fingerprint)
	}
	return fmt.Sprintf("the host key of %s (%s) is not in known_hosts", e.Host, e.Fingerprint)
}

// ObjectFormatError: the repository's ids are not those that this client knows, which are SHA-1.
type ObjectFormatError struct {
	// Format in Git's terms, for example sha256.
	Format string
}

func (e *ObjectFormatError) Error() string {
	return fmt.Sprintf("the repository's object format is %s; only repositories of the format sha1 can be used", e.Format)
}
