package runnamespace_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func texts(values ...string) config.Variable {
	list := make([]config.Variable, len(values))
	for i, v := range values {
		list[i] = config.StringVariable(v)
	}
	return config.ListVariable(list...)
}

func statefulSets(verbs ...string) config.Variable {
	return config.ListVariable(acctest.ObjectVariable("api_groups", texts("apps"), "resources", texts("statefulsets"), "verbs", texts(verbs...)))
}

// TestAccRunNamespace_existingNamespace works in a namespace that somebody else
// has made, and leaves it, and what others have put there.
func TestAccRunNamespace_existingNamespace(t *testing.T) {
	e, f := fixture(t)
	namespaces, accounts := e.Staging(carvel.Namespaces, ""), e.Staging(carvel.ServiceAccounts, e.Name)
	vars := func(more ...any) config.Variables {
		v := config.Variables{"create_namespace": config.BoolVariable(false)}
		for i := 0; i < len(more); i += 2 {
			v[more[i].(string)] = more[i+1].(config.Variable)
		}
		return v
	}
	missing := f.Refused(`create_namespace = false the namespace must be there`, vars())
	existing := f.Step(vars("image_pull_secrets", texts("registry"), "additional_rules", statefulSets("get", "list")))
	existing.PreConfig = func() {
		e.Create(namespaces, acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
		e.Create(accounts, acctest.Object(carvel.ServiceAccounts, "ServiceAccount", e.Name, "theirs"))
	}
	existing.Check = resource.ComposeTestCheckFunc(
		acctest.Has(accounts, e.Name+"-sa", acctest.Field("[map[name:registry]]", "imagePullSecrets")),
		acctest.Has(e.Staging(carvel.Roles, e.Name), carvel.AdditionalRoleName,
			acctest.Field("[map[apiGroups:[apps] resources:[statefulsets] verbs:[get list]]]", "rules")),
		acctest.Has(e.Staging(carvel.RoleBindings, e.Name), carvel.AdditionalRoleName, subject(e.Name+"-sa")),
		acctest.Has(namespaces, e.Name, acctest.Field("<nil>", "metadata", "annotations")),
	)
	imported := f.Imported("staging/"+e.Name, vars("image_pull_secrets", texts("registry"), "additional_rules", statefulSets("get", "list")))
	without := f.Planned(plancheck.ResourceActionUpdate, vars())
	without.Check = acctest.HasNot(e.Staging(carvel.Roles, e.Name), carvel.AdditionalRoleName)
	labeled := f.Planned(plancheck.ResourceActionUpdate, vars("labels", acctest.ObjectVariable("a", "b")))
	labeled.Check = resource.ComposeTestCheckFunc(
		acctest.Has(accounts, e.Name+"-sa", acctest.Field("b", "metadata", "labels", "a")), acctest.Has(namespaces, e.Name, acctest.Field("<nil>", "metadata", "labels", "a")))
	resource.Test(t, resource.TestCase{
		Steps: []resource.TestStep{
			missing, existing, imported, without, f.Quiet(vars()),
			labeled, f.Quiet(vars("labels", acctest.ObjectVariable("a", "b"))),
			f.Refused(`already exists`, nil), // and is not taken over by create_namespace = true
		},
		CheckDestroy: resource.ComposeTestCheckFunc(
			acctest.Has(namespaces, e.Name, nil), acctest.Has(accounts, "theirs", nil), acctest.HasNot(accounts, e.Name+"-sa"),
			acctest.HasNot(e.Staging(carvel.Roles, e.Name), carvel.InstallRoleName),
		),
	})
}

// TestAccRunNamespace_lackingRights: what the API server would refuse to have
// granted is refused at plan.
func TestAccRunNamespace_lackingRights(t *testing.T) {
	e, f := fixture(t)
	const rbac = "rbac.authorization.k8s.io"
	identity := func(rules ...map[string]any) config.Variables {
		token := e.Limited(e.Lab.Staging, append(rules,
			acctest.PolicyRule([]string{""}, []string{"namespaces", "serviceaccounts"}, "*"),
			acctest.PolicyRule([]string{"packaging.carvel.dev", "kappctrl.k14s.io"}, []string{"packageinstalls", "apps"}, "get", "list", "watch"),
		)...)
		return config.Variables{
			"run_cluster": config.StringVariable("limited"),
			"limited":     acctest.ObjectVariable("host", e.Lab.Staging.Server, "token", token, "cluster_ca_certificate", string(e.Lab.Staging.CA)),
		}
	}
	// Every verb on roles includes escalate and bind.
	vars := identity(acctest.PolicyRule([]string{rbac}, []string{"roles", "rolebindings"}, "*"))
	weak := identity(
		acctest.PolicyRule([]string{rbac}, []string{"roles", "rolebindings"}, "get", "create", "patch", "delete"),
		acctest.PolicyRule([]string{"data.packaging.carvel.dev"}, []string{"packages"}, "*"),
		acctest.PolicyRule([]string{""}, []string{"secrets"}, "get", "list"),
	)
	refused := f.Refused(`Unable to plan run namespace.*lets nobody grant a right.*create, delete, patch, update on packageinstalls.packaging.carvel.dev.*create, delete, patch, update on secrets`, weak)
	allowed := f.Step(vars)
	allowed.Check = acctest.Has(e.Staging(carvel.Roles, e.Name), carvel.AppRoleName, nil)
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{refused, allowed, f.Quiet(vars)},
		CheckDestroy: acctest.HasNot(e.Staging(carvel.Namespaces, ""), e.Name),
	})
}

