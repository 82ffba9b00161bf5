package acctest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

// WithoutAPI is the URL of a proxy before a cluster's API server, with an
// administrator's rights, which does not know one API group: it answers as the
// API server does for a group whose CustomResourceDefinitions are missing. The
// proxy has no TLS, and ends with the test.
func (e *Env) WithoutAPI(cluster lab.Cluster, group string) string {
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
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = transport
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/apis/"+group+"/") {
			http.Error(w, "404 page not found", http.StatusNotFound)
			return
		}
		r.Header.Del("Authorization") // the administrator's credentials take its place
		proxy.ServeHTTP(w, r)
	}))
	e.T.Cleanup(server.Close)
	return server.URL
}
