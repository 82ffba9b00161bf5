package credential

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential/credentialtest"
)

func encoded(data []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(data)) }

func block(kind string) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte("s3cret")})
}

// says compares an error with what it is to say, "" for none.
func says(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("got %v, want %q", err, want)
	}
	if err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Errorf("it is quoted: %v", err)
	}
}

func TestAuthorities(t *testing.T) {
	certificate, key := credentialtest.Good(t)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"one":                      {certificate, ""},
		"two":                      {append(certificate, certificate...), ""},
		"a text before it":         {append([]byte("# of staging\n"), certificate...), ""},
		"without the last newline": {certificate[:len(certificate)-1], ""},
		"no PEM":                   {[]byte("s3cret"), "is no PEM"},
		"empty":                    {nil, "is no PEM"},
		"base64":                   {encoded(certificate), ErrEncoded.Error()},
		"base64 in lines":          {[]byte(strings.Join(strings.SplitAfterN(string(encoded(certificate)), "A", 3), "\n")), ErrEncoded.Error()},
		"a key":                    {key, `"PRIVATE KEY"`},
		"a certificate and a key":  {append(certificate, key...), `"PRIVATE KEY"`},
		"a request":                {block("CERTIFICATE REQUEST"), `"CERTIFICATE REQUEST"`},
		"no certificate in it":     {block("CERTIFICATE"), "cannot be read"},
		"cut off":                  {certificate[:len(certificate)-40], "cut off"},
		"the second is cut off":    {append(certificate, certificate[:100]...), "cut off"},
		"one line":                 {[]byte(strings.ReplaceAll(string(certificate), "\n", " ")), "line breaks"},
		"escaped line breaks":      {[]byte(strings.ReplaceAll(string(certificate), "\n", `\n`)), "line breaks"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Authorities(c.data)
			says(t, err, c.want)
		})
	}
	der, _ := pem.Decode(certificate)
	_, err := Authorities(der.Bytes)
	says(t, err, "DER")
}

func TestClientCertificate(t *testing.T) {
	certificate, key := credentialtest.Good(t)
	_, other := credentialtest.Good(t)
	_, err := ClientCertificate(append(key, certificate...))
	says(t, err, "")
	_, err = ClientCertificate(key)
	says(t, err, "is a private key")
	_, err = ClientCertificate(encoded(certificate))
	says(t, err, ErrEncoded.Error())
	for name, c := range map[string]struct {
		key  []byte
		want string
	}{
		"its key":        {key, ""},
		"a certificate":  {certificate, `"CERTIFICATE" where a PRIVATE KEY`},
		"base64":         {encoded(key), ErrEncoded.Error()},
		"encrypted":      {block("ENCRYPTED PRIVATE KEY"), "passphrase"},
		"of SSH":         {block("OPENSSH PRIVATE KEY"), "SSH key"},
		"public":         {block("PUBLIC KEY"), `"PUBLIC KEY"`},
		"no PEM":         {[]byte("s3cret"), "is no PEM"},
		"cut off":        {key[:50], "cut off"},
		"cannot be read": {block("PRIVATE KEY"), "not the key"},
		"another's":      {other, "not the key"},
	} {
		t.Run(name, func(t *testing.T) {
			err := ClientKey(c.key)
			if err == nil {
				err = Pair(certificate, c.key)
			}
			says(t, err, c.want)
		})
	}
}

func TestToken(t *testing.T) {
	jwt := credentialtest.Token(`{"sub": "x"}`)
	for token, want := range map[string]string{
		"s3cret": "", jwt: "", "abc.def_-~+/=": "", "": "",
		"s3cret\n": "ends with a line break", jwt + "\r\n": "ends with a line break", " s3cret": "begins or ends", "s3cret ": "begins or ends",
		"s3\ncret": "line break", "s3 cret": "white space", "s3\tcret": "line break", "  ": "white space alone", "s3cret\u00a0": "white space",
		"Bearer s3cret": "Bearer", "bearer s3cret": "Bearer", "s3crét": "no token has", "s3cret\x00": "cannot be printed",
		string(encoded([]byte(jwt))): ErrEncoded.Error(), string(encoded([]byte(jwt + "\n"))): ErrEncoded.Error(),
	} {
		t.Run(token, func(t *testing.T) { says(t, Token(token), want) })
	}
}

