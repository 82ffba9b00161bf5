package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccExamples_fromKubectl: the configuration of the guide for those who come from kubectl, with the names of the test in the place of
// the guide's: one kubeconfig with a context for each cluster, and the Git credentials of the environment.
func TestAccExamples_fromKubectl(t *testing.T) {
	e, r := prepared(t)
	const dir = "from-kubectl"
	w := newWorkspace(t, e)
	home := t.TempDir()
	oneKubeconfig(t, filepath.Join(home, ".kube", "config"), map[string]lab.Cluster{"build": e.Lab.Build, "staging": e.Lab.Staging})
	w.env = slices.DeleteFunc(w.env, func(v string) bool { return strings.HasPrefix(v, "KUBE_") || strings.HasPrefix(v, "HOME=") })
	w.env = append(w.env, "HOME="+home)

	w.rename(dir+"/main.tf", map[string]string{
		`"https://git.example.com/platform/gitops.git"`: `"` + e.Lab.Git.URL + `"`,
		`branch = "main"`:         "branch = \"main\"\n    http   = { certificate_authority = var.git_ca }",
		`"app.default.tap"`:       `"` + e.Package() + `"`,
		`= "apps"`:                `= "` + e.Name + `"`,
		`"dev"`:                   `"` + e.Name + `"`,
		`"gitops-credentials"`:    `"git"`,
		"workload_name = \"app\"": "workload_name = \"" + e.Name + "\"",
	})
	if err := os.WriteFile(filepath.Join(w.dir, dir, "test.tf"), []byte("variable \"git_ca\" {\n  type    = string\n  default = null\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.succeeds(dir, "init")
	w.succeeds(dir, "apply", "-auto-approve")
	w.succeeds(dir, "plan", "-detailed-exitcode")
	if err := acctest.Has(e.Staging(acctest.ConfigMaps, e.Name), e.Name, acctest.Field(acctest.SecondVersion, "data", "version"))(nil); err != nil {
		t.Error(err)
	}
	w.succeeds(dir, "destroy", "-auto-approve")
	nothingLeft(e, r, e.Name)
}

// rename writes other names into a file of the examples, in which each has to be.
func (w *workspace) rename(file string, names map[string]string) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(file))
	text, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	var pairs []string
	for before, after := range names {
		if !strings.Contains(string(text), before) {
			w.t.Errorf("%s does not have %s", file, before)
		}
		pairs = append(pairs, before, after)
	}
	if err := os.WriteFile(path, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// oneKubeconfig writes the current contexts of the clusters' kubeconfigs into one file.
func oneKubeconfig(t *testing.T, path string, clusters map[string]lab.Cluster) {
	t.Helper()
	one := clientcmdapi.NewConfig()
	for name, cluster := range clusters {
		from, err := clientcmd.LoadFromFile(cluster.Kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		if err := clientcmdapi.FlattenConfig(from); err != nil {
			t.Fatal(err)
		}
		current := from.Contexts[from.CurrentContext]
		one.Clusters[name], one.AuthInfos[name] = from.Clusters[current.Cluster], from.AuthInfos[current.AuthInfo]
		one.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	if err := clientcmd.WriteToFile(*one, path); err != nil {
		t.Fatal(err)
	}
}
