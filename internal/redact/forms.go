package redact

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// forms are the ways in which a text may write a secret, but for base64.
func forms(secret string) []string {
	all := []string{secret}
	add := func(form string) {
		if form != secret {
			all = append(all, form)
		}
	}
	for _, write := range []func(string) string{url.QueryEscape, url.PathEscape, userinfo} {
		form := write(secret)
		add(form)
		add(percent.ReplaceAllStringFunc(form, strings.ToLower))
	}
	add(inner(strconv.Quote(secret)))
	add(inner(strconv.QuoteToASCII(secret)))
	if text, err := json.Marshal(secret); err == nil {
		add(inner(string(text)))
	}
	return all
}

// userinfo is a password as a URL writes it.
func userinfo(secret string) string {
	return strings.TrimPrefix(url.UserPassword("", secret).String(), ":")
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

var (
	percent = regexp.MustCompile(`%[0-9A-F]{2}`)
	escape  = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	// encoded is a run of base64, of either alphabet. Four characters are the
	// fewest that hold three bytes, and MinLength bytes need more.
	encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{6,}={0,2}`)
	// escaped is a run with a character that a URL has escaped.
	escaped = regexp.MustCompile(`[^\s"'<>]*%[0-9A-Fa-f]{2}[^\s"'<>]*`)
)

// nesting is how many layers of encoding are taken off.
const nesting = 3

// inBase64 reports whether a run of base64 holds a secret. What stands before the
// encoded text may be of the same alphabet, so it may begin at any of four
// places.
func (f *finder) inBase64(run string, depth int) bool {
	run = strings.TrimRight(run, "=")
	run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
	for begin := range min(4, len(run)) {
		part := run[begin:]
		if len(part)%4 == 1 {
			part = part[:len(part)-1]
		}
		decoded, err := base64.RawStdEncoding.DecodeString(part)
		if err == nil && f.holds(string(decoded), depth-1) {
			return true
		}
	}
	return false
}

// inURL reports whether what a URL has escaped is a secret.
func (f *finder) inURL(run string, depth int) bool {
	plain := escape.ReplaceAllStringFunc(run, func(e string) string {
		b, err := strconv.ParseUint(e[1:], 16, 8)
		if err != nil {
			return e
		}
		return string([]byte{byte(b)})
	})
	return plain != run && (f.holds(plain, depth-1) || f.holds(strings.ReplaceAll(plain, "+", " "), depth-1))
}

// URLPasswords are the passwords in a URL, as they are written and as they are
// meant, also in one that cannot be parsed.
func URLPasswords(text string) []string {
	_, rest, found := strings.Cut(text, "://")
	if !found {
		rest = text
	}
	if end := strings.LastIndexByte(rest, '@'); end >= 0 {
		if _, password, found := strings.Cut(rest[:end], ":"); found {
			if meant, err := url.PathUnescape(password); err == nil {
				return []string{password, meant}
			}
			return []string{password}
		}
	}
	return nil
}
