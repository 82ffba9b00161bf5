package runnamespace_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccRunNamespace_restricted: in a namespace with a ServiceAccount that has rights of its own, a restricted one
// cannot act as that, in any of the ways that its rights would let it, and does what it needs to.
func TestAccRunNamespace_restricted(t *testing.T) {
	e, f := fixture(t)
	e.Create(e.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
	for _, name := range []string{"privileged", "friend"} {
		e.Create(e.Staging(carvel.ServiceAccounts, e.Name), acctest.Object(carvel.ServiceAccounts, "ServiceAccount", e.Name, name))
	}
	binding := acctest.Object(carvel.RoleBindings, "RoleBinding", e.Name, "theirs")
	binding.Object["roleRef"] = map[string]any{"apiGroup": carvel.RoleBindings.Group, "kind": "ClusterRole", "name": "admin"}
	binding.Object["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": "privileged", "namespace": e.Name}}
	e.Create(e.Staging(carvel.RoleBindings, e.Name), binding)

	restricted := func(allowed ...config.Variable) config.Variables {
		return config.Variables{
			"create_namespace":          config.BoolVariable(false),
			"restrict_service_accounts": config.ObjectVariable(map[string]config.Variable{"allowed": config.ListVariable(allowed...)}),
		}
	}
	p := f.Program()
	if out := p.Run(restricted(config.StringVariable("friend")), []string{"apply", "-auto-approve"}, "Apply complete!"); strings.Contains(out, "Warning: Other") || strings.Contains(out, "policy of the cluster") {
		t.Errorf("a warning:\n%s", out)
	}
	p.Run(restricted(config.StringVariable("friend")), []string{"plan", "-detailed-exitcode"}, "No changes.")
	e.Eventually("the policy is in force", func(context.Context) (bool, error) {
		err := tries(e)["a token Secret"].try()
		if err != nil && !apierrors.IsForbidden(err) {
			return false, err
		}
		return err != nil, nil
	})
	for name, attempt := range tries(e) {
		if err := attempt.try(); attempt.allowed && err != nil || !attempt.allowed && !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v", name, err)
		}
	}

	p.Run(restricted(), []string{"apply", "-auto-approve"}, "1 changed")
	e.Eventually("friend is not allowed any more", func(context.Context) (bool, error) {
		return apierrors.IsForbidden(tries(e)["a Deployment of an allowed one"].try()), nil
	})
	p.Forget("carvel_run_namespace.test")
	p.Run(restricted(), []string{"import", "carvel_run_namespace.test", "staging/" + e.Name}, "Import successful!")
	p.Run(restricted(), []string{"plan", "-detailed-exitcode"}, "No changes.")
	p.Run(config.Variables{"create_namespace": config.BoolVariable(false)}, []string{"apply", "-auto-approve"}, "1 changed")
	gone(t, e)
	p.Run(restricted(), []string{"apply", "-auto-approve"}, "1 changed")
	p.Run(restricted(), []string{"destroy", "-auto-approve"}, "Destroy complete!")
	gone(t, e)
}

// TestAccRunNamespace_restrictedNew: the policy of a namespace that the provider makes goes with it.
func TestAccRunNamespace_restrictedNew(t *testing.T) {
	e, f := fixture(t)
	p := f.Program()
	vars := config.Variables{"restrict_service_accounts": config.ObjectVariable(map[string]config.Variable{})}
	p.Run(vars, []string{"apply", "-auto-approve"}, "Apply complete!")
	p.Run(vars, []string{"plan", "-detailed-exitcode"}, "No changes.")
	p.Run(vars, []string{"destroy", "-auto-approve"}, "Destroy complete!")
	gone(t, e)
}

func gone(t *testing.T, e *acctest.Env) {
	t.Helper()
	name := carvel.ServiceAccountPolicyName(e.Name, e.Name+"-sa")
	for _, resource := range []schema.GroupVersionResource{carvel.AdmissionPolicies, carvel.AdmissionPolicyBindings} {
		if err := acctest.HasNot(e.Staging(resource, ""), name)(nil); err != nil {
			t.Error(err)
		}
	}
}

// attempt is something that the ServiceAccount does.
type attempt struct {
	allowed bool
	try     func() error
}

func tries(e *acctest.Env) map[string]attempt {
	as := e.As(e.Lab.Staging, "system:serviceaccount:"+e.Name+":"+e.Name+"-sa")
	making := func(gvr schema.GroupVersionResource, kind string, change func(obj map[string]any)) func() error {
		return func() error {
			client := as.Resource(gvr).Namespace(e.Name)
			obj := acctest.Object(gvr, kind, e.Name, "tried")
			change(obj.Object)
			made, err := client.Create(context.Background(), obj, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			return errors.Join(err, client.Delete(context.Background(), made.GetName(), metav1.DeleteOptions{}))
		}
	}
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	runs := func(field, account string) func() error {
		return making(deployments, "Deployment", func(obj map[string]any) {
			spec := map[string]any{"containers": []any{map[string]any{"name": "c", "image": "i"}}}
			if account != "" {
				spec[field] = account
			}
			obj["spec"] = map[string]any{
				"selector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
				"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}, "spec": spec},
			}
		})
	}
	installs := func(account string) func() error {
		return making(carvel.PackageInstalls, "PackageInstall", func(obj map[string]any) {
			obj["spec"] = map[string]any{"paused": true, "serviceAccountName": account}
		})
	}
	return map[string]attempt{
		"a token Secret": {false, making(carvel.Secrets, "Secret", func(obj map[string]any) {
			obj["type"] = "kubernetes.io/service-account-token"
			(&unstructured.Unstructured{Object: obj}).SetAnnotations(map[string]string{"kubernetes.io/service-account.name": "privileged"})
		})},
		"a Secret":                                         {true, making(carvel.Secrets, "Secret", func(map[string]any) {})},
		"a PackageInstall of another":                      {false, installs("privileged")},
		"a PackageInstall of its own":                      {true, installs(e.Name + "-sa")},
		"a Deployment of another":                          {false, runs("serviceAccountName", "privileged")},
		"a Deployment of another, by the deprecated field": {false, runs("serviceAccount", "privileged")},
		"a Deployment of an allowed one":                   {true, runs("serviceAccountName", "friend")},
		"a Deployment of its own":                          {true, runs("serviceAccountName", e.Name+"-sa")},
		"a Deployment of default":                          {true, runs("serviceAccountName", "default")},
		"a Deployment that does not say one":               {true, runs("serviceAccountName", "")},
		"a ConfigMap":                                      {true, making(acctest.ConfigMaps, "ConfigMap", func(map[string]any) {})},
	}
}
