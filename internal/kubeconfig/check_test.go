package kubeconfig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential/credentialtest"
)

func TestPortable_refuses(t *testing.T) {
	authority, key := credentialtest.Good(t)
	_, otherKey := credentialtest.Good(t)
	field := func(name string, data []byte) string {
		return name + ": " + base64.StdEncoding.EncodeToString(data)
	}
	twice := func(data []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(data)) }
	const server, token = "server: https://c.example.com", "token: s3cret"
	ca, pair := field("certificate-authority-data", authority), field("client-certificate-data", authority)+", "+field("client-key-data", key)
	for name, c := range map[string]struct{ context, cluster, user, finding string }{
		"exec":                  {"x", server, "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}", "exec plugin"},
		"exec beside a token":   {"x", server, token + ", exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}", "exec plugin"},
		"tokenFile":             {"x", server, "tokenFile: /var/token", "tokenFile"},
		"client-certificate":    {"x", server, "client-certificate: /c.pem", certificateData},
		"client-key":            {"x", server, "client-key: /c.key", keyData},
		"certificate-authority": {"x", server + ", certificate-authority: /ca.pem", token, authorityData},
		"auth-provider":         {"x", server, "auth-provider: {name: gcp}", "auth-provider"},
		"as-uid":                {"x", server, token + ", as: someone, as-uid: '1'", "as-uid"},
		"no current-context":    {"''", server, token, "current-context is not set"},
		"unknown context":       {"nosuch", server, token, "no such context"},
		"dangling context":      {"dangling", server, token, "no such cluster"},

		"no credentials":           {"x", server, "", "anonymous"},
		"empty credentials":        {"x", server, "token: '', username: ''", "anonymous"},
		"impersonation alone":      {"x", server, "as: someone", "anonymous"},
		"a username alone":         {"x", server, "username: ci", "username without a password"},
		"a password alone":         {"x", server, "password: s3cret", "password without a username"},
		"a token and a password":   {"x", server, token + ", username: ci, password: s3cret", "a token and a username"},
		"groups without a user":    {"x", server, token + ", as-groups: [admins]", "without as"},
		"certificate without key":  {"x", server, field("client-certificate-data", authority), "no client-key-data"},
		"key without certificate":  {"x", server, field("client-key-data", key), "no client-certificate-data"},
		"certificate beside token": {"x", server, token + ", " + field("client-certificate-data", authority), "no client-key-data"},
		"key of another":           {"x", server, field("client-certificate-data", authority) + ", " + field("client-key-data", otherKey), "client-key-data is not the key"},
		"certificate is no PEM":    {"x", server, field("client-certificate-data", []byte("s3cret")) + ", " + field("client-key-data", key), "client-certificate-data is no PEM"},
		"key encoded twice":        {"x", server, field("client-certificate-data", authority) + ", " + field("client-key-data", twice(key)), "client-key-data is encoded in base64 twice"},
		"token with a line break":  {"x", server, `token: "s3cret\n"`, "token ends with a line break"},
		"token with a space":       {"x", server, "token: s3 cret", "white space"},
		"token with Bearer":        {"x", server, "token: Bearer s3cret", "Bearer"},
		"token in base64":          {"x", server, field("token", []byte(credentialtest.Token("{}"))), "token is encoded in base64 twice"},
		"password with line break": {"x", server, `username: ci, password: "s3cret\n"`, "password ends with a line break"},

		"insecure with an authority": {"x", server + ", insecure-skip-tls-verify: true, " + ca, token, "insecure-skip-tls-verify together"},
		"authority is no PEM":        {"x", server + ", certificate-authority-data: czNjcmV0", token, "certificate-authority-data is no PEM"},
		"authority encoded twice":    {"x", server + ", " + field("certificate-authority-data", twice(authority)), token, "certificate-authority-data is encoded in base64 twice"},
		"authority is a key":         {"x", server + ", " + field("certificate-authority-data", key), token, "PRIVATE KEY"},
		"authority is not encoded":   {"x", server + ", certificate-authority-data: '-----BEGIN CERTIFICATE-----'", token, "certificate-authority-data is not in base64"},
		"key is not encoded":         {"x", server, "client-key-data: '-----BEGIN s3cret'", "client-key-data is not in base64"},
		"authority omitted":          {"x", server + ", certificate-authority-data: DATA+OMITTED", token, "--raw"},

		"no server":                         {"x", "insecure-skip-tls-verify: true", token, "no server"},
		"http":                              {"x", "server: http://c.example.com", token, "begins with http://"},
		"http in capitals":                  {"x", "server: HTTP://c.example.com", token, "begins with http://"},
		"no scheme":                         {"x", "server: c.example.com", token, "does not say https://"},
		"another scheme":                    {"x", "server: ftp://c.example.com", token, "begins with https://"},
		"server with a space":               {"x", "server: 'https://c.example.com '", token, "white space"},
		"server with a password":            {"x", "server: https://u:s3cret@c.example.com", token, "has a user or a password"},
		"proxy":                             {"x", server + ", proxy-url: s3cret", token, "proxy-url"},
		"${...} in the server":              {"x", "server: 'https://${HOST}'", token, "the cluster's server has ${...}"},
		"${...} in the token":               {"x", server, "token: '${TOKEN}'", "the user's token has ${...}"},
		"${...} in the authority":           {"x", server + ", certificate-authority-data: '${CA}'", token, "${...}"},
		"${...} encoded":                    {"x", server + ", " + field("certificate-authority-data", []byte("${CA}")), token, "certificate-authority-data has ${...}"},
		"${...} in the certificate":         {"x", server, "client-certificate-data: '${CERT}', client-key-data: '${KEY}'", "${...}"},
		"${...} that is no YAML":            {"x", "server: ${HOST}", token, "${...}"},
		"{{...}} in the token":              {"x", server, "token: '{{ .token }}'", "{{...}}"},
		"a token that kubectl has redacted": {"x", server, "token: REDACTED", "--raw"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Portable(fmt.Appendf(nil, kubeconfigForm, c.context, c.cluster, c.user))
			var portability *PortabilityError
			if !errors.As(err, &portability) || !strings.Contains(err.Error(), c.finding) {
				t.Errorf("got %v, want a finding about %q", err, c.finding)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
	for name, c := range map[string]struct{ cluster, user string }{
		"token and authority":       {server + ", " + ca, token},
		"client certificate":        {server + ", " + ca, pair},
		"certificate beside token":  {server, token + ", " + pair},
		"password":                  {server, "username: ci, password: s3cret"},
		"insecure":                  {server + ", insecure-skip-tls-verify: true", token},
		"impersonation":             {server, token + ", as: someone, as-groups: [admins]"},
		"no scheme":                 {"server: 'c.example.com:6443', " + ca, token},
		"proxy":                     {server + ", proxy-url: socks5://p.example.com", token},
		"a name in the certificate": {server + ", tls-server-name: api.internal, " + ca, token},
	} {
		t.Run("takes "+name, func(t *testing.T) {
			if _, err := Usable(fmt.Appendf(nil, kubeconfigForm, "x", c.cluster, c.user), time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPortable_noYAML(t *testing.T) {
	for text, want := range map[string]string{
		"s3cret: [": "line 1",
		"apiVersion: v1\nkind: Config\n\tusers: s3cret": "line 3",
		"s3cret":                                 "cannot be read",
		"apiVersion: v1\nkind: Secret\ndata: {}": "cannot be read",
		"":                                       "current-context is not set",
	} {
		if _, err := Portable([]byte(text)); err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestUsable: credentials that have expired are as good as none, and the time says which.
func TestUsable(t *testing.T) {
	now := time.Now()
	field := func(name string, data []byte) string {
		return name + ": " + base64.StdEncoding.EncodeToString(data)
	}
	old, oldKey := credentialtest.Pair(t, now.Add(-2*time.Hour), now.Add(-time.Hour))
	coming, comingKey := credentialtest.Pair(t, now.Add(time.Hour), now.Add(2*time.Hour))
	const server, token = "server: https://c.example.com", "token: s3cret"
	ago := now.Add(-time.Hour).UTC().Format(time.RFC3339)
	for name, c := range map[string]struct{ cluster, user, want string }{
		"token":               {server, "token: " + credentialtest.Token(`{"exp": %d}`, now.Add(-time.Hour).Unix()), "the user's token expired on " + ago},
		"token of later":      {server, "token: " + credentialtest.Token(`{"nbf": %d}`, now.Add(time.Hour).Unix()), "the user's token is not valid before"},
		"certificate":         {server, field(certificateData, old) + ", " + field(keyData, oldKey), "the client certificate expired on " + ago},
		"certificate, later":  {server, field(certificateData, coming) + ", " + field(keyData, comingKey), "the client certificate is not valid before"},
		"authority":           {server + ", " + field(authorityData, old), token, "the certificate authority expired on " + ago},
		"one of two is valid": {server + ", " + field(authorityData, append(old, coming...)), token, ""},
	} {
		t.Run(name, func(t *testing.T) {
			data := fmt.Appendf(nil, kubeconfigForm, "x", c.cluster, c.user)
			if _, err := Portable(data); err != nil {
				t.Fatal(err)
			}
			at := now
			if c.want == "" {
				at = now.Add(90 * time.Minute)
			}
			_, err := Usable(data, at)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
