package odb

import (
	"errors"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Hash is an object id (SHA-1). The zero Hash stands for "no object".
type Hash = plumbing.Hash

// ParseHash reads 40 hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	if !plumbing.IsHash(s) || len(s) != 40 {
		return Hash{}, errors.New("not an object id of 40 hexadecimal digits")
	}
	return plumbing.NewHash(s), nil
}

// BlobHash is the id that a file with this content has.
func BlobHash(data []byte) Hash { return plumbing.ComputeHash(plumbing.BlobObject, data) }

// Entry is one name in a directory.
type Entry struct {
	Name string
	// Mode as Git writes it: 100644, 100755, 40000 for a directory, 120000 for a symbolic link, 160000 for a submodule.
	Mode string
	// Hash of the blob, the tree, or the submodule's commit.
	Hash Hash
}

// Dir reports whether the entry is a directory.
func (e Entry) Dir() bool { return e.Mode == "40000" || e.Mode == "040000" }

// File reports whether the entry is a file, and not a symbolic link or a submodule.
func (e Entry) File() bool { return strings.HasPrefix(e.Mode, "100") }
