//go:build !unix

package process

import (
	"errors"
	"os"
	"os/exec"
)

var errUnsupported = errors.New("the lab runs on Linux and macOS only")

func detach(*exec.Cmd) {}

func outlive(*exec.Cmd) {}

func attach(*exec.Cmd) {}

// Terminate is not supported here.
func Terminate(int) error { return errUnsupported }

// Kill is not supported here.
func Kill(int) error { return errUnsupported }

func tryLock(*os.File) (bool, error) { return false, errUnsupported }

// Foreground is not known here.
func Foreground() bool { return false }

// EndedBy is not known here.
func EndedBy(*os.ProcessState) (int, bool) { return 0, false }
