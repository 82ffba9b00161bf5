package cluster

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const twoContexts = `apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: one, cluster: {server: "https://one.example.com", certificate-authority-data: Y2E=}}
- {name: two, cluster: {server: "https://two.example.com"}}
users:
- {name: one, user: {token: token-one}}
- {name: two, user: {username: user-two, password: password-two}}
contexts:
- {name: one, context: {cluster: one, user: one}}
- {name: two, context: {cluster: two, user: two}}
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRestConfig(t *testing.T) {
	path := write(t, "kubeconfig", twoContexts)
	tokenPath := write(t, "token", "from-file")
	for name, c := range map[string]struct {
		config Config
		want   string // host, token, username, CA, server name, insecure
	}{
		"token":          {Config{Host: "https://h", Token: "t", CACertificate: "ca"}, "https://h t  ca  false"},
		"basic":          {Config{Host: "https://h", Username: "u", Password: "p", TLSServerName: "n"}, "https://h  u  n false"},
		"host alone":     {Config{Host: "10.0.0.1:6443", Token: "t"}, "https://10.0.0.1:6443 t    false"},
		"insecure":       {Config{Host: "https://h", Insecure: true}, "https://h     true"},
		"certificate":    {Config{Host: "https://h", ClientCertificate: "cert", ClientKey: "key", CACertificate: "ca"}, "https://h   ca  false cert key"},
		"token path":     {Config{Host: "https://h", TokenPath: tokenPath}, "https://h     false"},
		"kubeconfig":     {Config{Kubeconfig: twoContexts}, "https://one.example.com token-one  ca  false"},
		"file":           {Config{ConfigPaths: []string{path}}, "https://one.example.com token-one  ca  false"},
		"context":        {Config{ConfigPaths: []string{path}, ConfigContext: "two"}, "https://two.example.com  user-two   false"},
		"user":           {Config{Kubeconfig: twoContexts, ConfigContextAuthInfo: "two"}, "https://one.example.com  user-two ca  false"},
		"cluster":        {Config{Kubeconfig: twoContexts, ConfigContextCluster: "two"}, "https://two.example.com token-one    false"},
		"token over it":  {Config{Kubeconfig: twoContexts, Token: "other"}, "https://one.example.com other  ca  false"},
		"raw wins":       {Config{Kubeconfig: twoContexts, ConfigPaths: []string{"/nosuch"}}, "https://one.example.com token-one  ca  false"},
		"host over file": {Config{ConfigPaths: []string{path}, Host: "https://h"}, "https://h token-one  ca  false"},
	} {
		t.Run(name, func(t *testing.T) {
			rc, err := c.config.restConfig()
			if err != nil {
				t.Fatal(err)
			}
			token := rc.BearerToken
			if c.config.TokenPath != "" {
				token = "" // read at each use
				if rc.BearerTokenFile != tokenPath {
					t.Errorf("token file %q", rc.BearerTokenFile)
				}
			}
			got := fmt.Sprintf("%s %s %s %s %s %t", rc.Host, token, rc.Username, rc.CAData, rc.ServerName, rc.Insecure)
			if rc.CertData != nil {
				got += fmt.Sprintf(" %s %s", rc.CertData, rc.KeyData)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRestConfigExec(t *testing.T) {
	rc, err := Config{Host: "https://h", Exec: &Exec{
		APIVersion: "client.authentication.k8s.io/v1", Command: "login", Args: []string{"-a"}, Env: map[string]string{"B": "2", "A": "1"},
	}}.restConfig()
	if err != nil {
		t.Fatal(err)
	}
	if rc.ExecProvider == nil || rc.ExecProvider.Command != "login" || fmt.Sprint(rc.ExecProvider.Env) != "[{A 1} {B 2}]" {
		t.Errorf("%+v", rc.ExecProvider)
	}
}

// TestNoImplicitCluster: nothing that was not named is used, whatever the
// machine has.
func TestNoImplicitCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", write(t, "kubeconfig", twoContexts))
	t.Setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	for name, config := range map[string]Config{
		"nothing": {}, "token alone": {Token: "t"}, "context alone": {ConfigContext: "one"}, "empty kubeconfig": {Kubeconfig: "kind: Config\napiVersion: v1"},
	} {
		if rc, err := config.restConfig(); err == nil {
			t.Errorf("%s reaches %s", name, rc.Host)
		}
	}
	if _, err := (Config{}).restConfig(); !errors.Is(err, ErrNotConfigured) {
		t.Errorf("got %v", err)
	}
}

func TestRestConfigErrors(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"no token":        {Config{Host: "https://h", TokenPath: "/nosuch/token"}, "token_path"},
		"not in a Pod":    {Config{InCluster: true}, "in_cluster_config"},
		"missing file":    {Config{ConfigPaths: []string{"/nosuch/kubeconfig"}}, "config_path"},
		"not a config":    {Config{Kubeconfig: "s3cret: ["}, "kubeconfig"},
		"unknown context": {Config{Kubeconfig: twoContexts, ConfigContext: "three"}, "three"},
	} {
		_, err := c.config.restConfig()
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v, want it to name %q", name, err, c.want)
		}
	}
}

// TestInCluster: a Pod's credentials are used if that is asked for.
func TestInCluster(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer of-the-pod" {
			status(http.StatusUnauthorized, "Unauthorized", "")(w)
			return
		}
		found(w)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", address.Hostname())
	t.Setenv("KUBERNETES_SERVICE_PORT", address.Port())
	before := serviceAccountDir
	t.Cleanup(func() { serviceAccountDir = before })
	serviceAccountDir = t.TempDir()
	if _, err := New("x", "test", Config{InCluster: true}).Get(t.Context(), configMap); err == nil || !strings.Contains(err.Error(), "in_cluster_config") {
		t.Errorf("a Pod without a ServiceAccount: %v", err)
	}
	for name, text := range map[string]string{"token": "of-the-pod\n", "ca.crt": pemOf(server)} {
		if err := os.WriteFile(filepath.Join(serviceAccountDir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := New("x", "test", Config{InCluster: true}).Get(t.Context(), configMap); err != nil {
		t.Error(err)
	}
	if rc, err := (Config{InCluster: true, Kubeconfig: twoContexts}).restConfig(); err != nil || rc.Host != "https://one.example.com" {
		t.Errorf("a kubeconfig that is named as well: %v", err)
	}
}

// TestLazy: making a Cluster reads nothing.
func TestLazy(t *testing.T) {
	c := New("build_cluster", "test", Config{ConfigPaths: []string{"/nosuch/kubeconfig"}})
	_, err := c.Endpoint()
	var connection *ConnectionError
	if !errors.As(err, &connection) || connection.Cluster != "build_cluster" {
		t.Errorf("got %v", err)
	}
}
