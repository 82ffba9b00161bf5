package lab_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

var (
	namespaces      = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	configMaps      = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	secrets         = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
)

func TestClusters_areReady(t *testing.T) {
	l := labtest.Get(t)
	for _, cluster := range l.Clusters() {
		client := labtest.Client(t, cluster)
		if _, err := client.Resource(namespaces).Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
			t.Errorf("cluster %s: %v", cluster.Name, err)
		}
	}
}

func TestRBAC_isOn(t *testing.T) {
	cluster := labtest.Get(t).Staging
	client := labtest.Client(t, cluster)
	namespace := newNamespace(t, client)
	create(t, client, serviceAccounts, namespace, manifest(t, `
apiVersion: v1
kind: ServiceAccount
metadata: {name: nobody}`))

	stranger := clientWithToken(t, cluster, serviceAccountToken(t, client, namespace, "nobody"))
	_, err := stranger.Resource(secrets).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Fatalf("a ServiceAccount without a Role: got %v, want it forbidden", err)
	}
	want := fmt.Sprintf("system:serviceaccount:%s:nobody", namespace)
	if !strings.Contains(err.Error(), want) {
		t.Errorf("the error does not name %s: %v", want, err)
	}
	unknown := clientWithToken(t, cluster, "not-a-token")
	if _, err := unknown.Resource(secrets).Namespace(namespace).List(t.Context(), metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
		t.Errorf("a token that nobody issued: got %v, want it unauthorized", err)
	}
}

func TestClusters_refuseEachOthersTokens(t *testing.T) {
	l := labtest.Get(t)
	client := labtest.Client(t, l.Staging)
	namespace := newNamespace(t, client)
	create(t, client, serviceAccounts, namespace, manifest(t, `
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer}`))
	foreign := clientWithToken(t, l.Prod, serviceAccountToken(t, client, namespace, "deployer"))
	_, err := foreign.Resource(secrets).Namespace("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("got %v, want it unauthorized", err)
	}
}

func TestNamespaceDeletion(t *testing.T) {
	client := labtest.Client(t, labtest.Get(t).Build)
	namespace := newNamespace(t, client)
	create(t, client, configMaps, namespace, manifest(t, `
apiVersion: v1
kind: ConfigMap
metadata: {name: content}`))
	if err := client.Resource(namespaces).Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the namespace is gone", func(ctx context.Context) bool {
		_, err := client.Resource(namespaces).Get(ctx, namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

func TestGarbageCollection_knowsTheCarvelKinds(t *testing.T) {
	client := labtest.Client(t, labtest.Get(t).Prod)
	namespace := newNamespace(t, client)
	owner := create(t, client, packageInstalls, namespace, manifest(t, `
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata: {name: owner}
spec: {paused: true}`))
	owned := manifest(t, `
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: owned}
spec: {paused: true}`)
	owned.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: owner.GetAPIVersion(), Kind: owner.GetKind(), Name: owner.GetName(), UID: owner.GetUID(),
	}})
	create(t, client, apps, namespace, owned)
	if err := client.Resource(packageInstalls).Namespace(namespace).Delete(t.Context(), "owner", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the owned App is gone", func(ctx context.Context) bool {
		_, err := client.Resource(apps).Namespace(namespace).Get(ctx, "owned", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

// serviceAccountToken returns the token of a Secret that the controller fills.
func serviceAccountToken(t *testing.T, client dynamic.Interface, namespace, account string) string {
	t.Helper()
	secret := manifest(t, `
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata: {name: token}`)
	secret.SetAnnotations(map[string]string{"kubernetes.io/service-account.name": account})
	create(t, client, secrets, namespace, secret)
	var token []byte
	eventually(t, "the token Secret is filled", func(ctx context.Context) bool {
		filled, err := client.Resource(secrets).Namespace(namespace).Get(ctx, "token", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		data, _, _ := unstructured.NestedMap(filled.Object, "data")
		encoded, _ := data["token"].(string)
		token = decode(t, encoded)
		return len(token) > 0 && data["ca.crt"] != nil
	})
	return string(token)
}

func decode(t *testing.T, encoded string) []byte {
	t.Helper()
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func clientWithToken(t *testing.T, cluster lab.Cluster, token string) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(&rest.Config{
		Host:            cluster.Server,
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAData: cluster.CA},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newNamespace makes a namespace that is deleted after the test.
func newNamespace(t *testing.T, client dynamic.Interface) string {
	t.Helper()
	name := labtest.Name(t)
	namespace := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
	namespace.SetName(name)
	if _, err := client.Resource(namespaces).Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := client.Resource(namespaces).Delete(context.Background(), name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	return name
}

func create(t *testing.T, client dynamic.Interface, resource schema.GroupVersionResource, namespace string, object *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	created, err := client.Resource(resource).Namespace(namespace).Create(t.Context(), object, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatalf("create %s: %v", object.GetName(), err)
	}
	return created
}

func manifest(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	encoded, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(encoded); err != nil {
		t.Fatal(err)
	}
	return object
}

// eventually waits as long as the test may run.
func eventually(t *testing.T, what string, condition func(context.Context) bool) {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		deadline = time.Now().Add(5 * time.Minute)
	}
	for !condition(t.Context()) {
		if time.Until(deadline) < 10*time.Second {
			t.Fatalf("not so in time: %s", what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
