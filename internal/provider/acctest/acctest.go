// Package acctest is what the acceptance tests of the resources share: the
// provider, the lab that it works against, and looks at clusters and repository
// that do not go through the provider.
package acctest

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	tfprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/owner"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// Providers are the provider under test, in the test's own process.
var Providers = map[string]func() (tfprotov6.ProviderServer, error){
	"carvel": Server(provider.New("test")()),
}

// Server serves a provider to Terraform, as the release does.
func Server(p tfprovider.Provider) func() (tfprotov6.ProviderServer, error) {
	return func() (tfprotov6.ProviderServer, error) { return redacted.Server(p)(), nil }
}

// patience is how long a look at what a controller does may take: a few sync
// periods of 30 s.
const patience = 3 * time.Minute

// Env is the lab as one test uses it: with names of its own.
type Env struct {
	T    testing.TB
	Lab  *lab.Lab
	Name string // a DNS label that no other test uses
}

var environment sync.Once

// New prepares a test; without TF_ACC it is skipped.
func New(t testing.TB) *Env {
	t.Helper()
	suite.Acceptance(t, "needs a lab")
	l := labtest.Get(t)
	environment.Do(func() { // the provider reads these as a practitioner's would
		for _, variable := range os.Environ() { // nothing of the developer's own clusters
			if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "KUBE_") || strings.HasPrefix(name, "CARVEL_") {
				if err := os.Unsetenv(name); err != nil {
					t.Fatal(err)
				}
			}
		}
		for name, value := range map[string]string{
			"CARVEL_GIT_URL":      l.Git.URL,
			"CARVEL_GIT_USERNAME": l.Git.Username,
			"CARVEL_GIT_PASSWORD": l.Git.Password,
			"KUBE_CONFIG_PATH":    l.Build.Kubeconfig,
		} {
			if err := os.Setenv(name, value); err != nil {
				t.Fatal(err)
			}
		}
	})
	return &Env{T: t, Lab: l, Name: labtest.Name(t)}
}

// Alone prepares a test that needs no lab; without TF_ACC it is skipped.
func Alone(t testing.TB) *Env {
	t.Helper()
	suite.Acceptance(t, "runs terraform")
	return &Env{T: t, Name: labtest.Name(t)}
}

// Package is the name of a package of this test's own.
func (e *Env) Package() string { return e.Name + ".acc.test" }

// Vars are the variables that every fixture's provider block and resources
// take, with the test's own over them.
func (e *Env) Vars(more config.Variables) config.Variables {
	if e.Lab == nil {
		return maps.Collect(maps.All(more)) // not nil, which JSON has as null
	}
	vars := config.Variables{
		"staging_kubeconfig": config.StringVariable(e.Lab.Staging.Kubeconfig),
		"prod_kubeconfig":    config.StringVariable(e.Lab.Prod.Kubeconfig),
		"name":               config.StringVariable(e.Name),
		"package":            config.StringVariable(e.Package()),
	}
	if ca := e.gitCA(); ca != "" {
		vars["git_ca"] = config.StringVariable(ca)
	}
	maps.Copy(vars, more)
	return vars
}

func (e *Env) gitCA() string {
	if e.Lab.Git.CAFile == "" {
		return ""
	}
	data, err := os.ReadFile(e.Lab.Git.CAFile)
	if err != nil {
		e.T.Fatal(err)
	}
	return string(data)
}

// Build, Staging and Prod look at one resource of a cluster; namespace "" is
// for cluster-wide kinds.
func (e *Env) Build(resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	return e.client(e.Lab.Build, resource, namespace)
}

// Staging is like Build.
func (e *Env) Staging(resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	return e.client(e.Lab.Staging, resource, namespace)
}

// Prod is like Build.
func (e *Env) Prod(resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	return e.client(e.Lab.Prod, resource, namespace)
}

func (e *Env) client(c lab.Cluster, resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	client := labtest.Client(e.T, c).Resource(resource)
	if namespace == "" {
		return client
	}
	return client.Namespace(namespace)
}

// BuildNamespace makes a namespace of the test's own on the build cluster, with
// the Git credentials in Secret git, and deletes it at the end.
func (e *Env) BuildNamespace() {
	e.T.Helper()
	namespace := Object(carvel.Namespaces, "Namespace", "", e.Name)
	e.Create(e.Build(carvel.Namespaces, ""), namespace)
	secret := Object(carvel.Secrets, "Secret", e.Name, "git")
	secret.Object["type"] = "kubernetes.io/basic-auth"
	secret.Object["stringData"] = map[string]any{"username": e.Lab.Git.Username, "password": e.Lab.Git.Password}
	e.Create(e.Build(carvel.Secrets, e.Name), secret)
}

// TokenSecrets are the names of the token Secrets of a kubeconfig Secret,
// NAMESPACE/NAME, that the provider has made in this process.
func (e *Env) TokenSecrets(serviceAccount, secret string) []string {
	begin := carvel.TokenSecretName(serviceAccount, secret, owner.Name("", owner.System()), e.Lab.Build.Server)
	list, err := e.Staging(carvel.Secrets, e.Name).List(context.Background(), metav1.ListOptions{FieldSelector: "type=" + carvel.TokenSecretType})
	if err != nil {
		e.T.Fatal(err)
	}
	var names []string
	for _, s := range list.Items {
		if strings.HasPrefix(s.GetName(), begin) {
			names = append(names, s.GetName())
		}
	}
	return names
}

// HasTokenSecrets checks how many there are.
func (e *Env) HasTokenSecrets(serviceAccount, secret string, want int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if names := e.TokenSecrets(serviceAccount, secret); len(names) != want {
			return fmt.Errorf("token Secrets %v, want %d", names, want)
		}
		return nil
	}
}

// Eventually waits until a look at the world is as it should be.
func (e *Env) Eventually(what string, look func(ctx context.Context) (bool, error)) {
	e.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		ok, err := look(ctx)
		if ok && err == nil {
			return
		}
		select {
		case <-ctx.Done():
			e.T.Fatalf("%s: not within %s (last error: %v)", what, patience, err)
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// withCredentials is the repository URL for the git command.
func (e *Env) withCredentials() string {
	u, err := url.Parse(e.Lab.Git.URL)
	if err != nil {
		e.T.Fatal(err)
	}
	u.User = url.UserPassword(e.Lab.Git.Username, e.Lab.Git.Password)
	return u.String()
}
