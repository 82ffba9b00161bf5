package demo

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

var (
	packages        = schema.GroupVersionResource{Group: "data.packaging.carvel.dev", Version: "v1alpha1", Resource: "packages"}
	packageInstalls = schema.GroupVersionResource{Group: "packaging.carvel.dev", Version: "v1alpha1", Resource: "packageinstalls"}
	deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	services        = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	configMaps      = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
)

// workload is the name that the quickstart's values give.
const workload = "app"

// delivered shows what the document has one verify with kubectl get, and the
// workload. It fails if the run clusters do not have the version.
func (d *demonstration) delivered(ctx context.Context, version string) error {
	for _, cluster := range d.runClusters() {
		if err := d.deliveredTo(ctx, cluster, version); err != nil {
			return fmt.Errorf("cluster %s: %w", cluster.Name, err)
		}
	}
	return nil
}

func namespaceOn(cluster lab.Cluster) string { return cluster.Name + "-apps" }

func (d *demonstration) deliveredTo(ctx context.Context, cluster lab.Cluster, version string) error {
	config, err := administrator(cluster)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	label, current := cluster.Name, map[string]bool{}
	for _, kind := range []struct {
		name     string
		resource schema.GroupVersionResource
		describe func(unstructured.Unstructured) (text, version string)
	}{
		{"Package", packages, describePackage},
		{"PackageInstall", packageInstalls, describeInstall},
		{"Deployment", deployments, describeDeployment},
		{"Service", services, func(unstructured.Unstructured) (string, string) { return "", version }},
		{"ConfigMap", configMaps, describeConfigMap},
	} {
		objects, err := list(ctx, client, kind.resource, namespaceOn(cluster))
		if err != nil {
			return err
		}
		for _, object := range objects {
			if kind.name != "Package" && object.GetName() != workload {
				continue // of Kubernetes or of kapp
			}
			text, has := kind.describe(object)
			d.story.line(strings.TrimRight(fmt.Sprintf("%-8s %-15s %-36s %s", label, kind.name, object.GetName(), text), " "))
			label, current[kind.name] = "", current[kind.name] || has == version
		}
		if !current[kind.name] {
			return fmt.Errorf("there is no %s of version %s", kind.name, version)
		}
	}
	return nil
}

func describePackage(p unstructured.Unstructured) (text, version string) {
	version, _, _ = unstructured.NestedString(p.Object, "spec", "version")
	return "", version
}

func describeInstall(p unstructured.Unstructured) (text, version string) {
	version, _, _ = unstructured.NestedString(p.Object, "status", "version")
	friendly, _, _ := unstructured.NestedString(p.Object, "status", "friendlyDescription")
	return version + ": " + friendly, version
}

func describeDeployment(o unstructured.Unstructured) (text, version string) {
	replicas, _, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
	containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
	if len(containers) == 0 {
		return "", ""
	}
	container, _ := containers[0].(map[string]any)
	image, _ := container["image"].(string)
	_, version, _ = strings.Cut(image, ":")
	return fmt.Sprintf("replicas %d, image %s", replicas, image), version
}

func describeConfigMap(o unstructured.Unstructured) (text, version string) {
	data, _, _ := unstructured.NestedStringMap(o.Object, "data")
	return data["hostname"], data["version"]
}
