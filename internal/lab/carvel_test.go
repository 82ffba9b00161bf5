package lab_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
)

var (
	apps            = schema.GroupVersionResource{Group: "kappctrl.k14s.io", Version: "v1alpha1", Resource: "apps"}
	packageInstalls = schema.GroupVersionResource{Group: "packaging.carvel.dev", Version: "v1alpha1", Resource: "packageinstalls"}
	repositories    = schema.GroupVersionResource{Group: "packaging.carvel.dev", Version: "v1alpha1", Resource: "packagerepositories"}
	packages        = schema.GroupVersionResource{Group: "data.packaging.carvel.dev", Version: "v1alpha1", Resource: "packages"}
	metadatas       = schema.GroupVersionResource{Group: "data.packaging.carvel.dev", Version: "v1alpha1", Resource: "packagemetadatas"}
)

// samples are the objects of the delivery flow, and one of each other kind. The
// controller leaves them alone: paused, or of a kind that it only reads.
var samples = []struct {
	name     string
	resource schema.GroupVersionResource
	text     string
}{
	{"app", apps, `
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: hello-app-app}
spec:
  paused: true
  cluster:
    namespace: ns2
    kubeconfigSecretRef: {name: cluster1, key: value}
  fetch:
  - git:
      url: https://git.example.com/my-gitops.git
      ref: origin/main
      subPath: hello-app.dev.tap/packages/
      secretRef: {name: git-creds}
  - git:
      url: https://git.example.com/my-gitops.git
      ref: origin/main
      subPath: hello-app.dev.tap/runcluster1
  template:
  - ytt: {}
  deploy:
  - kapp:
      intoNs: ns2
      rawOptions: ["--dangerous-allow-empty-list-of-resources=true"]`},
	{"app with every source and step", apps, `
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: everything}
spec:
  paused: true
  canceled: true
  noopDelete: true
  syncPeriod: 1m0s
  defaultNamespace: other
  serviceAccountName: deployer
  fetch:
  - path: first
    inline:
      paths: {a.yaml: "a: 1"}
      pathsFrom:
      - secretRef: {name: files, directoryPath: dir}
      - configMapRef: {name: files}
  - image: {url: registry.example/app, subPath: a, secretRef: {name: s}, tagSelection: {semver: {constraints: ">1.0.0", prereleases: {identifiers: [rc]}}}}
  - imgpkgBundle: {image: registry.example/app, secretRef: {name: s}, tagSelection: {semver: {constraints: ">1.0.0", prereleases: {}}}}
  - http: {url: "https://files.example/a.tgz", sha256: abc, subPath: a, secretRef: {name: s}}
  - git: {url: "https://git.example.com/a.git", refSelection: {semver: {constraints: 1.x}}, lfsSkipSmudge: true, forceHTTPBasicAuth: true, depth: 1}
  - helmChart: {name: app, version: 1.2.3, repository: {url: "https://charts.example", secretRef: {name: s}}}
  template:
  - sops: {age: {privateKeysSecretRef: {name: age-key}}, paths: [a.sops.yaml]}
  - sops: {pgp: {privateKeysSecretRef: {name: pgp-key}}}
  - ytt:
      ignoreUnknownComments: true
      strict: true
      inline: {paths: {a.yaml: "a: 1"}}
      paths: ["-"]
      fileMarks: ["a:type=text-plain"]
      valuesFrom:
      - secretRef: {name: values}
      - configMapRef: {name: values}
      - path: values.yaml
      - downwardAPI:
          items:
          - {name: ns, fieldPath: metadata.namespace}
          - {name: k8s, kubernetesVersion: {version: 1.30.0}}
          - {name: kc, kappControllerVersion: {}}
          - {name: apis, kubernetesAPIs: {groupVersions: [v1]}}
  - kbld: {paths: ["-"]}
  - helmTemplate: {name: app, namespace: other, path: chart, valuesFrom: [{path: values.yaml}], kubernetesVersion: {version: 1.30.0}, kubernetesAPIs: {groupVersions: [v1]}}
  - cue: {paths: [a], valuesFrom: [{path: values.yaml}], inputExpression: in, outputExpression: out}
  deploy:
  - kapp: {mapNs: [a=b], inspect: {rawOptions: ["--tree=true"]}, delete: {rawOptions: ["--wait=false"]}}`},
	{"package install", packageInstalls, `
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata:
  name: app
  annotations: {packaging.carvel.dev/downgradable: ""}
spec:
  paused: true
  serviceAccountName: staging-apps-sa
  packageRef:
    refName: app.default.tap
    versionSelection: {constraints: 20230321004057.0.0, prereleases: {}}
  values:
  - secretRef: {name: app-values}
  syncPeriod: 10m0s`},
	{"package repository", repositories, `
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageRepository
metadata: {name: repo}
spec:
  paused: true
  syncPeriod: 10m0s
  fetch:
    imgpkgBundle: {image: registry.example/repo}`},
	{"package", packages, `
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata: {name: other.default.tap.20230321004057.0.0}
spec:
  refName: other.default.tap
  version: 20230321004057.0.0
  licenses: [Apache-2.0]
  releasedAt: "2023-03-21T00:40:57Z"
  releaseNotes: Built by the supply chain.
  capacityRequirementsDescription: little
  includedSoftware: [{displayName: app, version: "1", description: the app}]
  kubernetesVersionSelection: {constraints: ">=1.20.0"}
  kappControllerVersionSelection: {constraints: ">=0.40.0"}
  valuesSchema:
    openAPIv3:
      type: object
      additionalProperties: false
      properties:
        workload_name: {type: string, default: "", x-example-description: kept}
  template:
    spec:
      fetch: [{inline: {paths: {config.yaml: "#@ load(\"@ytt:data\", \"data\")\n"}}}]
      template: [{ytt: {paths: [config.yaml]}}, {kbld: {paths: ["-"]}}]
      deploy: [{kapp: {}}]`},
	{"package metadata", metadatas, `
apiVersion: data.packaging.carvel.dev/v1alpha1
kind: PackageMetadata
metadata: {name: other.default.tap}
spec:
  displayName: Other
  shortDescription: short
  longDescription: long
  iconSVGBase64: PHN2Zy8+
  providerName: somebody
  maintainers: [{name: somebody}]
  categories: [app]
  supportDescription: none`},
}

