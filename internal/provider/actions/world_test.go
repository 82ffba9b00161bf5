package actions

import (
	"encoding/base64"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
)

// NewWorld is newWorld for the tests that run Terraform.
var NewWorld = newWorld

// newWorld has what each action is for: an App that uses a kubeconfig Secret, and a
// PackageInstall.
func newWorld(t *testing.T) *deliverytest.World {
	t.Helper()
	w := deliverytest.NewWorld()
	tokens := 0
	w.Run.Controller = func(ref cluster.Ref, obj *unstructured.Unstructured) {
		if obj.Object["type"] == carvel.TokenSecretType && obj.Object["data"] == nil {
			tokens++
			obj.Object["data"] = map[string]any{"token": base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "token %d", tokens))}
		}
		install(w, ref, obj)
	}
	s := delivery.KubeconfigSecret{RunCluster: "staging", ServiceAccount: &delivery.ServiceAccount{Namespace: "apps", Name: "sa"}, ForCluster: delivery.ForCluster{Manager: manager}}
	s.Namespace, s.Name, s.Key = "dev", "staging-kubeconfig", "value"
	if _, err := protocoltest.Data(w)().Kubeconfigs.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	app, err := carvel.App(carvel.AppSpec{
		Namespace: "dev", Name: "app", Cluster: &carvel.Cluster{Namespace: "apps", KubeconfigSecretRef: &carvel.SecretKeyRef{Name: "staging-kubeconfig"}},
		Fetch: []carvel.Fetch{{Inline: &carvel.Inline{Paths: map[string]string{"a.yaml": "a: 1"}}}}, Template: []carvel.Template{{Ytt: &carvel.Ytt{}}}, Deploy: []carvel.Deploy{{Kapp: &carvel.Kapp{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Build.Put(app)
	for kind, at := range map[string]map[string]any{"App": {"kind": "App", "apiVersion": "kappctrl.k14s.io/v1alpha1"}, "PackageInstall": {"kind": "PackageInstall", "apiVersion": "packaging.carvel.dev/v1alpha1"}} {
		obj := &unstructured.Unstructured{Object: at}
		obj.SetNamespace("apps")
		obj.SetName("app")
		obj.Object["spec"] = map[string]any{}
		if kind == "App" {
			obj.SetAnnotations(map[string]string{carvel.VersionAnnotation: "1.0.0"})
		}
		w.Run.Put(obj)
	}
	w.Calls.Forget()
	return w
}

// install is the controller of PackageInstalls: its App follows.
func install(w *deliverytest.World, ref cluster.Ref, obj *unstructured.Unstructured) {
	deliverytest.Reconcile(ref, obj)
	if ref.Resource != carvel.PackageInstalls {
		return
	}
	spec, _ := obj.Object["spec"].(map[string]any)
	status := map[string]any{
		"observedGeneration": obj.GetGeneration(), "friendlyDescription": "Reconcile succeeded", "version": "1.0.0",
		"conditions": []any{map[string]any{"type": carvel.ReconcileSucceeded, "status": "True"}},
	}
	if spec["paused"] == true {
		status["friendlyDescription"] = "Canceled/paused"
	}
	obj.Object["status"] = status
	app := cluster.Ref{Resource: carvel.Apps, Namespace: ref.Namespace, Name: ref.Name}
	paused := spec["paused"] == true
	go w.Run.Change(app, func(app *unstructured.Unstructured) {
		if app.Object["spec"] = map[string]any{}; paused {
			app.Object["spec"] = map[string]any{"paused": true}
		}
	})
}
