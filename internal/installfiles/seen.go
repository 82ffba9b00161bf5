package installfiles

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/slowdigest"
)

// ErrSeen is the error about a text that Seen.Text has not written.
var ErrSeen = errors.New("what was seen of the files is damaged")

// Seen is a memory of files: what an update or a delete may overwrite. It has files of
// two directories while one package install is being replaced by another.
type Seen struct {
	files map[string]sight // by path
}

// sight is what is remembered of a file, as text: its blob; and a second one behind it,
// if the file says in another form what a file with that one says. A blob is a fast
// digest of the file, with which secrets could be guessed. So a salt and a slow digest of
// it are in its place: in that of each blob of a file with values that are kept out of
// the state, and in that of the second blob of a file that is encrypted.
type sight string

const (
	sayingAs = "="
	saltedBy = "$"
)

// ParseSeen reads what Seen.Text or Seen.Short has written; nothing has seen nothing.
func ParseSeen(text []byte) (Seen, error) {
	s := Seen{files: map[string]sight{}}
	if len(text) == 0 {
		return s, nil
	}
	var written map[string]json.RawMessage
	if err := json.Unmarshal(text, &written); err != nil {
		return s, fmt.Errorf("%w: %w", ErrSeen, err)
	}
	for at, raw := range written {
		var of map[string]string
		if err := json.Unmarshal(raw, &of); err == nil {
			for letter, short := range of {
				name, err := nameOf(letter)
				if err != nil {
					return s, err
				}
				s.files[path.Join(at, name)] = lengthen(short)
			}
			continue
		}
		var one sight
		if err := json.Unmarshal(raw, &one); err != nil {
			return s, fmt.Errorf("%w: %s: %w", ErrSeen, at, err)
		}
		s.files[at] = one
	}
	return s, nil
}

// Text is what was seen as JSON: each file by its path.
func (s Seen) Text() ([]byte, error) { return json.Marshal(s.files) }

// Short is Text in half the size, for a memory of many package installs: each
// directory by its path, each file by a letter, and the blobs in base64.
func (s Seen) Short() ([]byte, error) {
	short := map[string]map[string]string{}
	for at, seen := range s.files {
		dir, name := path.Split(at)
		dir = path.Clean(dir)
		if short[dir] == nil {
			short[dir] = map[string]string{}
		}
		letter, ok := letters[name]
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrSeen, at)
		}
		short[dir][letter] = shorten(seen)
	}
	return json.Marshal(short)
}

// letters stand for the names of files in Seen.Short.
var letters = map[string]string{
	repolayout.MarkFile: "m", repolayout.PackageInstallFile: "i", repolayout.ParamsFile: "p", repolayout.EncryptedParamsFile: "e", repolayout.OverlaysFile: "o",
}

func nameOf(letter string) (string, error) {
	for name, l := range letters {
		if l == letter {
			return name, nil
		}
	}
	return "", fmt.Errorf("%w: it has a file %q", ErrSeen, letter)
}

// shortBlob begins a blob in base64, so that it is not taken for one in hexadecimal digits.
const shortBlob = "#"

// shorten has the blobs of a sight in base64.
func shorten(s sight) string {
	parts := strings.Split(string(s), sayingAs)
	for i, part := range parts {
		if blob, err := ParseBlob(part); err == nil {
			parts[i] = shortBlob + base64.RawStdEncoding.EncodeToString(blob[:])
		}
	}
	return strings.Join(parts, sayingAs)
}

// lengthen is the reverse of shorten.
func lengthen(short string) sight {
	parts := strings.Split(short, sayingAs)
	for i, part := range parts {
		encoded, isShort := strings.CutPrefix(part, shortBlob)
		if id, err := base64.RawStdEncoding.DecodeString(encoded); isShort && err == nil && len(id) == len(Blob{}) {
			parts[i] = Blob(id).String()
		}
	}
	return sight(strings.Join(parts, sayingAs))
}

// Names are the files of a directory that were seen, the one with the mark among them.
func (s Seen) Names(dir string) []string {
	return slices.DeleteFunc(slices.Clone(AllNames), func(name string) bool {
		_, ok := s.files[path.Join(dir, name)]
		return !ok
	})
}

