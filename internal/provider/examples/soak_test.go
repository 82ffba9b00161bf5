package examples_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// staged is an API server with one package, which was deployed a while before now: as an API
// server says it, with times that no lab could have waited for.
func staged(name, version, values string, deployed, now time.Time) http.Handler {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	const ready = "observedGeneration: 1, friendlyDescription: Reconcile succeeded, conditions: [{type: ReconcileSucceeded, status: 'True'}]"
	metadata := func(annotations string, status time.Time) string {
		return fmt.Sprintf("metadata: {namespace: apps, name: app, generation: 1, resourceVersion: '1', annotations: {%s}, managedFields: [{manager: kapp-controller, operation: Update, time: %q}, "+
			"{manager: kapp-controller, operation: Update, subresource: status, time: %q}]}", annotations, at(deployed.Add(-time.Second)), at(status))
	}
	const list = "{kind: List, apiVersion: v1, metadata: {resourceVersion: '1'}, items: [%s]}"
	objects := map[string]string{
		"/packageinstalls": fmt.Sprintf(list, fmt.Sprintf("{apiVersion: packaging.carvel.dev/v1alpha1, kind: PackageInstall, %s, spec: {packageRef: {refName: %s}, values: [{secretRef: {name: app-values}}]}, status: {version: %s, %s}}",
			metadata("", deployed), name, version, ready)),
		"/apps": fmt.Sprintf(list, fmt.Sprintf("{apiVersion: kappctrl.k14s.io/v1alpha1, kind: App, %s, spec: {syncPeriod: 10m0s, template: [{ytt: {valuesFrom: [{secretRef: {name: app-values}}]}}]}, "+
			"status: {consecutiveReconcileSuccesses: 500, fetch: {startedAt: %[2]q, updatedAt: %[2]q}, %[3]s}}", metadata("packaging.carvel.dev/package-version: "+version, now), at(now), ready)),
		"/secrets/app-values": fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {namespace: apps, name: app-values, creationTimestamp: %q}, data: {values.yaml: %s}}",
			at(deployed.Add(-time.Hour)), base64.StdEncoding.EncodeToString([]byte(values))),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for path, text := range objects {
			if !strings.HasSuffix(r.URL.Path, "/namespaces/apps"+path) {
				continue
			}
			data, err := yaml.YAMLToJSON([]byte(text))
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(data) // the client notices
			return
		}
		http.NotFound(w, r)
	})
}

// TestAccExamples_soak: a version that has been healthy on staging for a day is promoted to
// prod, in the second in which the day is over and not in the one before, and only with the
// values that staging has.
func TestAccExamples_soak(t *testing.T) {
	t.Parallel()
	e := acctest.Alone(t)
	const dir, repository = "promotion", "gitops.git"
	git, err := gitserver.Start(gitserver.Options{Dir: t.TempDir(), Username: "ci", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := git.Close(); err != nil {
			t.Error(err)
		}
	})
	deployed := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	api := httptest.NewTLSServer(staged(e.Package(), acctest.FirstVersion, "{hostname: app.staging.example.com, replicas: 1}", deployed, time.Now()))
	t.Cleanup(api.Close)

	w := newWorkspace(t, e, "CARVEL_GIT_URL="+git.URL(repository), "CARVEL_GIT_USERNAME=ci", "CARVEL_GIT_PASSWORD=secret", "TF_VAR_git_ca="+git.CertificateAuthority())
	w.must(git.CreateRepository(repository, gitserver.AllowFilter, gitserver.AllowAnySHA1InWant))
	_, err = git.Seed(repository, "Start", map[string]string{e.PackagePath(acctest.FirstVersion): e.PackageFile(acctest.FirstVersion)})
	w.must(err)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	kubeconfig, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "staging",
		"clusters": []any{map[string]any{"name": "staging", "cluster": map[string]any{"server": api.URL, "certificate-authority-data": ca}}},
		"users":    []any{map[string]any{"name": "reader", "user": map[string]any{"token": "none"}}},
		"contexts": []any{map[string]any{"name": "staging", "context": map[string]any{"cluster": "staging", "user": "reader"}}},
	})
	w.must(err)
	config := filepath.Join(t.TempDir(), "kubeconfig")
	w.must(os.WriteFile(config, kubeconfig, 0o600))
	at := func(now time.Time, replicas int) {
		t.Helper()
		w.must(os.WriteFile(filepath.Join(w.dir, dir, "releases.yaml"), fmt.Appendf(nil, "%s: {replicas: %d}\n", acctest.FirstVersion, replicas), 0o600))
		w.variables(dir, map[string]any{
			"package": e.Package(), "stage": "prod", "namespace": "apps", "service_account_name": "apps-sa", "now": now.UTC().Format(time.RFC3339),
			"kubeconfigs": map[string]string{"staging": config},
		})
	}
	refused := func(want string) {
		t.Helper()
		out, err := w.run(dir, "apply", "-auto-approve", "-input=false")
		out = strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " ")
		if err == nil || !strings.Contains(out, want) || strings.Count(out, "Error: ") != 1 {
			t.Fatalf("want it refused with %q alone: %v\n%s", want, err, out)
		}
	}
	since := deployed.Add(time.Minute)
	at(since.Add(24*time.Hour-time.Second), 1)
	w.succeeds(dir, "init")
	refused("has to be healthy for 24h. It has been since " + since.UTC().Format(time.RFC3339) + ", and it is")
	at(since.Add(24*time.Hour), 2)
	refused("The stage before does not have the values of releases.yaml for " + acctest.FirstVersion)
	files, err := git.Files(repository, "main")
	if _, there := files[e.Package()+"/prod/packageinstall.yaml"]; there || err != nil {
		t.Fatalf("what was refused is committed (%v)", err)
	}
	at(since.Add(24*time.Hour), 1)
	w.succeeds(dir, "apply", "-auto-approve", "-input=false")
	files, err = git.Files(repository, "main")
	if install := files[e.Package()+"/prod/packageinstall.yaml"]; err != nil || !strings.Contains(install, acctest.FirstVersion) {
		t.Errorf("prod has not got version %s: %v\n%s", acctest.FirstVersion, err, install)
	}
}
