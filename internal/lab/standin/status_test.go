package standin

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestAppStatus_lifeCycle(t *testing.T) {
	var s appStatus
	check := func(conditions []condition, friendly, useful string, successes, failures int) {
		t.Helper()
		got := []any{s.Conditions, s.FriendlyDescription, s.UsefulErrorMessage, s.ConsecutiveReconcileSuccesses, s.ConsecutiveReconcileFailures}
		if diff := cmp.Diff([]any{conditions, friendly, useful, successes, failures}, got); diff != "" {
			t.Error(diff)
		}
	}
	s.set(reconciling, "")
	check([]condition{{Type: "Reconciling", Status: "True"}}, "Reconciling", "", 0, 0)
	s.completed(failed("Deploying", "kapp: Error: x"))
	message := "Deploying: Error (see .status.usefulErrorMessage for details)"
	check([]condition{{Type: "ReconcileFailed", Status: "True", Message: message}}, "Reconcile failed: "+message, "kapp: Error: x", 0, 1)
	s.set(reconciling, "") // the message stays
	check([]condition{{Type: "Reconciling", Status: "True"}}, "Reconciling", "kapp: Error: x", 0, 1)
	s.completed(broken("Preparing kapp: y"))
	check([]condition{{Type: "ReconcileFailed", Status: "True", Message: "Preparing kapp: y"}}, "Reconcile failed: Preparing kapp: y", "Preparing kapp: y", 0, 2)
	s.completed(result{})
	check([]condition{{Type: "ReconcileSucceeded", Status: "True"}}, "Reconcile succeeded", "", 1, 0)
	s.set(deleting, "")
	check([]condition{{Type: "Deleting", Status: "True"}}, "Deleting", "", 1, 0)
	s.failed(deleteFailed, broken("Preparing kapp: z"))
	check([]condition{{Type: "DeleteFailed", Status: "True", Message: "Preparing kapp: z"}}, "Delete failed: Preparing kapp: z", "Preparing kapp: z", 0, 1)
}

func TestTiming(t *testing.T) {
	for _, c := range []struct {
		option, spec time.Duration
		failures     int
		want         time.Duration
	}{
		{0, 0, 0, 30 * time.Second},
		{0, 10 * time.Second, 0, 30 * time.Second},
		{0, 10 * time.Minute, 0, 10 * time.Minute},
		{0, 0, 1, 2 * time.Second},
		{0, 0, 4, 16 * time.Second},
		{0, 0, 9, 30 * time.Second},
		{0, 0, 100, 30 * time.Second},
		{0, 10 * time.Minute, 9, 512 * time.Second},
		{2 * time.Second, 0, 0, 2 * time.Second},
		{2 * time.Second, time.Second, 0, 2 * time.Second},
		{2 * time.Second, 10 * time.Second, 0, 10 * time.Second},
		{time.Minute, 0, 0, time.Minute},
		{time.Minute, 40 * time.Second, 0, 40 * time.Second},
	} {
		s := &appStatus{ConsecutiveReconcileFailures: c.failures}
		s.set(reconcileSucceeded, "")
		if c.failures > 0 {
			s.set(reconcileFailed, "")
		}
		if got := newTiming(c.option).wait(c.spec, s); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestTiming_due(t *testing.T) {
	at := time.Now()
	earlier := metav1.NewTime(at.Add(-10 * time.Second))
	s := &appStatus{Fetch: &stageStatus{UpdatedAt: &earlier}}
	s.ObservedGeneration = 1
	timing := newTiming(0)
	if got := timing.due(1, 0, s, at); got != 20*time.Second {
		t.Errorf("got %s", got)
	}
	if got := timing.due(2, 0, s, at); got != 0 {
		t.Errorf("new generation: got %s", got)
	}
	if got := timing.due(1, 0, &appStatus{genericStatus: genericStatus{ObservedGeneration: 1}}, at); got != 0 {
		t.Errorf("never run: got %s", got)
	}
	later := metav1.NewTime(at.Add(-5 * time.Second))
	s.Deploy = &deployStatus{stageStatus: stageStatus{UpdatedAt: &later}}
	if got := timing.due(1, 0, s, at); got != 25*time.Second {
		t.Errorf("after the deploy: got %s", got)
	}
}

func TestShorten(t *testing.T) {
	long := strings.Repeat("a", 81)
	for in, want := range map[string]string{"short": "short", "one\ntwo": "one...", long: long[:80] + "..."} {
		t.Run(in, func(t *testing.T) {
			if got := shorten(in); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestNormalizeSpec(t *testing.T) {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"syncPeriod": "90s", "paused": false, "noopDelete": true, "canceled": false, "fetch": []any{},
	}}}
	if err := normalizeSpec(u); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"syncPeriod": "1m30s", "noopDelete": true, "fetch": []any{}}, u.Object["spec"]); diff != "" {
		t.Error(diff)
	}
	if err := normalizeSpec(&unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"syncPeriod": "banana"}}}); err == nil {
		t.Error("banana is a duration")
	}
}

// Run leaves neither a directory nor a goroutine, here with an API server that serves nothing.
func TestRun_leavesNothing(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	before := runtime.NumGoroutine()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{Dir: dir, Name: "test", Kubeconfig: fmt.Appendf(nil, `
current-context: c
clusters: [{name: c, cluster: {server: %q}}]
users: [{name: c, user: {}}]
contexts: [{name: c, context: {cluster: c, user: c}}]`, server.URL)})
	}()
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
	server.CloseClientConnections()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestRun_badKubeconfig(t *testing.T) {
	if err := Run(t.Context(), Options{Name: "x", Kubeconfig: []byte("nonsense")}); err == nil || !strings.Contains(err.Error(), `stand-in "x"`) {
		t.Errorf("got %v", err)
	}
}
