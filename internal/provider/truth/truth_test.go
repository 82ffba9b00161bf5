// Package truth_test compares what an apply says with what the run cluster runs: at
// the moment when it ends, every change has arrived. Packages that take seconds meet
// the controller in the middle of a run.
package truth_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

var rounds = flag.Int("rounds", 1, "how often each world goes through all kinds of changes; from 2 on also with packages that take 15 s")

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// countsASecond is about what ytt counts to in a second, if nothing else runs.
const countsASecond = 6_500_000

// packageFile is a version of a package whose ConfigMap shows the version, the build and
// the values, and which takes its time.
func packageFile(name, version, build string, takes time.Duration) string {
	return fmt.Sprintf(`apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata:
  name: %[1]s.%[2]s
spec:
  refName: %[1]s
  version: %[2]s
  template:
    spec:
      fetch:
      - inline:
          paths:
            schema.yaml: |
              #@data/values-schema
              ---
              hostname: ""
            config.yaml: |
              #@ load("@ytt:data", "data")
              ---
              apiVersion: v1
              kind: ConfigMap
              metadata:
                name: truth
              data:
                version: %[2]s
                build: %[5]s
                hostname: #@ data.values.hostname
            slow.yaml: |
              #! stand-in: takes %[3]s
              #@ def count():
              #@   n = 0
              #@   for i in range(%[4]d):
              #@     n += 1
              #@   end
              #@   return n
              #@ end
              #@ counted = count()
      template:
      - ytt: {}
      deploy:
      - kapp: {}
`, name, version, takes, int(takes.Seconds()*countsASecond), build)
}

// world is a number of packages, each with an App of its own.
type world struct {
	*acctest.Env
	*acctest.Program
	cluster string // staging or prod
	keys    []string
	hash    bool
	now     map[string]string // what is to run: hostname, version, overlay, extra
	n       int

	takes      time.Duration
	repository *acctest.Repository
}

func newWorld(t *testing.T, takes time.Duration, hash bool, cluster string, keys ...string) *world {
	t.Helper()
	e := acctest.New(t)
	e.BuildNamespace()
	w := &world{
		Env: e, Program: acctest.Fixture{Env: e, Dir: "truth"}.Program(), cluster: cluster, keys: keys, hash: hash, takes: takes, repository: e.Repository(),
		now: map[string]string{"hostname": "h0", "version": acctest.FirstVersion, "overlay": "o0", "extra": "extra-0", "build": "b0"},
	}
	for _, key := range keys {
		e.RemoveDirectory(w.repository, key+"."+e.Package())
	}
	w.packages()
	return w
}

// packages commits the packages in their present build, each version under its name.
func (w *world) packages() {
	w.T.Helper()
	files := map[string]string{}
	for _, key := range w.keys {
		name := key + "." + w.Package()
		for _, version := range []string{acctest.FirstVersion, acctest.SecondVersion} {
			files[name+"/packages/"+version+".yaml"] = packageFile(name, version, w.now["build"], w.takes)
		}
	}
	w.repository.Write("Build "+w.now["build"]+" of the packages of "+w.Name, files)
}

// run is like Env.Staging, on the world's run cluster.
func (w *world) run(resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	if w.cluster == "prod" {
		return w.Prod(resource, namespace)
	}
	return w.Staging(resource, namespace)
}

func (w *world) namespace(key string) string { return w.Name + "-" + key }

func (w *world) vars() config.Variables {
	keys := make([]config.Variable, len(w.keys))
	for i, key := range w.keys {
		keys[i] = config.StringVariable(key)
	}
	return config.Variables{
		"keys": config.SetVariable(keys...), "hash_values_name": config.BoolVariable(w.hash),
		"hostname": config.StringVariable(w.now["hostname"]), "constraint": config.StringVariable(w.now["version"]),
		"run_cluster": config.StringVariable(w.cluster),
		"overlay":     config.StringVariable(w.now["overlay"]), "extra": config.StringVariable(w.now["extra"]),
	}
}

