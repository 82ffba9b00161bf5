package gitops

import (
	"errors"
	"fmt"
	"io/fs"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrAuth: the server refuses the credentials, or the right to do this. It is not retried, and it is remembered until Open is called again.
	ErrAuth = errors.New("the Git server refused the credentials")
	// ErrNotExist: no such file or directory on the branch. It is fs.ErrNotExist as well.
	ErrNotExist = fmt.Errorf("not on the branch: %w", fs.ErrNotExist)
	// ErrBranchNotFound: the repository has no such branch.
	ErrBranchNotFound = errors.New("the repository does not have the branch")
	// ErrEmptyRepository: the repository has no commit yet.
	ErrEmptyRepository = errors.New("the repository is empty")
	// ErrRepositoryNotFound: the server knows no such repository, or hides it from these credentials.
	ErrRepositoryNotFound = errors.New("repository not found")
	// ErrCommitNotFound: the server does not give a commit that was asked for by its id.
	ErrCommitNotFound = errors.New("commit not found")
	// ErrOutcomeUnknown: the change was sent, and neither the server's answer nor the branch told in time what became of it. It may be
	// there, or get there yet.
	ErrOutcomeUnknown = errors.New("the change was sent; whether the server took it is not known")
	// ErrBranchMoved: other writers kept moving the branch until the time was up.
	ErrBranchMoved = errors.New("the branch kept moving while the change was being pushed")
)

// ConfigError is one wrong field of a Config.
type ConfigError struct {
	// Field in the provider's terms, for example http.password.
	Field string
	// Reason continues the field's name in a sentence. It holds no secret.
	Reason string
}

func (e *ConfigError) Error() string { return e.Field + " " + e.Reason }

// PathError is a path that cannot be used.
type PathError struct {
	Path string
	// Reason continues the path in a sentence.
	Reason string
}

func (e *PathError) Error() string { return fmt.Sprintf("path %q %s", e.Path, e.Reason) }

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

// UnknownHostKeyError is an SSH server whose host key is not in the known hosts, or is another one than there.
type UnknownHostKeyError struct {
	Host string
	// Fingerprint of the key that the server showed, in the form SHA256:... Empty: it has none of a kind that is known.
	Fingerprint string
	// Mismatch: the known hosts hold another key for the host.
	Mismatch bool
}

func (e *UnknownHostKeyError) Error() string {
	if e.Fingerprint == "" {
		return fmt.Sprintf("%s has no host key of a kind that known_hosts holds for it", e.Host)
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

func refusal(what, reason, text string) string {
	if reason != "" {
		what += ": " + reason
	}
	if text != "" {
		what += "\n" + text
	}
	return what
}
