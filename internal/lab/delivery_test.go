package lab_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
)

var (
	roles        = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}
	roleBindings = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"}
)

const runNamespace = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer}
rules:
- {apiGroups: [data.packaging.carvel.dev], resources: [packages], verbs: [get, list, create, update, delete, patch]}
- {apiGroups: [packaging.carvel.dev], resources: [packageinstalls], verbs: [get, list, create, update, delete, patch]}
- {apiGroups: [""], resources: [secrets], verbs: [get, list, create, update, delete, patch]}
- {apiGroups: [apps], resources: [deployments], verbs: [get, list, create, update, delete]}
- {apiGroups: [""], resources: [configmaps, services], verbs: [get, list, create, update, delete]}
- {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects: [{kind: ServiceAccount, name: deployer, namespace: NAMESPACE}]`

const params = `---
apiVersion: v1
kind: Secret
metadata:
  name: app-values
stringData:
  values.yaml: |
    ---
    workload_name: app
    replicas: 2
    hostname: app.mycompany.com
`

const packageInstall = `---
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata:
  name: app
spec:
  serviceAccountName: deployer
  packageRef:
    refName: app.default.tap
    versionSelection:
      constraints: 20230321004057.0.0
  values:
  - secretRef:
      name: app-values
`

const app = `
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: NAMESPACE}
spec:
  cluster:
    namespace: NAMESPACE
    kubeconfigSecretRef: {name: NAMESPACE-kubeconfig, key: value}
  fetch:
  - git: {url: REPOSITORY, ref: origin/main, subPath: app.default.tap/packages, secretRef: {name: gitops-credentials}}
  - git: {url: REPOSITORY, ref: origin/main, subPath: app.default.tap/NAMESPACE, secretRef: {name: gitops-credentials}}
  template: [{ytt: {}}]
  deploy: [{kapp: {intoNs: NAMESPACE, rawOptions: ["--dangerous-allow-empty-list-of-resources=true"]}}]`

// TestDelivery_byHand delivers the seeded Package the way that the provider
// automates, with the least rights that it takes.
func TestDelivery_byHand(t *testing.T) {
	l := embedded(t)
	build, staging := labtest.Client(t, l.Build), labtest.Client(t, l.Staging)
	namespace := newNamespace(t, staging)

	secret := manifest(t, "{apiVersion: v1, kind: Secret}")
	secret.SetName(namespace + "-kubeconfig")
	secret.Object["stringData"] = map[string]any{"value": deployerKubeconfig(t, l.Staging, staging, namespace)}
	create(t, build, secrets, "dev", secret)
	pushInstall(t, l, namespace)
	text := strings.NewReplacer("NAMESPACE", namespace, "REPOSITORY", l.Git.URL).Replace(app)
	create(t, build, apps, "dev", manifest(t, text))

	awaitSuccess(t, build, namespace)
	delivered, err := staging.Resource(configMaps).Namespace(namespace).Get(t.Context(), "app", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, _, _ := unstructured.NestedStringMap(delivered.Object, "data")
	if data["version"] != "20230321004057.0.0" || data["hostname"] != "app.mycompany.com" {
		t.Errorf("delivered: %v", data)
	}

	if err := build.Resource(apps).Namespace("dev").Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the App is gone", func(ctx context.Context) bool {
		_, err := build.Resource(apps).Namespace("dev").Get(ctx, namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	if _, err := staging.Resource(configMaps).Namespace(namespace).Get(t.Context(), "app", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the workload outlives the App: %v", err)
	}
	if err := build.Resource(secrets).Namespace("dev").Delete(t.Context(), secret.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// deployerKubeconfig makes a ServiceAccount that may deploy into a namespace and
// returns a kubeconfig with its token.
func deployerKubeconfig(t *testing.T, cluster lab.Cluster, client dynamic.Interface, namespace string) string {
	t.Helper()
	documents := strings.Split(strings.ReplaceAll(runNamespace, "NAMESPACE", namespace), "\n---\n")
	for i, resource := range []schema.GroupVersionResource{serviceAccounts, roles, roleBindings} {
		create(t, client, resource, namespace, manifest(t, documents[i]))
	}
	kubeconfig, err := clientcmd.Write(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: cluster.Server, CertificateAuthorityData: cluster.CA}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"u": {Token: serviceAccountToken(t, client, namespace, "deployer")}},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}},
		CurrentContext: "x",
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(kubeconfig)
}

// pushInstall commits the files of a run cluster.
func pushInstall(t *testing.T, l *lab.Lab, runCluster string) {
	t.Helper()
	dir := clone(t, l)
	target := filepath.Join(dir, "app.default.tap", runCluster)
	if err := os.Mkdir(target, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"params.yaml": params, "packageinstall.yaml": packageInstall} {
		if err := os.WriteFile(filepath.Join(target, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, l, dir, "add", ".")
	git(t, l, dir, "commit", "--quiet", "--message=Install the package")
	git(t, l, dir, "push", "--quiet", "origin", "main")
}

// awaitSuccess lets the first attempts fail, since a PackageInstall may be seen
// before its Package, but not for a reason that is the lab's fault.
func awaitSuccess(t *testing.T, client dynamic.Interface, name string) {
	t.Helper()
	eventually(t, "the App has succeeded", func(ctx context.Context) bool {
		app, err := client.Resource(apps).Namespace("dev").Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		message, _, _ := unstructured.NestedString(app.Object, "status", "usefulErrorMessage")
		for _, fault := range []string{"forbidden", "certificate", "Authentication"} {
			if strings.Contains(message, fault) {
				t.Fatal(message)
			}
		}
		description, _, _ := unstructured.NestedString(app.Object, "status", "friendlyDescription")
		return description == "Reconcile succeeded"
	})
}
