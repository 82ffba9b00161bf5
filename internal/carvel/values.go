package carvel

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
	"golang.org/x/crypto/scrypt"
)

// valuesText is the one document that the values Secret holds.
func (s PackageInstallSpec) valuesText() (string, error) {
	text, err := ytt.WriteValues(s.Values)
	if err != nil {
		return "", fmt.Errorf("values: %w", err)
	}
	if s.YttDataValuesOverlays {
		return ytt.DataValuesHeader + text, nil
	}
	return text, nil
}

// nameDigits is how many digits of a hash are in the name of a values Secret.
const nameDigits = 10

// hashedName is the name of the values Secret with this content. The name is
// seen where the content is not, so that a content with secrets is hashed in a
// way that makes guessing slow.
func (s PackageInstallSpec) hashedName(base, text string) string {
	if !s.SecretValues && !s.EncryptedValues {
		sum := sha256.Sum256([]byte(text))
		return base + "-" + hex.EncodeToString(sum[:])[:nameDigits]
	}
	sum := SlowDigest([]byte("values of "+s.Package+" "+s.Name), []byte(text))
	return base + "-" + hex.EncodeToString(sum)[:nameDigits]
}

// splitHashedName is the reverse of a values Secret's name with a hash in it:
// ok where the name is the one that this content has under some base.
func (s PackageInstallSpec) splitHashedName(name string) (base string, ok bool) {
	base, ok = cutHash(name)
	if !ok {
		return "", false
	}
	text, err := s.valuesText()
	return base, err == nil && s.hashedName(base, text) == name
}

// cutHash takes what has the form of a hash from the end of a name.
func cutHash(name string) (base string, ok bool) {
	cut := len(name) - nameDigits - 1
	if cut < 1 || name[cut] != '-' || strings.Trim(name[cut+1:], "0123456789abcdef") != "" {
		return "", false
	}
	return name[:cut], true
}

// LongestHashedName is as long as the name of any values Secret with a hash.
func LongestHashedName(base string) string { return base + "-" + strings.Repeat("0", nameDigits) }

// IsHashedName tells whether a values Secret's name is base with a hash.
func IsHashedName(name, base string) bool {
	got, ok := cutHash(name)
	return ok && got == base
}

// SlowDigest is a digest that takes a moment, so that a guess at what was
// digested cannot be tried a million times a second.
func SlowDigest(salt, data []byte) []byte {
	sum, err := scrypt.Key(data, salt, 1<<14, 8, 1, sha256.Size)
	if err != nil {
		panic("carvel: scrypt refused its parameters: " + err.Error())
	}
	return sum
}

func cloneOrMake(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return maps.Clone(m)
}

// withoutHeader is the values document without the line that makes it one of
// ytt's own.
func (s PackageInstallSpec) withoutHeader(text string) string {
	if s.YttDataValuesOverlays {
		return strings.TrimPrefix(text, ytt.DataValuesHeader)
	}
	return text
}
