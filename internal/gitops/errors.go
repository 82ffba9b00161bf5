package gitops

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrAuth: the server refuses the credentials, or the right to do this. It is not retried, and it is remembered until Open is called again.
	ErrAuth = wire.ErrAuth
	// ErrBranchNotFound: the repository has no such branch.
	ErrBranchNotFound = wire.ErrBranchNotFound
	// ErrEmptyRepository: the repository has no commit yet.
	ErrEmptyRepository = wire.ErrEmptyRepository
	// ErrRepositoryNotFound: the server knows no such repository, or hides it from these credentials. It is remembered as ErrAuth is.
	ErrRepositoryNotFound = wire.ErrRepositoryNotFound
	// ErrNotExist: no such file or directory on the branch. It is fs.ErrNotExist as well.
	ErrNotExist = fmt.Errorf("not on the branch: %w", fs.ErrNotExist)
	// ErrCommitNotFound: the server does not give a commit that was asked for by its id.
	ErrCommitNotFound = errors.New("commit not found")
	// ErrOutcomeUnknown: the change was sent, and neither the server's answer nor the branch told in time what became of it. It may be
	// there, or get there yet.
	ErrOutcomeUnknown = errors.New("the change was sent; whether the server took it is not known")
	// ErrBranchMoved: other writers kept moving the branch until the time was up.
	ErrBranchMoved = errors.New("the branch kept moving while the change was being pushed")
)

// Errors that callers take apart with errors.As.
type (
	// PathError is a path that cannot be used.
	PathError = odb.PathError
	// LimitError: the server or the repository wants more than this client takes.
	LimitError = odb.LimitError
	// ThrottledError: the host wants fewer requests.
	ThrottledError = wire.ThrottledError
	// BranchNotFoundError: the repository has no such branch, and another default branch. It is ErrBranchNotFound as well.
	BranchNotFoundError = wire.BranchNotFoundError
	// DeniedError is a server's refusal to serve the repository, in its own words. It is ErrAuth as well.
	DeniedError = wire.DeniedError
	// UnsentError is a server that refuses a request which went there without credentials. It is ErrAuth as well.
	UnsentError = wire.UnsentError
	// RedirectError: the server sends the client to another host, which is to get neither credentials nor a push.
	RedirectError = wire.RedirectError
	// WebPageError is a server that answers with a page for people in place of Git.
	WebPageError = wire.WebPageError
	// ClientCertificateError is a server that asks for a client certificate, or does not take the one that it got.
	ClientCertificateError = wire.ClientCertificateError
	// UnknownHostKeyError is an SSH server whose host key is not in the known hosts, or is another one than there.
	UnknownHostKeyError = wire.UnknownHostKeyError
	// ObjectFormatError: the repository's ids are not those that this client knows, which are SHA-1.
	ObjectFormatError = wire.ObjectFormatError
)

// ConfigError is one wrong field of a Config.
type ConfigError struct {
	// Field in the provider's terms, for example http.password.
	Field string
	// Reason continues the field's name in a sentence. It holds no secret.
	Reason string
	// Secret: the field's value may hold a secret where none belongs, so that it must not be shown.
	Secret bool
}

func (e *ConfigError) Error() string { return e.Field + " " + e.Reason }

// PreconditionError is a file that is not what the edit expected.
type PreconditionError struct {
	Path string
	// Want is the edit's IfBlob, Have the blob at the tip. The zero Hash stands for a file that does not exist.
	Want, Have Hash
	// By is who changed it. Nil: not known; Apply does not look for it, LastChange does.
	By *LastChange
}

func (e *PreconditionError) Error() string {
	switch {
	case e.Want.IsZero():
		return fmt.Sprintf("%s already exists on the branch", e.Path)
	case e.Have.IsZero():
		return fmt.Sprintf("%s was removed from the branch", e.Path)
	}
	return fmt.Sprintf("%s was changed on the branch", e.Path) // a blob's id helps to guess what a secret file holds
}

// HookDeclinedError is a push that the server's rules turned down: a hook, a protected branch.
type HookDeclinedError struct {
	// Reason is the server's status for the branch, for example "pre-receive hook declined".
	Reason string
	// Text is what the server had to say, without control characters, at most 16 KiB. It may be empty.
	Text string
}

// WantsSignature reports whether the server's words are about signatures of commits.
func (e *HookDeclinedError) WantsSignature() bool {
	return aboutSignatures.MatchString(signedOff.ReplaceAllString(e.Reason+"\n"+e.Text, ""))
}

// A sign-off is a line of the message, and no signature.
var (
	signedOff       = regexp.MustCompile(`(?i)signed-off(-by)?`)
	aboutSignatures = regexp.MustCompile(`(?i)\b((un|not )?signed|signatures?|(un|not )?verified|gpg|openpgp)\b`)
)

func (e *HookDeclinedError) Error() string {
	return refusal("the server declined the push", e.Reason, e.Text)
}

// RejectedError is a push that the server could not take, again and again, while the branch stood still.
type RejectedError struct {
	// Reason is the server's status for the branch or for the pack.
	Reason string
	// Text is what the server had to say, without control characters, at most 16 KiB. It may be empty.
	Text string
}

func (e *RejectedError) Error() string {
	return refusal("the server failed to take the push", e.Reason, e.Text)
}

func refusal(what, reason, text string) string {
	if reason != "" {
		what += ": " + reason
	}
	if text != "" {
		what += "\n" + text
	}
	return what
}
