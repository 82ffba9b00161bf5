package runnamespace_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// namespaces is how many the benchmark makes, six objects each. A plan and a
// diff take turns; their ratio is the median of so many.
const namespaces, turns = 50, 5

// BenchmarkRunNamespaces applies, plans and destroys run namespaces, beside
// kubectl with the same objects and Terraform alone with as many resources, all
// through the same kind of proxy. It needs terraform and kubectl.
func BenchmarkRunNamespaces(b *testing.B) {
	e := acctest.New(b)
	if _, err := exec.LookPath("kubectl"); err != nil {
		b.Skip("kubectl is what this is measured beside, and it is not installed")
	}
	for b.Loop() {
		ours := newTerraform(b, e)
		apply := ours.run("apply", "-auto-approve")
		applied := apply.requests
		theirs := newKubectl(b, e)
		kubectlApply := theirs.run("apply", "--server-side", "-f", theirs.manifest)
		nothing := newTerraformData(b)
		nothing.run("apply", "-auto-approve")
		var plan cost
		var toDiff, toNothing []float64
		for range turns {
			plan = ours.run("plan", "-detailed-exitcode")
			toDiff = append(toDiff, plan.wall.Seconds()/theirs.run("diff", "--server-side", "-f", theirs.manifest).wall.Seconds())
			toNothing = append(toNothing, plan.wall.Seconds()/nothing.run("plan", "-detailed-exitcode").wall.Seconds())
		}
		theirs.run("delete", "--wait=false", "-f", theirs.namespaces)
		destroy := ours.run("destroy", "-auto-approve", "-refresh=false")

		b.ReportMetric(apply.wall.Seconds(), "apply-s")
		b.ReportMetric(apply.wall.Seconds()/kubectlApply.wall.Seconds(), "apply/kubectl")
		b.ReportMetric(float64(applied), "apply-requests")
		b.ReportMetric(float64(kubectlApply.requests), "kubectl-requests")
		b.ReportMetric(apply.cpu.Seconds(), "apply-cpu-s")
		b.ReportMetric(float64(apply.rss)/1024, "apply-rss-MB")
		b.ReportMetric(median(toDiff), "plan/kubectl-diff")
		b.ReportMetric(median(toNothing), "plan/terraform_data")
		b.ReportMetric(float64(plan.requests), "plan-requests")
		b.ReportMetric(float64(destroy.requests)/namespaces, "destroy-requests/namespace")
		b.ReportMetric(destroy.wall.Seconds(), "destroy-s")
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// cost is what one command took; cpu and rss (KiB) are the provider's.
type cost struct {
	wall, cpu time.Duration
	rss       int64
	requests  int
}

type terraformRun struct {
	b     *testing.B
	dir   string
	env   []string
	proxy *acctest.Proxy
}

const benchConfig = `
terraform {
  required_providers {
    carvel = { source = "carvel-gitops/carvel" }
  }
}
provider "carvel" {
  run_clusters = { staging = { host = %q } }
}
resource "carvel_run_namespace" "test" {
  count       = %d
  run_cluster = "staging"
  name        = "%s-${count.index}"
}
`

func newTerraform(b *testing.B, e *acctest.Env) *terraformRun {
	b.Helper()
	dir := b.TempDir()
	command(b, "", nil, "go", "build", "-ldflags", "-s -w", "-o", filepath.Join(dir, "real", "terraform-provider-carvel"),
		"github.com/carvel-gitops/terraform-provider-carvel")
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "terraform-provider-carvel")); err != nil {
		b.Fatal(err)
	}
	proxy := e.Proxy(e.Lab.Staging)
	write(b, filepath.Join(dir, "main.tf"), fmt.Sprintf(benchConfig, proxy.URL, namespaces, e.Name))
	write(b, filepath.Join(dir, "terraform.rc"), fmt.Sprintf("provider_installation {\n  dev_overrides { \"carvel-gitops/carvel\" = %q }\n}\n", dir))
	return &terraformRun{b: b, dir: dir, proxy: proxy, env: []string{
		"TF_CLI_CONFIG_FILE=" + filepath.Join(dir, "terraform.rc"), "CHECKPOINT_DISABLE=1",
		measuredProvider + "=" + filepath.Join(dir, "real", "terraform-provider-carvel"),
		measuredResult + "=" + filepath.Join(dir, "usage"),
	}}
}

// newTerraformData has as many resources that do nothing.
func newTerraformData(b *testing.B) *terraformRun {
	b.Helper()
	dir := b.TempDir()
	write(b, filepath.Join(dir, "main.tf"), fmt.Sprintf("resource \"terraform_data\" \"test\" {\n  count = %d\n  input = count.index\n}\n", 6*namespaces))
	r := &terraformRun{b: b, dir: dir, env: []string{"CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=" + os.DevNull}}
	command(b, dir, r.env, acctest.Terraform(), "init")
	return r
}

func (r *terraformRun) run(args ...string) cost {
	r.b.Helper()
	if r.proxy != nil {
		r.proxy.Requests()
	}
	usage := filepath.Join(r.dir, "usage")
	if err := os.RemoveAll(usage); err != nil {
		r.b.Fatal(err)
	}
	began := time.Now()
	command(r.b, r.dir, r.env, acctest.Terraform(), append(args, "-no-color", "-input=false", "-parallelism=10")...)
	c := cost{wall: time.Since(began)}
	if r.proxy == nil {
		return c
	}
	c.requests = len(r.proxy.Requests())
	data, err := os.ReadFile(usage)
	if err != nil {
		r.b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) { // one for each time that Terraform started the provider
		fields := strings.Fields(line)
		cpu, _ := strconv.ParseInt(fields[0], 10, 64)
		rss, _ := strconv.ParseInt(fields[1], 10, 64)
		c.cpu, c.rss = c.cpu+time.Duration(cpu), max(c.rss, rss)
	}
	return c
}

type kubectlRun struct {
	b                    *testing.B
	proxy                *acctest.Proxy
	manifest, namespaces string
}

func newKubectl(b *testing.B, e *acctest.Env) *kubectlRun {
	b.Helper()
	dir := b.TempDir()
	var all, only bytes.Buffer
	for i := range namespaces {
		name := fmt.Sprintf("%s-k%d", e.Name, i)
		for n, obj := range carvel.RunNamespace(carvel.RunNamespaceSpec{Name: name, ServiceAccountName: name + "-sa"}) {
			text, err := yaml.Marshal(obj.Object)
			if err != nil {
				b.Fatal(err)
			}
			fmt.Fprintf(&all, "---\n%s", text)
			if n == 0 {
				fmt.Fprintf(&only, "---\n%s", text)
			}
		}
	}
	k := &kubectlRun{b: b, proxy: e.Proxy(e.Lab.Staging), manifest: filepath.Join(dir, "all.yaml"), namespaces: filepath.Join(dir, "namespaces.yaml")}
	write(b, k.manifest, all.String())
	write(b, k.namespaces, only.String())
	return k
}

func (k *kubectlRun) run(args ...string) cost {
	k.b.Helper()
	k.proxy.Requests()
	began := time.Now()
	command(k.b, "", nil, "kubectl", append([]string{"--server=" + k.proxy.URL, "--kubeconfig=" + os.DevNull}, args...)...)
	return cost{wall: time.Since(began), requests: len(k.proxy.Requests())}
}

func write(b *testing.B, path, text string) {
	b.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

func command(b *testing.B, dir string, env []string, name string, args ...string) {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s %s: %v\n%s", name, args[0], err, out)
	}
}