// TestAccRunNamespace_rightsByUse acts as the ServiceAccount: every request of
// the flow is allowed, and others are refused.
func TestAccRunNamespace_rightsByUse(t *testing.T) {
	e, f := fixture(t)
	create := f.Step(nil)
	create.Check = func(*terraform.State) error { return use(t, e) }
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{create}})
}

func use(t *testing.T, e *acctest.Env) error {
	t.Helper()
	ctx := context.Background()
	as := e.As(e.Lab.Staging, "system:serviceaccount:"+e.Name+":"+e.Name+"-sa")
	type kind struct {
		gvr  schema.GroupVersionResource
		kind string
		spec map[string]any
	}
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	services := schema.GroupVersionResource{Version: "v1", Resource: "services"}
	ingresses := schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}
	pod := map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}, "spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": "i"}}}}
	for _, k := range []kind{
		{acctest.Packages, "Package", map[string]any{"refName": e.Package(), "version": "1.0.0", "template": map[string]any{"spec": map[string]any{}}}},
		{carvel.PackageInstalls, "PackageInstall", map[string]any{"paused": true}},
		{carvel.Secrets, "Secret", nil},
		{acctest.ConfigMaps, "ConfigMap", nil},
		{deployments, "Deployment", map[string]any{"selector": map[string]any{"matchLabels": map[string]any{"a": "b"}}, "template": pod}},
		{services, "Service", map[string]any{"ports": []any{map[string]any{"port": int64(80)}}}},
		{ingresses, "Ingress", map[string]any{"defaultBackend": map[string]any{"service": map[string]any{"name": "s", "port": map[string]any{"number": int64(80)}}}}},
	} {
		client := as.Resource(k.gvr).Namespace(e.Name)
		obj := acctest.Object(k.gvr, k.kind, e.Name, "used")
		if k.gvr == acctest.Packages {
			obj.SetName(e.Package() + ".1.0.0")
		}
		if k.spec != nil {
			obj.Object["spec"] = k.spec
		}
		made, err := client.Create(ctx, obj, metav1.CreateOptions{})
		if err == nil {
			_, err = client.List(ctx, metav1.ListOptions{})
		}
		if err == nil {
			err = update(ctx, func() (*unstructured.Unstructured, error) {
				return client.Get(ctx, made.GetName(), metav1.GetOptions{})
			},
				func(o *unstructured.Unstructured) error {
					_, err := client.Update(ctx, o, metav1.UpdateOptions{})
					return err
				})
		}
		if err == nil {
			err = client.Delete(ctx, made.GetName(), metav1.DeleteOptions{})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", k.kind, err)
		}
	}
	for name, attempt := range map[string]func() error{
		"secrets in another namespace": func() error {
			_, err := as.Resource(carvel.Secrets).Namespace("kube-system").List(ctx, metav1.ListOptions{})
			return err
		},
		"secrets of all namespaces": func() error { _, err := as.Resource(carvel.Secrets).List(ctx, metav1.ListOptions{}); return err },
		"nodes": func() error {
			_, err := as.Resource(schema.GroupVersionResource{Version: "v1", Resource: "nodes"}).List(ctx, metav1.ListOptions{})
			return err
		},
		"clusterroles": func() error {
			_, err := as.Resource(schema.GroupVersionResource{Group: carvel.Roles.Group, Version: "v1", Resource: "clusterroles"}).List(ctx, metav1.ListOptions{})
			return err
		},
		"roles": func() error {
			_, err := as.Resource(carvel.Roles).Namespace(e.Name).List(ctx, metav1.ListOptions{})
			return err
		},
		"pods/exec": func() error {
			exec := acctest.Object(carvel.Secrets, "PodExecOptions", e.Name, "p")
			_, err := as.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(e.Name).Create(ctx, exec, metav1.CreateOptions{}, "exec")
			return err
		},
		"pods": func() error {
			_, err := as.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(e.Name).Create(ctx, acctest.Object(carvel.Secrets, "Pod", e.Name, "p"), metav1.CreateOptions{})
			return err
		},
	} {
		if err := attempt(); !apierrors.IsForbidden(err) {
			return fmt.Errorf("%s is not refused: %w", name, err)
		}
	}
	return nil
}

