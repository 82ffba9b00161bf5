package gitserver_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

func start(t *testing.T, options gitserver.Options) *gitserver.Server {
	t.Helper()
	options.Dir = t.TempDir()
	server, err := gitserver.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if err := server.CreateRepository("gitops", gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
		t.Fatal(err)
	}
	return server
}

// git is the user's own git, with a home that is empty.
func git(t *testing.T, dir string, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
	}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestServer_cloneAndPush(t *testing.T) {
	var mu sync.Mutex
	var exchanges []gitserver.Exchange
	server := start(t, gitserver.Options{Username: "u", Password: "p", Observe: func(e gitserver.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		exchanges = append(exchanges, e)
	}})
	commit, err := server.Seed("gitops", "seeded", map[string]string{"a/b": "1", "c d/é": "2"})
	if err != nil || len(commit) != 40 {
		t.Fatal(commit, err)
	}
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, []byte(server.CertificateAuthority()), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"GIT_SSL_CAINFO=" + authority}
	url := strings.Replace(server.URL("gitops"), "https://", "https://u:p@", 1)
	dir := filepath.Join(t.TempDir(), "clone")
	if out, err := git(t, "", env, "clone", "--filter=blob:none", url, dir); err != nil {
		t.Fatal(out)
	}
	if err := os.WriteFile(filepath.Join(dir, "new"), []byte(strings.Repeat("x", 3<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	// A pack larger than http.postBuffer goes in chunks, and without its length.
	for _, args := range [][]string{{"add", "new"}, {"-c", "core.compression=0", "commit", "-m", "new"}, {"-c", "core.compression=0", "push", "origin", "main"}} {
		if out, err := git(t, dir, env, args...); err != nil {
			t.Fatal(out)
		}
	}
	files, err := server.Files("gitops", "main")
	if err != nil || len(files) != 3 || files["a/b"] != "1" || files["c d/é"] != "2" || len(files["new"]) != 3<<20 {
		t.Errorf("the branch holds %d files (%v)", len(files), err)
	}
	mu.Lock()
	defer mu.Unlock()
	pushes := 0
	for _, e := range exchanges {
		if e.Push() {
			pushes++
		}
		if e.Status != http.StatusOK && e.Status != http.StatusUnauthorized {
			t.Errorf("%+v", e)
		}
	}
	// Git asks with an empty push whether chunks will do.
	if pushes == 0 || pushes > 2 {
		t.Errorf("%d pushes were observed", pushes)
	}
}

func TestServer_Seed(t *testing.T) {
	server := start(t, gitserver.Options{Insecure: true})
	if _, err := server.Seed("gitops", "one", map[string]string{"a": "1", "b/c": "2", "b/d": "3"}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Seed("gitops", "two", map[string]string{"a": "new\n"}, "b"); err != nil {
		t.Fatal(err)
	}
	files, err := server.Files("gitops", "main")
	if err != nil || len(files) != 1 || files["a"] != "new\n" {
		t.Errorf("the branch holds %q (%v)", files, err)
	}
	if count, err := server.Git("gitops", nil, "rev-list", "--count", "main"); err != nil || count != "2\n" {
		t.Errorf("%s commits (%v)", count, err)
	}
}

func TestServer_authentication(t *testing.T) {
	server := start(t, gitserver.Options{Username: "u", Password: "p"})
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(server.CertificateAuthority())) {
		t.Fatal("no certificate")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	for _, test := range []struct {
		username, password string
		status             int
	}{{"u", "p", 200}, {"u", "wrong", 401}, {"", "", 401}} {
		t.Run(test.username, func(t *testing.T) {
			request, err := http.NewRequest(http.MethodGet, server.URL("gitops")+"/info/refs?service=git-upload-pack", nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.username != "" {
				request.SetBasicAuth(test.username, test.password)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != test.status || (test.status == 401) != (response.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("%s:%s: HTTP %d", test.username, test.password, response.StatusCode)
			}
		})
	}
}

func TestServer_environment(t *testing.T) {
	t.Setenv("GIT_DIR", "/nonexistent")
	t.Setenv("GIT_CONFIG_COUNT", "nonsense")
	server := start(t, gitserver.Options{Insecure: true})
	if err := server.SetHook("gitops", "pre-receive", "#!/bin/sh\necho \"user=$REMOTE_USER global=$GIT_CONFIG_GLOBAL\"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Seed("gitops", "one", map[string]string{"a": "1"}); err != nil {
		t.Errorf("Git's variables have leaked: %v", err)
	}
}

func TestServer_protocolV2(t *testing.T) {
	server := start(t, gitserver.Options{Insecure: true})
	request, err := http.NewRequest(http.MethodGet, server.URL("gitops")+"/info/refs?service=git-upload-pack", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Git-Protocol", "version=2")
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(body), "version 2") {
		t.Errorf("answered %q (%v)", body, err)
	}
}

func TestServer_closeEndsChildren(t *testing.T) {
	server := start(t, gitserver.Options{Insecure: true})
	if _, err := server.Seed("gitops", "one", map[string]string{"a": "1"}); err != nil {
		t.Fatal(err)
	}
	mark := filepath.Join(t.TempDir(), "running")
	if err := server.SetHook("gitops", "pre-receive", "#!/bin/sh\ntouch "+mark+"\nsleep 600\n"); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "clone")
	if out, err := git(t, "", nil, "clone", server.URL("gitops"), dir); err != nil {
		t.Fatal(out)
	}
	if out, err := git(t, dir, nil, "commit", "--allow-empty", "-m", "x"); err != nil {
		t.Fatal(out)
	}
	pushed := make(chan error, 1)
	go func() {
		_, err := git(t, dir, nil, "push", "origin", "main")
		pushed <- err
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(mark); err == nil {
			break
		} else if !errors.Is(err, os.ErrNotExist) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	// Close waits for the hook's whole process group, which would sleep for ten minutes.
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-pushed; err == nil {
		t.Error("the push succeeded")
	}
}

// TestServer_requestCutOff: the git process of a request whose client has gone in the middle of it ends.
func TestServer_requestCutOff(t *testing.T) {
	answered := make(chan gitserver.Exchange, 1)
	server := start(t, gitserver.Options{Insecure: true, Observe: func(e gitserver.Exchange) { answered <- e }})
	address, _, _ := strings.Cut(strings.TrimPrefix(server.URL("gitops"), "http://"), "/")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	request := "POST /gitops.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000\r\n\r\n0000"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-answered:
	case <-time.After(time.Minute):
		t.Error("the request is still being served")
	}
}
