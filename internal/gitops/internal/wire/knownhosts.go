package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the form of hashed names in known_hosts
	"encoding/base64"
	"errors"
	"io"
	"net"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// BuiltinKnownHosts are the keys that the large hosts publish. They hold if SSHAuth.KnownHosts is empty.
const BuiltinKnownHosts = `
github.com,ssh.github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
[ssh.github.com]:443 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
gitlab.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf
bitbucket.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO
ssh.dev.azure.com,vs-ssh.visualstudio.com ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7Hr1oTWqNqOlzGJOfGJ4NakVyIzf1rXYd4d7wo6jBlkLvCA4odBlL0mDUyZ0/QUfTTqeu+tm22gOsv+VrVTMk6vwRU75gY/y9ut5Mb3bR5BV58dKXyq9A9UeB5Cakehn5Zgm6x1mKoVyf+FFn26iYqXJRgzIZZcZ5V6hrE0Qg39kZm4az48o0AUbf6Sp4SLdvnuMa2sVNwHBboS7EJkm57XQPVU3/QpyNLHbWDdzwtrlS+ez30S3AdYhLKEOxAG8weOnyrtLJAUen9mTkol8oII1edf7mWWbWVf0nBmly21+nZcmCTISQBtdcyPaEno7fFQMDD26/s0lfKob4Kw8H
`

// HostKeys are the keys that a server may show, and those that it must not.
type HostKeys struct {
	trusted, revoked []ssh.PublicKey
}

// ParseKnownHosts takes the lines for one server out of a known_hosts text. Lines with @cert-authority are passed over.
func ParseKnownHosts(text, host, port string) (HostKeys, error) {
	var keys HostKeys
	rest := []byte(text)
	for {
		marker, patterns, key, _, after, err := ssh.ParseKnownHosts(rest)
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return HostKeys{}, err
		}
		rest = after
		switch {
		case !matchesHost(patterns, host, port):
		case marker == "":
			keys.trusted = append(keys.trusted, key)
		case marker == "revoked":
			keys.revoked = append(keys.revoked, key)
		}
	}
}

// KnownHost is a server as known_hosts names it.
func KnownHost(host, port string) string {
	name := strings.ToLower(host)
	if port != "22" {
		name = "[" + name + "]:" + port
	}
	return name
}

// Lines of known_hosts for a server that has these keys.
func (k HostKeys) Lines(host, port string) []string {
	lines := make([]string, len(k.trusted))
	for i, key := range k.trusted {
		lines[i] = KnownHost(host, port) + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	}
	return lines
}

// matchesHost follows sshd(8): names with * and ?, names in brackets with a port, hashed names, and exceptions with an exclamation mark.
func matchesHost(patterns []string, host, port string) bool {
	name := KnownHost(host, port)
	matches := false
	for _, pattern := range patterns {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if !matchesPattern(pattern, name) {
			continue
		}
		if negated {
			return false
		}
		matches = true
	}
	return matches
}

func matchesPattern(pattern, name string) bool {
	if hashed, found := strings.CutPrefix(pattern, "|1|"); found {
		salt, sum, _ := strings.Cut(hashed, "|")
		key, err := base64.StdEncoding.DecodeString(salt)
		want, wrong := base64.StdEncoding.DecodeString(sum)
		if err != nil || wrong != nil {
			return false
		}
		mac := hmac.New(sha1.New, key)
		mac.Write([]byte(name))
		return hmac.Equal(mac.Sum(nil), want)
	}
	// Brackets are part of a name here, not a class of characters.
	escaped := strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(strings.ToLower(pattern))
	found, err := path.Match(escaped, name)
	return err == nil && found
}

// None: no key is known, so that no server can be trusted.
func (k HostKeys) None() bool { return len(k.trusted) == 0 }

// algorithms are what the server may prove its key with, so that it shows one that is known.
func (k HostKeys) algorithms() []string {
	var list []string
	for _, key := range k.trusted {
		kind := []string{key.Type()}
		if key.Type() == ssh.KeyAlgoRSA {
			kind = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, algorithm := range kind {
			if !slices.Contains(list, algorithm) {
				list = append(list, algorithm)
			}
		}
	}
	return list
}

// check is the host key callback. The error is an *UnknownHostKeyError.
func (k HostKeys) check(host string, _ net.Addr, key ssh.PublicKey) error {
	same := func(other ssh.PublicKey) bool { return bytes.Equal(other.Marshal(), key.Marshal()) }
	if slices.ContainsFunc(k.trusted, same) && !slices.ContainsFunc(k.revoked, same) {
		return nil
	}
	return &UnknownHostKeyError{Host: host, Fingerprint: ssh.FingerprintSHA256(key), Mismatch: len(k.trusted) > 0}
}
