package gitops

import (
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
)

// Hash is an object id (SHA-1). The zero Hash stands for "no object".
type Hash = odb.Hash

// ParseHash reads 40 hexadecimal digits.
func ParseHash(s string) (Hash, error) { return odb.ParseHash(s) }

// BlobHash is the id that a file with this content has.
func BlobHash(data []byte) Hash { return odb.BlobHash(data) }

// Entry is one name in a directory.
type Entry = odb.Entry

// File is a file on the branch. Data is shared with the engine and must not be changed.
type File struct {
	Data []byte
	Blob Hash
}

// Change is a set of edits that get into one commit together, or not at all.
type Change struct {
	// Summary in one line.
	Summary string
	Edits   []Edit
	// Expected, if not nil, is the announcement of this change.
	Expected *Expectation
	// CatchUp has a merge of the base pushed even if nothing else is: where a host wants a branch to have all of its base.
	CatchUp bool
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
