package standin

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	var raw any
	if err := yaml.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatal(err)
	}
	if err := convert(raw, &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestRestricted(t *testing.T) {
	config, err := restricted([]byte(`
current-context: a
clusters:
- name: a
  cluster: {server: https://x, certificate-authority: /ca, certificate-authority-data: Y2E=, tls-server-name: name, proxy-url: http://p, disable-compression: true}
users:
- name: a
  user: {exec: {command: c}, tokenFile: /t, client-certificate: /c, client-key: /k, token: t, username: u, password: p, as: i, as-groups: [g], as-uid: "1",
    client-certificate-data: Yw==, client-key-data: aw==}
contexts: [{name: a, context: {cluster: a, user: a, namespace: ns}}]`))
	if err != nil {
		t.Fatal(err)
	}
	cluster, user := config.Clusters["a"], config.AuthInfos["a"]
	if cluster.Server != "https://x" || cluster.CertificateAuthority != "" || string(cluster.CertificateAuthorityData) != "ca" ||
		cluster.TLSServerName != "name" || cluster.ProxyURL != "http://p" || cluster.DisableCompression {
		t.Errorf("cluster: %#v", cluster)
	}
	if user.Exec != nil || user.TokenFile != "" || user.ClientCertificate != "" || user.ClientKey != "" || user.ImpersonateUID != "" {
		t.Error("kept what is to be dropped")
	}
	if user.Token != "t" || user.Username != "u" || user.Password != "p" || user.Impersonate != "i" || len(user.ImpersonateGroups) != 1 ||
		string(user.ClientCertificateData) != "c" || string(user.ClientKeyData) != "k" {
		t.Error("dropped what is to be kept")
	}
	if config.CurrentContext != "a" || config.Contexts["a"].Namespace != "ns" {
		t.Errorf("contexts: %#v", config.Contexts)
	}
	for text, want := range map[string]string{"nonsense": "error unmarshaling JSON", "{}": "at least one cluster"} {
		t.Run(text, func(t *testing.T) {
			if _, err := restricted([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v", text, err)
			}
		})
	}
}

func TestParseKappOptions(t *testing.T) {
	got, err := parseKappOptions([]string{"--dangerous-allow-empty-list-of-resources=true", "--apply-timeout=1m", "--wait=false", "--diff-changes=true"})
	if diff := cmp.Diff(kappOptions{allowEmpty: true, noWait: true, timeout: time.Minute}, got, cmp.AllowUnexported(kappOptions{})); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, option := range []string{"--wait false", "--wait", "-x=1", "--kubeconfig=/x", "--apply-timeout=banana"} {
		if _, err := parseKappOptions([]string{option}); err == nil {
			t.Errorf("%s was accepted", option)
		}
	}
}

func TestCarvelState(t *testing.T) {
	const head = "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: a, generation: 2}\n"
	for name, c := range map[string]struct {
		status string
		want   state
	}{
		"new":         {"", state{pending: "Waiting for generation 2 to be observed"}},
		"not seen":    {"status: {observedGeneration: 1, conditions: [{type: ReconcileSucceeded, status: 'True'}]}", state{pending: "Waiting for generation 2 to be observed"}},
		"reconciling": {"status: {observedGeneration: 2, conditions: [{type: Reconciling, status: 'True'}]}", state{pending: "Reconciling"}},
		"paused":      {"status: {observedGeneration: 2, conditions: []}", state{pending: "No ReconcileSucceeded condition"}},
		"succeeded":   {"status: {observedGeneration: 2, conditions: [{type: ReconcileSucceeded, status: 'True'}]}", state{done: true}},
		"failed": {
			"status: {observedGeneration: 2, usefulErrorMessage: why, conditions: [{type: ReconcileFailed, status: 'True', message: see}]}",
			state{done: true, failure: "Reconcile failed: (message: why)"},
		},
		"failed without a useful message": {
			"status: {observedGeneration: 2, conditions: [{type: ReconcileFailed, status: 'True', message: see}]}",
			state{done: true, failure: "Reconcile failed: (message: see)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := stateOf(object(t, head+c.status)); got != c.want {
				t.Errorf("%s: got %+v", name, got)
			}
		})
	}
}

func TestPlanChanges(t *testing.T) {
	wanted := func(text string) item {
		u := object(t, text)
		label(u, "1")
		return item{object: u}
	}
	live := func(i item, edit func(*unstructured.Unstructured)) item {
		u := withOriginal(i.object)
		sum, err := viewSum(u)
		if err != nil {
			t.Fatal(err)
		}
		annotations := u.GetAnnotations()
		annotations[annotationDiff] = sum
		u.SetAnnotations(annotations)
		edit(u)
		return item{object: u}
	}
	const secret = "{apiVersion: v1, kind: Secret, metadata: {name: NAME, namespace: n}}"
	const install = "{apiVersion: packaging.carvel.dev/v1alpha1, kind: PackageInstall, metadata: {name: NAME, namespace: n}}"
	named := func(text, name string) item { return wanted(strings.ReplaceAll(text, "NAME", name)) }
	same, edited, failing, fresh := named(secret, "same"), named(secret, "edited"), named(install, "failing"), named(install, "fresh")
	gone, foreign := named(secret, "gone"), named(secret, "foreign")
	foreign.object.SetLabels(map[string]string{labelApp: "2"})
	present := map[place]item{}
	for _, i := range []item{
		live(same, func(u *unstructured.Unstructured) { // what others write for good is no drift
			u.SetFinalizers([]string{"f"})
			u.SetResourceVersion("7")
			u.Object["status"] = map[string]any{"x": "y"}
		}),
		live(edited, func(u *unstructured.Unstructured) { u.Object["data"] = map[string]any{"x": "eQ=="} }),
		live(failing, func(u *unstructured.Unstructured) {
			u.Object["status"] = map[string]any{"observedGeneration": int64(0), "conditions": []any{map[string]any{"type": "ReconcileFailed", "status": "True"}}}
		}),
		gone, foreign,
	} {
		present[placeOf(i.object)] = i
	}
	changes, err := planChanges([]item{same, edited, failing, fresh}, present, "1")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		text := c.op + " " + c.object().GetName()
		if c.wait {
			text += " and wait"
		}
		got = append(got, text)
	}
	want := []string{"update edited and wait", "noop same", "noop failing and wait", "create fresh and wait", "delete gone and wait"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
