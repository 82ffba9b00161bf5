package acctest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

// Proxy stands before a cluster's API server, with an administrator's rights
// and without TLS, or before the Git server. It counts requests, and a test may
// answer some itself.
type Proxy struct {
	URL string
	CA  string // PEM; "" without TLS

	mu       sync.Mutex
	requests []string
	answer   func(w http.ResponseWriter, r *http.Request) bool
	forward  http.Handler
}

// Proxy starts a proxy, which ends with the test.
func (e *Env) Proxy(cluster lab.Cluster) *Proxy {
	e.T.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig)
	if err != nil {
		e.T.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		e.T.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		e.T.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.Transport = transport
	forward.FlushInterval = -1 // watches
	p := &Proxy{forward: forward}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Authorization") // the administrator's credentials take its place
		p.serve(w, r)
	}))
	p.URL = server.URL
	e.endWith(server)
	return p
}

// GitProxy starts a proxy before the lab's Git server, which ends with the test.
func (e *Env) GitProxy() *Proxy {
	e.T.Helper()
	target, err := url.Parse(e.Lab.Git.URL)
	if err != nil {
		e.T.Fatal(err)
	}
	authorities, err := x509.SystemCertPool()
	if err != nil {
		e.T.Fatal(err)
	}
	authorities.AppendCertsFromPEM([]byte(e.gitCA()))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities}}
	p := &Proxy{forward: &httputil.ReverseProxy{Transport: transport, FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, ""
	}}}
	server := httptest.NewTLSServer(http.HandlerFunc(p.serve))
	p.URL = server.URL + target.Path
	p.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	e.T.Cleanup(transport.CloseIdleConnections)
	e.endWith(server)
	return p
}

func (e *Env) endWith(server *httptest.Server) {
	e.T.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	if !p.intercept(w, r) {
		p.forward.ServeHTTP(w, r)
	}
}

func (p *Proxy) intercept(w http.ResponseWriter, r *http.Request) bool {
	p.mu.Lock()
	verb := r.Method
	if r.URL.Query().Has("watch") {
		verb = "WATCH"
	}
	p.requests = append(p.requests, verb+" "+r.URL.Path)
	answer := p.answer
	p.mu.Unlock()
	return answer != nil && answer(w, r)
}

// Answer has a function look at each request first; it reports whether it has
// answered it.
func (p *Proxy) Answer(answer func(w http.ResponseWriter, r *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// Cut has a function run at the first request that matches, in place of it, or
// with after once the server has done it; nobody is answered. A push that the Git
// server did not take, as where others push, is answered, and the next one counts.
func (p *Proxy) Cut(match func(r *http.Request) bool, after bool, do func()) {
	var once sync.Once
	p.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if !match(r) {
			return false
		}
		if after {
			if answer := p.record(r); !done(answer) {
				replay(w, answer)
				return true
			}
		}
		once.Do(func() {
			do()
			panic(http.ErrAbortHandler)
		})
		return false
	})
}

// Meanwhile has a function run when the server has done the first request that
// matches, before it is answered. Pushes are as for Cut.
func (p *Proxy) Meanwhile(match func(r *http.Request) bool, do func()) {
	var once sync.Once
	p.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if !match(r) {
			return false
		}
		answer := p.record(r)
		if done(answer) {
			once.Do(do)
		}
		replay(w, answer)
		return true
	})
}

func (p *Proxy) record(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	p.forward.ServeHTTP(answer, r)
	return answer
}

func done(answer *httptest.ResponseRecorder) bool {
	push := strings.HasSuffix(answer.Header().Get("Content-Type"), "git-receive-pack-result")
	return !push || strings.Contains(answer.Body.String(), "ok refs/heads/")
}

func replay(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// Requests are the requests since the last call, "METHOD path"; a watch has
// the method WATCH.
func (p *Proxy) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	requests := p.requests
	p.requests = nil
	return requests
}

// WithoutAPI is the URL of a proxy before a cluster that does not know one API
// group: it answers as the API server does for a group whose
// CustomResourceDefinitions are missing.
func (e *Env) WithoutAPI(cluster lab.Cluster, group string) string {
	e.T.Helper()
	p := e.Proxy(cluster)
	p.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/apis/"+group+"/") {
			return false
		}
		http.Error(w, "404 page not found", http.StatusNotFound)
		return true
	})
	return p.URL
}
