//go:build !unix

package cluster

import "os/exec"

// ofItsOwn does nothing: os/exec ends the process alone, and its WaitDelay what
// waits for the output of others.
func ofItsOwn(*exec.Cmd) {}