// update changes an object that a controller may be writing to as well.
func update(ctx context.Context, get func() (*unstructured.Unstructured, error), put func(*unstructured.Unstructured) error) error {
	for {
		obj, err := get()
		if err != nil {
			return err
		}
		obj.SetLabels(map[string]string{"updated": "true"})
		if err = put(obj); !apierrors.IsConflict(err) || ctx.Err() != nil {
			return err
		}
	}
}

// TestAccRunNamespace_neighbors: the plan of a namespace that exists warns of a
// ServiceAccount there that has rights of its own, and of no other.
func TestAccRunNamespace_neighbors(t *testing.T) {
	e, f := fixture(t)
	accounts := e.Staging(carvel.ServiceAccounts, e.Name)
	e.Create(e.Staging(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", e.Name))
	for _, name := range []string{"plain", "privileged"} {
		e.Create(accounts, acctest.Object(carvel.ServiceAccounts, "ServiceAccount", e.Name, name))
	}
	vars := config.Variables{"create_namespace": config.BoolVariable(false)}
	p := f.Program()
	const warning = "have rights of their own"
	if out := p.Run(vars, []string{"plan"}, "to add"); strings.Contains(out, warning) {
		t.Errorf("nobody has rights:\n%s", out)
	}
	binding := acctest.Object(carvel.RoleBindings, "RoleBinding", e.Name, "theirs")
	binding.Object["roleRef"] = map[string]any{"apiGroup": carvel.RoleBindings.Group, "kind": "ClusterRole", "name": "admin"}
	binding.Object["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": "privileged", "namespace": e.Name}}
	e.Create(e.Staging(carvel.RoleBindings, e.Name), binding)
	p.Run(vars, []string{"apply", "-auto-approve"}, "Warning: Other ServiceAccounts of namespace", warning, "privileged: ClusterRole admin in the namespace", "Apply complete!")
	if out := p.Run(vars, []string{"plan"}, "No changes."); strings.Contains(out, warning) {
		t.Errorf("a plan that changes nothing warns again:\n%s", out)
	}
	p.Run(vars, []string{"destroy", "-auto-approve"}, "Destroy complete!")
}
