package carvel

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func readStatus(t *testing.T, text string) AppStatus {
	t.Helper()
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	fields["apiVersion"], fields["kind"] = "kappctrl.k14s.io/v1alpha1", "App"
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	var obj unstructured.Unstructured
	if err := obj.UnmarshalJSON(data); err != nil { // integers as from an API server
		t.Fatal(err)
	}
	status, err := ReadAppStatus(&obj)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestAppStatusMessage(t *testing.T) {
	for want, object := range map[string]string{
		"stderr":              `{status: {conditions: [{type: ReconcileFailed, message: "Deploying: Error (see .status.usefulErrorMessage for details)"}], usefulErrorMessage: stderr}}`,
		"Expected to find":    `{status: {conditions: [{type: ReconcileFailed, message: Expected to find}], friendlyDescription: cut}}`,
		"ytt: panic: x":       `{status: {conditions: [{type: ReconcileFailed}], usefulErrorMessage: "ytt: panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\tmain.go:1"}}`,
		"a\ngoroutine b":      `{status: {conditions: [{type: ReconcileFailed}], usefulErrorMessage: "a\ngoroutine b"}}`,
		"Reconcile succeeded": `{status: {conditions: [{type: ReconcileSucceeded}], friendlyDescription: Reconcile succeeded}}`,
	} {
		t.Run(want, func(t *testing.T) {
			if got := readStatus(t, object).Message(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAppStatusStagesAndCommits(t *testing.T) {
	status := readStatus(t, `
status:
  fetch:
    exitCode: 0
    stdout: |
      apiVersion: vendir.k14s.io/v1alpha1
      directories:
      - contents:
        - git: {commitTitle: one, sha: aaaa}
          path: .
        path: "0"
      - contents:
        - inline: {}
          path: .
        path: "1"
      - contents:
        - git: {commitTitle: two, sha: bbbb}
          path: .
        path: "2"
      kind: LockConfig
  template: {exitCode: 1, stderr: x}
`)
	if diff := cmp.Diff([]string{"aaaa", "bbbb"}, status.FetchedCommits()); diff != "" {
		t.Error(diff)
	}
	if got := status.FailedStage(); got != "template" {
		t.Errorf("failed stage %q", got)
	}
	if got := readStatus(t, `{status: {fetch: {exitCode: 1}}}`).FailedStage(); got != "fetch" {
		t.Errorf("failed stage %q", got)
	}
	if got := readStatus(t, `{status: {fetch: {exitCode: 0}, deploy: {exitCode: -1}}}`).FailedStage(); got != "deploy" {
		t.Errorf("failed stage %q", got)
	}
	if got := readStatus(t, `{status: {fetch: {exitCode: 1, stdout: "x: ["}}}`).FetchedCommits(); got != nil {
		t.Errorf("commits of a failed fetch: %v", got)
	}
}

func TestAppRoundTrip(t *testing.T) {
	spec := AppSpec{
		Namespace: "dev", Name: "app-staging", SyncPeriod: "1m0s", NoopDelete: true,
		Cluster:  &Cluster{Namespace: "ns", KubeconfigSecretRef: &SecretKeyRef{Name: "k"}},
		Fetch:    []Fetch{{Git: &GitFetch{URL: "https://g", Ref: "origin/main", SubPath: "p", SecretRef: &LocalRef{Name: "c"}}}, {Inline: &Inline{Paths: map[string]string{"a": "b"}}}},
		Template: []Template{{Ytt: &Ytt{}}},
		Deploy:   []Deploy{{Kapp: &Kapp{IntoNs: "ns", RawOptions: []string{AllowEmptyOption}}}},
	}
	obj, err := App(spec)
	if err != nil {
		t.Fatal(err)
	}
	assertYAML(t, `
cluster: {namespace: ns, kubeconfigSecretRef: {name: k}}
fetch:
- git: {url: "https://g", ref: origin/main, subPath: p, secretRef: {name: c}}
- inline: {paths: {a: b}}
template: [{ytt: {}}]
deploy: [{kapp: {intoNs: ns, rawOptions: ["--dangerous-allow-empty-list-of-resources=true"]}}]
syncPeriod: 1m0s
noopDelete: true
`, obj.Object["spec"])
	got, err := ReadApp(obj)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(spec, got); diff != "" {
		t.Error(diff)
	}
}

// TestAppStatusOutput: no more of it than is worth showing.
func TestAppStatusOutput(t *testing.T) {
	long := AppStatus{Deploy: &StepStatus{Stdout: strings.Repeat("a line\n", 1000) + strings.Repeat("é", 3000)}}
	if text := long.Output(StageDeploy); len(text) > maxOutputBytes || strings.Count(text, "\n") >= maxOutputLines {
		t.Errorf("%d bytes, %d lines", len(text), strings.Count(text, "\n"))
	}
}
