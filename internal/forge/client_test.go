package forge

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential/credentialtest"
)

func TestCertificateAuthority(t *testing.T) {
	asked := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		http.NotFound(w, nil)
	}))
	defer server.Close()
	server.Config.ErrorLog = nil
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	for trusted, want := range map[string]string{authority: "not found", "": "certificate"} {
		f, err := New(Config{
			Kind: Gitea, Repository: server.URL + "/team/repo", CertificateAuthority: trusted,
			Token: func(context.Context) (string, error) { return testToken, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		waits := 0
		f.(checked).Forge.(*gitea).pause = func(context.Context, time.Duration) error { waits++; return nil }
		if _, err := f.Get(t.Context(), 1); err == nil || !strings.Contains(err.Error(), want) || waits > 0 {
			t.Errorf("got %v after %d waits", err, waits)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// TestClientCertificate: an API that asks for a client certificate gets it.
func TestClientCertificate(t *testing.T) {
	certificate, key := credentialtest.Good(t)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificate)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	stranger, strangersKey := credentialtest.Good(t)
	for _, c := range []struct {
		certificate, key []byte
		want             string
	}{{certificate, key, "not found"}, {nil, nil, "certificate required"}, {stranger, strangersKey, "certificate authority"}} {
		f, err := New(Config{
			Kind: Gitea, Repository: server.URL + "/team/repo", ClientCertificate: string(c.certificate), ClientKey: string(c.key),
			CertificateAuthority: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})),
			Token:                func(context.Context) (string, error) { return testToken, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Get(t.Context(), 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestToken(t *testing.T) {
	none := errors.New("there is no token")
	f, err := New(Config{Kind: Gitea, Repository: "https://git.invalid/team/repo", Token: func(context.Context) (string, error) { return "", none }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(t.Context(), 1); !errors.Is(err, none) {
		t.Errorf("got %v", err)
	}
}

func TestToken_ofTwoLines(t *testing.T) {
	for _, token := range []string{"", "s3cret\n"} {
		f, err := New(Config{Kind: Gitea, Repository: "https://git.invalid/team/repo", Token: func(context.Context) (string, error) { return token, nil }})
		if err != nil {
			t.Fatal(err)
		}
		var wrong *ConfigError
		if _, err := f.Get(t.Context(), 1); !errors.As(err, &wrong) || wrong.Field != "forge.token" || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got %v", err)
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	f, err := New(Config{
		Kind: Gitea, Repository: strings.Replace(server.URL, "http://", "http://user:password@", 1) + "/team/repo", AllowInsecure: true,
		Token: func(context.Context) (string, error) { return testToken, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	quick(f)
	var busy *BusyError
	if _, err := f.Get(t.Context(), 1); !errors.As(err, &busy) || strings.Contains(err.Error(), "password") {
		t.Errorf("got %v", err)
	}
}

func TestThrottled(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		status  int
		headers map[string]string
		limited bool
		after   time.Duration
	}{
		{http.StatusTooManyRequests, nil, true, 0},
		{http.StatusTooManyRequests, map[string]string{"Retry-After": "7"}, true, 7 * time.Second},
		{http.StatusTooManyRequests, map[string]string{"Retry-After": "1700000030"}, true, 30 * time.Second},
		{http.StatusTooManyRequests, map[string]string{"Retry-After": now.Add(time.Minute).UTC().Format(http.TimeFormat)}, true, time.Minute},
		{http.StatusTooManyRequests, map[string]string{"Retry-After": "soon"}, true, 0},
		{http.StatusTooManyRequests, map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": "1700000009"}, true, 9 * time.Second},
		{http.StatusForbidden, nil, false, 0},
		{http.StatusForbidden, map[string]string{"X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": "1700000009"}, false, 0},
		{http.StatusForbidden, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000009"}, true, 9 * time.Second},
		{http.StatusForbidden, map[string]string{"Retry-After": "60"}, true, time.Minute},
		{http.StatusServiceUnavailable, map[string]string{"Retry-After": "60"}, false, time.Minute},
	} {
		got := reply{status: c.status, header: http.Header{}}
		for name, value := range c.headers {
			got.header.Set(name, value)
		}
		if limited, after := throttled(got, now); limited != c.limited || after != c.after {
			t.Errorf("%d %v: %v, %v", c.status, c.headers, limited, after)
		}
	}
}

func TestWords(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":"Not Found","documentation_url":"https://docs"}`:                                          "Not Found",
		`{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"x"}]}`: "code: custom; x; Validation Failed",
		`{"message":["Another open merge request already exists: !5"]}`:                                       "Another open merge request already exists: !5",
		`{"message":{"base":["is no branch"],"title":["is empty","is short"]}}`:                               "base: is no branch; title: is empty, is short",
		`{"error":"invalid_token","error_description":"Token was revoked."}`:                                  "invalid_token; Token was revoked.",
		`{"type":"error","error":{"message":"Bad request","fields":{"title":["is required"]}}}`:               "fields: title: is required; Bad request",
		`{"errors":[{"context":null,"message":"No.","exceptionName":"x.y"}]}`:                                 "No.",
		`{"$id":"1","message":"TF401179: It exists.","typeKey":"X","errorCode":0}`:                            "TF401179: It exists.",
		"<html><head><title>\n502 Bad Gateway</title></head><body>...":                                        "a web page (502 Bad Gateway)",
		"plain \x07text":           `plain \x07text`,
		"":                         "I'm a teapot",
		"{}":                       "I'm a teapot",
		`[[[[[[[[["deep"]]]]]]]]]`: "I'm a teapot",
	} {
		if got := (secrets{}).words(reply{status: http.StatusTeapot, body: []byte(body)}); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	long := (secrets{}).words(reply{body: []byte(strings.Repeat("x", 1<<20))})
	if len(long) > maxTextBytes+10 {
		t.Errorf("%d bytes", len(long))
	}
}

func TestDrafts(t *testing.T) {
	yes, no := true, false
	marks := drafts{"WIP:", "[WIP]"}
	for _, c := range []struct {
		content Content
		now     Request
		title   string
		differ  bool
	}{
		{Content{Title: "A"}, Request{Title: "A"}, "A", false},
		{Content{Title: "A"}, Request{Title: "A", Draft: true}, "WIP: A", false},
		{Content{Title: "A", Draft: &no}, Request{Title: "A", Draft: true}, "A", true},
		{Content{Title: "A", Draft: &yes}, Request{Title: "A"}, "WIP: A", true},
		{Content{Title: "wip: A"}, Request{Title: "A"}, "WIP: A", true},
		{Content{Title: "WIP: A"}, Request{Title: "A", Draft: true}, "WIP: A", false},
		{Content{Title: "[WIP] A", Draft: &no}, Request{Title: "A"}, "A", false},
		{Content{}, Request{Title: "A"}, "A", false},
		{Content{Title: "B"}, Request{Title: "A", Draft: true}, "WIP: B", true},
	} {
		if title, differ := marks.title(c.content, &c.now), marks.differ(c.content, &c.now); title != c.title || differ != c.differ {
			t.Errorf("%+v on %+v: %q, %v", c.content, c.now, title, differ)
		}
	}
}