// Is reports whether a file was seen with this blob.
func (s Seen) Is(dir, name string, blob Blob) bool { return s.sightAt(dir, name).isOf(blob) }

// Means reports whether a file was seen that says in another form what one with this blob
// says.
func (s Seen) Means(dir, name string, blob Blob) bool { return s.sightAt(dir, name).means(blob) }

// Others reports whether one of the files is another than was seen. A file with values
// that are kept out of the state is not looked at, nor is the one with the mark.
func (s Seen) Others(dir string, now Blobs) bool {
	for name, blob := range now {
		if seen := s.sightAt(dir, name); name != repolayout.MarkFile && !seen.isSlow() && !seen.isOf(blob) {
			return true
		}
	}
	return false
}

// Same reports whether the files are those that were seen, and no others.
func (s Seen) Same(dir string, now Blobs) bool {
	if len(s.Names(dir)) != len(now) {
		return false
	}
	for name, blob := range now {
		if !s.Is(dir, name, blob) {
			return false
		}
	}
	return true
}

// IsSecret reports whether values are among the files that are kept out of the state.
func (s Seen) IsSecret(dir string) bool { return s.sightAt(dir, repolayout.ParamsFile).isSlow() }

// Only is what was seen of a directory.
func (s Seen) Only(dir string) Seen {
	own := Seen{files: map[string]sight{}}
	for _, name := range s.Names(dir) {
		own.files[path.Join(dir, name)] = s.sightAt(dir, name)
	}
	return own
}

// With is what either has seen; of a file that both have, what other has.
func (s Seen) With(other Seen) Seen {
	files := maps.Clone(s.files)
	if files == nil {
		files = map[string]sight{}
	}
	maps.Copy(files, other.files)
	return Seen{files: files}
}

// See replaces what was seen of a directory. says are blobs that the files would have as
// the provider writes them, or what stands for them in Files.Says, if that is known.
// secret says that values are kept out of the state.
func (s Seen) See(dir string, now, says Blobs, secret bool) Seen {
	for _, name := range AllNames {
		before := s.sightAt(dir, name)
		delete(s.files, path.Join(dir, name))
		blob, ok := now[name]
		switch {
		case !ok:
		case name == repolayout.EncryptedParamsFile:
			s.files[path.Join(dir, name)] = seeEncrypted(blob, says[name], before)
		default:
			s.files[path.Join(dir, name)] = newSight(blob, says[name], before, secret && name == repolayout.ParamsFile)
		}
	}
	return s
}

// SeeSecret notes of the file with the values, which is as it was seen, whether values
// are kept out of the state.
func (s Seen) SeeSecret(dir string, blob Blob, secret bool) Seen {
	s.files[path.Join(dir, repolayout.ParamsFile)] = newSight(blob, Blob{}, s.sightAt(dir, repolayout.ParamsFile), secret)
	return s
}

// Kept are the files that stay as they were seen, of those that are wanted. One with
// values that are kept out of the state is compared by its bytes alone. all tells
// whether nothing else was seen and nothing else is wanted.
func (s Seen) Kept(dir string, wanted Blobs, secret bool) (names []string, all bool) {
	seen := slices.DeleteFunc(s.Names(dir), func(name string) bool { return name == repolayout.MarkFile })
	for name, blob := range wanted {
		sealed := secret && name == repolayout.ParamsFile
		if s.Is(dir, name, blob) || !sealed && s.Means(dir, name, blob) {
			names = append(names, name)
		}
	}
	return names, len(names) == len(wanted) && len(seen) == len(wanted)
}

// Written is See for files that were just written, if what an encrypted one says can be
// told from the state as long as it is as it was written.
func (s Seen) Written(dir string, now, says Blobs) Seen {
	s = s.See(dir, now, says, false)
	if blob, ok := now[repolayout.EncryptedParamsFile]; ok {
		s.files[path.Join(dir, repolayout.EncryptedParamsFile)] = sight(blob.String() + sayingAs)
	}
	return s
}

