// Package credential looks at what a client is given to reach an API server: its
// address, authorities, certificates, keys and tokens. It says what is wrong with one
// before anything is sent, in words that quote nothing of it. Nothing here reads a file
// or asks a server.
package credential

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrEncoded: what is looked at is in base64 once more than it should be.
var ErrEncoded = errors.New("is in base64")

const (
	certificateBlock = "CERTIFICATE"
	keySuffix        = "PRIVATE KEY"
)

// Authorities reads the certificates that a server's is verified with.
func Authorities(data []byte) ([]*x509.Certificate, error) { return certificates(data) }

// certificates reads PEM as client-go does, and refuses what that passes over: a block
// of another kind, and text in which no block begins.
func certificates(data []byte) ([]*x509.Certificate, error) {
	var found []*x509.Certificate
	rest := data
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != certificateBlock {
			return nil, fmt.Errorf("has a PEM block %q where a %s belongs", blockType(block), certificateBlock)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("has a certificate that cannot be read; it may be cut off")
		}
		found = append(found, certificate)
	}
	if bytes.Contains(rest, []byte("-----BEGIN")) {
		return nil, errors.New("has a PEM block that cannot be read; it may be cut off, or have lost its line breaks")
	}
	if len(found) == 0 {
		return nil, noPEM(data)
	}
	return found, nil
}

// blockType is the kind of a PEM block, which a stranger may have written at length.
func blockType(block *pem.Block) string {
	const most = 40
	if len(block.Type) > most {
		return block.Type[:most]
	}
	return block.Type
}

func noPEM(data []byte) error {
	if inBase64(data, func(decoded []byte) bool { return bytes.Contains(decoded, []byte("-----BEGIN")) }) {
		return ErrEncoded
	}
	if _, err := x509.ParseCertificate(data); err == nil {
		return errors.New("is in DER, the binary form; PEM is wanted, which begins with -----BEGIN")
	}
	return errors.New("is no PEM, which begins with -----BEGIN")
}

// inBase64 reports whether data is the base64 of something that is as it should be.
func inBase64(data []byte, good func([]byte) bool) bool {
	text := strings.Join(strings.Fields(string(data)), "")
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if decoded, err := encoding.DecodeString(text); err == nil && good(decoded) {
			return true
		}
	}
	return false
}

// ClientCertificate reads the certificates that a client shows; the first is its own.
func ClientCertificate(data []byte) ([]*x509.Certificate, error) {
	// A file with the certificate and its key serves as both.
	var alone []byte
	rest := data
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if !strings.HasSuffix(block.Type, keySuffix) {
			alone = append(alone, pem.EncodeToMemory(block)...)
		}
	}
	if len(alone) == 0 && bytes.Contains(data, []byte(keySuffix)) {
		return nil, errors.New("is a private key, and a certificate belongs there")
	}
	return certificates(append(alone, rest...))
}

// ClientKey refuses what is no private key in PEM.
func ClientKey(data []byte) error {
	rest := data
	other := ""
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch {
		case block.Type == "ENCRYPTED "+keySuffix || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return errors.New("is encrypted with a passphrase, which nobody could give: decrypt it")
		case block.Type == "OPENSSH "+keySuffix:
			return errors.New("is an SSH key; a TLS client's is PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY")
		case strings.HasSuffix(block.Type, keySuffix):
			return nil
		}
		other = blockType(block)
	}
	switch {
	case other != "":
		return fmt.Errorf("has a PEM block %q where a %s belongs", other, keySuffix)
	case bytes.Contains(rest, []byte("-----BEGIN")):
		return errors.New("has a PEM block that cannot be read; it may be cut off, or have lost its line breaks")
	}
	return noPEM(data)
}

// Pair refuses a key that is not the certificate's. Both have been looked at before.
func Pair(certificate, key []byte) error {
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		return errors.New("is not the key of the client certificate, or cannot be read")
	}
	return nil
}

// PairError is what is wrong with a client's certificate, or with its key.
type PairError struct {
	Key    bool
	Reason string // continues its name in a sentence
}

func (e *PairError) Error() string {
	if e.Key {
		return "the key " + e.Reason
	}
	return "the certificate " + e.Reason
}

// KeyPair is a client's certificate with its key, both in PEM; nil: neither is given. The
// error is a *PairError.
func KeyPair(certificate, key string, now time.Time) (*tls.Certificate, error) {
	switch {
	case certificate == "" && key == "":
		return nil, nil
	case certificate == "":
		return nil, &PairError{Reason: "is required with the key"}
	case key == "":
		return nil, &PairError{Key: true, Reason: "is required with the certificate"}
	}
	chain, err := ClientCertificate([]byte(certificate))
	if err != nil {
		return nil, &PairError{Reason: Decoded(err).Error()}
	}
	if err := ClientKey([]byte(key)); err != nil {
		return nil, &PairError{Key: true, Reason: Decoded(err).Error()}
	}
	if err := Pair([]byte(certificate), []byte(key)); err != nil {
		return nil, &PairError{Key: true, Reason: err.Error()}
	}
	if ended := Valid(chain[:1]).Ended(now); ended != "" {
		return nil, &PairError{Reason: ended + ": get another one"}
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	return &pair, err
}

// Decoded says what to do about what is in base64 in an attribute.
func Decoded(err error) error {
	if errors.Is(err, ErrEncoded) {
		return errors.New("is in base64: give it decoded, for example with base64decode(...)")
	}
	return err
}

// Valid is when all of some certificates are: of authorities the latest of them, since
// one that is in use suffices.
func Valid(certificates []*x509.Certificate) Life {
	var life Life
	for i, c := range certificates {
		if i == 0 || c.NotBefore.Before(life.From) {
			life.From = c.NotBefore
		}
		if i == 0 || c.NotAfter.After(life.Until) {
			life.Until = c.NotAfter
		}
	}
	return life
}

// Life is when something may be used; a zero time is no bound.
type Life struct{ From, Until time.Time }

// skew is how far two clocks may be apart.
const skew = 5 * time.Minute

// Ended says why it may not be used now, "" if it may.
func (l Life) Ended(now time.Time) string {
	switch {
	case !l.Until.IsZero() && !now.Before(l.Until):
		return "expired on " + l.Until.UTC().Format(time.RFC3339)
	case !l.From.IsZero() && now.Add(skew).Before(l.From):
		return "is not valid before " + l.From.UTC().Format(time.RFC3339)
	}
	return ""
}
