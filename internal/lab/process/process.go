// Package process runs children that do not outlive their parent.
//
// Three things see to it. On Linux the kernel kills a child when its parent
// dies. On every Unix a Guard, a shell that waits for the parent's end of a
// pipe to close, kills the process groups and removes the directory that they
// worked in. And Stop, the ordinary way, ends them one by one.
package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Process is a running child whose output goes to a log file.
type Process struct {
	// Name is for messages: "kube-apiserver of staging".
	Name string

	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error // set before done is closed
}

// Start runs path in a process group of its own with no environment but env.
// Standard output and error go to the file log, in whose directory it works.
func Start(name, log string, env []string, path string, args ...string) (*Process, error) {
	output, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Dir = env, filepath.Dir(log)
	cmd.Stdout, cmd.Stderr = output, output
	if err := Spawn(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is also the id of the process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the process ended, with the last lines of its log. It is nil
// while the process runs.
func (p *Process) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("%s ended: %s; the last lines of its log:\n%s", p.Name, how, p.Tail())
}

// Tail returns the last lines of the log, at most 4 KiB.
func (p *Process) Tail() string {
	const most = 4 << 10
	f, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}

// Stop asks the process group to end and kills it after grace. It returns when
// the process has ended, which is no error whatever its exit status.
func (p *Process) Stop(grace time.Duration) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := Terminate(p.PID()); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
	}
	if err := Kill(p.PID()); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	<-p.done
	return nil
}
