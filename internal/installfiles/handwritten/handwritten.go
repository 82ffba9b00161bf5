// Package handwritten has package installs as people write them by hand, for tests of what
// takes them over.
package handwritten

import (
	"encoding/base64"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Shape is a way to write a package install.
type Shape struct {
	Name string
	// Files are those of a package install, by their names. PACKAGE and NAME in them stand
	// for the package and the name of the PackageInstall.
	Files map[string]string
	// Problem is in what is said of it if it cannot be taken over as it is, "" if it can.
	Problem string
}

// At are the files of a package install of this shape.
func (s Shape) At(packageName string) map[string]string {
	name, _, _ := strings.Cut(packageName, ".")
	files := make(map[string]string, len(s.Files))
	for file, text := range s.Files {
		files[file] = strings.NewReplacer("PACKAGE", packageName, "NAME", name).Replace(text)
	}
	return files
}

const (
	install = `---
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata:
  name: NAME
spec:
  serviceAccountName: staging-apps-sa # has the rights to deploy the package
  packageRef:
    refName: PACKAGE # name of the package
    versionSelection:
      constraints: "1.0.0"
  values:
  - secretRef:
      name: NAME-values # the Secret in params.yaml
`
	params = `---
apiVersion: v1
kind: Secret
metadata:
  name: NAME-values
stringData:
  values.yaml: |
    ---
    # two in staging
    replicas: 2
    hostname: "app.example.com"
`
)

// with is the file of the PackageInstall with more, or other, text.
func with(old, text string) string { return strings.Replace(install, old, text, 1) }

func both(installText, paramsText string) map[string]string {
	return map[string]string{repolayout.PackageInstallFile: installText, repolayout.ParamsFile: paramsText}
}

// Shapes are the shapes that there are.
func Shapes() []Shape {
	crlf := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	withoutValues, _, _ := strings.Cut(install, "  values:")
	encoded := "apiVersion: v1\nkind: Secret\nmetadata: {name: NAME-values}\ndata:\n  values.yaml: " +
		base64.StdEncoding.EncodeToString([]byte("replicas: 2\n")) + "\n"
	return []Shape{
		{Name: "as documented", Files: both(install, params)},
		{Name: "lines that end as on Windows", Files: both(crlf(install), crlf(params))},
		{Name: "without values", Files: map[string]string{repolayout.PackageInstallFile: withoutValues}},
		{Name: "JSON", Files: map[string]string{
			repolayout.PackageInstallFile: `{"apiVersion":"packaging.carvel.dev/v1alpha1","kind":"PackageInstall","metadata":{"name":"NAME"},"spec":{"serviceAccountName":"sa",` +
				`"packageRef":{"refName":"PACKAGE","versionSelection":{"constraints":">=1.0.0"}},"values":[{"secretRef":{"name":"NAME-values"}}]}}`,
			repolayout.ParamsFile: `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"NAME-values"},"stringData":{"values.yaml":"replicas: 2\n"}}`,
		}},
		{Name: "another order, quotes and anchors", Files: both(`kind: PackageInstall
spec:
  values: [{secretRef: {name: 'NAME-values'}}]
  packageRef: {versionSelection: {constraints: '>=1.0.0 <2.0.0', prereleases: {}}, refName: 'PACKAGE'}
  serviceAccountName: "sa"
  syncPeriod: 5m
metadata: {name: 'NAME', namespace: apps, labels: {team: a}, annotations: {"example.com/why": by hand}}
apiVersion: packaging.carvel.dev/v1alpha1
`, `kind: Secret
apiVersion: v1
metadata: {namespace: apps, labels: {team: a}, annotations: {"example.com/why": by hand}, name: NAME-values}
stringData:
  values.yaml: |
    limits: &limits {cpu: 100m, memory: 1Gi}
    web: {resources: *limits}
    list: [1, 2.50, yes, null, "012", 1e3]
    long: 123456789012345678901234567890
    date: 2024-01-02
    text: |-
      ${not_a_template} %{nor_this}
      "quoted" \ and a tab	here
`)},
		{Name: "more values Secrets", Files: both(install+"  - secretRef:\n      name: shared-values\n", params)},
		{Name: "another cluster", Files: map[string]string{repolayout.PackageInstallFile: `apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata: {name: NAME}
spec:
  cluster: {namespace: apps, kubeconfigSecretRef: {name: edge, key: value}}
  packageRef: {refName: PACKAGE, versionSelection: {constraints: 1.0.0}}
  paused: true
`}},
		{Name: "overlays", Files: map[string]string{
			repolayout.PackageInstallFile: with("metadata:\n", "metadata:\n  annotations:\n    ext.packaging.carvel.dev/ytt-paths-from-secret-name.0: NAME-overlays\n"),
			repolayout.ParamsFile:         params,
			repolayout.OverlaysFile:       "apiVersion: v1\nkind: Secret\nmetadata:\n  name: NAME-overlays\nstringData:\n  replicas.yaml: |\n    #@ load(\"@ytt:overlay\", \"overlay\")\n    #@overlay/match by=overlay.all\n    ---\n    a: 1\n",
		}},
		{Name: "values in base64", Files: both(install, encoded), Problem: "params.yaml"},
		{Name: "one file", Files: map[string]string{repolayout.PackageInstallFile: params + install}, Problem: "params.yaml"},
		{Name: "named .yml", Files: map[string]string{"packageinstall.yml": install, "params.yml": params}, Problem: "packageinstall.yml"},
		{Name: "a template of ytt", Files: both("#@ name = \"NAME\"\n"+install, params), Problem: "a comment of ytt"},
	}
}
