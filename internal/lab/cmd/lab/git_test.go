package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestGit: a repository that git pushes to and clones from, at the address that was
// asked for, and that is gone in the end.
func TestGit(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a second loopback address")
	}
	cmd, stderr := labCommand(t, "git", "-address", "127.0.0.2")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	output := bufio.NewScanner(pipe)
	variables := map[string]string{}
	for range 4 {
		if !output.Scan() {
			t.Fatalf("standard output ends after %v\n%s", variables, stderr)
		}
		name, value, _ := strings.Cut(strings.TrimPrefix(output.Text(), "export "), "=")
		variables[name] = value
	}
	url := strings.Replace(variables["LAB_GIT_URL"], "https://127.0.0.2:",
		"https://"+variables["LAB_GIT_USERNAME"]+":"+variables["LAB_GIT_PASSWORD"]+"@127.0.0.2:", 1)
	clone := filepath.Join(t.TempDir(), "clone")
	for _, args := range [][]string{
		{"clone", "--quiet", "--branch=main", url, clone},
		{"-C", clone, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--allow-empty", "-m", "One"},
		{"-C", clone, "push", "--quiet", "origin", "main"},
	} {
		git := exec.Command("git", args...)
		git.Env = append(os.Environ(), "GIT_SSL_CAINFO="+variables["LAB_GIT_CA_FILE"], "GIT_TERMINAL_PROMPT=0")
		if said, err := git.CombinedOutput(); err != nil {
			t.Errorf("git %v: %v\n%s", args, err, said)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, stderr)
	}
}

func TestGit_address(t *testing.T) {
	cmd, stderr := labCommand(t, "git", "-address", "localhost")
	if code := exitCodeOf(cmd.Run()); code != 1 || !strings.Contains(stderr.String(), `"localhost" is no IP address`) {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
