// Package slowdigest digests texts that may hold secrets, if the digest is seen by
// people who do not see the text: in a state, in a plan, in the name of a Secret. It
// takes a moment, so that a guess cannot be tried a million times a second, and each
// text is digested once in a process.
package slowdigest

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"golang.org/x/crypto/scrypt"
)

// Size is the length of a digest in bytes.
const Size = sha256.Size

// made are the digests by a fast one of what they are of, which stays in this process.
var made sync.Map

// Sum is the digest of data. salt says what the data is of, so that nobody can try a
// guess at many of them at once.
func Sum(salt, data []byte) [Size]byte {
	inner := sha256.Sum256(salt)
	key := sha256.Sum256(append(inner[:], data...))
	if digest, ok := made.Load(key); ok {
		return digest.([Size]byte)
	}
	sum, err := scrypt.Key(data, salt, 1<<14, 8, 1, Size)
	if err != nil {
		panic("slowdigest: scrypt refused its parameters: " + err.Error())
	}
	digest := [Size]byte(sum)
	made.Store(key, digest)
	return digest
}

// Text is the first digits of Sum in hexadecimal form, no more than twice Size.
func Text(salt string, data []byte, digits int) string {
	sum := Sum([]byte(salt), data)
	return hex.EncodeToString(sum[:])[:digits]
}