func TestLife(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		life Life
		want string
	}{
		"no bounds":                  {TokenLife("s3cret"), ""},
		"a token without an end":     {TokenLife(credentialtest.Token(`{"sub": "x"}`)), ""},
		"a token with an hour left":  {TokenLife(credentialtest.Token(`{"exp": %d}`, now.Unix()+3600)), ""},
		"a token that ends now":      {TokenLife(credentialtest.Token(`{"exp": %d}`, now.Unix())), "expired on 2026-11-01T12:00:00Z"},
		"a token of OIDC":            {TokenLife(credentialtest.Token(`{"iss": "https://idp", "exp": %d.5}`, now.Unix()-3600)), "expired on 2026-11-01T11:00:00Z"},
		"a token of later":           {TokenLife(credentialtest.Token(`{"nbf": %d}`, now.Unix()+3600)), "not valid before 2026-11-01T13:00:00Z"},
		"clocks a minute apart":      {TokenLife(credentialtest.Token(`{"nbf": %d}`, now.Unix()+60)), ""},
		"an end after the year 9999": {TokenLife(credentialtest.Token(`{"exp": 1e30}`)), ""},
		"no number":                  {TokenLife(credentialtest.Token(`{"exp": "soon"}`)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.life.Ended(now); got != c.want && !strings.HasSuffix(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	old, _ := credentialtest.Pair(t, now.Add(-2*time.Hour), now.Add(-time.Hour))
	current, _ := credentialtest.Pair(t, now.Add(-2*time.Hour), now.Add(time.Hour))
	both, err := Authorities(append(old, current...))
	if err != nil || Valid(both).Ended(now) != "" || Valid(both[:1]).Ended(now) == "" {
		t.Errorf("%v: one authority that is valid suffices", err)
	}
}

func TestServer(t *testing.T) {
	for server, want := range map[string]string{
		"https://api.example.com:6443": "", "https://10.0.0.1": "", "10.0.0.1": "", "api.example.com:443": "", "https://[fd00::1]:6443": "", "[::1]:6443": "",
		"https://rancher.example.com/k8s/clusters/c-1": "", "HTTPS://api.example.com": "", "http://127.0.0.1:8001": "", "api": "",
		"ftp://api.example.com": "begins with https://", "https:/api.example.com": "begins with https://", "https//api.example.com": "begins with https://",
		"//api.example.com": "begins with https://", "/var/run/api": "begins with https://", "unix:///var/run/api": "begins with https://",
		"https://": "no host", "https://:6443": "no host", "https://api.example.com:port": "cannot be read", "https://api.example.com:66000": "port",
		"https://api.example.com:": "colon", "https://api.example.com:0": "port", "fd00::1": "brackets", "https://fd00::1": "brackets",
		"https://api.example.com\n": "line break", " https://api.example.com": "white space", "https://api example.com": "white space",
		"https://u:s3cret@api.example.com": "password", "https://api.example.com?a=b": "query", "https://api.example.com#a": "fragment", "https://%": "cannot be read",
	} {
		t.Run(server, func(t *testing.T) { says(t, Server(server), want) })
	}
	for server, want := range map[string]string{"10.0.0.1": "https://10.0.0.1", "[::1]:6443": "https://[::1]:6443", "http://h": "http://h", "": ""} {
		if got := WithScheme(server); got != want {
			t.Errorf("%q: %q", server, got)
		}
	}
}

func TestUnfilled(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "s3cret": "", "https://api.example.com": "", "p$word": "", "a{b}c": "", "$2y$10$s3cret": "",
		"${TOKEN}": "${...}", "https://${var.host}": "${...}", "{{ .Values.token }}": "{{...}}", "$(cat token)": "$(...)", "$TOKEN": "$...",
		"<your-token>": "<...>", "REDACTED": "--raw", "DATA+OMITTED": "--raw", "%{ if x }": "%{...}", "(sensitive value)": "Terraform prints it",
	} {
		t.Run(text, func(t *testing.T) { says(t, Unfilled(text), want) })
	}
	if errors.Is(Unfilled("${x}"), ErrEncoded) {
		t.Error("it is not said to be encoded")
	}
}
