package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

// grace is what a command gets to end by itself after an interrupt.
const grace = time.Minute

// execute runs a command with variables added to the environment, and returns
// its standard output, which also gets while it runs. An error holds all that
// the command printed.
func execute(ctx context.Context, variables []string, also io.Writer, name string, args ...string) (string, error) {
	var out bytes.Buffer
	all := &shared{}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(environment(), variables...)
	cmd.Stdout = io.MultiWriter(all, &out, also)
	cmd.Stderr = all
	// terraform ends what it is doing and writes its state on an interrupt.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = grace
	if err := process.Spawn(cmd); err != nil {
		return "", err
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		if kill := process.Kill(cmd.Process.Pid); kill != nil && !errors.Is(kill, os.ErrProcessDone) {
			err = errors.Join(err, kill)
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, strings.TrimSpace(all.String()))
	}
	return out.String(), nil
}

// environment is this process's without what would change what is shown.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		for _, prefix := range []string{"TF_", "KUBE_", "KUBECONFIG=", "CARVEL_GIT_", "CARVEL_RUN_CLUSTER_", "GIT_"} {
			if strings.HasPrefix(variable, prefix) {
				return true
			}
		}
		return false
	})
}

// shared is a buffer for standard output and standard error together.
type shared struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.String()
}
