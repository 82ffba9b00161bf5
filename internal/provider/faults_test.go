package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccProvider_faults breaks a cluster of its own.
func TestAccProvider_faults(t *testing.T) {
	e := acctest.New(t)
	l := labtest.Own(t)
	f := acctest.Fixture{Env: e, Dir: "own_cluster", Address: "carvel_run_namespace.test[0]"}
	t.Run("restarted in mid-apply", func(t *testing.T) { restarted(t, f, l) })
	t.Run("certificates rotated", func(t *testing.T) { rotated(t, f, l) })
}

// restarted: a kube-apiserver that ends in the middle of an apply, and comes
// back, costs the apply time and nothing else.
func restarted(t *testing.T, f acctest.Fixture, l *lab.Lab) {
	const size = 25
	vars := config.Variables{"cluster": acctest.ObjectVariable("config_path", l.Build.Kubeconfig), "size": config.IntegerVariable(size)}
	namespaces := labtest.Client(t, l.Build).Resource(carvel.Namespaces)
	made := func() (n int) {
		list, err := namespaces.List(t.Context(), metav1.ListOptions{LabelSelector: carvel.ManagedByLabel + "=" + carvel.ManagedBy})
		if err != nil {
			t.Error(err)
			return size
		}
		return len(list.Items)
	}
	ended := make(chan error, 1)
	create := f.Step(vars)
	create.PreConfig = func() {
		go func() {
			for made() == 0 {
				time.Sleep(time.Millisecond)
			}
			if n := made(); n >= size {
				ended <- fmt.Errorf("the kube-apiserver was to be restarted in mid-apply, and all %d namespaces are there", n)
				return
			}
			_, err := l.Restart(t.Context(), "build", lab.SameCertificates, nil)
			ended <- err
		}()
	}
	create.Check = func(*terraform.State) error {
		if err := <-ended; err != nil {
			return err
		}
		if n := made(); n != size {
			return fmt.Errorf("%d namespaces, want %d", n, size)
		}
		return nil
	}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{create, f.Quiet(vars)}})
}

// rotated: a client certificate as attributes of its own goes on being used
// if the server's is replaced, and is a clear error if the authority is.
func rotated(t *testing.T, f acctest.Fixture, l *lab.Lab) {
	before := config.Variables{"cluster": byCertificate(t, l.Build)}
	after := config.Variables{"cluster": before["cluster"], "labels": acctest.ObjectVariable("certificates", "new")}
	served, refused := f.Quiet(before), f.Refused("certificate that cannot be verified.*cluster_ca_certificate", before)
	renewed, quiet := f.Step(after), f.Quiet(after)
	restart := func(certificates lab.Certificates) func() {
		return func() {
			c, err := l.Restart(t.Context(), "build", certificates, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range []resource.TestStep{renewed, quiet} {
				step.ConfigVariables["cluster"] = byCertificate(t, c)
			}
		}
	}
	served.PreConfig, refused.PreConfig = restart(lab.NewCertificates), restart(lab.NewAuthority)
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Step(before), served, refused, renewed, quiet}})
}

// byCertificate is a cluster's administrator, each part of the kubeconfig as an
// attribute of its own.
func byCertificate(t *testing.T, c lab.Cluster) config.Variable {
	t.Helper()
	rc, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return acctest.ObjectVariable("host", rc.Host, "cluster_ca_certificate", string(rc.CAData),
		"client_certificate", string(rc.CertData), "client_key", string(rc.KeyData))
}

// TestAccProvider_dynamicCredentials: HCP Terraform writes tokens into files,
// names them in a variable, and may replace a token.
func TestAccProvider_dynamicCredentials(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	everything := acctest.PolicyRule([]string{"*"}, []string{"*"}, "*")
	dir := t.TempDir()
	write := func(name, token string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := func(name string, c lab.Cluster) config.Variable {
		return acctest.ObjectVariable("token_path", write(name, e.Limited(c, everything)))
	}
	where := func(c lab.Cluster) config.Variable {
		return acctest.ObjectVariable("host", c.Server, "ca", string(c.CA))
	}
	vars := config.Variables{
		"clusters": acctest.ObjectVariable("staging", where(e.Lab.Staging), "prod", where(e.Lab.Prod)),
		"tfc_kubernetes_dynamic_credentials": acctest.ObjectVariable("default", path("default", e.Lab.Staging),
			"aliases", acctest.ObjectVariable("PROD", path("prod", e.Lab.Prod))),
	}
	f := acctest.Fixture{Env: e, Dir: "dynamic_credentials", Address: "carvel_run_namespace.test[0]"}
	create := f.Step(vars)
	create.Check = resource.ComposeTestCheckFunc(
		acctest.Has(e.Staging(carvel.Roles, e.Name), carvel.AppRoleName, nil), acctest.Has(e.Prod(carvel.Roles, e.Name), carvel.AppRoleName, nil))
	refused := f.Refused("refused the credentials", vars)
	refused.PreConfig = func() { write("default", strings.Repeat("expired", 3)) }
	again := f.Quiet(vars)
	again.PreConfig = func() { write("default", e.Limited(e.Lab.Staging, everything)) }
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{create, refused, again},
		CheckDestroy: resource.ComposeTestCheckFunc(acctest.HasNot(e.Staging(carvel.Namespaces, ""), e.Name), acctest.HasNot(e.Prod(carvel.Namespaces, ""), e.Name)),
	})
}
