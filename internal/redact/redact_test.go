package redact

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// echoes are the texts in which a server may give a secret back.
func echoes(user, secret string) map[string]string {
	login := user + ":" + secret
	all := map[string]string{
		"plain":             secret,
		"in a word":         "token" + secret + "end",
		"basic":             "Basic " + base64.StdEncoding.EncodeToString([]byte(login)),
		"basic, unpadded":   "Basic " + base64.RawURLEncoding.EncodeToString([]byte(login)),
		"twice base64":      base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(login)))),
		"base64 in a path":  "/a/" + base64.URLEncoding.EncodeToString([]byte(secret)) + "?x=1",
		"query":             "?t=" + url.QueryEscape(secret) + "&a=b",
		"path":              "/" + url.PathEscape(secret) + "/x",
		"userinfo":          (&url.URL{Scheme: "https", User: url.UserPassword(user, secret), Host: "h"}).String(),
		"query, lower case": "?t=" + percent.ReplaceAllStringFunc(url.QueryEscape(secret), strings.ToLower),
		"every byte":        hexed(secret),
		"escaped twice":     "?t=" + url.QueryEscape("a b%"+url.QueryEscape(secret)) + "%zz",
		"base64 in a query": "?t=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("+?>"+secret))),
		"quoted":            strconv.Quote(secret),
	}
	for before := range 4 {
		all["base64 after "+strconv.Itoa(before)] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret + "tail"))
	}
	text, err := json.Marshal(map[string]string{"m": "<" + secret + ">"})
	if err != nil {
		panic(err)
	}
	all["JSON"] = string(text)
	return all
}

func hexed(secret string) string {
	var out strings.Builder
	for _, b := range []byte(secret) {
		out.WriteString("%" + strconv.FormatUint(uint64(b)|0x100, 16)[1:])
	}
	return out.String()
}

// shows reports whether what was shown before redaction still is.
func shows(text, secret string) bool {
	for _, form := range []string{secret, url.QueryEscape(secret), base64.RawStdEncoding.EncodeToString([]byte(secret))} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestText(t *testing.T) {
	for _, secret := range []string{"s3cr", "correct horse/battery+staple=", "pä$$ wörd", `qu"ote\back`, "a%20b", "canary0123456789"} {
		r := New()
		r.Know(secret)
		for form, text := range echoes("ci", secret) {
			got := r.Text("before " + text + " after")
			if !strings.Contains(got, Mark) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
				t.Errorf("%s of %q: %q became %q", form, secret, text, got)
			}
			if shows(got, secret) {
				t.Errorf("%s of %q is still shown: %q", form, secret, got)
			}
		}
	}
}

// TestText_random: no secret of any bytes that are text shows in any form, and
// text without one stays as it is.
func TestText_random(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-_:@%&?#\"\\<> "
	for range 300 {
		secret := make([]byte, 6+random.IntN(40))
		for i := range secret {
			secret[i] = letters[random.IntN(len(letters))]
		}
		text := strings.TrimSpace(string(secret))
		if len(text) < 6 {
			continue
		}
		r := New()
		r.Know(string(secret))
		for form, echo := range echoes("user", text) {
			if got := r.Text(echo); !strings.Contains(got, Mark) || shows(got, text) {
				t.Errorf("%s of %q: %q became %q", form, text, echo, got)
			}
		}
		const other = "Unable to create package install \"app.default.tap/staging\": the branch main of https://git.example.com/a%2Fb.git dGhlIGJyYW5jaA=="
		if got := r.Text(other); got != other {
			t.Errorf("%q became %q", other, got)
		}
	}
}

func TestKnow(t *testing.T) {
	r := New()
	r.Know("", "abc", "  padded-secret\n", "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n-----END KEY-----\n", "p4rt", "p4rt-of-more")
	for text, want := range map[string]string{
		"":                           "",
		"abc is too short":           "abc is too short",
		"padded-secret":              Mark,
		"line MIIEvQIBADANBgkqhkiG.": "line " + Mark + ".",
		"-----BEGIN KEY----- short":  "-----BEGIN KEY----- short",
		"p4rt-of-more":               Mark,
		"p4rt, p4rt-of-more":         Mark + ", " + Mark,
	} {
		t.Run(text, func(t *testing.T) {
			if got := r.Text(text); got != want {
				t.Errorf("%q became %q, want %q", text, got, want)
			}
		})
	}
	var none *Redactor
	if none.Text("part") != "part" || New().Text("part") != "part" {
		t.Error("a Redactor that knows nothing changes a text")
	}
}

func TestChild(t *testing.T) {
	parent := New()
	asked := 0
	child := parent.Child(func() []string { asked++; return []string{"found out"} })
	grandchild := child.Child(nil)
	child.Know("of the child")
	parent.Know("of the parent")
	grandchild.Know("of the grandchild")
	const all = "of the parent, of the child, of the grandchild"
	for name, c := range map[string]struct {
		r    *Redactor
		want string
	}{
		"parent":     {parent, Mark + ", of the child, of the grandchild"},
		"child":      {child, Mark + ", " + Mark + ", of the grandchild"},
		"grandchild": {grandchild, Mark + ", " + Mark + ", " + Mark},
		"context":    {From(NewContext(t.Context(), child)), Mark + ", " + Mark + ", of the grandchild"},
		"nothing":    {From(t.Context()), all},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.r.Text(all); got != c.want {
				t.Errorf("%s: %q", name, got)
			}
		})
	}
	if got := grandchild.Text("found out"); got != Mark || asked != 1 {
		t.Errorf("%q after %d questions", got, asked)
	}
}

func TestURLPasswords(t *testing.T) {
	for text, want := range map[string]string{
		"http://proxy:3128": "", "http://u@proxy": "", "http://u:p%40ss@proxy:3128/": "p%40ss p@ss", "http://u:a@b@proxy": "a@b a@b",
		"u:s3cret@proxy": "s3cret s3cret", "http://u:%zz@proxy": "%zz", "://u:s3cret@\x00": "s3cret s3cret", "": "",
	} {
		t.Run(text, func(t *testing.T) {
			if got := strings.Join(URLPasswords(text), " "); got != want {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		})
	}
}

// TestRedactor_words: what is likely to be a word of a sentence is none of its secrets, and what is not is.
func TestRedactor_words(t *testing.T) {
	r := New()
	r.Know("none", "info", "abcdefg", "pass1", "Pass", "wordlong")
	const text = "none of info abcdefg"
	if got := r.Text(text); got != text {
		t.Errorf("%q", got)
	}
	if got := r.Text("pass1 Pass wordlong"); got != Mark+" "+Mark+" "+Mark {
		t.Errorf("%q", got)
	}
}
