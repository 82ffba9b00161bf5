package secrets_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// made are the inputs of the working run whose secrets the test makes up.
var made = []string{
	"exec.env", "kubeconfig", "kubeconfig_wo", "values", "values_wo", "values_wo of a set", "git_credentials.password_wo", "git_credentials.ssh_private_key_wo", "sops_age_key_wo",
	"fetch.inline.paths", "template.ytt.inline.paths",
}

// TestAccSecrets_working gives a secret to every input that takes one, and
// looks for them and for the tokens that are made wherever they should not be.
func TestAccSecrets_working(t *testing.T) {
	e := acctest.New(t)
	e.BuildNamespace()
	repository := e.Repository()
	e.CommitPackages(repository)
	e.RemoveDirectory(repository, "set."+e.Package())
	build, prod := restConfig(t, e.Lab.Build), restConfig(t, e.Lab.Prod)
	admin := adminToken(e)
	dir := t.TempDir()
	plugin, tokenFile := filepath.Join(dir, "plugin.sh"), filepath.Join(dir, "token")
	write(t, plugin, read(t, filepath.Join("testdata", "plugin.sh")))
	if err := os.Chmod(plugin, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, tokenFile, admin)

	inConfig := canaries{"the Git password": e.Lab.Git.Password, "a run cluster's token": admin}
	for what, data := range map[string][]byte{"the build cluster's client key": build.KeyData, "the client key in a kubeconfig": prod.KeyData} {
		if len(data) > 0 {
			inConfig[what] = strings.Split(string(data), "\n")[1] // a line of the PEM block
		}
	}
	for what, token := range map[string]string{"the build cluster's token": build.BearerToken, "the token in a kubeconfig": prod.BearerToken} {
		if token != "" {
			inConfig[what] = token
		}
	}
	for _, what := range made {
		inConfig[what] = rand.Text()
	}
	w := newWorkspace(t, buildProvider(t), "working", maps.Clone(inConfig))
	w.variables(map[string]any{
		"name": e.Name, "package": e.Package(),
		"git_url": e.Lab.Git.URL, "git_username": e.Lab.Git.Username, "git_password": e.Lab.Git.Password, "git_ca": gitCA(t, e.Lab),
		"build":           map[string]any{"host": build.Host, "ca": string(build.CAData), "certificate": text(build.CertData), "key": text(build.KeyData), "token": text([]byte(build.BearerToken))},
		"staging":         map[string]any{"host": e.Lab.Staging.Server, "ca": string(e.Lab.Staging.CA), "token": admin},
		"prod_kubeconfig": read(t, e.Lab.Prod.Kubeconfig),
		"exec":            map[string]any{"command": plugin, "token_file": tokenFile, "variable": inConfig["exec.env"]},
		"direct":          kubeconfigWith(inConfig["kubeconfig"]), "write_only": kubeconfigWith(inConfig["kubeconfig_wo"]), "value": inConfig["values"], "value_write_only": inConfig["values_wo"], "set_write_only": inConfig["values_wo of a set"],
		"app_password": inConfig["git_credentials.password_wo"], "app_ssh_key": "-----BEGIN " + inConfig["git_credentials.ssh_private_key_wo"],
		"app_age_key": "AGE-SECRET-KEY-" + inConfig["sops_age_key_wo"],
		"inline":      map[string]string{"fetch": "password: " + inConfig["fetch.inline.paths"] + "\n", "template": "#@data/values\n---\npassword: " + inConfig["template.ytt.inline.paths"] + "\n"},
	})
	t.Cleanup(func() {
		w.succeeds("destroy", "-auto-approve", "-input=false")
		w.search()
	})
	seeTokens := func(when string) {
		for _, name := range []string{"staging-kubeconfig", "plugin-kubeconfig", "prod-kubeconfig"} {
			w.canaries["the token in Secret "+name+" "+when] = tokenIn(e, name)
		}
	}

	w.succeeds("plan", "-input=false", "-out=create.tfplan")
	checkPlan(w, "create.tfplan")
	w.succeeds("apply", "-auto-approve", "-input=false")
	seeTokens("at first")
	w.canaries["the blob of the values, a fast digest of them"] = blobOf(t, repository, e.Package()+"/staging/params.yaml", inConfig["values_wo"])
	w.canaries["the blob of a set's values"] = blobOf(t, repository, "set."+e.Package()+"/staging/params.yaml", inConfig["values_wo of a set"])
	checkState(w)
	w.succeeds("plan", "-input=false", "-detailed-exitcode", "-out=unchanged.tfplan") // 2 if there is a change
	checkPlan(w, "unchanged.tfplan")
	w.succeeds("apply", "-auto-approve", "-input=false", "-replace=carvel_kubeconfig_secret.secret")
	seeTokens("at last")
	checkState(w)
	w.canaries.absent(t, "the commit messages", repository.Messages())
	if commands, err := os.ReadFile(tokenFile + ".commands"); err == nil { // there is a /proc
		if !strings.Contains(string(commands), "terraform-provider-carvel") {
			t.Errorf("the provider is not among the processes:\n%s", commands)
		}
		w.canaries.absent(t, "the command line of a process", string(commands))
	}
}

