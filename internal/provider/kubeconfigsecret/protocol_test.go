package kubeconfigsecret_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential/credentialtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/kubeconfigsecret"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
)

type attributes = protocoltest.Config

// inMemory is a kubeconfig Secret that is not there yet.
func inMemory(t *testing.T) (*deliverytest.World, *protocoltest.Resource) {
	t.Helper()
	w := deliverytest.NewWorld()
	return w, protocoltest.New(t, kubeconfigsecret.New, protocoltest.Data(w))
}

// kubeconfigOf has a token.
func kubeconfigOf(token string) string {
	return `{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: "https://c.example.com"}}], users: [{name: c, user: {token: ` + token + `}}], contexts: [{name: c, context: {cluster: c, user: c}}]}`
}

// basic is a configuration for a ServiceAccount, with others over it.
func basic(others ...attributes) attributes {
	c := attributes{"run_cluster": "staging", "namespace": "dev", "field_manager": map[string]any{"force_conflicts": true}, "service_account": map[string]any{"namespace": "apps", "name": "sa"}}
	for _, other := range others {
		maps.Copy(c, other)
	}
	return c
}

// whole are configurations in which every attribute has something.
func whole() []attributes {
	return []attributes{
		basic(),
		basic(attributes{
			"key": "config", "labels": map[string]any{"a": "b"}, "annotations": map[string]any{"c": "d"},
			"service_account": map[string]any{"namespace": "apps", "name": "sa", "server": "https://inside.example.com"},
			"field_manager":   map[string]any{"name": "platform", "force_conflicts": true},
		}),
		basic(attributes{"service_account": map[string]any{"namespace": "apps", "name": "sa", "token_source": "request", "expiration_seconds": 3600}}),
		basic(attributes{"service_account": nil, "kubeconfig": kubeconfigOf("one")}),
		basic(attributes{"service_account": nil, "kubeconfig_wo": kubeconfigOf("two"), "kubeconfig_wo_version": "1"}),
		basic(attributes{"name": "other", "type": "example.com/kubeconfig"}),
	}
}

var secret = cluster.Ref{Resource: carvel.Secrets, Namespace: "dev", Name: "staging-kubeconfig"}

// TestProtocol: from each configuration to each other one, with an empty plan after each
// apply, and nothing left in the end.
func TestProtocol(t *testing.T) {
	w, r := inMemory(t)
	before := w.Snapshot()
	protocoltest.Transitions(t, r, whole())
	protocoltest.Vanishes(t, w, r, before)
}

// TestProtocol_imported: what is imported keeps its token.
func TestProtocol_imported(t *testing.T) {
	protocoltest.Imports(t, inMemory, "dev/staging-kubeconfig", whole()[:4])
	protocoltest.RefusesImports(t, inMemory, []string{"dev/nosuch"}, "dev", "dev/", "a/b/c")
}

// TestProtocol_eachCall: whichever call fails, the next apply mends all.
func TestProtocol_eachCall(t *testing.T) {
	prepare := protocoltest.Prepare(inMemory).Applied(basic())
	for _, c := range whole()[1:5] {
		protocoltest.EachCall(t, inMemory, c)
		protocoltest.EachCall(t, prepare, c)
	}
	protocoltest.EachCall(t, prepare, nil)
}

// TestProtocol_changedByOthers: what somebody else does is in the next plan, and mended.
func TestProtocol_changedByOthers(t *testing.T) {
	token := func(w *deliverytest.World) cluster.Ref {
		for _, ref := range w.Run.Refs() {
			if ref.Resource == carvel.Secrets {
				return ref
			}
		}
		t.Fatal("there is no token Secret")
		return cluster.Ref{}
	}
	protocoltest.ChangedByOthers(t, inMemory, basic(attributes{"field_manager": map[string]any{"force_conflicts": true}}), []protocoltest.Change{
		{Name: "another kubeconfig", By: func(w *deliverytest.World) {
			w.Build.Change(secret, func(obj *unstructured.Unstructured) { obj.Object["data"] = map[string]any{"value": "Z2FyYmFnZQ=="} })
		}, Want: protocoltest.Update},
		{Name: "no key", By: func(w *deliverytest.World) {
			w.Build.Change(secret, func(obj *unstructured.Unstructured) { obj.Object["data"] = map[string]any{} })
		}, Want: protocoltest.Update},
		{Name: "the Secret is gone", By: func(w *deliverytest.World) { w.Build.Remove(secret) }, Want: protocoltest.Create},
		{Name: "the token is revoked", By: func(w *deliverytest.World) { w.Run.Remove(token(w)) }, Want: protocoltest.Update},
	})
}