// extras are two Secrets with overlays of somebody else's, for an annotation to name.
func (w *world) extras() {
	w.T.Helper()
	for _, key := range w.keys {
		for _, name := range []string{"extra-0", "extra-1"} {
			secret := acctest.Object(carvel.Secrets, "Secret", w.namespace(key), name)
			secret.Object["stringData"] = map[string]any{"extra.yaml": "#@ load(\"@ytt:overlay\", \"overlay\")\n#@overlay/match by=overlay.all\n---\ndata:\n" +
				"  #@overlay/match missing_ok=True\n  extra: " + name + "\n"}
			w.Create(w.run(carvel.Secrets, w.namespace(key)), secret)
		}
	}
}

// kinds are what may change. If a Secret is told, its change meets a run that has
// begun before it.
var kinds = []struct {
	name   string
	change func(w *world)
	during string
}{
	{name: "values", change: func(w *world) { w.now["hostname"] = fmt.Sprintf("h%d", w.n) }},
	{name: "version", change: func(w *world) { w.version() }},
	{name: "values during a run", change: func(w *world) { w.now["hostname"] = fmt.Sprintf("h%d", w.n) }, during: "values"},
	{name: "values and version", change: func(w *world) { w.now["hostname"] = fmt.Sprintf("h%d", w.n); w.version() }},
	{name: "values", change: func(w *world) { w.now["hostname"] = fmt.Sprintf("h%d", w.n) }},
	{name: "values and package", change: func(w *world) {
		w.now["hostname"], w.now["build"] = fmt.Sprintf("h%d", w.n), fmt.Sprintf("b%d", w.n)
		w.packages() // a colleague's
	}},
	{name: "overlay", change: func(w *world) { w.now["overlay"] = fmt.Sprintf("o%d", w.n) }},
	{name: "overlay during a run", change: func(w *world) { w.now["overlay"] = fmt.Sprintf("o%d", w.n) }, during: "overlays"},
	{name: "annotation", change: func(w *world) {
		w.now["extra"] = map[string]string{"extra-0": "extra-1", "extra-1": "extra-0"}[w.now["extra"]]
	}},
}

// keepBusy has somebody make the App of a package run, again and again, until a Secret
// that it reads changes: that meets a run which has read the Secret as it was, and which
// ends well after the change, as any other.
func (w *world) keepBusy(ctx context.Context, key, secret string) {
	apps, secrets := w.run(carvel.Apps, w.namespace(key)), w.run(carvel.Secrets, w.namespace(key))
	var before string
	for ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond)
		now, err := secrets.Get(ctx, "app-"+secret, metav1.GetOptions{})
		if err != nil {
			continue // a values Secret with a hash in its name has another one each time
		}
		if before != "" && now.GetResourceVersion() != before {
			return
		}
		before = now.GetResourceVersion()
		app, err := apps.Get(ctx, "app", metav1.GetOptions{})
		if err != nil {
			continue
		}
		status, err := carvel.ReadAppStatus(app)
		if err != nil || !status.Ended() {
			continue
		}
		for _, paused := range []string{"true", "null"} {
			patch := []byte(`{"spec": {"paused": ` + paused + `}}`)
			if _, err := apps.Patch(ctx, "app", types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "somebody-else"}); err != nil && ctx.Err() == nil {
				w.T.Errorf("make the App of %s run: %v", key, err)
			}
		}
	}
}

func (w *world) version() {
	w.now["version"] = map[string]string{acctest.FirstVersion: acctest.SecondVersion, acctest.SecondVersion: acctest.FirstVersion}[w.now["version"]]
}

// unlike tells how a ConfigMap differs from what is to run.
func (w *world) unlike(live *unstructured.Unstructured) string {
	var wrong []string
	for _, field := range []string{"hostname", "version", "build", "overlay", "extra"} {
		if got, _, _ := unstructured.NestedString(live.Object, "data", field); got != w.now[field] {
			wrong = append(wrong, fmt.Sprintf("%s is %q, not %q", field, got, w.now[field]))
		}
	}
	return strings.Join(wrong, ", ")
}

