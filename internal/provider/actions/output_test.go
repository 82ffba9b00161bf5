//go:build unix

package actions_test

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/actions"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
)

const configuration = `
variable "name" {
  default = "app"
}
variable "run_cluster" {
  default = "staging"
}
variable "revision" {
  default = "1"
}

action "carvel_app_reconcile" "test" {
  config {
    namespace = "dev"
    name      = var.name
  }
}
action "carvel_app_pause" "test" {
  config {
    namespace = "dev"
    name      = var.name
  }
}
action "carvel_app_resume" "test" {
  config {
    namespace = "dev"
    name      = var.name
  }
}
# Known only at apply.
resource "terraform_data" "cluster" {
  input = var.run_cluster
}

action "carvel_package_install_reconcile" "test" {
  config {
    run_cluster = terraform_data.cluster.output
    namespace   = "apps"
    name        = var.name
  }
}
action "carvel_kubeconfig_secret_rotate" "test" {
  config {
    run_cluster = var.run_cluster
    namespace   = "dev"
    name        = "staging-kubeconfig"
  }
}

resource "terraform_data" "test" {
  input = var.revision
  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.carvel_app_reconcile.test, action.carvel_package_install_reconcile.test]
    }
  }
}
`

// staged is a controller of Apps on the build cluster that goes on to the next stage once
// Terraform has said that it is in this one.
func staged(w *deliverytest.World, said func() string) {
	w.Build.Controller = func(ref cluster.Ref, written *unstructured.Unstructured) {
		spec, _ := written.Object["spec"].(map[string]any)
		status, err := carvel.ReadAppStatus(written)
		if ref.Resource != carvel.Apps || err != nil || status.ObservedGeneration == status.Generation || spec["paused"] == true {
			return
		}
		generation := written.GetGeneration()
		go func() {
			at := func() string { return time.Now().UTC().Format(time.RFC3339) }
			status := map[string]any{}
			show := func(condition, text, stage string) {
				w.Build.Change(ref, func(obj *unstructured.Unstructured) {
					if obj.GetGeneration() == generation {
						status["observedGeneration"], status["friendlyDescription"] = generation, text
						status["conditions"] = []any{map[string]any{"type": condition, "status": "True"}}
						obj.Object["status"] = (&unstructured.Unstructured{Object: status}).DeepCopy().Object
					}
				})
				for deadline := time.Now().Add(20 * time.Second); !strings.Contains(said(), "App dev/app: "+stage) && time.Now().Before(deadline); {
					time.Sleep(5 * time.Millisecond)
				}
			}
			show(carvel.Reconciling, "Reconciling", "fetching")
			status["fetch"] = map[string]any{"startedAt": at(), "updatedAt": at()}
			show(carvel.Reconciling, "Reconciling", "templating")
			status["template"] = map[string]any{"updatedAt": at()}
			show(carvel.Reconciling, "Reconciling", "deploying")
			status["deploy"] = map[string]any{"startedAt": at(), "updatedAt": at(), "finished": true}
			show(carvel.ReconcileSucceeded, "Reconcile succeeded", "")
		}()
	}
}

// inOrder requires that a text has parts, one after the other.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("%q is missing, or not in its place, in:\n%s", part, text)
		}
		rest = after
	}
}

// TestAccActions_output: what Terraform prints of each action, invoked by hand and by a
// resource, while it goes on and when it fails.
func TestAccActions_output(t *testing.T) {
	acctest.Alone(t).Needs(acctest.Actions)
	w := actions.NewWorld(t)
	tf := protocoltest.Run(t, acctest.Terraform(), configuration, protocoltest.Data(w), actions.All()...)
	staged(w, tf.Said)
	invoke := func(name string, more ...string) []string {
		return append([]string{"apply", "-auto-approve", "-input=false", "-invoke=action.carvel_" + name + ".test"}, more...)
	}
	stages := []string{"App dev/app: fetching", "App dev/app: templating", "App dev/app: deploying", "App dev/app: Reconcile succeeded"}
	install := "PackageInstall apps/app: version 1.0.0 is installed"
	inOrder(t, tf.Succeeds("apply", "-auto-approve", "-input=false"), append(stages, install)...)
	inOrder(t, tf.Succeeds("apply", "-auto-approve", "-input=false", "-var=revision=2"), append(stages, install)...)
	inOrder(t, tf.Succeeds(invoke("app_reconcile")...), stages...)
	inOrder(t, tf.Succeeds(invoke("package_install_reconcile")...), install)
	inOrder(t, tf.Succeeds(invoke("kubeconfig_secret_rotate")...), "making token Secret", "writing Secret", "App dev/app: made to fetch", "App dev/app: templating", "removing token Secret", "1 old ones are removed")
	inOrder(t, tf.Succeeds(invoke("app_pause")...), "App dev/app: paused")
	inOrder(t, tf.Fails(invoke("app_reconcile")...), `Unable to reconcile app "dev/app"`, "spec.paused = true", "Invoke carvel_app_resume first")
	inOrder(t, tf.Fails(invoke("kubeconfig_secret_rotate")...), "Unable to rotate the token", "App dev/app has spec.paused = true")
	inOrder(t, tf.Succeeds(invoke("app_resume")...), "App dev/app: resumed")
	inOrder(t, tf.Fails(invoke("app_reconcile", "-var=name=missing")...), "There is no App dev/missing", "Correct namespace and name")
	inOrder(t, tf.Fails(invoke("kubeconfig_secret_rotate", "-var=run_cluster=prod")...), `Error: Run cluster "prod" is not configured`, "Configured are: staging")
	inOrder(t, tf.Fails(invoke("package_install_reconcile", "-var=name=missing")...), "There is no PackageInstall staging/apps/missing")
}
