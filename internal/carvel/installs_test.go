package carvel

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestInstallAppInstalls(t *testing.T) {
	const (
		pkg = `
fetch: [{imgpkgBundle: {image: "r/app@sha256:1", secretRef: {name: theirs}}}]
template: [{ytt: {paths: [config], valuesFrom: [{secretRef: {name: base}}]}}, {helmTemplate: {name: chart, path: chart}}, {kbld: {paths: ["-"]}}]
deploy: [{kapp: {rawOptions: ["--diff-changes=true"]}}]`
		made = `
fetch: [{imgpkgBundle: {image: "r/app@sha256:1", secretRef: {name: ours}}}]
template: [{ytt: {paths: [config], valuesFrom: [{secretRef: {name: base}}, {secretRef: {name: values}}], inline: {pathsFrom: [{secretRef: {name: overlays}}]}}}, {helmTemplate: {name: named, path: chart}}, {kbld: {paths: ["-"]}}]
deploy: [{kapp: {rawOptions: ["--diff-changes=true"]}}]
serviceAccountName: sa`
	)
	object := func(text string, path ...string) *unstructured.Unstructured {
		t.Helper()
		var spec map[string]any
		if err := yaml.Unmarshal([]byte(text), &spec); err != nil {
			t.Fatal(err)
		}
		obj := &unstructured.Unstructured{Object: map[string]any{}}
		if err := unstructured.SetNestedMap(obj.Object, spec, path...); err != nil {
			t.Fatal(err)
		}
		return obj
	}
	install := func(obj *unstructured.Unstructured, pkg string) bool {
		t.Helper()
		app, err := ReadInstallApp(obj)
		if err != nil {
			t.Fatal(err)
		}
		return app.Installs(object(pkg, "spec", "template", "spec"))
	}
	app := object(made, "spec")
	if !install(app, pkg) {
		t.Error("what the controller adds is taken for another Package")
	}
	for name, other := range map[string]string{
		"another image":  `fetch: [{imgpkgBundle: {image: "r/app@sha256:2"}}]`,
		"one more fetch": `fetch: [{imgpkgBundle: {image: "r/app@sha256:1"}}, {inline: {paths: {a.yaml: b}}}]`,
		"another kind":   `fetch: [{image: {url: "r/app@sha256:1"}}]`,
		"another path":   `template: [{ytt: {paths: [other]}}]`,
		"another chart":  `template: [{ytt: {}}, {helmTemplate: {path: other}}]`,
		"an option more": `deploy: [{kapp: {rawOptions: ["--diff-changes=true", "--wait=false"]}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			if install(app, other) {
				t.Errorf("%s is not noticed", name)
			}
		})
	}
	app.SetAnnotations(map[string]string{manualAnnotation: ""})
	if !install(app, `fetch: [{imgpkgBundle: {image: other}}]`) {
		t.Error("an App that the controller does not change is waited for")
	}
}

// TestInstallAppContent: what an App deploys is made of Secrets that its templates name. The
// credentials of a fetch are none of it.
func TestInstallAppContent(t *testing.T) {
	for spec, want := range map[string]string{
		`{fetch: [{imgpkgBundle: {secretRef: {name: pull}}}, {inline: {pathsFrom: [{secretRef: {name: files}}]}}], template: [{ytt: {valuesFrom: [{secretRef: {name: values}}], inline: {pathsFrom: [{secretRef: {name: overlays}}]}}}, {sops: {age: {privateKeysSecretRef: {name: key}}}}]}`: "[files key overlays values] false",
		`{fetch: [{git: {url: u}}], template: [{ytt: {}}]}`:                                           "[] false",
		`{template: [{ytt: {valuesFrom: [{configMapRef: {name: m}}, {secretRef: {name: values}}]}}]}`: "[values] true",
		`{template: [{ytt: {valuesFrom: [{downwardAPI: {items: []}}]}}]}`:                             "[] true",
		`{fetch: [{inline: {pathsFrom: [{configMapRef: {name: m}}]}}]}`:                               "[] true",
	} {
		t.Run(want, func(t *testing.T) {
			var obj unstructured.Unstructured
			if err := yaml.Unmarshal([]byte("{spec: "+spec+"}"), &obj.Object); err != nil {
				t.Fatal(err)
			}
			app, err := ReadInstallApp(&obj)
			if err != nil {
				t.Fatal(err)
			}
			names, others := app.Content()
			if got := fmt.Sprint(names, others); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
