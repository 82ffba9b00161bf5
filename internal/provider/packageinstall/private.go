package packageinstall

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Keys of the resource's private state.
const (
	// seenKey holds the files as they were last seen: what an update or a delete
	// may overwrite.
	seenKey = "seen"
	// secretKey is there where a part of the values is kept out of the state, or may
	// have to be: what is imported has no configuration yet that tells which of the
	// values in Git are write-only, so that the state takes none of them.
	secretKey = "values_wo"
)

// errPrivateState: what the provider itself has put there cannot be read.
var errPrivateState = errors.New("the resource's private state is damaged")

type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// seen maps paths to marks. It has paths of two package installs while one is
// being replaced by the other.
type seen map[string]mark

// mark is a blob in hexadecimal digits; and a second one behind it, where the
// file says in another form what that one says. A blob is a fast digest of the
// file, with which secrets could be guessed. So a salt and a slow digest of it
// are in its place: in that of each blob of a file with values that are kept out
// of the state, and in that of the second blob of a file that is encrypted.
type mark string

const (
	canonicalIs = "="
	saltedBy    = "$"
)

// newMark marks a file. canonical, which may be zero, is the blob that it would
// have as the provider writes it; a secret file keeps the salt of the mark
// before it, so that the same file keeps its mark.
func newMark(blob, canonical gitops.Hash, before mark, secret bool) mark {
	if !secret {
		if canonical.IsZero() || canonical == blob {
			return mark(blob.String())
		}
		return mark(blob.String() + canonicalIs + canonical.String())
	}
	salt, _, ok := before.slow()
	if !ok {
		salt = newSalt()
	}
	m := slowMark(salt, blob)
	if !canonical.IsZero() && canonical != blob {
		m += canonicalIs + slowMark(salt, canonical)
	}
	return m
}

// newEncryptedMark marks an encrypted file. says stands for its content; it is
// zero where the file was only read, and stays known while nobody changes it.
func newEncryptedMark(blob, says gitops.Hash, before mark) mark {
	switch {
	case !says.IsZero():
		return mark(blob.String()+canonicalIs) + slowMark(newSalt(), says)
	case before.isOf(blob):
		return before
	default:
		return mark(blob.String())
	}
}

func newSalt() []byte {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return salt
}

func slowMark(salt []byte, blob gitops.Hash) mark {
	text := base64.RawStdEncoding.EncodeToString
	return mark(text(salt) + saltedBy + text(carvel.SlowDigest(salt, blob[:])))
}

func (m mark) slow() (salt, digest []byte, ok bool) {
	first, _, _ := strings.Cut(string(m), canonicalIs)
	first, second, ok := strings.Cut(first, saltedBy)
	if !ok {
		return nil, nil, false
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(first)
	digest, errDigest := base64.RawStdEncoding.DecodeString(second)
	return salt, digest, errSalt == nil && errDigest == nil
}

// isOf tells whether the mark is that of a file with this blob.
func (m mark) isOf(blob gitops.Hash) bool {
	if salt, digest, ok := m.slow(); ok {
		return bytes.Equal(carvel.SlowDigest(salt, blob[:]), digest)
	}
	first, _, _ := strings.Cut(string(m), canonicalIs)
	return first == blob.String()
}

// means tells whether a file with this mark says in another form what one with
// this blob says.
func (m mark) means(blob gitops.Hash) bool {
	_, canonical, ok := strings.Cut(string(m), canonicalIs)
	return ok && mark(canonical).isOf(blob)
}

func readSeen(ctx context.Context, private privateReader) (seen, diag.Diagnostics) {
	s := seen{}
	data, diags := private.GetKey(ctx, seenKey)
	if diags.HasError() || data == nil {
		return s, diags
	}
	if err := json.Unmarshal(data, &s); err != nil {
		diags.AddError("Unable to read the resource's private state", err.Error())
	}
	return s, diags
}

func (s seen) write(ctx context.Context, private privateWriter) diag.Diagnostics {
	data, err := json.Marshal(s)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write the resource's private state", err.Error())}
	}
	return private.SetKey(ctx, seenKey, data)
}

// names are the files of a package install that were seen, the one with the mark
// among them.
func (s seen) names(l repolayout.Layout, at repolayout.Install) []string {
	return slices.DeleteFunc(slices.Clone(repolayout.AllNames), func(name string) bool {
		_, ok := s[l.Path(at, name)]
		return !ok
	})
}

// others tells whether a file is another one than was seen. A file with a slow
// mark is not looked at.
func (s seen) others(l repolayout.Layout, at repolayout.Install, now delivery.Blobs) bool {
	for name, blob := range now {
		m, known := s[l.Path(at, name)]
		if _, _, slow := m.slow(); !slow && name != repolayout.MarkFile && (!known || !m.isOf(blob)) {
			return true
		}
	}
	return false
}

// only leaves out what was seen of others.
func (s seen) only(l repolayout.Layout, at repolayout.Install) seen {
	own := seen{}
	for _, name := range s.names(l, at) {
		path := l.Path(at, name)
		own[path] = s[path]
	}
	return own
}

// set replaces what was seen of a package install. secret says that its values
// are kept out of the state.
func (s seen) set(l repolayout.Layout, at repolayout.Install, r delivery.PackageInstallReceipt, secret bool) seen {
	for _, name := range repolayout.AllNames {
		path := l.Path(at, name)
		before := s[path]
		delete(s, path)
		blob, ok := r.Blobs[name]
		switch {
		case !ok:
		case name == repolayout.EncryptedParamsFile:
			s[path] = newEncryptedMark(blob, r.Canonical[name], before)
		default:
			s[path] = newMark(blob, r.Canonical[name], before, secret && name == repolayout.ParamsFile)
		}
	}
	return s
}

// of is what was seen of a package install. current are the blobs of its files
// now, since a slow mark only tells whether one is right; wrong is the path of
// one that is not, else "".
func (s seen) of(l repolayout.Layout, at repolayout.Install, current delivery.Blobs) (files delivery.Seen, wrong string, err error) {
	files = delivery.Seen{Blobs: delivery.Blobs{}, Says: func(name string, blob gitops.Hash) bool { return s[l.Path(at, name)].means(blob) }}
	for _, name := range s.names(l, at) {
		path := l.Path(at, name)
		m := s[path]
		if _, _, slow := m.slow(); slow {
			blob, there := current[name]
			switch {
			case !there:
				blob = gitops.BlobHash(nil) // any: the file must be there
			case !m.isOf(blob):
				return files, path, nil
			}
			files.Blobs[name] = blob
			continue
		}
		blob, _, _ := strings.Cut(string(m), canonicalIs)
		if files.Blobs[name], err = gitops.ParseHash(blob); err != nil {
			return files, "", fmt.Errorf("the private state has no blob for %s: %w", path, err)
		}
	}
	return files, "", nil
}

// isSlow tells whether a slow mark is among those of a package install.
func (s seen) isSlow(l repolayout.Layout, at repolayout.Install) bool {
	_, _, slow := s[l.Path(at, repolayout.ParamsFile)].slow()
	return slow
}

// isSecret tells whether a part of the values is kept out of the state.
func isSecret(ctx context.Context, private privateReader) (bool, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, secretKey)
	return bytes.Equal(data, []byte("true")), diags
}

// setSecret notes it, and writes nothing where nothing was noted.
func setSecret(ctx context.Context, private interface {
	privateReader
	privateWriter
}, secret bool,
) diag.Diagnostics {
	before, diags := isSecret(ctx, private)
	if diags.HasError() || before == secret {
		return diags
	}
	return private.SetKey(ctx, secretKey, fmt.Append(nil, secret))
}
