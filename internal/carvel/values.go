package carvel

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// yttHeader makes a values document one of ytt's data values, which it must be
// where the controller hands it to ytt as an overlay.
const yttHeader = "#@data/values\n"

// ParseValues reads a text of values as ytt reads a file of data values: its
// documents are merged, later ones over earlier ones. Errors are *YAMLError,
// where the text cannot be used, and quote no value.
func ParseValues(text []byte) (map[string]any, error) {
	line, err := yttComment(text)
	if err != nil {
		return nil, err
	}
	if line > 0 {
		return nil, &YAMLError{line, "a ytt comment (#@), which ytt refuses in values; write plain YAML"}
	}
	documents, err := readYAML(text)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for _, document := range documents {
		layer, ok := document.(map[string]any)
		if !ok {
			return nil, &YAMLError{0, "the top level of values must be a map, such as replicas: 2"}
		}
		values = MergeValues(values, layer)
	}
	return values, nil
}

// MergeValues lays values over each other, the last on top: maps are merged,
// anything else replaces what was there, null as well. A layer that is nil is
// passed over; without any other, the result is nil.
func MergeValues(layers ...map[string]any) map[string]any {
	var merged map[string]any
	for _, layer := range layers {
		if layer == nil {
			continue
		}
		if merged == nil {
			merged = map[string]any{}
		}
		for name, value := range layer {
			above, isMap := value.(map[string]any)
			below, wasMap := merged[name].(map[string]any)
			if isMap && wasMap {
				value = MergeValues(below, above)
			}
			merged[name] = value
		}
	}
	return merged
}

// EqualValues tells whether two values documents mean the same to ytt: key
// order and the way a number is written do not matter.
func EqualValues(a, b map[string]any) bool { return sameYAML(a, b) }

func sameYAML(a, b any) bool {
	x, errX := WriteYAML(a)
	y, errY := WriteYAML(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// valuesText is the one document that the values Secret holds.
func (s PackageInstallSpec) valuesText() (string, error) {
	text, err := yamlWriter{quoteYtt: true}.write(s.Values)
	if err != nil {
		return "", fmt.Errorf("values: %w", err)
	}
	if s.YttDataValuesOverlays {
		return yttHeader + "---\n" + string(text), nil
	}
	return "---\n" + string(text), nil
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
		return strings.TrimPrefix(text, yttHeader)
	}
	return text
}
