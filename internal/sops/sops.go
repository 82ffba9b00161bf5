// Package sops writes and reads YAML files in the format of SOPS, encrypted for age recipients.
//
// The format is that of https://github.com/getsops/sops, whose command decrypts these files (TestDecryptedByCommand). Its Go module does
// the same, and links the key services of every cloud: 28 MB more in a binary of 27 MB.
//
// A file is a YAML mapping of strings. What stands below the keys data and stringData is encrypted, as a Kubernetes Secret needs it, and
// the names of keys stay readable. Each value is sealed with AES-256-GCM under one data key, its path being the additional data; the data
// key is encrypted for each recipient; and a SHA-512 over all values in their order, sealed with the time of writing, is the file's MAC.
package sops

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/yamlsize"
)

const (
	// EncryptedRegex is the rule that files carry: the keys whose values are encrypted.
	EncryptedRegex = "^(data|stringData)$"
	// formatVersion is the version of SOPS whose format this is. SOPS reads files of older versions.
	formatVersion = "3.9.0"

	metadataKey = "sops"
	nonceSize   = 32 // bytes, of SOPS; the GCM default is 12
	keySize     = 32 // bytes
)

var encryptedKey = regexp.MustCompile(EncryptedRegex)

// metadata is what a file holds under the key sops, as far as age needs it.
type metadata struct {
	Age            []ageKey `yaml:"age"`
	LastModified   string   `yaml:"lastmodified"` // RFC 3339
	MAC            string   `yaml:"mac"`
	EncryptedRegex string   `yaml:"encrypted_regex"`
	Version        string   `yaml:"version"`
}

type ageKey struct {
	Recipient string `yaml:"recipient"`
	Enc       string `yaml:"enc"` // the data key, armored
}

// parse reads a YAML mapping. The error does not quote the text.
func parse(text []byte) (*yaml.Node, error) {
	var document yaml.Node
	err := yamlsize.Read(text, func(text []byte) error { return yaml.Unmarshal(text, &document) })
	switch {
	case errors.As(err, new(yamlsize.Error)):
		return nil, err
	case err != nil:
		return nil, errors.New("not YAML")
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("not a YAML mapping")
	}
	return document.Content[0], nil
}

// transform replaces a value, a string with the keys that lead to it.
type transform func(path []string, value string) (string, error)

// walk transforms the values below a node in the order of the file. Values in a list share the path of the list, as in SOPS.
func walk(node *yaml.Node, path []string, f transform) error {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			if key.Tag != "!!str" {
				return fmt.Errorf("%s: a key is not a string", strings.Join(path, "."))
			}
			if err := walk(node.Content[i+1], append(slices.Clip(path), key.Value), f); err != nil {
				return err
			}
		}
		return nil
	case yaml.SequenceNode:
		for _, element := range node.Content {
			if err := walk(element, path, f); err != nil {
				return err
			}
		}
		return nil
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return nil
		}
		if node.Tag != "!!str" {
			return fmt.Errorf("%s is not a string", strings.Join(path, "."))
		}
		value, err := f(path, node.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", strings.Join(path, "."), err)
		}
		if value != node.Value {
			node.Style = 0 // that of the other value
			node.SetString(value)
		}
		return nil
	default:
		return fmt.Errorf("%s is an alias", strings.Join(path, "."))
	}
}

// encrypted reports whether the value at a path is one to encrypt.
func encrypted(path []string) bool {
	return slices.ContainsFunc(path, encryptedKey.MatchString)
}

// additionalData binds a value to its place.
func additionalData(path []string) string { return strings.Join(path, ":") + ":" }

// mac is the digest over all values.
type mac struct{ hash.Hash }

func newMAC() mac { return mac{sha512.New()} }

func (m mac) add(value string) { m.Write([]byte(value)) } // a hash never fails

func (m mac) String() string { return fmt.Sprintf("%X", m.Sum(nil)) }

// sealer encrypts and decrypts values under a data key.
type sealer struct{ block cipher.Block }

func newSealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	return sealer{block}, err
}

// seal encrypts a value. The empty string stays as it is, as in SOPS.
func (s sealer) seal(value, additional string) (string, error) {
	if value == "" {
		return "", nil
	}
	gcm, err := cipher.NewGCMWithNonceSize(s.block, nonceSize)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	sealed := gcm.Seal(nil, nonce, []byte(value), []byte(additional))
	split := len(sealed) - gcm.Overhead()
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("ENC[AES256_GCM,data:%s,iv:%s,tag:%s,type:str]", encode(sealed[:split]), encode(nonce), encode(sealed[split:])), nil
}

var sealedForm = regexp.MustCompile(`^ENC\[AES256_GCM,data:([^,]+),iv:([^,]+),tag:([^,]+),type:str\]$`)

var errSealed = errors.New("the value was not encrypted with this key and for this place")

func (s sealer) open(value, additional string) (string, error) {
	if value == "" {
		return "", nil
	}
	match := sealedForm.FindStringSubmatch(value)
	if match == nil {
		return "", errors.New("the value is not an encrypted string")
	}
	var parts [3][]byte
	for i := range parts {
		var err error
		if parts[i], err = base64.StdEncoding.DecodeString(match[i+1]); err != nil {
			return "", errSealed
		}
	}
	data, nonce, tag := parts[0], parts[1], parts[2]
	if len(nonce) == 0 {
		return "", errSealed
	}
	gcm, err := cipher.NewGCMWithNonceSize(s.block, len(nonce))
	if err != nil {
		return "", err
	}
	plain, err := gcm.Open(nil, nonce, append(data, tag...), []byte(additional))
	if err != nil {
		return "", errSealed
	}
	return string(plain), nil
}
