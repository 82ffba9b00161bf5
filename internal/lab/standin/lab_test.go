package standin_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// patience is far longer than anything here takes, also with a real controller.
const patience = 4 * time.Minute

func gvr(group, version, resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
}

var (
	apps        = gvr("kappctrl.k14s.io", "v1alpha1", "apps")
	installs    = gvr("packaging.carvel.dev", "v1alpha1", "packageinstalls")
	secrets     = gvr("", "v1", "secrets")
	configMaps  = gvr("", "v1", "configmaps")
	namespaces  = gvr("", "v1", "namespaces")
	accounts    = gvr("", "v1", "serviceaccounts")
	deployments = gvr("apps", "v1", "deployments")
	roles       = gvr("rbac.authorization.k8s.io", "v1", "roles")
	bindings    = gvr("rbac.authorization.k8s.io", "v1", "rolebindings")
)

// site is one cluster as one test uses it: a namespace of its own.
type site struct {
	t       *testing.T
	name    string // of the cluster
	cluster lab.Cluster
	client  dynamic.Interface
	ns      string
}

// flow is the documented delivery for one test: a namespace on the build cluster and on
// each run cluster, and a directory in the repository, all under the same name.
type flow struct {
	t                    *testing.T
	lab                  *lab.Lab
	name, pkg            string
	build, staging, prod *site
	clone                string
}

// newFlow makes the namespaces, the ServiceAccounts with the two documented Roles, the
// kubeconfig Secrets and the Git credentials.
func newFlow(t *testing.T) *flow {
	t.Helper()
	suite.Acceptance(t, "needs a lab")
	t.Parallel()
	l := labtest.Get(t)
	f := &flow{t: t, lab: l, name: labtest.Name(t)}
	f.pkg = f.name + ".default.tap"
	f.build, f.staging, f.prod = f.site("build", l.Build), f.site("staging", l.Staging), f.site("prod", l.Prod)
	f.build.apply(secrets, fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: git-creds}
type: kubernetes.io/basic-auth
stringData: {username: %q, password: %q}`, l.Git.Username, l.Git.Password))
	for _, s := range []*site{f.staging, f.prod} {
		s.grant("pods", `[{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]`)
		s.grant("app-package-and-pkgi-install-role", `
- {apiGroups: [data.packaging.carvel.dev], resources: [packages], verbs: [get, list, create, update, delete, patch]}
- {apiGroups: [packaging.carvel.dev], resources: [packageinstalls], verbs: [get, list, create, update, delete, patch]}
- {apiGroups: [""], resources: [secrets], verbs: [get, list, create, update, delete, patch]}`)
		s.grant("app-cr-role", `
- {apiGroups: [apps], resources: [deployments], verbs: [get, list, create, update, delete]}
- {apiGroups: [""], resources: [configmaps, services], verbs: [get, list, create, update, delete]}
- {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [get, list, create, update, delete]}`)
		f.putKubeconfig(s, "value")
	}
	return f
}

func (f *flow) site(name string, cluster lab.Cluster) *site {
	f.t.Helper()
	s := &site{t: f.t, name: name, cluster: cluster, client: labtest.Client(f.t, cluster), ns: f.name}
	s.apply(namespaces, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+s.ns+"}")
	f.t.Cleanup(s.clear)
	if name != "build" {
		s.apply(accounts, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: "+s.account()+"}")
	}
	return s
}

// clear lets go of what a test left and deletes the namespace.
func (s *site) clear() {
	ctx := s.t.Context()
	if ctx.Err() != nil {
		ctx = contextOf(s.t)
	}
	release := []byte(`{"spec":{"noopDelete":true}}`)
	for _, resource := range []schema.GroupVersionResource{apps, installs} {
		list, err := s.client.Resource(resource).Namespace(s.ns).List(ctx, metav1.ListOptions{})
		if err != nil {
			s.t.Logf("clear %s: %v", s.name, err)
			continue
		}
		for _, item := range list.Items {
			_, _ = s.client.Resource(resource).Namespace(s.ns).Patch(ctx, item.GetName(), "application/merge-patch+json", release, metav1.PatchOptions{})
		}
	}
	if err := s.client.Resource(namespaces).Delete(ctx, s.ns, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		s.t.Errorf("clear %s: %v", s.name, err)
	}
}

func (s *site) account() string { return s.ns + "-sa" }

func (s *site) in(resource schema.GroupVersionResource) dynamic.ResourceInterface {
	if resource == namespaces {
		return s.client.Resource(resource)
	}
	return s.client.Resource(resource).Namespace(s.ns)
}

// apply creates or changes an object, as another manager than the controller.
func (s *site) apply(resource schema.GroupVersionResource, text string) *unstructured.Unstructured {
	s.t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		s.t.Fatalf("%v\n%s", err, text)
	}
	if resource != namespaces {
		u.SetNamespace(s.ns)
	}
	applied, err := s.in(resource).Apply(s.t.Context(), u.GetName(), u, metav1.ApplyOptions{FieldManager: "test", Force: true})
	if err != nil {
		s.t.Fatalf("apply %s %s on %s: %v", resource.Resource, u.GetName(), s.name, err)
	}
	return applied
}

// grant makes a Role and binds it to the site's ServiceAccount.
func (s *site) grant(name, rules string) {
	s.t.Helper()
	s.apply(roles, "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: "+name+"}\nrules: "+rules)
	s.apply(bindings, fmt.Sprintf(`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: %[1]s}
subjects: [{kind: ServiceAccount, name: %[2]s, namespace: %[3]s}]`, name, s.account(), s.ns))
}

// kubeconfig is one for the site's ServiceAccount, with everything inline.
func (s *site) kubeconfig() string {
	s.t.Helper()
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
		"metadata": map[string]any{"name": s.account(), "namespace": s.ns},
		"spec":     map[string]any{"expirationSeconds": int64(3600)},
	}}
	answer, err := s.in(accounts).Create(s.t.Context(), request, metav1.CreateOptions{}, "token")
	if err != nil {
		s.t.Fatal(err)
	}
	token, _, _ := unstructured.NestedString(answer.Object, "status", "token")
	return fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: run
clusters: [{name: run, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: run, user: {token: %s}}]
contexts: [{name: run, context: {cluster: run, user: run}}]`,
		s.cluster.Server, base64.StdEncoding.EncodeToString(s.cluster.CA), token)
}

