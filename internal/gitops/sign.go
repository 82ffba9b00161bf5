package gitops

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"golang.org/x/crypto/ssh"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
)

// Signing holds the key that signs every commit: an OpenPGP key or an SSH key. Both empty: commits are not signed.
type Signing struct {
	// OpenPGPKey is an armored private key, and OpenPGPPassphrase decrypts it.
	OpenPGPKey, OpenPGPPassphrase string
	// SSHKey is a private key in PEM or OpenSSH form, and SSHPassphrase decrypts it.
	SSHKey, SSHPassphrase string
}

// signer makes the armored signature of a commit.
type signer func(commit []byte) (string, error)

func (t *target) checkSigning() error {
	s := t.Signing
	var err error
	switch {
	case s.OpenPGPKey != "" && s.SSHKey != "":
		return &ConfigError{Field: "signing.ssh_key", Reason: "and signing.open_pgp_key exclude each other"}
	case s.OpenPGPPassphrase != "" && s.OpenPGPKey == "":
		return &ConfigError{Field: "signing.open_pgp_passphrase", Reason: "is set without signing.open_pgp_key"}
	case s.SSHPassphrase != "" && s.SSHKey == "":
		return &ConfigError{Field: "signing.ssh_passphrase", Reason: "is set without signing.ssh_key"}
	case s.OpenPGPKey != "":
		t.sign, err = openPGPSigner(s.OpenPGPKey, s.OpenPGPPassphrase)
	case s.SSHKey != "":
		t.sign, err = sshSigner(s.SSHKey, s.SSHPassphrase)
	}
	return err
}

// openPGPSigner does not repeat the library's errors, which may quote what they could not read.
func openPGPSigner(armored, passphrase string) (signer, error) {
	const field = "signing.open_pgp_key"
	keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(armored))
	switch {
	case err != nil || len(keys) == 0:
		return nil, &ConfigError{Field: field, Reason: "is not an armored OpenPGP private key"}
	case len(keys) > 1:
		return nil, &ConfigError{Field: field, Reason: "holds several keys; export one"}
	}
	signing, found := keys[0].SigningKey(time.Now())
	if !found {
		return nil, &ConfigError{Field: field, Reason: "has no part that may sign now: it has expired, was revoked, or is not for signing"}
	}
	if signing.PrivateKey == nil || signing.PrivateKey.Dummy() {
		return nil, &ConfigError{Field: field, Reason: "lacks the private part of the key that signs"}
	}
	if signing.PrivateKey.Encrypted {
		if passphrase == "" {
			return nil, &ConfigError{Field: "signing.open_pgp_passphrase", Reason: "is required: the private key is encrypted"}
		}
		if signing.PrivateKey.Decrypt([]byte(passphrase)) != nil {
			reason := "does not decrypt the private key"
			if err := credential.Text(passphrase); err != nil {
				reason = err.Error()
			}
			return nil, &ConfigError{Field: "signing.open_pgp_passphrase", Reason: reason}
		}
	}
	config := &packet.Config{DefaultHash: crypto.SHA512, SigningKeyId: signing.PublicKey.KeyId}
	return func(commit []byte) (string, error) {
		var signature bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&signature, keys[0], bytes.NewReader(commit), config); err != nil {
			return "", fmt.Errorf("sign the commit with the OpenPGP key %X: %w", signing.PublicKey.KeyId, err)
		}
		return signature.String(), nil
	}, nil
}

// The form of a signature that OpenSSH describes in PROTOCOL.sshsig.
const sshSignatureMagic, sshNamespace, sshHash = "SSHSIG", "git", "sha512"

func sshSigner(key, passphrase string) (signer, error) {
	private, err := parseSSHKey(key, passphrase, "signing.ssh_key", "signing.ssh_passphrase")
	if err != nil {
		return nil, err
	}
	sign := private.Sign
	if private.PublicKey().Type() == ssh.KeyAlgoRSA { // the default is SHA-1, which verifiers refuse
		algorithms, ok := private.(ssh.AlgorithmSigner)
		if !ok {
			return nil, &ConfigError{Field: "signing.ssh_key", Reason: "is of a kind that cannot sign"}
		}
		sign = func(random io.Reader, data []byte) (*ssh.Signature, error) {
			return algorithms.SignWithAlgorithm(random, data, ssh.KeyAlgoRSASHA512)
		}
	}
	return func(commit []byte) (string, error) {
		sum := sha512.Sum512(commit)
		signed := ssh.Marshal(struct{ Namespace, Reserved, Hash, Sum string }{sshNamespace, "", sshHash, string(sum[:])})
		signature, err := sign(rand.Reader, append([]byte(sshSignatureMagic), signed...))
		if err != nil {
			return "", fmt.Errorf("sign the commit with the SSH key %s: %w", ssh.FingerprintSHA256(private.PublicKey()), err)
		}
		blob := ssh.Marshal(struct {
			Version                                         uint32
			PublicKey, Namespace, Reserved, Hash, Signature string
		}{1, string(private.PublicKey().Marshal()), sshNamespace, "", sshHash, string(ssh.Marshal(signature))})
		return string(pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: append([]byte(sshSignatureMagic), blob...)})), nil
	}, nil
}

// parseSSHKey reads a private key. The errors name the fields that the key and its passphrase come from, and hold neither.
func parseSSHKey(key, passphrase, keyField, passphraseField string) (ssh.Signer, error) {
	var private ssh.Signer
	var err error
	var missing *ssh.PassphraseMissingError
	if passphrase == "" {
		private, err = ssh.ParsePrivateKey([]byte(key))
	} else {
		private, err = ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(passphrase))
	}
	switch {
	case errors.As(err, &missing):
		return nil, &ConfigError{Field: passphraseField, Reason: "is required: the private key is encrypted"}
	case err != nil && credential.Text(passphrase) != nil:
		return nil, &ConfigError{Field: passphraseField, Reason: credential.Text(passphrase).Error()}
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, &ConfigError{Field: passphraseField, Reason: "does not decrypt the private key"}
	case err != nil && passphrase != "":
		return nil, &ConfigError{Field: keyField, Reason: "is not a private key that " + passphraseField + " decrypts"}
	case err != nil:
		return nil, &ConfigError{Field: keyField, Reason: "is not a private key in PEM or OpenSSH form"}
	}
	return private, nil
}

// withSignature puts a signature into a commit: behind the other header lines, its own lines indented.
func withSignature(commit []byte, signature string) []byte {
	header, message, _ := bytes.Cut(commit, []byte("\n\n"))
	lines := strings.ReplaceAll(strings.TrimSpace(signature), "\n", "\n ")
	return fmt.Appendf(nil, "%s\ngpgsig %s\n\n%s", header, lines, message)
}
