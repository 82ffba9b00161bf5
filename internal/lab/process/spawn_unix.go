//go:build unix && !linux

package process

import (
	"os/exec"
	"syscall"
)

// detach leaves the end of an orphan to the Guard: no other kernel has a signal
// for the death of a parent.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func outlive(cmd *exec.Cmd) { detach(cmd) }

func attach(*exec.Cmd) {}