// TestProtocol_exists: a Secret of somebody else is refused, adopted if that is asked
// for, and left when the resource goes.
func TestProtocol_exists(t *testing.T) {
	w, r := inMemory(t)
	w.Build.Put(carvel.KubeconfigSecret(carvel.KubeconfigSecretSpec{Namespace: "dev", Name: "staging-kubeconfig", Key: "value"}, kubeconfigFile("theirs")))
	w.Build.Change(secret, func(obj *unstructured.Unstructured) { obj.SetLabels(nil) })
	if diags := r.Apply(basic()); !diags.Failed() || !strings.Contains(diags.String(), "adopt_existing") {
		t.Errorf("%s", diags)
	}
	if diags := r.Apply(basic(attributes{"adopt_existing": true, "field_manager": map[string]any{"force_conflicts": true}})); diags.Failed() {
		t.Fatal(diags)
	}
	if diags := r.Apply(nil); diags.Failed() {
		t.Fatal(diags)
	}
	for _, ref := range w.Run.Refs() {
		if ref.Resource == carvel.Secrets {
			t.Errorf("%s is left, and its token with it", ref)
		}
	}
}

// TestProtocol_inUse: a Secret that an App names is not deleted.
func TestProtocol_inUse(t *testing.T) {
	w, r := inMemory(t)
	if diags := r.Apply(basic()); diags.Failed() {
		t.Fatal(diags)
	}
	app, err := carvel.App(carvel.AppSpec{Namespace: "dev", Name: "app", Cluster: &carvel.Cluster{KubeconfigSecretRef: &carvel.SecretKeyRef{Name: "staging-kubeconfig"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.Build.Put(app)
	if diags := r.Apply(nil); !diags.Failed() || !strings.Contains(diags.String(), "app") || !r.Exists() || w.Build.Object(secret) == nil {
		t.Errorf("%s", diags)
	}
}

// TestProtocol_renewed: a requested token is replaced in time, and the Apps that have
// failed for want of it run again.
func TestProtocol_renewed(t *testing.T) {
	w, r := inMemory(t)
	c := whole()[2]
	if diags := r.Apply(c); diags.Failed() {
		t.Fatal(diags)
	}
	until := r.Attribute("expires_at")
	w.Build.Change(secret, func(obj *unstructured.Unstructured) {
		file := kubeconfigFile(deliverytest.Token("apps", "sa", time.Now().Add(-50*time.Minute), time.Hour))
		obj.Object["data"] = carvel.KubeconfigSecret(carvel.KubeconfigSecretSpec{Key: "value"}, file).Object["data"]
	})
	p, diags := r.Plan(c)
	if diags.Failed() || p.Action != protocoltest.Update || p.Attribute("expires_at") != `"unknown"` {
		t.Fatalf("%s %s %s", p.Action, p.Attribute("expires_at"), diags)
	}
	if diags := p.Apply(); diags.Failed() || r.Attribute("expires_at") < until {
		t.Errorf("%s after %s: %s", r.Attribute("expires_at"), until, diags)
	}
}

// TestProtocol_rotated: what a rotation has written is the resource's own: the plan after it
// is empty, and a destroy leaves nothing, also of a rotation that was interrupted.
func TestProtocol_rotated(t *testing.T) {
	for _, c := range whole() {
		if c["service_account"] == nil {
			continue
		}
		w, r := inMemory(t)
		tokens := 0
		w.Run.Controller = func(_ cluster.Ref, obj *unstructured.Unstructured) {
			if obj.Object["type"] == carvel.TokenSecretType && obj.Object["data"] == nil {
				tokens++
				obj.Object["data"] = map[string]any{"token": base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "token %d", tokens))}
			}
		}
		before := w.Snapshot()
		if diags := r.Apply(c); diags.Failed() {
			t.Fatal(diags)
		}
		old := r.Attribute("fingerprint")
		at := delivery.Rotation{Namespace: "dev", Name: strings.Trim(r.Attribute("name"), `"`), RunCluster: "staging", Manager: cluster.Manager{Name: carvel.ManagedBy}}
		time.Sleep(1100 * time.Millisecond) // requested tokens of the same second are the same
		rotate := func() {
			if _, err := protocoltest.Data(w)().Kubeconfigs.Rotate(t.Context(), at); err != nil {
				t.Fatal(err)
			}
		}
		rotate()
		if p, diags := r.Plan(c); p.Action != protocoltest.None || len(diags) > 0 {
			t.Errorf("after the rotation the plan is to %s: %s", p.Action, diags)
		}
		if now := r.Attribute("fingerprint"); now == old {
			t.Errorf("the fingerprint is %s as before", now)
		}
		labeled := maps.Clone(c)
		labeled["labels"] = map[string]any{"more": "1"}
		if diags := r.Apply(labeled); diags.Failed() {
			t.Fatal(diags)
		}
		if p, diags := r.Plan(labeled); p.Action != protocoltest.None || len(diags) > 0 {
			t.Errorf("after another apply the plan is to %s: %s", p.Action, diags)
		}
		w.Calls.Fails = func(_ int, call string) error { // before the old token Secret is deleted
			if strings.HasPrefix(call, "staging Delete") {
				return deliverytest.ErrFault
			}
			return nil
		}
		_, err := protocoltest.Data(w)().Kubeconfigs.Rotate(t.Context(), at)
		if requested := tokens == 0; requested != (err == nil) {
			t.Errorf("the rotation ends with %v", err)
		}
		w.Calls.Mend()
		if p, diags := r.Plan(labeled); p.Action != protocoltest.None || len(diags) > 0 {
			t.Errorf("after an interrupted rotation the plan is to %s: %s", p.Action, diags)
		}
		if diags := r.Apply(nil); diags.Failed() {
			t.Fatal(diags)
		}
		if left := deliverytest.Differences(before, w.Snapshot()); left != "" {
			t.Errorf("the destroy leaves\n%s", left)
		}
	}
}

// TestProtocol_refused: bad input is refused before anything is written.
func TestProtocol_refused(t *testing.T) {
	for want, wrong := range map[string]attributes{
		"run_clusters": {"run_cluster": "nosuch"},
		"exactly one of kubeconfig, kubeconfig_wo and service_account": {"kubeconfig": kubeconfigOf("x")},
		"set one of kubeconfig, kubeconfig_wo, service_account":        {"service_account": nil},
		"not a kubeconfig":                      {"service_account": nil, "kubeconfig": "a: ["},
		"exec plugin":                           {"service_account": nil, "kubeconfig": strings.Replace(kubeconfigOf("x"), "{token: x}", "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1}}", 1)},
		"token secret would have a name of 254": {"service_account": map[string]any{"namespace": "apps", "name": strings.Repeat(strings.Repeat("a", 49)+".", 4) + strings.Repeat("b", 25)}},
		"prescribed":                            {"type": "kubernetes.io/tls"},
		"expiration_seconds":                    {"service_account": map[string]any{"namespace": "apps", "name": "sa", "expiration_seconds": 3600}},
		"no such":                               {"service_account": map[string]any{"namespace": "apps", "name": "nosuch"}},
	} {
		t.Run(want, func(t *testing.T) {
			w, r := inMemory(t)
			before := w.Snapshot()
			diags := r.Apply(basic(wrong))
			if !diags.Failed() || want != "no such" && !strings.Contains(strings.ToLower(diags.String()), want) || !maps.Equal(before, w.Snapshot()) {
				t.Errorf("want %q in: %s", want, diags)
			}
		})
	}
}

// TestProtocol_unusable: a kubeconfig that nobody could use is an error at its
// attribute, whichever of them it comes from.
func TestProtocol_unusable(t *testing.T) {
	expired := credentialtest.Token(`{"exp": %d}`, time.Now().Add(-time.Hour).Unix())
	for token, want := range map[string]string{
		`""`: "anonymous", `"x\n"`: "line break", `"${TOKEN}"`: "${...}", expired: "expired on " + time.Now().Add(-time.Hour).UTC().Format("2006-01-02"),
	} {
		for _, name := range []string{"kubeconfig", "kubeconfig_wo"} {
			w, r := inMemory(t)
			before := w.Snapshot()
			c := basic(attributes{"service_account": nil, name: kubeconfigOf(token)})
			if name == "kubeconfig_wo" {
				c["kubeconfig_wo_version"] = "1"
			}
			_, diags := r.Plan(c)
			if !diags.Failed() || !strings.Contains(diags.String(), `AttributeName("`+name+`")`) || !strings.Contains(diags.String(), want) {
				t.Errorf("%s: want %q in: %s", name, want, diags)
			}
			if !maps.Equal(before, w.Snapshot()) {
				t.Error("something was written")
			}
		}
	}
}

// TestProtocol_expired: a kubeconfig that expires after it was written is in nobody's
// way, and its replacement is written.
func TestProtocol_expired(t *testing.T) {
	_, r := inMemory(t)
	ends := time.Now().Add(1500 * time.Millisecond)
	c := basic(attributes{"service_account": nil, "kubeconfig": kubeconfigOf(credentialtest.Token(`{"exp": %d}`, ends.Unix()))})
	if diags := r.Apply(c); diags.Failed() {
		t.Fatal(diags)
	}
	time.Sleep(time.Until(ends))
	p, diags := r.Plan(c)
	if diags.Failed() || p.Action != protocoltest.None || !strings.Contains(diags.String(), "WARNING") || !strings.Contains(diags.String(), "expired on") {
		t.Errorf("%s: %s", p.Action, diags)
	}
	c["labels"] = map[string]any{"a": "b"}
	if diags := r.Apply(c); diags.Failed() {
		t.Errorf("a label: %s", diags)
	}
	c["kubeconfig"] = kubeconfigOf("another")
	if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.Update || strings.Contains(diags.String(), "expired") {
		t.Errorf("%s: %s", p.Action, diags)
	}
}

// TestProtocol_empties: an empty list or map is none.
func TestProtocol_empties(t *testing.T) {
	for _, c := range whole() {
		protocoltest.Empties(t, inMemory, c)
	}
}

// TestProtocol_goneCluster: the Secret goes without its run cluster once that is out of
// the configuration, with a warning about the token.
func TestProtocol_goneCluster(t *testing.T) {
	for _, c := range whole()[:5] {
		w, r := inMemory(t)
		if diags := r.Apply(c); diags.Failed() {
			t.Fatal(diags)
		}
		w.Calls.Forget()
		r.In(protocoltest.DataWithout(w))
		if diags := r.Apply(nil); diags.Failed() || r.Exists() || w.Build.Object(secret) != nil {
			t.Error(diags)
		}
		protocoltest.Unreached(t, w)
	}
}

// TestProtocol_defaults: the Secret and that with the token have the resource's labels and
// the provider's.
func TestProtocol_defaults(t *testing.T) {
	own := attributes{"labels": map[string]any{"team": "own"}}
	protocoltest.Defaults(t, inMemory, basic(own), "dev/staging-kubeconfig")
	protocoltest.Defaults(t, inMemory, basic(own, whole()[2]), "dev/staging-kubeconfig")
	protocoltest.Defaults(t, inMemory, basic(own, attributes{"service_account": nil, "kubeconfig": kubeconfigOf("one")}), "")
	protocoltest.Defaults(t, inMemory, basic(own, attributes{"service_account": nil, "kubeconfig_wo": kubeconfigOf("one"), "kubeconfig_wo_version": "1"}), "")
}

// TestProtocol_unknown: what is not known yet is left to the apply.
func TestProtocol_unknown(t *testing.T) {
	_, r := inMemory(t)
	for _, name := range []string{"name", "namespace", "run_cluster", "labels", "service_account"} {
		if p, diags := r.Plan(basic(attributes{name: protocoltest.Unknown})); diags.Failed() || p.Action != protocoltest.Create || p.Attribute("fingerprint") != `"unknown"` {
			t.Errorf("%s: %s %s %s", name, p.Action, p.Attribute("fingerprint"), diags)
		}
	}
}

func kubeconfigFile(token string) kubeconfig.File {
	return kubeconfig.File{Server: "https://c.example.com", YAML: []byte(kubeconfigOf(token))}
}
