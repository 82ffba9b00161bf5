package gitops

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential/credentialtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

// TestObjectFormat: a repository of SHA-256 ids is named as that, whatever is done with it, and nothing is written.
func TestObjectFormat(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]bool{"empty": false, "empty, with create_branch": true, "with a commit": false, "another branch": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			dir := f.RepositoryDir(repository)
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{
				{"init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", dir}, {"-C", dir, "config", "http.receivepack", "true"},
			} {
				if out, err := exec.CommandContext(patient(t), "git", args...).CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			if !strings.HasPrefix(name, "empty") {
				if _, err := f.Seed(repository, "first", map[string]string{"a": "1"}); err != nil {
					t.Fatal(err)
				}
			}
			key, signer := forge.SSHKey()
			branch := func(c *Config) {
				if c.CreateBranch = create; name == "another branch" {
					c.Branch = "other"
				}
			}
			for over, e := range map[string]*Engine{"HTTP": f.engine(branch), "SSH": f.ssh(signer.PublicKey()).engine(key, branch)} {
				t.Run(over, func(t *testing.T) {
					check := func(what string, err error) {
						t.Helper()
						var format *ObjectFormatError
						if !errors.As(err, &format) || format.Format != "sha256" {
							t.Errorf("%s: %v, want *ObjectFormatError", what, err)
						}
					}
					_, err := e.Read(patient(t), "a")
					switch name {
					case "empty": // git tells nothing then
						if !errors.Is(err, ErrEmptyRepository) {
							t.Error(err)
						}
						return
					case "empty, with create_branch":
						if !errors.Is(err, ErrNotExist) {
							t.Error(err)
						}
					default:
						check("read", err)
					}
					_, err = e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}})
					check("apply", err)
				})
			}
		})
	}
}

// TestLoginPages: a server that leads to a page for people, or gives one, is told as that, and is asked once.
func TestLoginPages(t *testing.T) {
	t.Parallel()
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<html><form>Sign in</form></html>"))
	}
	var requests atomic.Int32
	sso := httptest.NewServer(http.HandlerFunc(page))
	t.Cleanup(sso.Close)
	var status atomic.Int32
	var to atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if where, _ := to.Load().(string); where != "" && !strings.HasPrefix(r.URL.Path, "/login") {
			http.Redirect(w, r, where+"?back="+r.URL.Path+"&token=s3cret", int(status.Load()))
			return
		}
		if r.URL.Path == "/login/json" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{}"))
			return
		}
		page(w, r)
	}))
	t.Cleanup(server.Close)
	token, none := HTTPAuth{BearerToken: "t0ken", AllowInsecure: true}, HTTPAuth{AllowInsecure: true}
	for _, code := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		status.Store(int32(code))
		for name, test := range map[string]struct {
			to   string
			http HTTPAuth
			want any
		}{
			"elsewhere":                          {sso.URL + "/login", token, &RedirectError{From: server.URL, To: sso.URL, URL: sso.URL + "/login", Page: true}},
			"elsewhere without credentials":      {sso.URL + "/login", none, &WebPageError{From: server.URL, Page: sso.URL + "/login", Redirected: true}},
			"on the host":                        {"/login", token, &WebPageError{From: server.URL, Page: server.URL + "/login", Redirected: true, Configured: true}},
			"on the host without credentials":    {"/login", none, &WebPageError{From: server.URL, Page: server.URL + "/login", Redirected: true}},
			"on the host, and no HTML":           {"/login/json", token, &WebPageError{From: server.URL, Page: server.URL + "/login/json", Redirected: true, Configured: true}},
			"no redirect":                        {"", token, &WebPageError{From: server.URL, Page: server.URL + "/r.git", Configured: true}},
			"no redirect, without credentials":   {"", none, &WebPageError{From: server.URL, Page: server.URL + "/r.git"}},
			"another port, https":                {strings.Replace(sso.URL, "http:", "https:", 1) + "/r.git/info/refs", token, &RedirectError{From: server.URL, To: strings.Replace(sso.URL, "http:", "https:", 1), URL: strings.Replace(sso.URL, "http:", "https:", 1) + "/r.git", Encrypted: true}},
			"another host, https":                {"https://git.invalid/r%20s.git/info/refs", token, &RedirectError{From: server.URL, To: "https://git.invalid", URL: "https://git.invalid/r%20s.git"}},
			"another host's page without a path": {"https://git.invalid", token, &RedirectError{From: server.URL, To: "https://git.invalid", URL: "https://git.invalid", Page: true}},
		} {
			t.Run(fmt.Sprint(code, " ", name), func(t *testing.T) {
				to.Store(test.to)
				target, err := Config{URL: server.URL + "/r.git", HTTP: test.http}.normalize()
				if err != nil {
					t.Fatal(err)
				}
				e := newEngine(target)
				var before int32
				for i := range 3 {
					_, err := e.Read(patient(t), "a")
					var got any
					var redirect *RedirectError
					var page *WebPageError
					switch {
					case errors.As(err, &redirect):
						got = redirect
					case errors.As(err, &page):
						got = page
					}
					if fmt.Sprintf("%T %+v", got, got) != fmt.Sprintf("%T %+v", test.want, test.want) || strings.Contains(err.Error(), "s3cret") {
						t.Fatalf("got %v\n%v, want %v", err, got, test.want)
					}
					if i == 0 {
						before = requests.Load()
					}
				}
				if more := requests.Load() - before; more != 0 {
					t.Errorf("%d more requests", more)
				}
			})
		}
	}
}

