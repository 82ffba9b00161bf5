package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// envMain makes this test binary the command itself.
const envMain = "LAB_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(envMain) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// labCommand returns the command in a process of its own, whose lab gets its
// directory in a directory that must be empty in the end.
func labCommand(t *testing.T, args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	parent := t.TempDir()
	cmd = exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), envMain+"=1", "TMPDIR="+parent)
	stderr = &bytes.Buffer{}
	cmd.Stderr = stderr
	t.Cleanup(func() {
		if left, _ := filepath.Glob(filepath.Join(parent, "*")); len(left) > 0 {
			t.Errorf("left behind: %v\n%s", left, stderr)
		}
	})
	return cmd, stderr
}

func exitCodeOf(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

func TestExec(t *testing.T) {
	suite.Acceptance(t, "needs a lab")
	cmd, stderr := labCommand(t, "exec", "-bare", "--", "/bin/sh", "-c",
		`test -r "$LAB_BUILD_KUBECONFIG" -a -r "$LAB_STAGING_KUBECONFIG" -a -r "$LAB_PROD_KUBECONFIG" && echo the last line; exit 7`)
	output, err := cmd.Output()
	if code := exitCodeOf(err); code != 7 {
		t.Errorf("exit code %d, want the command's 7\n%s", code, stderr)
	}
	if string(output) != "the last line\n" {
		t.Errorf("standard output is not the command's alone: %q", output)
	}
}

func TestExec_forwardsSignals(t *testing.T) {
	suite.Acceptance(t, "needs a lab")
	cmd, stderr := labCommand(t, "exec", "-bare", "--", "/bin/sh", "-c",
		`trap 'echo terminated; exit 9' TERM; echo up; while :; do sleep 0.1; done`)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	output := bufio.NewReader(pipe)
	if line, err := output.ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q, %v\n%s", line, err, stderr)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if line, _ := output.ReadString('\n'); line != "terminated\n" {
		t.Errorf("the command did not get the signal: %q", line)
	}
	if code := exitCodeOf(cmd.Wait()); code != 9 {
		t.Errorf("exit code %d, want the command's 9\n%s", code, stderr)
	}
}

func TestUp(t *testing.T) {
	suite.Acceptance(t, "needs a lab")
	cmd, stderr := labCommand(t, "up", "-bare")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	output := bufio.NewScanner(pipe)
	for _, name := range []string{"LAB_BUILD_KUBECONFIG", "LAB_STAGING_KUBECONFIG", "LAB_PROD_KUBECONFIG"} {
		if !output.Scan() || !strings.HasPrefix(output.Text(), "export "+name+"=") {
			t.Fatalf("got %q, want the export of %s\n%s", output.Text(), name, stderr)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for output.Scan() { // until the command closes it
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, stderr)
	}
}

func TestRun_usage(t *testing.T) {
	for _, args := range [][]string{{}, {"unknown"}, {"exec"}, {"up", "surplus"}, {"build", "surplus"}, {"up", "-unknown"}} {
		if code := run(args); code != 2 {
			t.Errorf("%v: exit code %d, want 2", args, code)
		}
	}
}

func TestExec_ofACommandThatDoesNotExist(t *testing.T) {
	if code := run([]string{"exec", "--", "no-such-command-anywhere"}); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
}

func TestQuote(t *testing.T) {
	for value, want := range map[string]string{
		"/tmp/a-b_c.yaml":       "/tmp/a-b_c.yaml",
		"https://127.0.0.1:1/a": "https://127.0.0.1:1/a",
		"/a b":                  "'/a b'",
		"it's $HOME":            `'it'\''s $HOME'`,
		"":                      "",
	} {
		t.Run(value, func(t *testing.T) {
			if got := quote(value); got != want {
				t.Errorf("%q: got %s, want %s", value, got, want)
			}
		})
	}
}
