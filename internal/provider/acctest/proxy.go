package acctest

import (
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
// and without TLS. It counts requests, and a test may answer some itself.
type Proxy struct {
	URL string

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
		if !p.intercept(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	e.T.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	p.URL = server.URL
	return p
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

// Answer has a function look at each request first; it tells whether it has
// answered it.
func (p *Proxy) Answer(answer func(w http.ResponseWriter, r *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// Cut has a function run at the first request that matches, in place of it, or
// with after once the API server has done it; nobody is answered.
func (p *Proxy) Cut(match func(r *http.Request) bool, after bool, do func()) {
	var once sync.Once
	p.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
		if match(r) {
			once.Do(func() {
				if after {
					p.forward.ServeHTTP(httptest.NewRecorder(), r)
				}
				do()
				panic(http.ErrAbortHandler)
			})
		}
		return false
	})
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
