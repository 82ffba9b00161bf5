package packageinstall_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// scale is the terraform command with the provider as a process of its own, and a Git server that counts. There are no clusters.
type scale struct {
	testing.TB
	server *gitserver.Server
	dir    string // of the configuration
	env    []string
	times  string // the processor time of every provider process, as the shell prints it

	mu        sync.Mutex
	exchanges []gitserver.Exchange
}

const scaleRepository = "gitops"

// hostedPush is how long a hosted Git server takes for a push, about. What has come until then shares the next one.
const hostedPush = 200 * time.Millisecond

// maxPushes of 100 changes, 10 of which are under way at any time: 10 if none of them is late. How many are late depends on how busy
// the machine is; without shared pushes there would be 100.
const maxPushes = 50

// maxOther are the requests of an apply beside its pushes.
const maxOther = 20

// maxState are the bytes that Terraform keeps of a package install with two values, of which about 650 are its files, some 250 tell whose they
// are, and from version 1.12 on 100 are its identity: Terraform's own time grows with them.
const maxState = 2400

func newScale(t testing.TB, fixture string, delay time.Duration) *scale {
	t.Helper()
	suite.Acceptance(t, "runs terraform")
	terraform := acctest.Terraform()
	if _, err := exec.LookPath(terraform); err != nil {
		t.Skipf("the terraform command is not installed: %v", err)
	}
	s := &scale{TB: t, dir: t.TempDir()}
	var err error
	s.server, err = gitserver.Start(gitserver.Options{Dir: t.TempDir(), Username: "u", Password: "p", Observe: func(e gitserver.Exchange) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.exchanges = append(s.exchanges, e)
	}, Intercept: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/git-receive-pack") {
				time.Sleep(delay)
			}
			next.ServeHTTP(w, r)
		})
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.server.Close() })
	if err := s.server.CreateRepository(scaleRepository, gitserver.AllowFilter); err != nil {
		t.Fatal(err)
	}
	main, err := os.ReadFile(filepath.Join("testdata", fixture, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	s.write(filepath.Join(s.dir, "main.tf"), string(main))
	s.installProvider(t.TempDir())
	s.env = append(s.env,
		"PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(), "CHECKPOINT_DISABLE=1", "TERRAFORM="+terraform,
		"TF_VAR_git_url="+s.server.URL(scaleRepository), "TF_VAR_git_ca="+s.server.CertificateAuthority())
	return s
}

// installProvider builds the provider. A script in its place writes down what it took; the provider's pipes are handed through.
func (s *scale) installProvider(dir string) {
	s.Helper()
	const name = "terraform-provider-carvel"
	built := filepath.Join(dir, "built")
	build := exec.Command("go", "build", "-o", built, "../../..")
	if out, err := build.CombinedOutput(); err != nil {
		s.Fatalf("go build: %v\n%s", err, out)
	}
	s.times = filepath.Join(dir, "times")
	s.write(filepath.Join(dir, name), fmt.Sprintf("#!/bin/sh\n'%s' \"$@\"\ncode=$?\ntimes >> '%s'\nexit $code\n", built, s.times))
	if err := os.Chmod(filepath.Join(dir, name), 0o700); err != nil {
		s.Fatal(err)
	}
	settings := filepath.Join(dir, "terraformrc")
	s.write(settings, fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"carvel-gitops/carvel\" = %q\n  }\n  direct {}\n}\n", dir))
	s.env = append(s.env, "TF_CLI_CONFIG_FILE="+settings)
}

func (s *scale) write(path, content string) {
	s.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
}

