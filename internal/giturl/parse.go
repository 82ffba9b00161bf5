package giturl

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// scpLike is user@host:path. What is in brackets is an IPv6 address, or a host with a
// port, and the user may be there as well.
var scpLike = regexp.MustCompile(`^(?:([^/:\[\]]+)@)?(?:\[(?:([^/:\[\]]+)@)?([^/@\[\]]+)\]|([^/@:\[\]]+)):(.+)$`)

// Parse takes a repository's URL apart as git does. In the path of an ssh:// URL every
// character stands for itself but a percent sign that two hexadecimal digits follow; in
// the scp-like form that one does too, and the path begins with no slash unless the text
// says so. The errors continue the name of what has the URL in a sentence, and quote
// nothing of it.
func Parse(text string) (*url.URL, error) {
	switch {
	case text == "":
		return nil, errors.New("is required")
	case strings.HasSuffix(text, "\n"):
		return nil, errors.New("ends with a line break, as the text of a file does: remove it, for example with trimspace(...)")
	case strings.TrimSpace(text) != text:
		return nil, errors.New("begins or ends with white space: remove it, for example with trimspace(...)")
	case strings.ContainsFunc(text, unicode.IsControl):
		return nil, errors.New("has a line break, or another character that cannot be printed")
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		if parts := scpLike.FindStringSubmatch(text); parts != nil {
			return ofParts(parts)
		}
		return nil, errors.New("must begin with https:// or ssh://, or be of the form git@host:path")
	}
	over := strings.ToLower(scheme)
	switch over {
	case "http", "https":
		switch {
		case strings.ContainsRune(rest, ' '):
			return nil, errors.New("has a space in it, with which git reaches no server: write %20")
		case strings.ContainsAny(rest, "?#"):
			return nil, errors.New("must not have a query or a fragment, which a ? and a # begin: write %3F and %23 where they are part of the path")
		}
	case "ssh", "git+ssh", "ssh+git":
		rest = literal(rest)
	}
	u, err := url.Parse(over + "://" + rest)
	switch {
	case errors.As(err, new(url.EscapeError)):
		return nil, errors.New("has a percent sign that no two hexadecimal digits follow: write %25 for the character itself")
	case err != nil:
		return nil, errors.New("is not a URL")
	}
	return u, nil
}

func ofParts(parts []string) (*url.URL, error) {
	u := &url.URL{Scheme: "ssh", Host: parts[4], Path: parts[5]}
	if user := parts[1] + parts[2]; user != "" {
		u.User = url.User(user)
	}
	if within := parts[3]; strings.Count(within, ":") > 1 {
		u.Host = "[" + within + "]"
	} else if within != "" {
		u.Host = within
	}
	if _, err := url.Parse("ssh://" + u.Host); err != nil {
		return nil, errors.New("names no host")
	}
	return u, nil
}

// literal writes the path of an ssh:// URL so that url.Parse takes each character for
// itself that git does.
func literal(rest string) string {
	authority, path, found := strings.Cut(rest, "/")
	if !found {
		return rest
	}
	var b strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case c == '?':
			b.WriteString("%3F")
		case c == '#':
			b.WriteString("%23")
		case c == '%' && (i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2]) || path[i+1:i+3] == "00"):
			b.WriteString("%25")
		default:
			b.WriteByte(c)
		}
	}
	return authority + "/" + b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// Normal is a form that is the same for URLs which differ in what they write with a
// percent sign, and in the case of their scheme and host. What Parse refuses is left.
func Normal(text string) string {
	u, err := Parse(text)
	if err != nil {
		return text
	}
	segments := strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segments[i] = url.PathEscape(plain)
		}
	}
	path := strings.Join(segments, "/")
	if !strings.Contains(text, "://") {
		path = ":" + path // relative to a home directory
	}
	user := ""
	if u.User != nil {
		user = u.User.String() + "@"
	}
	return u.Scheme + "://" + user + strings.ToLower(u.Host) + path
}