// TestCredentials_blanks: what comes with the white space of a file or a form is told as that.
func TestCredentials_blanks(t *testing.T) {
	t.Parallel()
	const url = "https://git.example.com/r.git"
	for name, test := range map[string]struct {
		http HTTPAuth
		want string
	}{
		"password, line break":        {HTTPAuth{Password: "s3cret\n"}, "http.password ends with a line break"},
		"password, line of Windows":   {HTTPAuth{Password: "s3cret\r\n"}, "http.password ends with a line break"},
		"password, carriage return":   {HTTPAuth{Password: "s3cret\r"}, "http.password begins or ends with white space"},
		"password, blank before":      {HTTPAuth{Password: " s3cret"}, "http.password begins or ends with white space"},
		"password, tab behind":        {HTTPAuth{Password: "s3cret\t"}, "http.password begins or ends with white space"},
		"password, no-break space":    {HTTPAuth{Password: "s3cret\u00a0"}, "http.password begins or ends with white space"},
		"password of blanks":          {HTTPAuth{Password: "  "}, "http.password is white space alone"},
		"password of two lines":       {HTTPAuth{Password: "s3cret\ns3cret"}, "http.password has a line break"},
		"password with a space in it": {HTTPAuth{Password: "s3cret s3cret"}, ""},
		"token, line break":           {HTTPAuth{BearerToken: "s3cret\n"}, "http.bearer_token ends with a line break"},
		"token, blanks":               {HTTPAuth{BearerToken: " s3cret "}, "http.bearer_token begins or ends with white space"},
		"token with a space in it":    {HTTPAuth{BearerToken: "s3 cret"}, "http.bearer_token has white space in it"},
		"token with its kind":         {HTTPAuth{BearerToken: "Bearer s3cret"}, "http.bearer_token begins with \"Bearer\""},
		"token in base64":             {HTTPAuth{BearerToken: base64.StdEncoding.EncodeToString([]byte(credentialtest.Token("{}")))}, "http.bearer_token is in base64: give it decoded"},
		"username":                    {HTTPAuth{Username: "ci\n", Password: "s3cret"}, "http.username ends with a line break"},
		"authority in base64":         {HTTPAuth{CertificateAuthority: base64.StdEncoding.EncodeToString(pemOf([]byte("x")))}, "http.certificate_authority is in base64"},
	} {
		t.Run(name, func(t *testing.T) {
			switch err := (Config{URL: url, HTTP: test.http}).Validate(); {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "s3")):
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	key, _ := forge.SSHKey()
	locked := encrypted(t, key, "open sesame")
	for field, config := range map[string]Config{
		"ssh.password":           {URL: "git@github.com:a/b", SSH: SSHAuth{PrivateKey: locked, Password: "open sesame\n"}},
		"signing.ssh_passphrase": {URL: url, Signing: Signing{SSHKey: locked, SSHPassphrase: "open sesame\n"}},
		"branch":                 {URL: url, Branch: "main\n"},
		"push_branch":            {URL: url, Base: "main", Branch: "next\n"},
	} {
		t.Run(field, func(t *testing.T) {
			if err := config.Validate(); err == nil || !strings.HasPrefix(err.Error(), field+" ends with a line break") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestClientCertificate: a server that asks for one gets it, and one that wants another is told as that, without further tries.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	certificate, key := credentialtest.Good(t)
	plain, err := gitserver.Start(gitserver.Options{Dir: filepath.Dir(f.RepositoryDir(repository)), Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	there, err := url.Parse(strings.TrimSuffix(plain.URL(repository), "/"+repository+".git"))
	if err != nil {
		t.Fatal(err)
	}
	stranger, strangersKey := credentialtest.Good(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		front := httptest.NewUnstartedServer(nil)
		var handshakes atomic.Int32
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(certificate)
		front.TLS = &tls.Config{
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MaxVersion: version,
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { handshakes.Add(1); return nil, nil },
		}
		front.Config.ErrorLog = log.New(io.Discard, "", 0)
		front.Config.Handler = httputil.NewSingleHostReverseProxy(there)
		front.StartTLS()
		t.Cleanup(front.Close)
		authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}))
		engine := func(certificate, key []byte) *Engine {
			return f.engine(func(c *Config) {
				c.URL, c.HTTP.CertificateAuthority = front.URL+"/gitops.git", authority
				c.HTTP.ClientCertificate, c.HTTP.ClientKey = string(certificate), string(key)
			})
		}
		t.Run(tls.VersionName(version), func(t *testing.T) {
			e := engine(certificate, key)
			if _, err := e.Read(patient(t), "a"); err != nil {
				t.Fatal(err)
			}
			apply(t, e, "Write", write("a", "2"))
			for name, test := range map[string]struct{ certificate, key []byte }{"none": {}, "a stranger's": {stranger, strangersKey}} {
				t.Run(name, func(t *testing.T) {
					handshakes.Store(0)
					e := engine(test.certificate, test.key)
					for range 3 {
						_, err := e.Read(patient(t), "a")
						var wrong *ClientCertificateError
						if !errors.As(err, &wrong) || wrong.Host != front.URL || wrong.Configured != (test.certificate != nil) {
							t.Fatalf("got %v, want *ClientCertificateError", err)
						}
					}
					if handshakes.Load() > 2 {
						t.Errorf("%d handshakes", handshakes.Load())
					}
				})
			}
		})
	}
}

// TestClientCertificate_refused: what cannot be a client's certificate and its key is one error, at the attribute that is wrong.
func TestClientCertificate_refused(t *testing.T) {
	t.Parallel()
	certificate, key := credentialtest.Good(t)
	old, oldKey := credentialtest.Pair(t, time.Now().Add(-2*time.Hour), time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC))
	early, earlyKey := credentialtest.Pair(t, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
	_, another := credentialtest.Good(t)
	encoded := func(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
	const url = "https://git.example.com/r.git"
	for name, test := range map[string]struct{ url, certificate, key, want string }{
		"both":                  {url, string(certificate), string(key), ""},
		"one file for both":     {url, string(certificate) + string(key), string(certificate) + string(key), ""},
		"white space around":    {url, "\n" + string(certificate) + "\n", string(key) + "\n\n", ""},
		"no key":                {url, string(certificate), "", "http.client_key is required with"},
		"no certificate":        {url, "", string(key), "http.client_certificate is required with"},
		"another's key":         {url, string(certificate), string(another), "http.client_key is not the key of the client certificate"},
		"expired":               {url, string(old), string(oldKey), "http.client_certificate expired on 2020-01-02T03:04:05Z"},
		"of later":              {url, string(early), string(earlyKey), "http.client_certificate is not valid before"},
		"certificate in base64": {url, encoded(certificate), string(key), "http.client_certificate is in base64: give it decoded, for example with base64decode(...)"},
		"key in base64":         {url, string(certificate), encoded(key), "http.client_key is in base64: give it decoded"},
		"the other way round":   {url, string(key), string(certificate), "http.client_certificate is a private key"},
		"a path":                {url, "/etc/ssl/client.pem", string(key), "http.client_certificate is no PEM"},
		"cut off":               {url, string(certificate[:len(certificate)-40]), string(key), "http.client_certificate has a PEM block that cannot be read"},
		"over plain http":       {"http://git.example.com/r.git", string(certificate), string(key), "http.client_certificate is for an https:// URL"},
		"over SSH":              {"git@github.com:a/b", string(certificate), string(key), "http does not go with an SSH URL"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Config{URL: test.url, HTTP: HTTPAuth{ClientCertificate: test.certificate, ClientKey: test.key, AllowInsecure: strings.HasPrefix(test.url, "http:")}}.Validate()
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)):
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
