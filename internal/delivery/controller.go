package delivery

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// controllerTime is how long an error waits for the controller's version.
const controllerTime = 5 * time.Second

// The Deployment that a release of kapp-controller installs, with an annotation
// that names the release. Tanzu Kubernetes Grid puts it into a namespace of its
// own.
var (
	deployments          = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	controllerNamespaces = []string{"kapp-controller", "tkg-system"}
)

const (
	controllerName    = "kapp-controller"
	versionAnnotation = "kapp-controller.carvel.dev/version"
)

// controllerVersion is the version of a cluster's kapp-controller; "" if it
// is not to be found out, as without the right to look. It is a courtesy beside
// an error, so its own errors are none.
func controllerVersion(ctx context.Context, c Cluster) string {
	bounded, cancel := context.WithTimeout(ctx, controllerTime)
	defer cancel()
	for _, namespace := range controllerNamespaces {
		live, err := find(bounded, c, cluster.Ref{Resource: deployments, Namespace: namespace, Name: controllerName})
		if err == nil && live != nil {
			return live.GetAnnotations()[versionAnnotation]
		}
	}
	return ""
}

// withController adds to the error about a failed App which controller failed.
func (as *Apps) withController(ctx context.Context, build Cluster, a App, failed *ReconcileError) {
	c := build
	if failed.Install != "" {
		c = as.Run[a.RunCluster]
	}
	if c != nil {
		failed.Controller = controllerVersion(ctx, c)
	}
}
