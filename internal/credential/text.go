package credential

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// latest is the last second of the year 9999, after which a time has no form in
// RFC 3339.
const latest = 253402300799

// Text refuses what no header takes: white space at an end, and what is no printable
// character.
func Text(s string) error {
	switch {
	case strings.TrimSpace(s) == "" && s != "":
		return errors.New("is white space alone")
	case strings.HasSuffix(s, "\n"):
		return errors.New("ends with a line break, as the text of a file does: remove it, for example with trimspace(...)")
	case strings.TrimSpace(s) != s:
		return errors.New("begins or ends with white space: remove it, for example with trimspace(...)")
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }):
		return errors.New("has a line break, or another character that cannot be printed")
	}
	return nil
}

// Token refuses a bearer token that no server could take.
func Token(s string) error {
	if err := Text(s); err != nil {
		return err
	}
	switch {
	case len(s) > 7 && strings.EqualFold(s[:7], "bearer "):
		return errors.New(`begins with "Bearer", which is added where it is sent: remove it`)
	case strings.ContainsFunc(s, unicode.IsSpace):
		return errors.New("has white space in it")
	case strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }):
		return errors.New("has a character that no token has")
	case !isJWT(s) && inBase64([]byte(s), func(decoded []byte) bool { return isJWT(strings.TrimSpace(string(decoded))) }):
		return ErrEncoded
	}
	return nil
}

// payload is the middle part of a JSON Web Token, nil if a text is none.
func payload(token string) []byte {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || !json.Valid(header) {
		return nil
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	return data
}

func isJWT(s string) bool { return payload(s) != nil }

// TokenLife is when a token says that it may be used, without bounds for one that says
// nothing. Nothing of it is verified.
func TokenLife(token string) Life {
	var claims struct {
		NotBefore float64 `json:"nbf"`
		Expires   float64 `json:"exp"`
	}
	if json.Unmarshal(payload(token), &claims) != nil {
		return Life{}
	}
	at := func(seconds float64) time.Time {
		if seconds <= 0 || seconds > latest {
			return time.Time{}
		}
		return time.Unix(int64(seconds), 0)
	}
	return Life{From: at(claims.NotBefore), Until: at(claims.Expires)}
}

// Server refuses what is no address of an API server: a URL, or a host with or without
// a port.
func Server(s string) error {
	if err := Text(s); err != nil {
		return err
	}
	if strings.ContainsFunc(s, unicode.IsSpace) {
		return errors.New("has white space in it")
	}
	scheme, rest, given := strings.Cut(s, "://")
	switch {
	case given && !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http"):
		return errors.New("is no address of an API server, which begins with https://")
	case !given:
		rest = s
		if strings.Contains(s, "//") || strings.HasPrefix(s, "/") || strings.HasPrefix(strings.ToLower(s), "https:/") {
			return errors.New("is no address of an API server, which begins with https://")
		}
	}
	u, err := url.Parse(WithScheme(s))
	switch {
	case err != nil && isIPv6(rest):
		return errors.New("is an IPv6 address without the brackets around it: write [...] or [...]:6443")
	case err != nil:
		return errors.New("cannot be read as a URL") // url.Parse quotes it
	case u.Hostname() == "":
		return errors.New("has no host")
	case u.User != nil:
		return errors.New("has a user or a password in it: use the attributes for credentials")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return errors.New("has a query or a fragment, which no API server's address has")
	case isIPv6(u.Host):
		return errors.New("is an IPv6 address without the brackets around it: write [...] or [...]:6443")
	case strings.HasSuffix(u.Host, ":") && u.Port() == "":
		return errors.New("ends its host with a colon, and has no port")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return errors.New("has no port between 1 and 65535")
		}
	}
	return nil
}

func isIPv6(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Is6()
}

// HasScheme reports whether an address says how it is spoken to.
func HasScheme(server string) bool { return strings.Contains(server, "://") }

// WithScheme is an address as a URL: without a scheme it means https.
func WithScheme(server string) string {
	if server == "" || HasScheme(server) {
		return server
	}
	return "https://" + server
}

// leftOver are what templates, shells and kubectl leave where a value was to go.
var leftOver = []struct {
	form  *regexp.Regexp
	words string
}{
	{regexp.MustCompile(`\$\{[^{}]*\}`), "${...}"},
	{regexp.MustCompile(`%\{[^{}]*\}`), "%{...}"},
	{regexp.MustCompile(`\{\{.*\}\}`), "{{...}}"},
	{regexp.MustCompile(`\$\([^()]*\)`), "$(...)"},
	{regexp.MustCompile(`^\$[A-Za-z_][A-Za-z0-9_]*$`), "$..."},
	{regexp.MustCompile(`^<[^<>]*>$`), "<...>"},
	{regexp.MustCompile(`^REDACTED$`), "REDACTED, as kubectl config view prints it without --raw"},
	{regexp.MustCompile(`^DATA\+OMITTED$`), "DATA+OMITTED, as kubectl config view prints it without --raw"},
	{regexp.MustCompile(`^\(sensitive( value)?\)$`), "(sensitive value), as Terraform prints it"},
	{regexp.MustCompile(`^\(known after apply\)$`), "(known after apply), as Terraform prints it"},
}

// Unfilled refuses a text in which the place of a value is left that was to be filled
// in.
func Unfilled(s string) error {
	for _, left := range leftOver {
		if left.form.MatchString(strings.TrimSpace(s)) {
			return fmt.Errorf("has %s in it, the place of a value that was not filled in", left.words)
		}
	}
	return nil
}
