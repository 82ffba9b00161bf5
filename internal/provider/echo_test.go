package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

// given is what a request was sent to log in, in the forms in which a server may
// give it back.
func given(r *http.Request) string {
	header := r.Header.Get("Authorization")
	_, credential, _ := strings.Cut(header, " ")
	text := "you sent " + header
	if user, password, ok := r.BasicAuth(); ok {
		credential = user + ":" + password
		text += " that is " + credential + ", " + password
	}
	return text + ", " + url.QueryEscape(credential) + ", " + url.PathEscape(credential) + ", " + base64.URLEncoding.EncodeToString([]byte("x"+credential)) + "\x1b[31m"
}

// echoes are servers that give back what they were sent: in the body, in a
// status of the Kubernetes API, and in the place that a redirect leads to.
func echoes(t *testing.T) map[string]*httptest.Server {
	t.Helper()
	servers := map[string]*httptest.Server{}
	for name, answer := range map[string]http.HandlerFunc{
		"text": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintln(w, given(r))
		},
		"status": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": http.StatusForbidden, "message": given(r),
			})
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/given/") {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintln(w, r.URL, r.URL.Path, given(r))
				return
			}
			_, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
			http.Redirect(w, r, "https://"+r.Host+"/given/"+url.PathEscape(credential)+"?given="+url.QueryEscape(given(r)), http.StatusFound)
		},
	} {
		server := httptest.NewTLSServer(answer)
		t.Cleanup(server.Close)
		servers[name] = server
	}
	return servers
}

// TestEcho: whatever a Git server or an API server gives back of the credentials
// that it was sent, no diagnostic shows it.
func TestEcho(t *testing.T) {
	clear(t)
	const secret = "canary/0123456789+abcdef="
	for form, server := range echoes(t) {
		ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
		kubeconfig := fmt.Sprintf(`{current-context: c, contexts: [{name: c, context: {cluster: c, user: c}}], users: [{name: c, user: {token: %q}}],
clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %s}}]}`, secret, server.URL, base64.StdEncoding.EncodeToString([]byte(ca)))
		for credential, config := range map[string]attributes{
			"Git password": {"git": attributes{"url": server.URL + "/r.git", "http": attributes{"username": "ci", "password": secret, "certificate_authority": ca}}},
			"Git token":    {"git": attributes{"url": server.URL + "/r.git", "http": attributes{"bearer_token": secret, "certificate_authority": ca}}},
			"token":        {"run_clusters": attributes{"staging": attributes{"host": server.URL, "cluster_ca_certificate": ca, "token": secret}}},
			"password":     {"run_clusters": attributes{"staging": attributes{"host": server.URL, "cluster_ca_certificate": ca, "username": "ci", "password": secret}}},
			"kubeconfig":   {"run_clusters": attributes{"staging": attributes{"kubeconfig": kubeconfig}}},
		} {
			t.Run(form+", "+credential, func(t *testing.T) {
				provider := serve(t, config)
				source, namespace := any("staging"), any("apps")
				if config["git"] != nil {
					source, namespace = nil, nil
				}
				kind := dataType(t, provider, "carvel_packages")
				read, err := provider.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{
					TypeName: "carvel_packages", Config: pack(t, kind, value(t, kind, attributes{"run_cluster": source, "namespace": namespace})),
				})
				if err != nil || len(read.Diagnostics) == 0 {
					t.Fatal("nothing is said", err, read)
				}
				for _, d := range read.Diagnostics {
					said := d.Summary + "\n" + d.Detail
					for _, shown := range []string{
						secret, "0123456789", url.QueryEscape(secret), url.PathEscape(secret), "\x1b",
						base64.StdEncoding.EncodeToString([]byte("ci:" + secret)), base64.StdEncoding.EncodeToString([]byte(secret))[:20],
					} {
						if strings.Contains(said, shown) {
							t.Errorf("the diagnostic shows %q: %s", shown, said)
						}
					}
					if form == "status" && config["git"] == nil && !strings.Contains(said, redact.Mark) {
						t.Errorf("the diagnostic has not what the server says: %s", said)
					}
				}
			})
		}
	}
}

func dataType(t *testing.T, server tfprotov6.ProviderServer, name string) tftypes.Type {
	t.Helper()
	schemas, err := server.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return schemas.DataSourceSchemas[name].ValueType()
}
