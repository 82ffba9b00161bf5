package lab

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

// run starts a process of the control plane and tells the guard of it.
func (l *Lab) run(name, log, path string, args ...string) (*process.Process, error) {
	env := []string{"PATH=/usr/bin:/bin", "HOME=" + l.Dir, "TMPDIR=" + l.Dir}
	p, err := process.Start(name, l.path(log), env, path, args...)
	if err != nil {
		return nil, err
	}
	if err := l.guard.Add(p); err != nil {
		_ = p.Stop(0)
		return nil, err
	}
	return p, nil
}

// watch reports the end of a process that Stop did not ask for.
func (l *Lab) watch(p *process.Process) {
	go func() {
		<-p.Done()
		if l.stopping.Load() {
			return
		}
		_ = l.guard.Forget(p)
		l.mu.Lock()
		expected := l.ending[p]
		delete(l.ending, p)
		l.mu.Unlock()
		if expected {
			return
		}
		l.fail(p.Err())
	}()
}

// poll calls check until it succeeds, p ends or ctx is done. The error carries
// the last one of check or the last lines of p's log.
func poll(ctx context.Context, p *process.Process, check func(context.Context) error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.Done():
			return p.Err()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %w", p.Name, context.Cause(ctx), err)
		}
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
