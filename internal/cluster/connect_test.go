package cluster

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestExecRunsAgain: a credential that the API server does not take any more
// is got anew from the plugin, once.
func TestExecRunsAgain(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs")
	var requests atomic.Int64
	var taken atomic.Value
	taken.Store("Bearer token-1")
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Header.Get("Authorization") != taken.Load() {
			status(http.StatusUnauthorized, "Unauthorized", "")(w)
			return
		}
		found(w)
	}))
	t.Cleanup(server.Close)
	c := New("x", "test", Config{Host: server.URL, Insecure: true, Exec: &Exec{
		APIVersion: "client.authentication.k8s.io/v1", Command: os.Args[0], Env: map[string]string{pluginRuns: runs},
	}})
	for _, token := range []string{"token-1", "token-2"} {
		taken.Store("Bearer " + token)
		if _, err := c.Get(t.Context(), configMap); err != nil {
			t.Fatalf("%s: %v", token, err)
		}
	}
	taken.Store("none")
	before := requests.Load()
	if _, err := c.Get(t.Context(), configMap); err == nil || requests.Load()-before != 2 {
		t.Errorf("got %v after %d requests, want a refusal after 2", err, requests.Load()-before)
	}
}

// TestTokenPath: a token that is replaced is used by the next request.
func TestTokenPath(t *testing.T) {
	var taken atomic.Value
	taken.Store("Bearer one")
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != taken.Load() {
			status(http.StatusUnauthorized, "Unauthorized", "")(w)
			return
		}
		found(w)
	}))
	t.Cleanup(server.Close)
	path := write(t, "token", "one\n")
	c := New("x", "test", Config{Host: server.URL, Insecure: true, TokenPath: path})
	for _, token := range []string{"one", "two", "three"} {
		taken.Store("Bearer " + token)
		if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Get(t.Context(), configMap); err != nil {
			t.Errorf("%s: %v", token, err)
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), configMap); err == nil || !strings.Contains(err.Error(), "token_path") {
		t.Errorf("an empty file: %v", err)
	}
}

func TestProxyURL(t *testing.T) {
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.String())
		found(w)
	}))
	t.Cleanup(proxy.Close)
	c := New("x", "test", Config{Host: "http://api.example.com", ProxyURL: proxy.URL})
	if _, err := c.Get(t.Context(), configMap); err != nil {
		t.Fatal(err)
	}
	if url, _ := asked.Load().(string); !strings.HasPrefix(url, "http://api.example.com/api/v1/namespaces/n/configmaps/c") {
		t.Errorf("the proxy was asked for %q", url)
	}
}

// TestProxyURL_invalid: the error does not quote what may hold a password.
func TestProxyURL_invalid(t *testing.T) {
	kubeconfig := `{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {token: t}}], clusters: [{name: a, cluster: {server: "https://h", proxy-url: PROXY}}]}`
	for _, proxy := range []string{"http://u:s3cret@proxy:port", "ftp://u:s3cret@proxy", "u:s3cret@proxy:3128", "http://u:s3cret%zz@proxy", "://s3cret"} {
		for name, config := range map[string]Config{
			"proxy_url":  {Host: "https://api.example.com", ProxyURL: proxy},
			"kubeconfig": {Kubeconfig: strings.Replace(kubeconfig, "PROXY", strconv.Quote(proxy), 1)},
			"a file":     {ConfigPaths: []string{write(t, "kubeconfig", strings.Replace(kubeconfig, "PROXY", strconv.Quote(proxy), 1))}},
		} {
			_, err := New("x", "test", config).Get(t.Context(), configMap)
			if err == nil || !strings.Contains(err.Error(), "proxy") || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s %s: %v", name, proxy, err)
			}
		}
	}
}

// TestLearn: each credential is told before the server can echo it, wherever it
// comes from.
func TestLearn(t *testing.T) {
	const kubeconfig = `{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {USER}}], clusters: [{name: a, cluster: {server: "SERVER", insecure-skip-tls-verify: true}}]}`
	var mu sync.Mutex
	var told []string
	known := func(secret string) bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.Contains(told, secret)
	}
	for secret, user := range map[string]string{
		"token-of-a-file": "tokenFile: " + write(t, "token", "token-of-a-file\n"), "token-1": "exec: {apiVersion: client.authentication.k8s.io/v1, command: " + os.Args[0] +
			", interactiveMode: Never, env: [{name: " + pluginRuns + ", value: " + filepath.Join(t.TempDir(), "runs") + "}]}",
		"token-of-a-user": "token: token-of-a-user", "a-password": "username: u, password: a-password",
	} {
		asked := false
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked = true; !known(secret) {
				t.Errorf("%s is not known when it is sent", secret)
			}
			found(w)
		}))
		t.Cleanup(server.Close)
		config := Config{
			ConfigPaths: []string{write(t, "kubeconfig", strings.NewReplacer("USER", user, "SERVER", server.URL).Replace(kubeconfig))},
			Learn: func(secrets ...string) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, secrets...)
			},
		}
		if _, err := New("x", "test", config).Get(t.Context(), configMap); err != nil || !asked {
			t.Errorf("%s: %v", secret, err)
		}
	}
}

// TestServerName: the server's certificate is verified against tls_server_name
// with the given authority, and refused without it.
func TestServerName(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { found(w) }))
	t.Cleanup(server.Close)
	ca := pemOf(server)
	host := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // not a name of httptest's certificate
	if _, err := New("x", "test", Config{Host: host, CACertificate: ca, TLSServerName: "example.com"}).Get(t.Context(), configMap); err != nil {
		t.Errorf("with the name: %v", err)
	}
	for name, config := range map[string]Config{"without the name": {Host: host, CACertificate: ca}, "without the authority": {Host: server.URL}} {
		_, err := New("x", "test", config).Get(t.Context(), configMap)
		if err == nil || !strings.Contains(err.Error(), "x509") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func pemOf(server *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}
