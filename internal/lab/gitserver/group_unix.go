//go:build unix

package gitserver

import (
	"os/exec"
	"syscall"
)

// endGroup puts the command in a process group and ends all of it, hooks included, when its context ends.
func endGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