func (f *flow) putKubeconfig(s *site, key string) {
	f.t.Helper()
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": s.name + "-kubeconfig"},
		"stringData": map[string]any{key: s.kubeconfig()},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	_ = f.build.in(secrets).Delete(f.t.Context(), s.name+"-kubeconfig", metav1.DeleteOptions{})
	f.build.apply(secrets, string(text))
}

// app is the documented App for one run cluster.
func (f *flow) app(s *site) string {
	return fmt.Sprintf(`
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: app-%[1]s}
spec:
  cluster: {namespace: %[2]s, kubeconfigSecretRef: {name: %[1]s-kubeconfig, key: value}}
  fetch:
  - git: {url: %[3]q, ref: origin/main, subPath: %[4]s/packages/, secretRef: {name: git-creds}}
  - git: {url: %[3]q, ref: origin/main, subPath: %[4]s/%[1]s, secretRef: {name: git-creds}}
  template: [{ytt: {}}]
  deploy: [{kapp: {intoNs: %[2]s, rawOptions: ["--dangerous-allow-empty-list-of-resources=true"]}}]
`, s.name, s.ns, f.lab.Git.URL, f.pkg)
}

// commit changes files of the test's own directory and pushes: a path below it to its
// content, "" to remove it. It returns the commit.
func (f *flow) commit(files map[string]string) string {
	f.t.Helper()
	if f.clone == "" {
		f.clone = filepath.Join(f.t.TempDir(), "clone")
		f.git("", "clone", "--quiet", "--branch", "main", f.lab.Git.URL, f.clone)
	}
	for range 20 {
		f.git(f.clone, "fetch", "--quiet", "origin", "main")
		f.git(f.clone, "reset", "--quiet", "--hard", "origin/main")
		for path, content := range files {
			full := filepath.Join(f.clone, f.pkg, path)
			if content == "" {
				f.git(f.clone, "rm", "--quiet", "--", full)
				continue
			}
			if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
				f.t.Fatal(err)
			}
			if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
				f.t.Fatal(err)
			}
		}
		f.git(f.clone, "add", "-A", ".")
		f.git(f.clone, "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--allow-empty", "-m", "Change "+f.pkg)
		if f.tryGit(f.clone, "push", "--quiet", "origin", "HEAD:main") == nil {
			return f.git(f.clone, "rev-parse", "HEAD")
		}
	}
	f.t.Fatal("the branch kept moving")
	return ""
}

func (f *flow) git(dir string, args ...string) string {
	f.t.Helper()
	cmd := f.command(dir, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (f *flow) tryGit(dir string, args ...string) error { return f.command(dir, args...).Run() }

func (f *flow) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(f.t.Context(), "git", args...)
	cmd.Dir = dir
	basic := base64.StdEncoding.EncodeToString([]byte(f.lab.Git.Username + ":" + f.lab.Git.Password))
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.extraHeader", "GIT_CONFIG_VALUE_0=Authorization: Basic "+basic)
	if f.lab.Git.CAFile != "" {
		cmd.Env = append(cmd.Env, "GIT_SSL_CAINFO="+f.lab.Git.CAFile)
	}
	return cmd
}