// KeptAs is Kept if the state tells what the files said that Written remembers.
func (s Seen) KeptAs(dir string, wanted, said Blobs) (names []string, all bool) {
	names, _ = s.Kept(dir, wanted, false)
	const name = repolayout.EncryptedParamsFile
	asWritten := strings.HasSuffix(string(s.sightAt(dir, name)), sayingAs)
	if blob, ok := wanted[name]; ok && asWritten && said[name] == blob && !slices.Contains(names, name) {
		names = append(names, name)
	}
	seen := slices.DeleteFunc(s.Names(dir), func(name string) bool { return name == repolayout.MarkFile })
	return names, len(names) == len(wanted) && len(seen) == len(wanted)
}

// Before is what a commit may take the place of. current are the blobs of the files as
// they are now, since of a secret one only these tell whether it is the one that was
// seen; wrong is the name of one that is not, else "".
func (s Seen) Before(dir string, current Blobs) (before Before, wrong string, err error) {
	before = Before{Blobs: Blobs{}, Says: func(name string, blob Blob) bool { return s.Means(dir, name, blob) }}
	for _, name := range s.Names(dir) {
		seen := s.sightAt(dir, name)
		if seen.isSlow() {
			blob, there := current[name]
			switch {
			case !there:
				blob = BlobOf(nil) // any: the file must be there
			case !seen.isOf(blob):
				return before, name, nil
			}
			before.Blobs[name] = blob
			continue
		}
		first, _, _ := strings.Cut(string(seen), sayingAs)
		if before.Blobs[name], err = ParseBlob(first); err != nil {
			return before, "", fmt.Errorf("%w: %s: %w", ErrSeen, path.Join(dir, name), err)
		}
	}
	return before, "", nil
}

func (s Seen) sightAt(dir, name string) sight { return s.files[path.Join(dir, name)] }

// newSight remembers a file. says, which may be zero, is the blob that it would have as the
// provider writes it; a secret file keeps the salt of what was seen before, so that the
// same file is remembered by the same text.
func newSight(blob, says Blob, before sight, secret bool) sight {
	if !secret {
		if says.IsZero() || says == blob {
			return sight(blob.String())
		}
		return sight(blob.String() + sayingAs + says.String())
	}
	salt, _, ok := before.slow()
	if !ok {
		salt = newSalt()
	}
	s := slowly(salt, blob)
	if !says.IsZero() && says != blob {
		s += sayingAs + slowly(salt, says)
	}
	return s
}

// seeEncrypted remembers an encrypted file. says stands for its content; it is
// zero if the file was only read, and stays known while nobody changes it.
func seeEncrypted(blob, says Blob, before sight) sight {
	switch {
	case !says.IsZero():
		return sight(blob.String()+sayingAs) + slowly(newSalt(), says)
	case before.isOf(blob):
		return before
	default:
		return sight(blob.String())
	}
}

func newSalt() []byte {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return salt
}

func slowly(salt []byte, blob Blob) sight {
	digest := slowdigest.Sum(salt, blob[:])
	text := base64.RawStdEncoding.EncodeToString
	return sight(text(salt) + saltedBy + text(digest[:]))
}

// slow are the salt and the slow digest of the file; ok is false where it is remembered
// by its blob.
func (s sight) slow() (salt []byte, digest [slowdigest.Size]byte, ok bool) {
	first, _, _ := strings.Cut(string(s), sayingAs)
	first, second, ok := strings.Cut(first, saltedBy)
	if !ok {
		return nil, digest, false
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(first)
	sum, errSum := base64.RawStdEncoding.DecodeString(second)
	if errSalt != nil || errSum != nil || len(sum) != len(digest) {
		return nil, digest, false
	}
	return salt, [slowdigest.Size]byte(sum), true
}

func (s sight) isSlow() bool { _, _, ok := s.slow(); return ok }

// isOf reports whether the file has this blob.
func (s sight) isOf(blob Blob) bool {
	if salt, digest, ok := s.slow(); ok {
		return slowdigest.Sum(salt, blob[:]) == digest
	}
	first, _, _ := strings.Cut(string(s), sayingAs)
	return first == blob.String()
}

// means reports whether the file says in another form what one with this blob says.
func (s sight) means(blob Blob) bool {
	_, says, ok := strings.Cut(string(s), sayingAs)
	return ok && sight(says).isOf(blob)
}
