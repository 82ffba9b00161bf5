package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// api is an API server that answers each verb and path with a fixed status,
// 200 if none is set, and an object that the provider has made. Paths that
// are not listed are not found.
type api struct {
	mu       sync.Mutex
	status   map[string]int
	objects  map[string]*unstructured.Unstructured
	requests []string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	request := r.Method + " " + r.URL.Path
	a.requests = append(a.requests, request)
	w.Header().Set("Content-Type", "application/json")
	code, body := a.status[request], any(a.objects[r.URL.Path])
	if code == 0 && a.objects[r.URL.Path] == nil {
		code = http.StatusNotFound
	}
	if strings.HasSuffix(r.URL.Path, "/apps") {
		code, body = http.StatusOK, map[string]any{"kind": "AppList", "apiVersion": "kappctrl.k14s.io/v1alpha1", "items": []any{}}
	}
	if strings.HasSuffix(r.URL.Path, "/secrets") {
		code, body = http.StatusOK, map[string]any{"kind": "SecretList", "apiVersion": "v1", "items": []any{}}
	}
	if code >= http.StatusBadRequest {
		body = map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": map[int]string{403: "Forbidden", 404: "NotFound"}[code]}
	}
	w.WriteHeader(max(code, http.StatusOK))
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

func (a *api) sent(request string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.requests, request)
}

func (a *api) cluster(t *testing.T, name string) *cluster.Cluster {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return cluster.New(name, "test", cluster.Config{Host: server.URL})
}

const (
	secretPath  = "/api/v1/namespaces/dev/secrets/staging-kubeconfig"
	accountPath = "/api/v1/namespaces/apps/serviceaccounts/apps-sa"
)

func forAccount() (s KubeconfigSecret, tokenPath string) {
	s = KubeconfigSecret{
		KubeconfigSecretSpec: carvel.KubeconfigSecretSpec{Namespace: "dev", Name: "staging-kubeconfig", Key: "value"},
		RunCluster:           "staging",
		ServiceAccount:       &ServiceAccount{Namespace: "apps", Name: "apps-sa"},
		ForCluster:           ForCluster{Manager: cluster.Manager{Name: "test"}},
	}
	s.TokenSecret = s.tokenOf(nil)
	return s, "/api/v1/namespaces/apps/secrets/" + s.tokenSecret().GetName()
}

func TestDeleteKubeconfigSecretRevokesFirst(t *testing.T) {
	s, tokenPath := forAccount()
	foreign := s.tokenSecret()
	foreign.SetLabels(nil)
	secret := carvel.KubeconfigSecret(s.KubeconfigSecretSpec, kubeconfig.File{})
	for name, c := range map[string]struct {
		token                        *unstructured.Unstructured
		status                       map[string]int
		unconfigured                 bool
		left, secretGone, tokenTried bool
	}{
		"both go":                          {token: s.tokenSecret(), secretGone: true, tokenTried: true},
		"the token is gone already":        {secretGone: true},
		"the token Secret is another's":    {token: foreign, secretGone: true},
		"the token cannot be deleted":      {token: s.tokenSecret(), status: map[string]int{"DELETE " + tokenPath: 403}, left: true, tokenTried: true},
		"the run cluster is not there now": {unconfigured: true, left: true, secretGone: true},
	} {
		t.Run(name, func(t *testing.T) {
			build := &api{objects: map[string]*unstructured.Unstructured{secretPath: secret}}
			run := &api{objects: map[string]*unstructured.Unstructured{tokenPath: c.token}, status: c.status}
			if c.token == nil {
				run.objects = nil
			}
			config := Config{Build: build.cluster(t, "build_cluster")}
			if !c.unconfigured {
				config.Run = map[string]Cluster{"staging": run.cluster(t, "staging")}
			}
			_, err := New(config).Kubeconfigs.Delete(t.Context(), s, "")
			var left *TokenLeftError
			if errors.As(err, &left) != c.left || !c.left && err != nil {
				t.Errorf("got %v", err)
			}
			if build.sent("DELETE "+secretPath) != c.secretGone || run.sent("DELETE "+tokenPath) != c.tokenTried {
				t.Errorf("build cluster: %v, run cluster: %v", build.requests, run.requests)
			}
		})
	}
}

// TestFailedWriteTakesTheTokenBack: a token Secret that was added is deleted,
// one that was there before is not, and one that cannot be deleted is named.
func TestFailedWriteTakesTheTokenBack(t *testing.T) {
	s, tokenPath := forAccount()
	account := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"namespace": "apps", "name": "apps-sa"}}}
	filled := s.tokenSecret()
	filled.Object["data"] = map[string]any{"token": "czNjcmV0"}
	for name, c := range map[string]struct {
		token         *unstructured.Unstructured
		status        map[string]int
		deleted, left bool
	}{
		"it was added":               {token: s.tokenSecret(), deleted: true},
		"it was there before":        {token: filled},
		"it is not to be got rid of": {token: s.tokenSecret(), status: map[string]int{"DELETE " + tokenPath: 403}, deleted: true, left: true},
	} {
		t.Run(name, func(t *testing.T) {
			build := &api{status: map[string]int{"PATCH " + secretPath: 403}}
			run := &api{
				objects: map[string]*unstructured.Unstructured{accountPath: account, tokenPath: c.token},
				status:  map[string]int{"GET /api/v1/namespaces/apps/secrets": 403}, // the wait for the token
			}
			maps.Copy(run.status, c.status)
			d := New(Config{Build: build.cluster(t, "build_cluster"), Run: map[string]Cluster{"staging": run.cluster(t, "staging")}})
			done, err := d.Kubeconfigs.Create(t.Context(), s)
			var left *TokenLeftError
			if err == nil || done.UID != "" || errors.As(err, &left) != c.left || strings.Contains(fmt.Sprint(err), "s3cret") {
				t.Errorf("got %+v, %v", done, err)
			}
			if run.sent("DELETE "+tokenPath) != c.deleted {
				t.Errorf("run cluster: %v", run.requests)
			}
			if c.left && (left.Name != c.token.GetName() || left.RunCluster != "staging") {
				t.Errorf("it names %+v", left)
			}
		})
	}
}

// TestAnswerWithoutUID: what was written is recorded, whatever the answer lacks.
func TestAnswerWithoutUID(t *testing.T) {
	s, _ := forAccount()
	s.ServiceAccount, s.TokenSecret = nil, ""
	s.Kubeconfig = []byte(`{"apiVersion":"v1","kind":"Config","current-context":"a","contexts":[{"name":"a","context":{"cluster":"a","user":"a"}}],` +
		`"clusters":[{"name":"a","cluster":{"server":"https://a.example.com"}}],"users":[{"name":"a","user":{"token":"t"}}]}`)
	stored := carvel.KubeconfigSecret(s.KubeconfigSecretSpec, kubeconfig.File{})
	build := &api{objects: map[string]*unstructured.Unstructured{secretPath: stored}, status: map[string]int{"GET " + secretPath: 404}}
	d := New(Config{Build: build.cluster(t, "build_cluster")})
	done, err := d.Kubeconfigs.Create(t.Context(), s)
	if err != nil || done.Creation == "" || done.UID != "" {
		t.Errorf("got %+v, %v", done, err)
	}
}
