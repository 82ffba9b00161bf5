package delivery_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

// delivering is a world with a package install in the repository, and the App that delivers it.
func delivering(t *testing.T) (*world, delivery.App) {
	t.Helper()
	w := &world{deliverytest.NewWorld()}
	w.Build.Controller = w.Fetch
	if _, err := installs(nil).create(t.Context(), w.process()); err != nil {
		t.Fatal(err)
	}
	a := delivery.App{Wait: true, RunCluster: "staging", ForCluster: delivery.ForCluster{Manager: manager}}
	a.Namespace, a.Name = "dev", "deliver"
	a.Cluster = &carvel.Cluster{Namespace: "apps", KubeconfigSecretRef: &carvel.SecretKeyRef{Name: "staging-kubeconfig"}}
	a.Fetch = []carvel.Fetch{{Git: &carvel.GitFetch{URL: "https://git.example.com/r.git", Ref: "origin/main", SubPath: "app.default.tap/staging"}}}
	a.Template = []carvel.Template{{Ytt: &carvel.Ytt{}}}
	a.Deploy = []carvel.Deploy{{Kapp: &carvel.Kapp{}}}
	return w, a
}

var (
	installed = cluster.Ref{Resource: carvel.PackageInstalls, Namespace: "apps", Name: "app"}
	inner     = cluster.Ref{Resource: carvel.Apps, Namespace: "apps", Name: "app"}
)

// reconciled is an object whose last run began at a time.
func reconciled(kind string, began time.Time, extra map[string]any) *unstructured.Unstructured {
	at := began.UTC().Format(time.RFC3339)
	status := map[string]any{
		"observedGeneration": int64(1), "conditions": []any{map[string]any{"type": carvel.ReconcileSucceeded, "status": "True"}}, "version": "1.0.0",
		"fetch": map[string]any{"startedAt": at, "updatedAt": at}, "template": map[string]any{"updatedAt": at}, "deploy": map[string]any{"updatedAt": at, "finished": true},
	}
	obj := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": map[string]string{"App": "kappctrl.k14s.io/v1alpha1", "PackageInstall": "packaging.carvel.dev/v1alpha1"}[kind], "kind": kind,
		"spec": map[string]any{}, "status": status,
	}}
	obj.SetNamespace("apps")
	obj.SetName("app")
	if kind == "App" {
		obj.SetAnnotations(map[string]string{carvel.VersionAnnotation: "1.0.0"})
	}
	maps.Copy(obj.Object, extra)
	return obj
}

// deploy puts what the repository holds onto the run cluster, as kapp does.
func (w *world) deploy(t *testing.T) {
	t.Helper()
	file := w.Repository.Files()["app.default.tap/staging/params.yaml"]
	found := carvel.ReadDeployed([]byte(file), false)
	if len(found.Secrets) != 1 {
		t.Fatalf("no Secret in %s", file)
	}
	w.Run.Put(carvel.CredentialSecret("apps", found.Secrets[0].Name, toBytes(found.Secrets[0].Data)))
	w.Run.PutAs(carvel.PackageInstalls, reconciled("PackageInstall", time.Now(), map[string]any{"spec": map[string]any{
		"packageRef": map[string]any{"refName": "app.default.tap", "versionSelection": map[string]any{"constraints": "1.0.0"}},
		"values":     []any{map[string]any{"secretRef": map[string]any{"name": found.Secrets[0].Name}}},
	}}))
}

func toBytes(texts map[string]string) map[string][]byte {
	data := map[string][]byte{}
	for key, text := range texts {
		data[key] = []byte(text)
	}
	return data
}

// waiting is an App whose create goes on, and what it was said to wait for.
type waiting struct {
	t       *testing.T
	mu      sync.Mutex
	reasons []string
	done    chan error
}

func wait(t *testing.T, w *world, a delivery.App) *waiting {
	t.Helper()
	p := &waiting{t: t, done: make(chan error, 1)}
	a.Progress = func(reason string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.reasons = append(p.reasons, reason)
	}
	ctx := brief(t)
	go func() {
		_, err := w.process().Apps.Create(ctx, a)
		p.done <- err
	}()
	return p
}

