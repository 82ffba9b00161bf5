package binaries

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"

	kubernetesModule = "k8s.io/kubernetes"
	etcdModule       = "go.etcd.io/etcd/server/v3"
)

// module is the nested module that pins the control plane.
type module struct {
	dir              string
	kubernetes, etcd string // versions, such as v1.37.2
}

func findModule(ctx context.Context) (module, error) {
	dir, err := nested(ctx, "lab/controlplane")
	if err != nil {
		return module{}, err
	}
	m := module{dir: dir}
	return m, m.readVersions(ctx)
}

// nested is the directory of a module below internal, such as lab/forge.
func nested(ctx context.Context, name string) (string, error) {
	dir, err := below(ctx, name)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return "", err
	}
	return dir, nil
}

// below is a directory below internal. It looks upwards from the module that the
// working directory is in, so that it is found from any directory of the source
// tree, whatever nested module that belongs to.
func below(ctx context.Context, name string) (string, error) {
	gomod, err := goOutput(ctx, "", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	if gomod == "" || gomod == os.DevNull {
		return "", errors.New("the lab builds what it runs from the provider's source tree: run it from there")
	}
	for above := filepath.Dir(gomod); ; above = filepath.Dir(above) {
		dir := filepath.Join(above, "internal", filepath.FromSlash(name))
		if _, err := os.Stat(dir); err == nil {
			return dir, nil
		}
		if above == filepath.Dir(above) {
			return "", fmt.Errorf("internal/%s is not beside or above %s", name, gomod)
		}
	}
}

func (m *module) readVersions(ctx context.Context) error {
	versions, err := goOutput(ctx, m.dir, "list", "-m", "-f", "{{.Version}}", kubernetesModule, etcdModule)
	if err != nil {
		return err
	}
	fields := strings.Fields(versions)
	if len(fields) != 2 {
		return fmt.Errorf("%s does not pin %s and %s", m.dir, kubernetesModule, etcdModule)
	}
	m.kubernetes, m.etcd = fields[0], fields[1]
	return nil
}

// target returns the package of a binary, its version and the linker's flags.
// Kubernetes binaries that are not told their version report v0.0.0, which
// clients refuse.
func (m *module) target(name string) (pkg, version, ldflags string) {
	if name == etcd {
		return etcdModule, m.etcd, "-s -w"
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(m.kubernetes, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	const variable = " -X k8s.io/component-base/version."
	return kubernetesModule + "/cmd/" + name, m.kubernetes,
		"-s -w" + variable + "gitVersion=" + m.kubernetes + variable + "gitMajor=" + major + variable + "gitMinor=" + minor
}

func (m *module) build(ctx context.Context, log io.Writer, name, output string) error {
	pkg, version, ldflags := m.target(name)
	cmd := exec.Command("go", "build", "-ldflags", ldflags, "-o", output, pkg)
	cmd.Dir = m.dir
	cmd.Env = buildEnv()
	return run(ctx, log, name+" "+version, cmd)
}

// run runs a build, with a line to log every ten seconds.
func run(ctx context.Context, log io.Writer, what string, cmd *exec.Cmd) error {
	var report bytes.Buffer
	cmd.Stdout, cmd.Stderr = &report, &report
	began := time.Now()
	fmt.Fprintf(log, "building %s (takes minutes the first time)\n", what)
	if err := process.Spawn(cmd); err != nil {
		return fmt.Errorf("build %s: %w", what, err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			fmt.Fprintf(log, "building %s: %s\n", what, time.Since(began).Round(time.Second))
		case <-ctx.Done():
			_ = process.Kill(cmd.Process.Pid)
			return errors.Join(ctx.Err(), <-done)
		case err := <-done:
			if err != nil {
				return fmt.Errorf("build %s: %w\n%s", what, err, bytes.TrimSpace(report.Bytes()))
			}
			fmt.Fprintf(log, "built %s in %s\n", what, time.Since(began).Round(time.Second))
			return nil
		}
	}
}

// verify runs the binary, which also shows that this machine can.
func (m *module) verify(ctx context.Context, name, path string) error {
	_, version, _ := m.target(name)
	output, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s --version: %w\n%s", name, err, bytes.TrimSpace(output))
	}
	for field := range strings.FieldsSeq(string(output)) {
		if strings.TrimPrefix(field, "v") == strings.TrimPrefix(version, "v") {
			return nil
		}
	}
	return fmt.Errorf("%s was built as %s but says %q", name, version, bytes.TrimSpace(output))
}

// buildEnv is the caller's environment, whose proxies and caches the build
// needs, with what decides the outcome set. One CGO_ENABLED for all binaries
// lets them share what is compiled.
func buildEnv() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
}

func goOutput(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = buildEnv()
	output, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(output)), nil
}

// sources are the version of a module that the one in dir requires, and the
// directory of the module cache that has its files.
func sources(ctx context.Context, dir, module string) (version, files string, err error) {
	listed, err := goOutput(ctx, dir, "list", "-m", "-f", "{{.Version}} {{.Dir}}", module)
	if err != nil {
		return "", "", err
	}
	version, files, _ = strings.Cut(listed, " ")
	if files != "" {
		return version, files, nil
	}
	// It is not in the module cache yet.
	if _, err := goOutput(ctx, dir, "mod", "download", module); err != nil {
		return "", "", err
	}
	files, err = goOutput(ctx, dir, "list", "-m", "-f", "{{.Dir}}", module)
	return version, files, err
}
