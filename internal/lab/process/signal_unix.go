//go:build unix

package process

import (
	"errors"
	"os"
	"syscall"
)

// Terminate sends SIGTERM to a process group. The error is os.ErrProcessDone
// if there is none.
func Terminate(group int) error { return signalGroup(group, syscall.SIGTERM) }

// Kill sends SIGKILL to a process group. The error is os.ErrProcessDone if
// there is none.
func Kill(group int) error { return signalGroup(group, syscall.SIGKILL) }

func signalGroup(group int, signal syscall.Signal) error {
	err := syscall.Kill(-group, signal)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
