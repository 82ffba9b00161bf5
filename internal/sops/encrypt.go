package sops

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
	"go.yaml.in/yaml/v3"
)

// ValidateRecipient checks an age recipient, the public half of a key: age1...
func ValidateRecipient(recipient string) error {
	if strings.HasPrefix(strings.ToUpper(recipient), "AGE-SECRET-KEY-") {
		return errors.New("this is a private key: write its public half, which age-keygen -y prints and which begins with age1")
	}
	if _, err := age.ParseX25519Recipient(recipient); err != nil {
		return fmt.Errorf("%q is not an age recipient such as age-keygen prints, which begins with age1", recipient)
	}
	return nil
}

// Encrypt writes a Secret's YAML as a SOPS file for one or more age recipients. The file is another one each time. now goes into it in
// whole seconds.
func Encrypt(plain []byte, recipients []string, now time.Time) ([]byte, error) {
	if len(recipients) == 0 {
		return nil, errors.New("encrypt: no recipient")
	}
	root, err := parse(plain)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	s, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	digest := newMAC()
	err = walk(root, nil, func(path []string, value string) (string, error) {
		if path[0] == metadataKey {
			return "", errors.New("the file is encrypted already")
		}
		digest.add(value)
		if !encrypted(path) {
			return value, nil
		}
		return s.seal(value, additionalData(path))
	})
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	m := metadata{LastModified: now.UTC().Format(time.RFC3339), EncryptedRegex: EncryptedRegex, Version: formatVersion}
	if m.MAC, err = s.seal(digest.String(), m.LastModified); err != nil {
		return nil, err
	}
	for _, recipient := range recipients {
		enc, err := encryptKey(key, recipient)
		if err != nil {
			return nil, fmt.Errorf("encrypt: %w", err)
		}
		m.Age = append(m.Age, ageKey{Recipient: recipient, Enc: enc})
	}
	return emit(root, m)
}

func encryptKey(key []byte, recipient string) (string, error) {
	if err := ValidateRecipient(recipient); err != nil {
		return "", err
	}
	to, err := age.ParseX25519Recipient(recipient)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	armored := armor.NewWriter(&out)
	w, err := age.Encrypt(armored, to)
	if err != nil {
		return "", err
	}
	for _, step := range []func() error{
		func() error { _, err := w.Write(key); return err }, w.Close, armored.Close,
	} {
		if err := step(); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

func emit(root *yaml.Node, m metadata) ([]byte, error) {
	var node yaml.Node
	if err := node.Encode(m); err != nil {
		return nil, err
	}
	root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: metadataKey}, &node)
	return write(root)
}

func write(root *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Decrypt reads a SOPS file with age identities, the lines of a keys.txt, and returns it without the metadata. Nothing in an error is of
// the file's values.
func Decrypt(file []byte, identities string) ([]byte, error) {
	keys, err := age.ParseIdentities(strings.NewReader(identities))
	if err != nil {
		return nil, errors.New("decrypt: the identities are not age keys")
	}
	root, err := parse(file)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	m, err := takeMetadata(root)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	s, err := m.sealer(keys)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	digest := newMAC()
	err = walk(root, nil, func(path []string, value string) (string, error) {
		if encrypted(path) {
			if value, err = s.open(value, additionalData(path)); err != nil {
				return "", err
			}
		}
		digest.add(value)
		return value, nil
	})
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	if want, err := s.open(m.MAC, m.LastModified); err != nil || want != digest.String() {
		return nil, errors.New("decrypt: the file was changed after it was encrypted")
	}
	return write(root)
}

// takeMetadata removes the metadata from the file.
func takeMetadata(root *yaml.Node) (metadata, error) {
	var m metadata
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != metadataKey {
			continue
		}
		if err := root.Content[i+1].Decode(&m); err != nil {
			return m, errors.New("the metadata is not that of SOPS")
		}
		root.Content = append(root.Content[:i:i], root.Content[i+2:]...)
		if m.EncryptedRegex != EncryptedRegex {
			return m, fmt.Errorf("the file has another rule than encrypted_regex %s", EncryptedRegex)
		}
		return m, nil
	}
	return m, ErrNotEncrypted
}

// ErrNotEncrypted: the file is not one of SOPS.
var ErrNotEncrypted = errors.New("the file has no SOPS metadata")

func (m metadata) sealer(identities []age.Identity) (sealer, error) {
	for _, k := range m.Age {
		r, err := age.Decrypt(armor.NewReader(strings.NewReader(k.Enc)), identities...)
		if err != nil {
			continue // for somebody else
		}
		key, err := io.ReadAll(io.LimitReader(r, keySize+1))
		if err != nil || len(key) != keySize {
			return sealer{}, errors.New("the data key is damaged")
		}
		return newSealer(key)
	}
	return sealer{}, errors.New("none of the identities is a recipient of the file")
}

// Recipients are the age recipients of a SOPS file. ErrNotEncrypted: it is none.
func Recipients(file []byte) ([]string, error) {
	root, err := parse(file)
	if err != nil {
		return nil, err
	}
	m, err := takeMetadata(root)
	if err != nil {
		return nil, err
	}
	recipients := make([]string, 0, len(m.Age))
	for _, k := range m.Age {
		recipients = append(recipients, k.Recipient)
	}
	return recipients, nil
}
