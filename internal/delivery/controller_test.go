package delivery

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// TestControllerVersion: it is read if a release or Tanzu Kubernetes Grid
// puts it, and unknown if it may not be looked at.
func TestControllerVersion(t *testing.T) {
	for name, test := range map[string]struct {
		namespace string // that has the Deployment
		code      int    // for any other
		want      string
	}{
		"a release": {"kapp-controller", http.StatusNotFound, "v0.58.0"},
		"TKG":       {"tkg-system", http.StatusForbidden, "v0.58.0"},
		"none":      {"", http.StatusNotFound, ""},
		"no right":  {"", http.StatusForbidden, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if r.URL.Path == "/apis/apps/v1/namespaces/"+test.namespace+"/deployments/kapp-controller" {
					_, _ = fmt.Fprintf(w, `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":%q,"name":"kapp-controller","annotations":{"kapp-controller.carvel.dev/version":"v0.58.0"}}}`, test.namespace)
					return
				}
				w.WriteHeader(test.code)
				_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d}`,
					map[int]string{http.StatusNotFound: "NotFound", http.StatusForbidden: "Forbidden"}[test.code], test.code)
			}))
			t.Cleanup(server.Close)
			c := cluster.New("run_clusters[\"x\"]", "test", cluster.Config{Host: server.URL})
			if got := controllerVersion(bounded(t), c); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			d := New(Config{Run: map[string]Cluster{"x": c}})
			failed := &ReconcileError{Install: "app"}
			d.Apps.withController(bounded(t), cluster.New("build_cluster", "test", cluster.Config{}), App{RunCluster: "x"}, failed)
			if failed.Controller != test.want {
				t.Errorf("on the run cluster: %q, want %q", failed.Controller, test.want)
			}
		})
	}
}
