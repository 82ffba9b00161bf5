package carvel

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

func asYAML(t *testing.T, v any) string {
	t.Helper()
	out, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestRunNamespace(t *testing.T) {
	spec := RunNamespaceSpec{Name: "staging-apps", ServiceAccountName: "staging-apps-sa", Labels: map[string]string{"team": "a"}}
	var names []string
	for _, obj := range RunNamespace(spec) {
		names = append(names, obj.GetKind()+"/"+obj.GetName())
		if obj.GetLabels()[ManagedByLabel] != ManagedBy {
			t.Errorf("%s has no ownership label", obj.GetName())
		}
		if obj.GetKind() != "Namespace" && obj.GetNamespace() != "staging-apps" {
			t.Errorf("%s is in namespace %q", obj.GetName(), obj.GetNamespace())
		}
		Resource(obj) // panics for an unknown kind
	}
	want := []string{
		"Namespace/staging-apps", "ServiceAccount/staging-apps-sa",
		"Role/app-package-and-pkgi-install-role", "RoleBinding/app-package-and-pkgi-install-role",
		"Role/app-cr-role", "RoleBinding/app-cr-role",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	spec.TanzuApplicationPlatform = true
	if n := len(RunNamespace(spec)); n != 4 {
		t.Errorf("%d objects on a Tanzu Application Platform cluster, want 4", n)
	}
}

// TestRunNamespaceRules holds the rules to the delivery document's, with the
// two that it forgets.
func TestRunNamespaceRules(t *testing.T) {
	objects := RunNamespace(RunNamespaceSpec{Name: "ns", ServiceAccountName: "sa"})
	want := `- apiGroups: [data.packaging.carvel.dev]
  resources: [packages]
  verbs: [get, list, create, update, delete, patch]
- apiGroups: [packaging.carvel.dev]
  resources: [packageinstalls]
  verbs: [get, list, create, update, delete, patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, create, update, delete, patch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, create, update, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
`
	assertYAML(t, want, objects[2].Object["rules"])
	assertYAML(t, `- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, create, update, delete]
- apiGroups: [""]
  resources: [configmaps, services]
  verbs: [get, list, create, update, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, create, update, delete]
`, objects[4].Object["rules"])
	assertYAML(t, `{apiGroup: rbac.authorization.k8s.io, kind: Role, name: app-cr-role}`, objects[5].Object["roleRef"])
	assertYAML(t, `[{kind: ServiceAccount, name: sa, namespace: ns}]`, objects[5].Object["subjects"])
	if got := BoundServiceAccount(objects[5]); got != "sa" {
		t.Errorf("bound ServiceAccount %q", got)
	}
}

func built(t *testing.T, spec PackageInstallSpec) map[string]any {
	t.Helper()
	install, err := PackageInstall(spec)
	if err != nil {
		t.Fatal(err)
	}
	return install.Object
}

func assertYAML(t *testing.T, want string, got any) {
	t.Helper()
	var w, g any
	if err := yaml.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(asYAML(t, got)), &g); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Error(diff)
	}
}

// TestPackageInstallOfTheDocument compares with the delivery document's own
// YAML, its constraint quoted.
func TestPackageInstallOfTheDocument(t *testing.T) {
	spec := PackageInstallSpec{
		Name: "app", ServiceAccountName: "RUN-CLUSTER-NS-SA", Values: SecretsWithValues("app-values"),
		PackageRef: PackageRef{"app.default.tap", VersionSelection{Constraints: "20230321004057.0.0"}},
	}
	assertYAML(t, `
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata:
  name: app
spec:
  serviceAccountName: RUN-CLUSTER-NS-SA # ServiceAccount on run cluster
  packageRef:
    refName: app.default.tap # name of the Package
    versionSelection:
      constraints: "20230321004057.0.0"
  values:
  - secretRef:
      name: app-values
`, built(t, spec))
	secret := TextSecret("", "app-values", nil, map[string]string{"values.yaml": "---\nhostname: app.mycompany.com\nreplicas: 2\nworkload_name: app\n"})
	assertYAML(t, `
apiVersion: v1
kind: Secret
metadata:
  name: app-values
stringData:
  values.yaml: |
    ---
    hostname: app.mycompany.com
    replicas: 2
    workload_name: app
`, secret)
}

func TestReadPackageInstall(t *testing.T) {
	ref := func(constraints string, prereleases *version.Prereleases) PackageRef {
		return PackageRef{"a.b.c", VersionSelection{constraints, prereleases}}
	}
	specs := map[string]PackageInstallSpec{
		"least": {PackageRef: ref(">=0.0.0", nil), Name: "a", ServiceAccountName: "sa"},
		"all": {
			PackageRef: ref("1.0.0", &version.Prereleases{Identifiers: []string{"rc"}}), Name: "a", Namespace: "n", ServiceAccountName: "sa",
			Labels: map[string]string{"l": "1"}, Annotations: map[string]string{"x": "y"},
			AllowDowngrade: true, SyncPeriod: "1m0s",
			Paused: true, Canceled: true, NoopDelete: true, DefaultNamespace: "d",
			Values: SecretsWithValues("first", "second"),
			Extensions: Extensions{
				IgnoreKubernetesVersionSelection: true, IgnoreKappControllerVersionSelection: true,
				YttDataValuesOverlays: true, HelmTemplateName: "h", HelmTemplateNamespace: "hn",
				HelmTemplateValuesSecrets: []string{"z", "y", "x", "w", "v", "u", "t", "s", "r", "q", "p"}, FetchSecrets: map[string]string{"0": "zero", "11": "eleven"},
			},
		},
		"another cluster": {
			PackageRef: ref("1.0.0", nil), Name: "a",
			Cluster: &Cluster{Namespace: "there", KubeconfigSecretRef: &SecretKeyRef{Name: "k", Key: "c"}},
		},
		"all prereleases": {PackageRef: ref("", &version.Prereleases{}), Name: "a", ServiceAccountName: "sa"},
	}
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			got, err := ReadPackageInstall([]byte(asYAML(t, built(t, spec))))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(spec, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, text := range []string{"", "kind: Secret", "[", "a", "apiVersion: packaging.carvel.dev/v1alpha1\nkind: Secret"} {
		if _, err := ReadPackageInstall([]byte(text)); err == nil {
			t.Errorf("%q was read as a PackageInstall", text)
		}
	}
}

// TestFalseBooleansAreLeftOut: the controller drops them when it rewrites the
// object, which would then be drift.
func TestFalseBooleansAreLeftOut(t *testing.T) {
	app, err := App(AppSpec{Namespace: "n", Name: "a", ServiceAccountName: "sa"})
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range []any{built(t, PackageInstallSpec{})["spec"], app.Object["spec"]} {
		for _, field := range []string{"paused", "canceled", "noopDelete", "syncPeriod"} {
			if v, ok := spec.(map[string]any)[field]; ok {
				t.Errorf("%s: %v is written", field, v)
			}
		}
	}
}
