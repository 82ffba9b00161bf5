package githubapp

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs1() string { return block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(testKey())) }

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

// stand answers as https://docs.github.com/en/rest/apps/apps says. It looks at each signature.
type stand struct {
	*httptest.Server
	t       *testing.T
	now     func() time.Time
	minted  atomic.Int64
	refuses atomic.Int64 // a status
	rights  string
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{t: t, now: time.Now, rights: `{"contents":"write","pull_requests":"write"}`}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v3/repos/team/repo/installation", func(w http.ResponseWriter, r *http.Request) {
		s.verify(r)
		fmt.Fprint(w, `{"id": 42}`)
	})
	mux.HandleFunc("POST /api/v3/app/installations/42/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		s.verify(r)
		if status := int(s.refuses.Load()); status != 0 {
			w.WriteHeader(status)
			fmt.Fprint(w, `{"message":"so says GitHub"}`)
			return
		}
		var form struct {
			Repositories []string
			Permissions  json.RawMessage
		}
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&form); err != nil || strings.Join(form.Repositories, ",") != "repo" || string(form.Permissions) != s.rights {
			t.Errorf("asked for %+v, %s, %v", form, form.Permissions, err)
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"token":"ghs_%d","expires_at":%q}`, s.minted.Add(1), s.now().Add(time.Hour).UTC().Format(time.RFC3339))
	})
	mux.HandleFunc("POST /api/v3/app/installations/7/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *stand) verify(r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		s.t.Errorf("the authorization is %q", token)
		return
	}
	var header struct{ Alg, Typ string }
	var claims struct {
		Iss      string
		Iat, Exp int64
	}
	for part, into := range map[string]any{parts[0]: &header, parts[1]: &claims} {
		data, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || json.Unmarshal(data, into) != nil {
			s.t.Errorf("%q is not a part of a JWT", part)
		}
	}
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&testKey().PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		s.t.Error(err)
	}
	now := s.now().Unix()
	if header.Alg != "RS256" || header.Typ != "JWT" || claims.Iss != "Iv1.app" || now-claims.Iat < 59 || now-claims.Iat > 65 ||
		claims.Exp <= now || claims.Exp > now+600 || claims.Exp-claims.Iat > 600 {
		s.t.Errorf("%+v %+v at %d", header, claims, now)
	}
}

func (s *stand) app(t *testing.T, change ...func(*Config)) *App {
	t.Helper()
	config := Config{
		ID: "Iv1.app", InstallationID: "42", PrivateKey: pkcs1(), PullRequests: true, Repository: s.URL + "/team/repo.git", AllowInsecure: true,
	}
	for _, c := range change {
		c(&config)
	}
	app, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	app.now = s.now
	return app
}

func TestToken(t *testing.T) {
	s := newStand(t)
	start := time.Now()
	passed := time.Duration(0)
	s.now = func() time.Time { return start.Add(passed) }
	app := s.app(t)
	for _, c := range []struct {
		after time.Duration
		want  string
	}{{0, "ghs_1"}, {54 * time.Minute, "ghs_1"}, {56 * time.Minute, "ghs_2"}, {100 * time.Minute, "ghs_2"}, {5 * time.Hour, "ghs_3"}} {
		passed = c.after
		if got, err := app.Token(t.Context()); err != nil || got != c.want {
			t.Errorf("after %v: %q, %v, want %s", c.after, got, err, c.want)
		}
	}
}

func TestToken_ofManyCallers(t *testing.T) {
	s := newStand(t)
	app := s.app(t, func(c *Config) { c.PrivateKey = pkcs8(t, testKey()) })
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if token, err := app.Token(t.Context()); err != nil || token != "ghs_1" {
				t.Errorf("%q, %v", token, err)
			}
		})
	}
	group.Wait()
	if got := s.minted.Load(); got != 1 {
		t.Errorf("%d tokens were minted", got)
	}
}

func TestToken_looksForTheInstallation(t *testing.T) {
	s := newStand(t)
	s.rights = `{"contents":"write"}`
	app := s.app(t, func(c *Config) { c.InstallationID, c.PullRequests = "", false })
	if token, err := app.Token(t.Context()); err != nil || token != "ghs_1" {
		t.Errorf("%q, %v", token, err)
	}
}

func TestToken_refused(t *testing.T) {
	s := newStand(t)
	for status, want := range map[int]string{
		http.StatusUnauthorized: "clock", http.StatusForbidden: "suspended", http.StatusNotFound: "installation 42", http.StatusUnprocessableEntity: "access to the repository repo",
	} {
		s.refuses.Store(int64(status))
		_, err := s.app(t).Token(t.Context())
		var refusal *Error
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "so says GitHub") {
			t.Errorf("%d: %v", status, err)
		}
	}
	s.refuses.Store(0)
	app := s.app(t, func(c *Config) { c.InstallationID = "7" })
	if _, err := app.Token(t.Context()); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.app(t).Token(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A token that is still good is used while GitHub has trouble.
func TestToken_ofAnOutage(t *testing.T) {
	s := newStand(t)
	start := time.Now()
	passed := time.Duration(0)
	s.now = func() time.Time { return start.Add(passed) }
	app := s.app(t)
	if _, err := app.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.refuses.Store(http.StatusServiceUnavailable)
	passed = 57 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // too short for another attempt
	defer cancel()
	if token, err := app.Token(ctx); err != nil || token != "ghs_1" {
		t.Errorf("%q, %v", token, err)
	}
	passed = 61 * time.Minute
	if _, err := app.Token(ctx); err == nil {
		t.Error("the token is over")
	}
}

func TestNew(t *testing.T) {
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change        func(*Config)
		field, reason string
	}{
		"no key":              {func(c *Config) { c.PrivateKey = "" }, "http.github_app.private_key", "is required"},
		"no PEM":              {func(c *Config) { c.PrivateKey = "s3cret" }, "http.github_app.private_key", "no PEM"},
		"a certificate":       {func(c *Config) { c.PrivateKey = block("CERTIFICATE", []byte("s3cret")) }, "http.github_app.private_key", "certificate"},
		"a public key":        {func(c *Config) { c.PrivateKey = block("PUBLIC KEY", []byte("s3cret")) }, "http.github_app.private_key", "public"},
		"encrypted":           {func(c *Config) { c.PrivateKey = block("ENCRYPTED PRIVATE KEY", []byte("s3cret")) }, "http.github_app.private_key", "encrypted"},
		"an SSH key":          {func(c *Config) { c.PrivateKey = block("OPENSSH PRIVATE KEY", []byte("s3cret")) }, "http.github_app.private_key", "not a key of a GitHub App"},
		"cut off":             {func(c *Config) { c.PrivateKey = block("RSA PRIVATE KEY", []byte("s3cret")) }, "http.github_app.private_key", "cut off"},
		"another kind":        {func(c *Config) { c.PrivateKey = pkcs8(t, elliptic) }, "http.github_app.private_key", "RSA"},
		"no id":               {func(c *Config) { c.ID = "" }, "http.github_app.id", "is required"},
		"no installation":     {func(c *Config) { c.InstallationID = "team" }, "http.github_app.installation_id", "number"},
		"an id of a file":     {func(c *Config) { c.ID = "1\n" }, "http.github_app.id", "line break"},
		"blanks":              {func(c *Config) { c.InstallationID = " 42" }, "http.github_app.installation_id", "white space"},
		"in base64":           {func(c *Config) { c.PrivateKey = base64.StdEncoding.EncodeToString([]byte(pkcs1())) }, "http.github_app.private_key", "base64decode"},
		"a certificate alone": {func(c *Config) { c.ClientCertificate = "x" }, "http.client_key", "is required"},
		"no repository":       {func(c *Config) { c.Repository = "" }, "url", "is required"},
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{ID: "1", InstallationID: "42", PrivateKey: pkcs1(), Repository: "https://github.com/team/repo"}
			c.change(&config)
			_, err := New(config)
			var wrong *ConfigError
			if !errors.As(err, &wrong) || wrong.Field != c.field || !strings.Contains(wrong.Reason, c.reason) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v", err)
			}
		})
	}
}
