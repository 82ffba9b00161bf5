package githubapp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
)

// parseKey reads the private key of an app. No error repeats any of it.
func parseKey(text string) (*rsa.PrivateKey, error) {
	wrong := func(reason string) error {
		return &ConfigError{Field: "http.github_app.private_key", Reason: reason}
	}
	if text == "" {
		return nil, wrong("is required")
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		if err := credential.ClientKey([]byte(text)); errors.Is(err, credential.ErrEncoded) {
			return nil, wrong(credential.Decoded(err).Error())
		}
		return nil, wrong("holds no PEM block; set it to the content of the .pem file, with its line breaks")
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, wrong("is encrypted; GitHub gives it out as it is")
		}
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, wrong("is encrypted; GitHub gives it out as it is")
	case "CERTIFICATE":
		return nil, wrong("is a certificate, and not a private key")
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return nil, wrong("is a public key, and not a private one")
	default:
		return nil, wrong("is not a key of a GitHub App, which begins with -----BEGIN RSA PRIVATE KEY-----")
	}
	if err != nil {
		return nil, wrong("cannot be read; it may be cut off")
	}
	private, isRSA := key.(*rsa.PrivateKey)
	if !isRSA {
		return nil, wrong("is not an RSA key, which those of GitHub Apps are")
	}
	return private, nil
}

// Times of a signature: GitHub takes none that is from its future, or lasts for more than ten minutes.
const (
	backdated = time.Minute
	lifetime  = 9 * time.Minute
)

// sign makes the token with which the app shows who it is:
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
func sign(key *rsa.PrivateKey, id string, now time.Time) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT"})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"iss": id, "iat": now.Add(-backdated).Unix(), "exp": now.Add(lifetime).Unix()})
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