func checkPlan(w *workspace, file string) {
	w.t.Helper()
	document := w.succeeds("show", "-json", file)
	w.canaries.absent(w.t, "the plan "+file, unmarked(w.t, []byte(document)))
}

// blobOf is the Git blob of a file, which holds a secret.
func blobOf(t *testing.T, r *acctest.Repository, path, secret string) string {
	t.Helper()
	content, _ := r.Read(path)
	if !strings.Contains(content, secret) {
		t.Errorf("%s does not hold the secret", path)
	}
	return gitops.BlobHash([]byte(content)).String()
}

// checkState searches the state but for the inputs that are kept in it by
// promise, which Terraform marks as sensitive.
func checkState(w *workspace) {
	w.t.Helper()
	var state map[string]any
	if err := json.Unmarshal([]byte(read(w.t, filepath.Join(w.dir, "terraform.tfstate"))), &state); err != nil {
		w.t.Fatal(err)
	}
	promised := map[string][]string{
		"carvel_kubeconfig_secret.direct": {"kubeconfig"}, "carvel_package_install.test": {"values"}, "carvel_app.inline": {"fetch", "template"},
	}
	resources, _ := state["resources"].([]any)
	for _, r := range resources {
		resource, _ := r.(map[string]any)
		kept, ok := promised[fmt.Sprintf("%v.%v", resource["type"], resource["name"])]
		if !ok {
			continue
		}
		instance, _ := resource["instances"].([]any)[0].(map[string]any)
		attributes, _ := instance["attributes"].(map[string]any)
		for _, attribute := range kept {
			if marks := fmt.Sprint(instance["sensitive_attributes"]); !strings.Contains(marks, attribute) {
				w.t.Errorf("%s is not marked as sensitive: %s", attribute, marks)
			}
			delete(attributes, attribute)
		}
		delete(promised, fmt.Sprintf("%v.%v", resource["type"], resource["name"]))
	}
	if len(promised) > 0 {
		w.t.Errorf("the state has not %v", promised)
	}
	rest, err := json.Marshal(state)
	if err != nil {
		w.t.Fatal(err)
	}
	w.canaries.absent(w.t, "the state", string(rest))
	// Private state is base64 of a document that is base64 in turn.
	for _, r := range resources {
		resource, _ := r.(map[string]any)
		for _, i := range resource["instances"].([]any) {
			instance, _ := i.(map[string]any)
			private, _ := instance["private"].(string)
			w.canaries.absent(w.t, "the private state", privateText(w.t, private))
		}
	}
}

func privateText(t *testing.T, private string) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(private)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if len(data) == 0 || json.Unmarshal(data, &keys) != nil {
		return string(data)
	}
	text := string(data)
	for _, value := range keys {
		var inner []byte // base64 in JSON
		if json.Unmarshal(value, &inner) == nil {
			text += "\n" + string(inner)
		}
	}
	return text
}

// adminToken is a token of an administrator of the staging cluster.
func adminToken(e *acctest.Env) string {
	e.T.Helper()
	bindings := schema.GroupVersionResource{Group: carvel.Roles.Group, Version: "v1", Resource: "clusterrolebindings"}
	const namespace = "kube-system"
	account := acctest.Object(carvel.ServiceAccounts, "ServiceAccount", namespace, e.Name)
	e.Create(e.Staging(carvel.ServiceAccounts, namespace), account)
	binding := acctest.Object(bindings, "ClusterRoleBinding", "", e.Name)
	binding.Object["roleRef"] = map[string]any{"apiGroup": carvel.Roles.Group, "kind": "ClusterRole", "name": "cluster-admin"}
	binding.Object["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": e.Name, "namespace": namespace}}
	e.Create(e.Staging(bindings, ""), binding)
	request := carvel.TokenRequest(namespace, e.Name, 3600, nil)
	answer, err := e.Staging(carvel.ServiceAccounts, namespace).Create(context.Background(), request, metav1.CreateOptions{}, carvel.TokenSubresource)
	if err != nil {
		e.T.Fatal(err)
	}
	token, err := carvel.GrantedToken(answer)
	if err != nil {
		e.T.Fatal(err)
	}
	return string(token.Value)
}

func tokenIn(e *acctest.Env, name string) string {
	e.T.Helper()
	secret, err := e.Build(carvel.Secrets, e.Name).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		e.T.Fatal(err)
	}
	value, _ := carvel.SecretValue(secret, carvel.DefaultKubeconfigKey)
	current, err := kubeconfig.CurrentContext(value)
	if err != nil || current.Token == "" {
		e.T.Fatalf("no token in %s: %v", name, err)
	}
	return current.Token
}

func restConfig(t *testing.T, c lab.Cluster) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err == nil {
		err = rest.LoadTLSFiles(config)
	}
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func gitCA(t *testing.T, l *lab.Lab) string {
	t.Helper()
	if l.Git.CAFile == "" {
		return ""
	}
	return read(t, l.Git.CAFile)
}

// text is a variable's value, null for what there is not.
func text(data []byte) any {
	if len(data) == 0 {
		return nil
	}
	return string(data)
}

func kubeconfigWith(token string) string {
	return fmt.Sprintf(`{current-context: c, clusters: [{name: c, cluster: {server: "https://c.example.com"}}], users: [{name: c, user: {token: %s}}], contexts: [{name: c, context: {cluster: c, user: c}}]}`, token)
}
