package delivery

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

// put puts an object of a text on the run cluster.
func put(t *testing.T, w *deliverytest.World, format string, args ...any) {
	t.Helper()
	data, err := yaml.YAMLToJSON(fmt.Appendf(nil, format, args...))
	if err != nil {
		t.Fatal(err)
	}
	var obj unstructured.Unstructured
	if err := obj.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	w.Run.Put(&obj)
}

var valuesRef = cluster.Ref{Resource: carvel.Secrets, Namespace: "apps", Name: "app-values"}

const succeededStatus = "observedGeneration: 1, conditions: [{type: ReconcileSucceeded}], friendlyDescription: Reconcile succeeded"

// deployedAt puts PackageInstalls on the run cluster that share their values, with a
// success at a time.
func deployedAt(t *testing.T, w *deliverytest.World, at time.Time, values string, names ...string) {
	t.Helper()
	before, text := at.Add(-time.Hour).Format(time.RFC3339), at.Format(time.RFC3339)
	managed := fmt.Sprintf("managedFields: [{operation: Update, time: %q, fieldsType: FieldsV1, fieldsV1: {f:data: {}}}, {operation: Update, subresource: status, time: %q}]", before, text)
	for _, name := range names {
		put(t, w, "{apiVersion: packaging.carvel.dev/v1alpha1, kind: PackageInstall, metadata: {namespace: apps, name: %s, %s}, "+
			"spec: {packageRef: {refName: app.default.tap}, values: [{secretRef: {name: app-values}}]}, status: {version: 1.0.0, %s}}", name, managed, succeededStatus)
		put(t, w, "{apiVersion: kappctrl.k14s.io/v1alpha1, kind: App, metadata: {namespace: apps, name: %s, %s, annotations: {packaging.carvel.dev/package-version: 1.0.0}}, "+
			"spec: {syncPeriod: 10m0s, template: [{ytt: {valuesFrom: [{secretRef: {name: app-values}}]}}]}, status: {consecutiveReconcileSuccesses: 1, fetch: {startedAt: %q, updatedAt: %q}, %s}}",
			name, managed, text, text, succeededStatus)
	}
	w.Run.Controller = func(ref cluster.Ref, obj *unstructured.Unstructured) {
		if ref == valuesRef {
			obj.SetCreationTimestamp(metav1.NewTime(at.Add(-time.Hour)))
		}
	}
	put(t, w, "{apiVersion: v1, kind: Secret, metadata: {namespace: apps, name: app-values}, data: {values.yaml: %s}}", base64.StdEncoding.EncodeToString([]byte(values)))
}

func TestListInstalls(t *testing.T) {
	const values = "replicas: 2\n"
	at := time.Now().Add(-5 * time.Minute).UTC().Truncate(time.Second)
	world := func() (*deliverytest.World, *Installs) {
		w := deliverytest.NewWorld()
		deployedAt(t, w, at, values, "app", "other")
		w.Calls.Forget()
		return w, New(Config{Run: map[string]Cluster{"staging": w.Run}}).Installs
	}
	digest, err := carvel.ValuesDigest("app.default.tap", []byte("replicas: 2 # the same\n"))
	if err != nil {
		t.Fatal(err)
	}

	w, installs := world()
	found, err := installs.List(t.Context(), "staging", "apps")
	if err != nil || len(found) != 2 {
		t.Fatalf("%d found, %v", len(found), err)
	}
	for _, p := range found {
		if p.Health.State != health.Current || !p.Since.Equal(at) || p.ValuesDigest != digest {
			t.Errorf("%s: %+v, since %s (%s), want %s; digest %s, want %s", p.Name, p.Health, p.Since.Time, p.Since.Reason, at, p.ValuesDigest, digest)
		}
	}
	want := []string{"staging Get secrets apps/app-values", "staging List apps.kappctrl.k14s.io apps/", "staging List packageinstalls.packaging.carvel.dev apps/"}
	if made := slices.Sorted(slices.Values(w.Calls.Made())); !slices.Equal(made, want) {
		t.Errorf("asked for %q, want %q", made, want)
	}

	w, installs = world()
	w.Calls.Fails = func(_ int, call string) error {
		if strings.Contains(call, "secrets") {
			return apierrors.NewForbidden(carvel.Secrets.GroupResource(), "app-values", errors.New("no"))
		}
		return nil
	}
	found, err = installs.List(t.Context(), "staging", "apps")
	if err != nil || len(found) != 2 || found[0].Health.State != health.Current || !found[0].Since.IsZero() ||
		!strings.Contains(found[0].Since.Reason, `Secret app-values cannot be read: secrets "app-values" is forbidden`) || found[0].ValuesDigest != "" {
		t.Errorf("without the right to read Secrets: %+v, %v", found, err)
	}

	w, installs = world()
	w.Calls.Fails = func(_ int, call string) error {
		if strings.Contains(call, "secrets") {
			return deliverytest.ErrFault
		}
		return nil
	}
	if _, err = installs.List(t.Context(), "staging", "apps"); !errors.Is(err, deliverytest.ErrFault) {
		t.Errorf("a Secret that could not be read: %v", err)
	}

	w, installs = world()
	w.Run.Remove(valuesRef)
	found, err = installs.List(t.Context(), "staging", "apps")
	if err != nil || found[0].ValuesDigest != "" || !strings.Contains(found[0].Since.Reason, "Secret app-values is not there") {
		t.Errorf("without the Secret: %+v, %v", found, err)
	}
}
