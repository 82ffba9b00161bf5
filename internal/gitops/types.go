package gitops

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

// File is a file on the branch. Data is shared with the engine and must not be changed.
type File struct {
	Data []byte
	Blob Hash
}

// Entry is one name in a directory.
type Entry struct {
	Name string
	// Mode as Git writes it: 100644, 100755, 40000 for a directory, 120000 for a symbolic link, 160000 for a submodule.
	Mode string
	// Hash of the blob, the tree, or the submodule's commit.
	Hash Hash
}

// Dir tells whether the entry is a directory.
func (e Entry) Dir() bool { return e.Mode == "40000" || e.Mode == "040000" }

// File tells whether the entry is a file, and not a symbolic link or a submodule.
func (e Entry) File() bool { return strings.HasPrefix(e.Mode, "100") }

// Change is a set of edits that get into one commit together, or not at all.
type Change struct {
	// Summary in one line.
	Summary string
	Edits   []Edit
}

// Edit writes or deletes one file.
type Edit struct {
	Path string
	Data []byte
	// Delete removes the file, and the directories that become empty. A file that is not there stays so.
	Delete bool
	// IfBlob is the precondition. Nil: none. The zero Hash: the file must not exist. Else: the blob that must be there.
	IfBlob *Hash
}

// Commit is the outcome of a Change.
type Commit struct {
	// Hash of the commit that holds the change; of the tip when Changed is false.
	Hash Hash
	// Changed is false when the branch already had it all and this Change made no commit.
	Changed bool
}
