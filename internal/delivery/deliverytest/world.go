package deliverytest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// World is what one configuration reaches: a build cluster with the namespace dev, the
// run cluster staging with the namespace apps and its ServiceAccount sa, and a
// repository.
type World struct {
	Calls      *Calls
	Build, Run *Cluster
	Repository *Repository
}

// NewWorld has controllers that are quick and succeed: token Secrets get a token, and
// Apps reconcile.
func NewWorld() *World {
	calls := &Calls{}
	w := &World{
		Calls: calls, Build: NewCluster(calls, "build", "dev"), Run: NewCluster(calls, "staging", "apps"),
		Repository: NewRepository(calls, map[string]string{"README.md": "x"}),
	}
	account := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount"}}
	account.SetNamespace("apps")
	account.SetName("sa")
	w.Run.Put(account)
	w.Run.Controller, w.Build.Controller = fillTokens, Reconcile
	return w
}

// fillTokens is the controller that gives token Secrets their tokens.
func fillTokens(_ cluster.Ref, obj *unstructured.Unstructured) {
	if obj.Object["type"] != carvel.TokenSecretType {
		return
	}
	if data, _, _ := unstructured.NestedMap(obj.Object, "data"); data["token"] == nil {
		obj.Object["data"] = map[string]any{"token": "dG9rZW4="}
	}
}

// Reconcile is a controller of Apps that always succeeds.
func Reconcile(ref cluster.Ref, obj *unstructured.Unstructured) {
	if ref.Resource != carvel.Apps {
		return
	}
	now := time.Now().UTC().Format(time.RFC3339)
	obj.Object["status"] = map[string]any{
		"observedGeneration": obj.GetGeneration(), "friendlyDescription": "Reconcile succeeded", "consecutiveReconcileSuccesses": obj.GetGeneration(),
		"conditions": []any{map[string]any{"type": carvel.ReconcileSucceeded, "status": "True"}},
		"fetch":      map[string]any{"startedAt": now, "updatedAt": now},
		"deploy":     map[string]any{"updatedAt": now, "finished": true},
	}
}

// Fetch is a controller of Apps that fetches what the branch holds, and succeeds. It is
// the Controller of the build cluster of an App that fetches from Git.
func (w *World) Fetch(ref cluster.Ref, obj *unstructured.Unstructured) {
	Reconcile(ref, obj)
	fetch, found, err := unstructured.NestedMap(obj.Object, "status", "fetch")
	if !found || err != nil {
		return
	}
	sources, _, err := unstructured.NestedSlice(obj.Object, "spec", "fetch")
	if err != nil {
		return
	}
	var lock strings.Builder
	lock.WriteString("apiVersion: vendir.k14s.io/v1alpha1\nkind: LockConfig\ndirectories:\n")
	for i := range sources {
		fmt.Fprintf(&lock, "- path: %q\n  contents: [{path: ., git: {sha: %s}}]\n", strconv.Itoa(i), w.Repository.tip())
	}
	fetch["stdout"] = lock.String()
	if err := unstructured.SetNestedMap(obj.Object, fetch, "status", "fetch"); err != nil {
		panic(err) // it was there
	}
}