// terraform runs the command and tells how often the server was asked, how often pushed to, and how much processor time the provider took.
func (s *scale) terraform(args ...string) (requests, pushes int, cpu time.Duration) {
	s.Helper()
	s.mu.Lock()
	s.exchanges = nil
	s.mu.Unlock()
	_ = os.Remove(s.times)
	out, err := s.run(`exec "$TERRAFORM" "$@"`, args...)
	if err != nil {
		s.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.exchanges {
		if e.Push() {
			pushes++
		}
	}
	times, _ := os.ReadFile(s.times)
	lines := strings.Split(string(times), "\n")
	for i := 1; i < len(lines); i += 2 { // the second line of each pair is about the shell's children
		for field := range strings.FieldsSeq(lines[i]) {
			d, err := time.ParseDuration(field)
			if err != nil {
				s.Fatalf("times: %v", err)
			}
			cpu += d
		}
	}
	return len(s.exchanges), pushes, cpu
}

func (s *scale) run(script string, args ...string) (string, error) {
	cmd := exec.Command("sh", append([]string{"-ec", script, "sh"}, args...)...)
	cmd.Dir, cmd.Env = s.dir, s.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func (s *scale) files() map[string]string {
	s.Helper()
	files, err := s.server.Files(scaleRepository, "main")
	if err != nil {
		s.Fatal(err)
	}
	return files
}

// seedPackages gives the repository a first commit, with three versions of each of so many packages.
func (s *scale) seedPackages(packages int) map[string]string {
	s.Helper()
	files := map[string]string{"README.md": "theirs\n"}
	for i := range packages {
		name := fmt.Sprintf("package-%d.example.com", i)
		for _, version := range []string{"1.0.0", "1.1." + fmt.Sprint(i), "2.0.0-rc.1"} {
			files[name+"/packages/"+version+".yaml"] = fmt.Sprintf(`apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata: {name: %[1]s.%[2]s}
spec:
  refName: %[1]s
  version: %[2]s
  valuesSchema:
    openAPIv3:
      type: object
      additionalProperties: false
      properties:
        name: {type: string, default: ""}
        replicas: {type: integer, default: 1, minimum: 1}
  template:
    spec:
      fetch: [{imgpkgBundle: {image: registry.example.com/%[1]s:%[2]s}}]
      template: [{ytt: {}}]
      deploy: [{kapp: {}}]
`, name, version)
		}
	}
	if _, err := s.server.Seed(scaleRepository, "theirs", files); err != nil {
		s.Fatal(err)
	}
	return files
}

// TestAccPackageInstall_hundred: 100 package installs share commits and fetches.
func TestAccPackageInstall_hundred(t *testing.T) {
	s := newScale(t, "hundred", hostedPush)
	theirs := s.seedPackages(10)
	requests, pushes, cpu := s.terraform("apply", "-auto-approve", "-no-color", "-parallelism=10")
	t.Logf("apply: %d requests, %d pushes, %s of processor time in the provider", requests, pushes, cpu)
	if pushes > maxPushes || requests > pushes+maxOther {
		t.Errorf("apply took %d pushes and %d requests, want at most %d and %d more", pushes, requests, maxPushes, maxOther)
	}
	if files := s.files(); len(files) != 300+len(theirs) || files["README.md"] != "theirs\n" {
		t.Errorf("%d files on the branch, want 3 for each of 100 and the %d that were there", len(files), len(theirs))
	}
	commits, err := s.server.Git(scaleRepository, nil, "rev-list", "--count", "main")
	if strings.TrimSpace(commits) != fmt.Sprint(pushes+1) || err != nil {
		t.Errorf("%s commits after %d pushes (%v)", commits, pushes, err)
	}
	// The exit code of a plan that would change something is 2.
	requests, pushes, cpu = s.terraform("plan", "-detailed-exitcode", "-no-color", "-parallelism=10")
	t.Logf("plan: %d requests, %s of processor time in the provider", requests, cpu)
	if requests > 8 || pushes > 0 {
		t.Errorf("the second plan took %d requests and %d pushes, want at most 8 and none", requests, pushes)
	}
	each := s.attributes(100)
	t.Logf("state: %d bytes for each", each)
	if each > maxState {
		t.Errorf("the state has %d bytes for each package install, want at most %d", each, maxState)
	}
	requests, pushes, _ = s.terraform("destroy", "-auto-approve", "-no-color", "-parallelism=10")
	t.Logf("destroy: %d requests, %d pushes", requests, pushes)
	if pushes > maxPushes {
		t.Errorf("destroy took %d pushes, want at most %d", pushes, maxPushes)
	}
	for path := range s.files() {
		if _, was := theirs[path]; !was && !strings.HasSuffix(path, "/.gitkeep") {
			t.Errorf("%s is left", path)
		}
	}
}

// BenchmarkPackageInstall_hundred applies 100 package installs, and commits and pushes 100 times by the git command for comparison. What is
// reported is the median.
func BenchmarkPackageInstall_hundred(b *testing.B) {
	metrics := map[string][]float64{}
	note := func(metric string, value float64) { metrics[metric] = append(metrics[metric], value) }
	for b.Loop() {
		s := newScale(b, "hundred", 0)
		s.seedPackages(10)
		began := time.Now()
		requests, pushes, cpu := s.terraform("apply", "-auto-approve", "-no-color", "-parallelism=10")
		wall := time.Since(began)
		note("apply-wall-ms", wall.Seconds()*1000)
		note("apply-reqs", float64(requests))
		note("apply-pushes", float64(pushes))
		note("apply-provider-cpu-ms", cpu.Seconds()*1000)
		requests, _, cpu = s.terraform("plan", "-detailed-exitcode", "-no-color", "-parallelism=10")
		note("plan-reqs", float64(requests))
		note("plan-provider-cpu-ms", cpu.Seconds()*1000)
		began = time.Now()
		s.script()
		note("wall-ratio", wall.Seconds()/time.Since(began).Seconds())
		note("script-wall-ms", time.Since(began).Seconds()*1000)
	}
	for metric, values := range metrics {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], metric)
	}
}

