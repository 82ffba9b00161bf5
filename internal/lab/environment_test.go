package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testKubeconfig = `
apiVersion: v1
kind: Config
current-context: here
clusters: [{name: here, cluster: {server: "https://cluster.example:6443"}}]
users: [{name: me, user: {token: secret}}]
contexts: [{name: here, context: {cluster: here, user: me}}]
`

// clearEnvironment unsets the variables until the test ends.
func clearEnvironment(t *testing.T) {
	t.Helper()
	for _, v := range (&Lab{}).variables() {
		t.Setenv(v.name, "") // so that it is put back
		os.Unsetenv(v.name)
	}
}

func TestFromEnvironment_none(t *testing.T) {
	clearEnvironment(t)
	l, ok, err := FromEnvironment()
	if l != nil || ok || err != nil {
		t.Errorf("got %v, %v, %v", l, ok, err)
	}
}

func TestFromEnvironment_some(t *testing.T) {
	clearEnvironment(t)
	t.Setenv(EnvBuildKubeconfig, "/kubeconfig")
	t.Setenv(EnvGitURL, "https://git.example/platform/gitops.git")
	_, ok, err := FromEnvironment()
	if ok || err == nil {
		t.Fatalf("got %v, %v", ok, err)
	}
	for _, name := range []string{EnvStagingKubeconfig, EnvProdKubeconfig, EnvGitUsername, EnvGitPassword, EnvGitCAFile} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
	if strings.Contains(err.Error(), EnvBuildKubeconfig) {
		t.Errorf("the error names what is set: %v", err)
	}
}

func TestFromEnvironment_all(t *testing.T) {
	clearEnvironment(t)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(testKubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{
		EnvBuildKubeconfig + "=" + path,
		EnvStagingKubeconfig + "=" + path,
		EnvProdKubeconfig + "=" + path,
		EnvGitURL + "=https://git.example/platform/gitops.git",
		EnvGitUsername + "=ci",
		EnvGitPassword + "=secret",
		EnvGitCAFile + "=", // the system's roots
	}
	for _, export := range want {
		name, value, _ := strings.Cut(export, "=")
		t.Setenv(name, value)
	}
	l, ok, err := FromEnvironment()
	if !ok || err != nil {
		t.Fatalf("got %v, %v", ok, err)
	}
	if got := strings.Join(l.Exports(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got %s", got)
	}
	if l.Prod.Name != "prod" || l.Prod.Server != "https://cluster.example:6443" {
		t.Errorf("got %+v", l.Prod)
	}
	if err := l.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("Stop touched what is not the lab's: %v", err)
	}
}

func TestFromEnvironment_unreadableKubeconfig(t *testing.T) {
	clearEnvironment(t)
	for _, v := range (&Lab{}).variables() {
		t.Setenv(v.name, "/none/such")
	}
	_, ok, err := FromEnvironment()
	if ok || err == nil || !strings.Contains(err.Error(), EnvBuildKubeconfig) {
		t.Errorf("got %v, %v", ok, err)
	}
}
