package interrupted_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// gitProxy stands between the provider and the Git server. It knows of a push
// when the server has made it and the provider does not know yet.
type gitProxy struct {
	url, ca string

	mu     sync.Mutex
	pushed func()
}

// proxyGit starts a proxy, which ends with the test.
func (w *world) proxyGit() *gitProxy {
	w.T.Helper()
	to, err := url.Parse(w.Lab.Git.URL)
	if err != nil {
		w.T.Fatal(err)
	}
	trusted := &tls.Config{MinVersion: tls.VersionTLS12}
	if w.Lab.Git.CAFile != "" {
		authority, err := os.ReadFile(w.Lab.Git.CAFile)
		if err != nil {
			w.T.Fatal(err)
		}
		trusted.RootCAs = x509.NewCertPool()
		trusted.RootCAs.AppendCertsFromPEM(authority)
	}
	p := &gitProxy{}
	server := httptest.NewTLSServer(&httputil.ReverseProxy{
		Transport: &http.Transport{TLSClientConfig: trusted},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, to.Host
		},
		ModifyResponse: p.answered,
	})
	w.T.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	p.url = server.URL + to.Path
	p.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	return p
}

// answered holds the answer to a push back until pushed has returned.
func (p *gitProxy) answered(r *http.Response) error {
	p.mu.Lock()
	pushed := p.pushed
	p.mu.Unlock()
	if pushed == nil || r.Request.Method != http.MethodPost || !strings.HasSuffix(r.Request.URL.Path, "/git-receive-pack") {
		return nil
	}
	body, err := io.ReadAll(r.Body) // the push is done at its end
	if err != nil {
		return fmt.Errorf("read the answer to a push: %w", err)
	}
	pushed()
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// watch has each push be an event. While something waits for that event, the
// provider waits for the push's answer, for a moment in which it is killed.
func (p *gitProxy) watch(e *events) (stop func()) {
	set := func(pushed func()) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pushed = pushed
	}
	set(func() {
		if e.add("a push whose answer is held back") {
			time.Sleep(time.Second)
		}
	})
	return func() { set(nil) }
}
