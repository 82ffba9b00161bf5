package installfiles

import (
	"crypto/sha1" //nolint:gosec // it is the id that Git gives to a file
	"encoding/hex"
	"errors"
	"fmt"
)

// Blob is the id that Git gives to the bytes of a file, see
// https://git-scm.com/book/en/v2/Git-Internals-Git-Objects. The zero Blob is that of a
// file that is not there.
type Blob [sha1.Size]byte

// BlobOf is the id of a file with these bytes.
func BlobOf(data []byte) Blob {
	digest := sha1.New() //nolint:gosec // as above
	fmt.Fprintf(digest, "blob %d\x00", len(data))
	digest.Write(data)
	return Blob(digest.Sum(nil))
}

// ParseBlob reads 40 hexadecimal digits.
func ParseBlob(text string) (Blob, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(Blob{}) {
		return Blob{}, errors.New("not a blob of 40 hexadecimal digits")
	}
	return Blob(b), nil
}

func (b Blob) String() string { return hex.EncodeToString(b[:]) }

// IsZero reports whether it is no file's.
func (b Blob) IsZero() bool { return b == Blob{} }

// Blobs are those of a package install's files, by the file's name. A file that is not
// there has none.
type Blobs map[string]Blob
