package wire

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the form of hashed names in known_hosts
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

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

// knownKey is a key, and the line that it comes from.
type knownKey struct {
	ssh.PublicKey
	line int
}

// HostKeys are the keys that a server may show, those of authorities that sign such keys, and those that it must not show.
type HostKeys struct {
	trusted, authorities, revoked []knownKey
	// Near says of lines which are not for the server why not, in case they were meant to be.
	Near []string
}

// None: no key is known, so that no server can be trusted.
func (k HostKeys) None() bool { return len(k.trusted) == 0 && len(k.authorities) == 0 }

// BuiltinHostKeys are those of BuiltinKnownHosts for a server.
func BuiltinHostKeys(host, port string) (HostKeys, error) {
	keys, err := ParseKnownHosts(BuiltinKnownHosts, host, port)
	for _, list := range [][]knownKey{keys.trusted, keys.authorities, keys.revoked} {
		for i := range list {
			list[i].line = 0 // nobody sees the lines
		}
	}
	return keys, err
}

// KnownHostsError is a line of known_hosts that cannot be read.
type KnownHostsError struct {
	Line   int
	Reason string
}

func (e *KnownHostsError) Error() string { return fmt.Sprintf("line %d %s", e.Line, e.Reason) }

// ParseKnownHosts takes the lines for one server out of a known_hosts text, as ssh does: where no line is for a port other than 22, those
// count that are for the host without a port. What ssh passes over in silence is a *KnownHostsError.
func ParseKnownHosts(text, host, port string) (HostKeys, error) {
	keys, err := parseKnownHosts(text, host, port)
	if err != nil || !keys.None() || port == sshPort {
		return keys, err
	}
	plain, err := parseKnownHosts(text, host, sshPort)
	if err != nil || plain.None() {
		return keys, err
	}
	plain.revoked = append(plain.revoked, keys.revoked...)
	return plain, nil
}

const sshPort = "22"

func parseKnownHosts(text, host, port string) (HostKeys, error) {
	var keys HostKeys
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for number := 1; lines.Scan(); number++ {
		if err := keys.add(strings.Fields(lines.Text()), number, host, port); err != nil {
			return HostKeys{}, &KnownHostsError{Line: number, Reason: err.Error()}
		}
	}
	return keys, lines.Err()
}

// add takes a line in.
func (k *HostKeys) add(fields []string, number int, host, port string) error {
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return nil
	}
	list := &k.trusted
	if marker, marked := strings.CutPrefix(fields[0], "@"); marked {
		switch fields = fields[1:]; marker {
		case "cert-authority":
			list = &k.authorities
		case "revoked":
			list = &k.revoked
		default:
			return errors.New("begins with a marker that is neither @cert-authority nor @revoked")
		}
	}
	if err := checkNames(fields); err != nil {
		return err
	}
	key, err := parseKey(fields[1:])
	var other *otherKindError
	if err != nil && !errors.As(err, &other) {
		return err
	}
	matches, err := matchesHost(fields[0], host, port)
	switch {
	case err != nil:
		return err
	case !matches:
		k.Near = append(k.Near, near(fields[0], number, host, port)...)
	case other != nil:
		k.Near = append(k.Near, fmt.Sprintf("line %d %s", number, other.Error()))
	default:
		*list = append(*list, knownKey{key, number})
	}
	return nil
}

// checkNames looks at the names that a line begins with.
func checkNames(fields []string) error {
	switch {
	case len(fields) == 0:
		return errors.New("has a marker alone; the host's name and its key follow one")
	case isKeyKind(fields[0]):
		return errors.New("begins with a key; the name of its host goes before that")
	case len(fields) == 1:
		return errors.New("has a host's name alone; its key follows that")
	case strings.ContainsFunc(fields[0], func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }):
		return errors.New("begins with a character that no host's name has, such as the byte order mark of some editors")
	case strings.HasPrefix(fields[0], "<<") || strings.HasPrefix(fields[0], "-----BEGIN"):
		return errors.New("is no line of known_hosts, which has a host's name, the kind of its key and the key")
	}
	return nil
}

// isKeyKind tells the kinds of keys, which are no hosts.
func isKeyKind(s string) bool { return slices.Contains(knownKinds, s) || s == "ssh-dss" }

// otherKindError is a key of a kind that this client does not know.
type otherKindError struct{ kind string }

func (e *otherKindError) Error() string {
	return "has a key of a kind that is not known here, " + e.kind
}

