package gitops

import (
	"strings"
	"unicode/utf8"
)

// NameError is a name that cannot be that of a file or a directory in the repository.
type NameError struct {
	Name string
	// Reason continues the name in a sentence.
	Reason string
}

func (e *NameError) Error() string { return "the name " + quoted(e.Name) + " " + e.Reason }

// CheckName reports whether a file or a directory of the repository may have a name, wherever the repository is checked out: it is what
// Git's verify_path refuses on any system, with core.protectHFS and core.protectNTFS, and what Windows would take for another name.
// The error is a *NameError.
//
// It is in this package because the engine must hold to it for every path, whoever asks, and imports no other package of the house; the
// provider asks it about git.path_prefix before there is anything to write. Names of packages and of run clusters are those of
// Kubernetes, which have no character that this refuses: a test holds that.
func CheckName(name string) error {
	if reason := refusedName(name); reason != "" {
		return &NameError{Name: name, Reason: reason}
	}
	return nil
}

func refusedName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case name == "." || name == "..":
		return "leads to another directory"
	case strings.ContainsAny(name, "/\\"):
		return "has a slash or a backslash"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "has a control character"
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case isHFSDotGit(name) || isNTFSDotGit(name):
		return "is Git's own, or is taken for it by a file system"
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return "ends in a dot or a space, which Windows drops"
	}
	return ""
}

// isHFSDotGit follows Git's is_hfs_dotgit: HFS+ does not see some characters, and no difference between cases.
func isHFSDotGit(name string) bool {
	seen := strings.Map(func(r rune) rune {
		switch {
		case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
			return -1
		}
		return r
	}, name)
	return strings.EqualFold(seen, ".git")
}

// isNTFSDotGit follows Git's is_ntfs_dotgit: NTFS drops dots and spaces at the end, begins the name of a stream with a colon, and has a
// short name for .git.
func isNTFSDotGit(name string) bool {
	file, _, _ := strings.Cut(name, ":")
	file = strings.TrimRight(file, ". ")
	return strings.EqualFold(file, ".git") || strings.EqualFold(file, "git~1")
}

// CheckPath checks every name of a relative path with slashes. The error is a *PathError.
func CheckPath(path string) error {
	_, err := splitPath(path, false)
	return err
}