func TestCRDs_keepEveryFieldOfTheSamples(t *testing.T) {
	client := labtest.Client(t, labtest.Get(t).Build)
	namespace := newNamespace(t, client)
	for _, sample := range samples {
		t.Run(sample.name, func(t *testing.T) {
			object := manifest(t, sample.text)
			options := metav1.PatchOptions{FieldManager: "lab-test", FieldValidation: metav1.FieldValidationStrict}
			object.SetNamespace(namespace)
			text, err := object.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			applied, err := client.Resource(sample.resource).Namespace(namespace).Patch(t.Context(), object.GetName(), "application/apply-patch+yaml", text, options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object.Object["spec"], applied.Object["spec"]); diff != "" {
				t.Errorf("applied and stored differ:\n%s", diff)
			}
		})
	}
}

func TestCRDs_refuseUnknownFields(t *testing.T) {
	client := labtest.Client(t, labtest.Get(t).Build)
	namespace := newNamespace(t, client)
	for _, sample := range samples {
		t.Run(sample.name, func(t *testing.T) {
			object := manifest(t, sample.text)
			object.Object["spec"].(map[string]any)["bogusField"] = "x"
			_, err := client.Resource(sample.resource).Namespace(namespace).Create(t.Context(), object, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
			if !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), `unknown field "spec.bogusField"`) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPackage_isNamedByItsVersion(t *testing.T) {
	client := labtest.Client(t, labtest.Get(t).Build)
	namespace := newNamespace(t, client)
	for _, sample := range samples {
		if sample.resource != packages {
			continue
		}
		object := manifest(t, sample.text)
		object.SetName("other.default.tap")
		_, err := client.Resource(packages).Namespace(namespace).Create(t.Context(), object, metav1.CreateOptions{})
		if !apierrors.IsInvalid(err) {
			t.Errorf("got %v", err)
		}
	}
}
