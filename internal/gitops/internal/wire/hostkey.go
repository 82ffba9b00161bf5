package wire

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// plainAlgorithms and certificateAlgorithms are what a server may prove the keys with that it has itself, and those that an authority has signed.
var (
	plainAlgorithms = []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
	}
	certificateAlgorithms = []string{
		ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01, ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
	}
)

// algorithms are what the server may prove its key with, so that it shows one that is known.
func (k HostKeys) algorithms() []string {
	var list []string
	if len(k.authorities) > 0 {
		list = slices.Clone(certificateAlgorithms)
	}
	if len(k.trusted) == 0 {
		return append(list, plainAlgorithms...) // one that is shown can be told
	}
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

func find(keys []knownKey, key ssh.PublicKey) (line int, found bool) {
	i := slices.IndexFunc(keys, func(other knownKey) bool { return bytes.Equal(other.Marshal(), key.Marshal()) })
	if i < 0 {
		return 0, false
	}
	return keys[i].line, true
}

// check is the host key callback. The error is an *UnknownHostKeyError.
func (k HostKeys) check(address string, _ net.Addr, key ssh.PublicKey) error {
	certificate, signed := key.(*ssh.Certificate)
	plain := key
	if signed {
		plain = certificate.Key
	}
	refused := &UnknownHostKeyError{Host: address, Fingerprint: ssh.FingerprintSHA256(plain)}
	revoked := []ssh.PublicKey{plain}
	if signed {
		revoked = append(revoked, certificate.SignatureKey)
	}
	for _, one := range revoked {
		if line, found := find(k.revoked, one); found {
			refused.Reason = fmt.Sprintf("which line %d of known_hosts revokes", line)
			return refused
		}
	}
	if signed {
		if line, found := find(k.authorities, certificate.SignatureKey); found {
			if err := checkCertificate(certificate, address); err != nil {
				refused.Reason = fmt.Sprintf("whose certificate of the authority in line %d of known_hosts is no good: %v", line, err)
				return refused
			}
			return nil
		}
	}
	if _, found := find(k.trusted, plain); found {
		return nil
	}
	switch {
	case len(k.trusted) > 0:
		refused.Mismatch = true
		if lines := linesOf(k.trusted); lines != "" {
			refused.Reason = "which is not the one in known_hosts (" + lines + ")"
		}
	case signed:
		refused.Reason = fmt.Sprintf("whose certificate is of the authority %s, and that in known_hosts (%s) is another one",
			ssh.FingerprintSHA256(certificate.SignatureKey), linesOf(k.authorities))
	case len(k.authorities) > 0:
		refused.Reason = "which has no certificate of the authority in known_hosts (" + linesOf(k.authorities) + ")"
	}
	return refused
}

// checkCertificate looks at a certificate of an authority that is trusted. One without names is good for any host, as with ssh.
func checkCertificate(certificate *ssh.Certificate, address string) error {
	if certificate.CertType != ssh.HostCert {
		return fmt.Errorf("it is a user's")
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	return (&ssh.CertChecker{}).CheckCert(strings.ToLower(host), certificate)
}

// linesOf names the lines of keys; "": those are not in a text that anybody sees.
func linesOf(keys []knownKey) string {
	var numbers []string
	for _, key := range keys {
		if key.line > 0 {
			numbers = append(numbers, fmt.Sprint(key.line))
		}
	}
	switch len(numbers) {
	case 0:
		return ""
	case 1:
		return "line " + numbers[0]
	}
	return "lines " + strings.Join(numbers, ", ")
}