// parseKey reads the kind of a key and the key. What follows is a comment.
func parseKey(fields []string) (ssh.PublicKey, error) {
	kind := fields[0]
	switch {
	case strings.HasPrefix(kind, "SHA256:") || strings.HasPrefix(kind, "MD5:"):
		return nil, errors.New("has a fingerprint in place of the key, which ssh-keyscan prints: compare its fingerprint with this one")
	case strings.HasPrefix(kind, "AAAA"):
		return nil, errors.New("lacks the kind of the key, such as ssh-ed25519, between the host's name and the key")
	case strings.Trim(kind, "0123456789") == "":
		return nil, errors.New("has a key of SSH's version 1, which no server uses any more: remove it")
	case len(fields) == 1 && isKeyKind(kind):
		return nil, errors.New("has the kind of a key and no key")
	case len(fields) == 1:
		return nil, errors.New("has no key, such as ssh-ed25519 AAAA..., behind the host's name")
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return nil, errors.New("has a key that cannot be read; it may be cut off")
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		inside, known := kindOf(blob)
		if !known || inside != kind {
			return nil, errors.New("has a key that cannot be read; it may be cut off")
		}
		if slices.Contains(knownKinds, kind) {
			return nil, errors.New("has a key that cannot be read; it may be cut off")
		}
		return nil, &otherKindError{strconv.Quote(kind)}
	}
	if _, certificate := key.(*ssh.Certificate); certificate {
		return nil, errors.New("has a certificate in place of a key; the key of the authority that has signed it is what goes there, behind @cert-authority")
	}
	if key.Type() != kind {
		return nil, fmt.Errorf("says that its key is %q, and it is %s", kind, key.Type())
	}
	return key, nil
}

var knownKinds = []string{ssh.KeyAlgoED25519, ssh.KeyAlgoRSA, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256}

// kindOf is what a key says that it is.
func kindOf(blob []byte) (string, bool) {
	var begin struct {
		Kind string
		Rest []byte `ssh:"rest"`
	}
	err := ssh.Unmarshal(blob, &begin)
	return begin.Kind, err == nil && begin.Kind != ""
}

// KnownHost is a server as known_hosts names it.
func KnownHost(host, port string) string {
	name := strings.ToLower(host)
	if port != sshPort {
		name = "[" + name + "]:" + port
	}
	return name
}

// matchesHost follows sshd(8): names with * and ?, names in brackets with a port, a hashed name, and exceptions with an exclamation mark.
func matchesHost(names, host, port string) (bool, error) {
	name := KnownHost(host, port)
	if strings.HasPrefix(names, "|") {
		return matchesHash(names, name)
	}
	matches := false
	for pattern := range strings.SplitSeq(names, ",") {
		pattern, negated := strings.CutPrefix(strings.ToLower(pattern), "!")
		if !matchesPattern(pattern, name) {
			continue
		}
		if negated {
			return false, nil
		}
		matches = true
	}
	return matches, nil
}

func matchesHash(hashed, name string) (bool, error) {
	parts := strings.Split(hashed, "|")
	if len(parts) != 4 || parts[1] != "1" {
		return false, errors.New("has a hashed name that is not of the form |1|SALT|HASH, and stands alone")
	}
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	want, wrong := base64.StdEncoding.DecodeString(parts[3])
	if err != nil || wrong != nil || len(salt) != sha1.Size || len(want) != sha1.Size {
		return false, errors.New("has a hashed name that cannot be read; it may be cut off")
	}
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return hmac.Equal(mac.Sum(nil), want), nil
}

// matchesPattern: * stands for any text and ? for any character; nothing else is special.
func matchesPattern(pattern, name string) bool {
	for i := range len(pattern) {
		switch {
		case pattern[i] == '*':
			for ; ; name = name[1:] {
				if matchesPattern(pattern[i+1:], name) {
					return true
				}
				if name == "" {
					return false
				}
			}
		case name == "" || pattern[i] != '?' && pattern[i] != name[0]:
			return false
		}
		name = name[1:]
	}
	return name == ""
}

// near says why a line is not for a server which it seems to be meant for.
func near(names string, number int, host, port string) []string {
	host = strings.ToLower(host)
	var all []string
	for pattern := range strings.SplitSeq(strings.ToLower(names), ",") {
		switch bare, negated := strings.CutPrefix(pattern, "!"); {
		case negated && matchesPattern(bare, KnownHost(host, port)):
			all = append(all, fmt.Sprintf("line %d excludes it with %s", number, pattern))
		case pattern == host+":"+port:
			all = append(all, fmt.Sprintf("line %d has the name %s, which is %s in known_hosts", number, pattern, KnownHost(host, port)))
		case pattern == "["+host+"]:"+sshPort && port == sshPort, pattern == "["+host+"]":
			all = append(all, fmt.Sprintf("line %d has the name %s, which is %s in known_hosts", number, pattern, KnownHost(host, port)))
		case strings.HasPrefix(pattern, "["+host+"]:"):
			all = append(all, fmt.Sprintf("line %d is for %s", number, pattern))
		}
	}
	return all
}