// gitByHand prepares for the git command, and is the URL to give it.
func (s *scale) gitByHand() string {
	s.Helper()
	s.write(filepath.Join(s.dir, "ca.pem"), s.server.CertificateAuthority())
	s.env = append(s.env, "GIT_SSL_CAINFO="+filepath.Join(s.dir, "ca.pem"), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	return strings.Replace(s.server.URL(scaleRepository), "https://", "https://u:p@", 1)
}

// script is what a practitioner does without the provider.
func (s *scale) script() {
	s.Helper()
	url := s.gitByHand()
	if out, err := s.run(`git clone -q "$1" clone; cd clone
for p in 0 1 2 3 4 5 6 7 8 9; do for c in 0 1 2 3 4 5 6 7 8 9; do
  mkdir -p "by-hand-$p/cluster-$c"
  echo "name: $p" > "by-hand-$p/cluster-$c/packageinstall.yaml"; echo "replicas: $c" > "by-hand-$p/cluster-$c/params.yaml"
  git add --all; git commit -q -m "Install $p on $c"; git push -q
done; done`, url); err != nil {
		s.Fatalf("git: %v\n%s", err, out)
	}
}

// TestAccPackageInstall_firstCommit: the first apply begins the branch of an empty repository, with signed commits.
func TestAccPackageInstall_firstCommit(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	s := newScale(t, "first_commit", 0)
	key := filepath.Join(s.dir, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	private, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	allowed := filepath.Join(s.dir, "allowed_signers")
	s.write(allowed, "ada@example.com "+string(public))
	s.env = append(s.env, "TF_VAR_signing_key="+string(private), "TF_VAR_signing_passphrase=open sesame")
	s.terraform("apply", "-auto-approve", "-no-color")
	s.terraform("plan", "-detailed-exitcode", "-no-color")
	if files := s.files(); len(files) != 3 { // two, and their mark
		t.Errorf("the branch holds %d files, want 3", len(files))
	}
	if _, err := s.server.Git(scaleRepository, nil, "-c", "gpg.ssh.allowedSignersFile="+allowed, "verify-commit", "refs/heads/main"); err != nil {
		t.Error(err)
	}
	// A wrong passphrase is told about the attribute, without its value.
	out, err := s.run(`TF_VAR_signing_passphrase=wr0ng exec "$TERRAFORM" plan -no-color`)
	if err == nil || !strings.Contains(out, "git.signing.ssh_passphrase") && !strings.Contains(out, "git.signing.ssh_key") || strings.Contains(out, "wr0ng") {
		t.Errorf("a wrong passphrase: %v\n%s", err, out)
	}
}