// arrivals notes when each run namespace has what is to run.
func (w *world) arrivals(ctx context.Context) func() map[string]time.Time {
	w.T.Helper()
	var mu sync.Mutex
	at := map[string]time.Time{}
	for _, key := range w.keys {
		stream, err := w.run(acctest.ConfigMaps, w.namespace(key)).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=truth"})
		if err != nil {
			w.T.Fatal(err)
		}
		go func() {
			for event := range stream.ResultChan() {
				live, ok := event.Object.(*unstructured.Unstructured)
				if !ok || event.Type == watch.Deleted {
					continue
				}
				mu.Lock()
				if w.unlike(live) != "" {
					delete(at, key)
				} else if _, there := at[key]; !there {
					at[key] = time.Now()
				}
				mu.Unlock()
			}
		}()
	}
	return func() map[string]time.Time {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(at)
	}
}

// apply makes a change and compares what runs when terraform says that it is done.
func (w *world) apply(kind, during string) (late time.Duration) {
	w.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	arrived := w.arrivals(ctx)
	for _, key := range w.keys {
		if during != "" {
			go w.keepBusy(ctx, key, during)
		}
	}
	w.Run(w.vars(), []string{"apply", "-auto-approve"}, "Apply complete!")
	ended := time.Now()
	for _, key := range w.keys {
		live, err := w.run(acctest.ConfigMaps, w.namespace(key)).Get(ctx, "truth", metav1.GetOptions{})
		if err != nil {
			w.T.Fatal(err)
		}
		if wrong := w.unlike(live); wrong != "" {
			w.Eventually("it arrives", func(context.Context) (bool, error) { _, there := arrived()[key]; return there, nil })
			w.T.Errorf("%s of %s: the apply ended %s early: %s", kind, key, arrived()[key].Sub(ended).Round(10*time.Millisecond), wrong)
		}
	}
	var last time.Time
	for _, t := range arrived() {
		if t.After(last) {
			last = t
		}
	}
	return ended.Sub(last)
}

func TestAccTruth(t *testing.T) {
	type setting struct {
		takes   time.Duration
		hash    bool
		cluster string
		keys    []string
	}
	settings := []setting{
		{200 * time.Millisecond, false, "staging", []string{"a"}},
		{3 * time.Second, false, "staging", []string{"a", "b", "c"}},
		{3 * time.Second, true, "staging", []string{"a"}},
		{3 * time.Second, false, "prod", []string{"a"}}, // in the lab another release of the controller
	}
	if *rounds > 1 {
		settings = append(settings, setting{15 * time.Second, false, "staging", []string{"a"}}, setting{200 * time.Millisecond, true, "staging", []string{"a", "b", "c"}})
	}
	for _, s := range settings {
		t.Run(fmt.Sprintf("%s,takes=%s,hash=%v,apps=%d", s.cluster, s.takes, s.hash, len(s.keys)), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, s.takes, s.hash, s.cluster, s.keys...)
			namespaces := []string{"apply", "-auto-approve", "-target=carvel_run_namespace.test"}
			w.Run(w.vars(), namespaces, "Apply complete!")
			w.extras()
			w.Run(w.vars(), []string{"apply", "-auto-approve"}, "Apply complete!")
			lates := map[string][]time.Duration{}
			for round := range *rounds {
				for _, kind := range kinds {
					w.n++
					kind.change(w)
					lates[kind.name] = append(lates[kind.name], w.apply(kind.name, kind.during).Round(100*time.Millisecond))
					if round%2 == 1 {
						time.Sleep(rand.N(4 * time.Second)) // otherwise back to back
					}
				}
			}
			for name, all := range lates {
				slices.Sort(all)
				t.Logf("%s: the apply ended after what it waited for by %s (middle), %s (most), of %d", name, all[len(all)/2], all[len(all)-1], len(all))
			}
			w.Run(w.vars(), []string{"destroy", "-auto-approve"}, "Destroy complete!")
		})
	}
}