// says waits until the wait has said that it waits for something.
func (p *waiting) says(part string) {
	p.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		said := strings.Join(p.reasons, "\n")
		p.mu.Unlock()
		select {
		case err := <-p.done:
			p.t.Fatalf("ended before it has said %q, %v:\n%s", part, err, said)
		default:
		}
		if strings.Contains(said, part) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("has not said %q:\n%s", part, said)
		}
	}
}

func (p *waiting) ends() error {
	p.t.Helper()
	select {
	case err := <-p.done:
		return err
	case <-time.After(10 * time.Second):
		p.mu.Lock()
		defer p.mu.Unlock()
		p.t.Fatalf("has not ended:\n%s", strings.Join(p.reasons, "\n"))
		return nil
	}
}

// TestCreateApp_waits until the App of the PackageInstall has run with the values: each
// step of the delivery is told, and none but the last ends the wait.
func TestCreateApp_waits(t *testing.T) {
	w, a := delivering(t)
	p := wait(t, w, a)
	p.says("PackageInstall app")
	w.deploy(t)
	w.Run.PutAs(carvel.Apps, reconciled("App", time.Now().Add(-time.Minute), nil))
	p.says("its App has not run since Secret app-values was written")
	w.Run.Change(inner, func(obj *unstructured.Unstructured) {
		obj.Object["status"] = reconciled("App", time.Now().Add(3*time.Second), nil).Object["status"]
	})
	if err := p.ends(); err != nil {
		t.Error(err)
	}
}

// TestCreateApp_installFails: what fails twice on the run cluster is the error, in the
// controller's words there.
func TestCreateApp_installFails(t *testing.T) {
	w, a := delivering(t)
	p := wait(t, w, a)
	p.says("PackageInstall app")
	w.deploy(t)
	w.Run.PutAs(carvel.Apps, reconciled("App", time.Now().Add(3*time.Second), nil))
	for attempt := int64(1); attempt <= 2; attempt++ {
		fail := func(obj *unstructured.Unstructured) {
			status := reconciled("App", time.Now().Add(time.Duration(3+attempt)*time.Second), nil).Object["status"].(map[string]any)
			status["conditions"] = []any{map[string]any{"type": carvel.ReconcileFailed, "status": "True"}}
			status["consecutiveReconcileFailures"], status["usefulErrorMessage"] = attempt, "kapp: Error: no room"
			status["deploy"] = map[string]any{"exitCode": int64(1), "updatedAt": time.Now().Add(time.Duration(3+attempt) * time.Second).UTC().Format(time.RFC3339), "finished": true}
			obj.Object["status"] = status
		}
		w.Run.Change(inner, fail)
		w.Run.Change(installed, fail)
		if attempt == 1 {
			p.says("no room")
		}
	}
	var failed *delivery.ReconcileError
	if err := p.ends(); !errors.As(err, &failed) || !strings.Contains(err.Error(), "no room") {
		t.Errorf("got %v", err)
	}
}

// TestCreateApp_mayNotLook: who may not look at the run cluster waits for the App alone,
// and the receipt says so.
func TestCreateApp_mayNotLook(t *testing.T) {
	w, a := delivering(t)
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "packageinstalls"}, "", errors.New("no"))
	w.Calls.Fails = func(_ int, call string) error {
		if strings.HasPrefix(call, "staging ") {
			return forbidden
		}
		return nil
	}
	r, err := w.process().Apps.Create(brief(t), a)
	if err != nil || !apierrors.IsForbidden(r.Unseen) {
		t.Errorf("%v, %v", r.Unseen, err)
	}
}

// TestCreateApp_interrupted: an interrupt ends the wait with what was waited for.
func TestCreateApp_interrupted(t *testing.T) {
	w, a := delivering(t)
	ctx, cancel := context.WithCancel(t.Context())
	a.Progress = func(reason string) {
		if strings.Contains(reason, "PackageInstall app") {
			cancel()
		}
	}
	_, err := w.process().Apps.Create(ctx, a)
	var pending *delivery.NotReadyError
	if !errors.As(err, &pending) || !pending.Stopped || !strings.Contains(pending.Error(), "PackageInstall app") {
		t.Errorf("got %v", err)
	}
}
