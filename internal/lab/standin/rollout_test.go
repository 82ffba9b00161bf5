package standin_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/standin"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

func deployment(name, readyAfter string, deadline int) string {
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: %[1]s, annotations: {stand-in.lab/ready-after: %[2]s}}, spec: {
progressDeadlineSeconds: %[3]d, selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}}, spec: {containers: [{name: c, image: c}]}}}}`, name, readyAfter, deadline)
}

// A workload becomes ready later, and the App is under way until then; one that does not
// fails at its own deadline, at each run again.
func TestAccStandIn_rollout(t *testing.T) {
	f := newFlow(t)
	film := f.build.film(apps, "late")
	f.build.apply(apps, f.inline("late", f.staging, map[string]string{"a.yaml": deployment("late", "5s", 60)}))
	states := film.until("delivered", seen.succeeded)
	waiting := false
	for _, o := range states {
		waiting = waiting || o.is("Reconciling") && strings.Contains(o.str("status", "deploy", "stdout"), " ^ Waiting for 1 unavailable replicas\n")
	}
	if !waiting {
		t.Errorf("the App was not seen waiting for the workload: %v", conditions(states))
	}
	f.build.apply(apps, f.inline("stuck", f.staging, map[string]string{"a.yaml": deployment("stuck", "never", 3)}))
	for range 2 {
		failed := f.build.until(apps, "stuck", "failed", seen.failed)
		wantText(t, failed.useful(), "kapp: Error: waiting on reconcile deployment/stuck", "Finished unsuccessfully (Deployment is not progressing: ProgressDeadlineExceeded (message: ")
		f.build.kick(apps, "stuck")
	}
}

// A controller that ends in the middle of a run leaves the App reconciling, and the next
// one does not go on with it before its period is over.
func TestAccStandIn_killed(t *testing.T) {
	suite.Acceptance(t, "needs a lab")
	t.Parallel()
	own := labtest.Own(t)
	s := &site{t: t, name: "build", cluster: own.Build, client: labtest.Client(t, own.Build), ns: labtest.Name(t)}
	s.apply(namespaces, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+s.ns+"}")
	s.apply(accounts, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: "+s.account()+"}")
	s.grant("all", `[{apiGroups: [""], resources: [configmaps], verbs: ["*"]}]`)
	kubeconfig, err := os.ReadFile(own.Build.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	start := func() (kill func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- standin.Run(ctx, standin.Options{Kubeconfig: kubeconfig, Name: "own", Dir: t.TempDir()})
		}()
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	app := func(files string) string {
		return "{apiVersion: kappctrl.k14s.io/v1alpha1, kind: App, metadata: {name: app}, spec: {serviceAccountName: " + s.account() +
			", syncPeriod: 10m0s, fetch: [{inline: {paths: {" + files + "}}}], template: [{ytt: {}}], deploy: [{kapp: {}}]}}"
	}
	const quick = `a.yaml: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"`
	kill := start()
	s.apply(apps, app(quick))
	s.until(apps, "app", "delivered", seen.succeeded)
	s.apply(apps, app(quick+`, slow.yaml: "#! stand-in: takes 1h"`))
	s.until(apps, "app", "under way", func(o seen) bool { return o.is("Reconciling") })
	kill()
	kill = start()
	defer kill()
	time.Sleep(3 * time.Second)
	if o := s.get(apps, "app"); !o.is("Reconciling") {
		t.Errorf("the next controller went on: %v", o.Object["status"])
	}
	s.apply(apps, app(quick))
	s.until(apps, "app", "delivered", seen.succeeded)
}
