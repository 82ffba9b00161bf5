package lab_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
)

// embedded returns a lab that was seeded.
func embedded(t *testing.T) *lab.Lab {
	t.Helper()
	l := labtest.Get(t)
	if l.Dir == "" {
		t.Skip("what is in the lab that LAB_* describe is its owner's business")
	}
	return l
}

// git runs git in dir with the credential of the lab's repository.
func git(t *testing.T, l *lab.Lab, dir string, args ...string) {
	t.Helper()
	helper := `!f() { echo "username=$LAB_USERNAME"; echo "password=$LAB_PASSWORD"; }; f`
	cmd := exec.Command("git", append([]string{"-c", "credential.helper=" + helper}, args...)...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_SSL_CAINFO=" + l.Git.CAFile, "LAB_USERNAME=" + l.Git.Username, "LAB_PASSWORD=" + l.Git.Password,
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, output)
	}
}

// clone returns a working copy of the lab's repository.
func clone(t *testing.T, l *lab.Lab) string {
	t.Helper()
	dir := t.TempDir()
	git(t, l, dir, "clone", "--quiet", "--branch=main", l.Git.URL, ".")
	return dir
}

func TestSeed_repository(t *testing.T) {
	l := embedded(t)
	dir := clone(t, l)
	if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
		t.Error(err)
	}
	client := labtest.Client(t, l.Build)
	namespace := newNamespace(t, client)
	for _, version := range []string{"20230321004057.0.0", "20230402120000.0.0"} {
		text, err := os.ReadFile(filepath.Join(dir, "app.default.tap", "packages", version+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		created := create(t, client, packages, namespace, manifest(t, string(text)))
		if got, _, _ := unstructured.NestedString(created.Object, "spec", "version"); got != version {
			t.Errorf("%s.yaml holds version %q", version, got)
		}
		if strings.Contains(string(text), "VERSION") {
			t.Errorf("%s.yaml holds a placeholder", version)
		}
	}
}

func TestSeed_buildCluster(t *testing.T) {
	l := embedded(t)
	client := labtest.Client(t, l.Build)
	ca, err := os.ReadFile(l.Git.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		namespace, name string
		data            map[string]string
	}{
		{"dev", "gitops-credentials", map[string]string{"username": l.Git.Username, "password": l.Git.Password}},
		{"kapp-controller", "kapp-controller-config", map[string]string{"caCerts": string(ca)}},
	} {
		t.Run(want.name, func(t *testing.T) {
			secret, err := client.Resource(secrets).Namespace(want.namespace).Get(t.Context(), want.name, metav1.GetOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			data, _, _ := unstructured.NestedStringMap(secret.Object, "data")
			if len(data) != len(want.data) {
				t.Errorf("%s has %d keys, want %d", want.name, len(data), len(want.data))
			}
			for key, value := range want.data {
				if got := string(decode(t, data[key])); got != value {
					t.Errorf("%s: key %s does not match", want.name, key)
				}
			}
		})
	}
}
